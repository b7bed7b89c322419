"""L'étape 1 sur un dossier de livres (BOOKS) : ce qui est lu, ce qui est mis de côté, une coupure, les refus."""

import os
import signal
import time

import pytest
from datasets import load_from_disk

from conftest import ONE_OUTPUT
from gutenberg_files import PROSE, File
from test_bad_inputs import refused
from workshop.errors import WorkshopError
from workshop.text import library

STEP_1 = "1_prepare_dataset_solution.py"
LIBRARY = "workshop/text/library.py"
TEST_BOOK = "Les ormes 00"


def book(title, language="French", story=PROSE):
    """Renvoie le texte d'un petit livre inventé, au format de Project Gutenberg."""
    header = f"The Project Gutenberg eBook\n\nTitle: {title}\n\nLanguage: {language}"
    return File(header=header).text(story.replace("la meunière", f"la meunière de {title}"))


@pytest.fixture(name="shelf")
def _shelf(tmp_path):
    """Trente et un bons livres dans deux dossiers, et huit mauvais."""
    shelf = tmp_path / "livres"
    (shelf / "encore").mkdir(parents=True)
    for rank in range(31):
        (shelf / ("encore" if rank % 2 else "") / f"ormes_{rank:02}.txt").write_text(
            book(f"Les ormes {rank:02}"), encoding="utf-8")
    for name, content in {
            "double": book("LES  ORMES 03").encode(), "vide": b"", "etranger": book("Elms", "English").encode(),
            "latin": book("Été").encode("cp1252"), "page": b"<!doctype html><p>Connectez-vous</p>",
            "notes": "Un texte à nous.\n".encode() * 300, "tronque": book("Coupé").encode()[:1500],
            "muet": book("Muet", story="Oh!\n\n" * 800).encode()}.items():
        (shelf / f"mauvais_{name}.txt").write_bytes(content)
    (shelf / "lisez-moi.md").write_text("Ce n'est pas un livre.", encoding="utf-8")
    return shelf


@pytest.fixture(name="reader")
def _reader(atelier, shelf):
    """L'atelier, dont l'étape 1 lit `shelf` par lots de deux livres par processus, au plus."""
    atelier.change(STEP_1, 'BOOKS = "" ', f'BOOKS = "{shelf.as_posix()}" ')
    atelier.change(STEP_1, '"La Mare au Diable": ', f'"{TEST_BOOK}": ')
    atelier.change(LIBRARY, "LOT = 16 ", "LOT = 2 ")
    return atelier


def test_a_folder_is_read_and_its_bad_books_are_put_aside(reader):
    process = reader.run(STEP_1)
    assert process.returncode == 0, process.stderr
    assert "31 livres lus" in process.stdout and "Mis de côté : 8." in process.stdout
    for name, reason in {"double": "déjà dans encore/ormes_03.txt", "vide": "vide", "latin": "Latin-1",
                         "etranger": "« Language: English »", "page": "page web", "tronque": "tronqué",
                         "notes": "pas un livre de Project Gutenberg", "muet": "phrases assez longues"}.items():
        assert any(f"- mauvais_{name}.txt : " in line and reason in line for line in process.stdout.splitlines()), name
    data = reader.aurore / "data"
    dataset = load_from_disk(data)
    titles = {f"Les ormes {rank:02}" for rank in range(31)} - {TEST_BOOK}
    assert dataset["test"].unique("book") == [TEST_BOOK]
    assert set(dataset["train"].unique("book")) == set(dataset["validation"].unique("book")) == titles
    assert dataset["train"].column_names == ["text", "book", "position", "sentence_length"]
    assert (data / "train_text.txt").read_text(encoding="utf-8").splitlines() == dataset["train"]["text"][:]
    assert not (data / ".unfinished").exists()
    assert len(process.stdout.splitlines()) < 45


def test_the_list_of_bad_books_is_short(reader, shelf):
    for rank in range(20):
        (shelf / f"vide_{rank}.txt").touch()
    process = reader.run(STEP_1)
    assert process.returncode == 0, process.stderr
    assert "Mis de côté : 28." in process.stdout and "et 18 autres" in process.stdout


@pytest.fixture(name="rows_of")
def _rows_of(lesson, monkeypatch):
    """Renvoie, partie par partie, les lignes que l'étape 1 écrit dans un dossier avec ces réglages."""
    step_1 = lesson("1_prepare_dataset_solution")

    def write(folder, **settings):
        monkeypatch.setattr(step_1.paths, "DATA", folder)
        for name, value in settings.items():
            monkeypatch.setattr(step_1, name, value)
        step_1.main()
        return {part: sorted(zip(rows["book"][:], rows["position"][:], rows["text"][:]))
                for part, rows in load_from_disk(folder).items()}
    return write


def test_a_folder_gives_what_its_books_one_by_one_would(rows_of, monkeypatch, tmp_path, shelf):
    """Les neuf vrais livres : test_atelier.py."""
    monkeypatch.setattr(library, "LOT", 3)
    addresses = {f"Les ormes {rank:02}": str(next(shelf.rglob(f"ormes_{rank:02}.txt"))) for rank in range(31)}
    test_books = {TEST_BOOK: addresses.pop(TEST_BOOK)}
    one_by_one = rows_of(tmp_path / "un", TRAIN_BOOKS=addresses, TEST_BOOKS=test_books)
    together = rows_of(tmp_path / "dossier", BOOKS=str(shelf), TEST_BOOKS={TEST_BOOK: ""})
    assert together == one_by_one and len(one_by_one["train"]) > 500


@pytest.mark.parametrize("name", ["Les Ormes 07", "ormes_07.txt", "ormes_07"])
def test_the_test_book_is_named_by_its_title_or_its_file(rows_of, tmp_path, shelf, name):
    rows = rows_of(tmp_path / "data", BOOKS=str(shelf), TEST_BOOKS={name: ""})
    assert {title for title, _, _ in rows["test"]} == {"Les ormes 07"}


def test_a_whole_book_of_the_folder_is_the_validation(rows_of, tmp_path, shelf):
    rows = rows_of(tmp_path / "data", BOOKS=str(shelf), TEST_BOOKS={TEST_BOOK: ""},
                   VALIDATION="Les ormes 05")
    assert {title for title, _, _ in rows["validation"]} == {"Les ormes 05"}


# --- Les coupures -------------------------------------------------------------------------

def stop(reader, sign, lots=5):
    """Envoie `sign` à l'étape 1 quand elle a fini `lots` fichiers ; renvoie (code, ce qu'elle a dit)."""
    with reader.start(STEP_1, options={**ONE_OUTPUT, "start_new_session": True}) as process:
        while len(list((reader.aurore / "data").glob(".unfinished/*.arrow"))) < lots:
            assert process.poll() is None, process.stdout.read()
            time.sleep(0.01)
        if sign == signal.SIGINT:
            os.killpg(process.pid, sign)  # dans un terminal, Ctrl-C va à tous les processus
        else:
            process.send_signal(sign)     # kill -9, au seul premier
        said = process.communicate(timeout=60)[0]
    return process.returncode, said


def processes_of(reader):
    """Renvoie les processus encore lancés depuis le dossier de l'atelier (Linux)."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.readlink(f"/proc/{entry}/cwd") == str(reader.folder):
                found.append(entry)
        except OSError:
            continue
    return found


def replace_unseen(path, old, new):
    """Change un livre sans changer ni sa taille ni sa date : seul un script qui le relit s'en aperçoit."""
    state = path.stat()
    text = path.read_bytes().replace(old.encode(), new.encode())
    path.write_bytes(text)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert path.stat().st_size == state.st_size


def test_a_killed_step_takes_up_where_it_was(reader, shelf):
    assert stop(reader, signal.SIGKILL)[0] == -signal.SIGKILL
    time.sleep(0.5)
    assert not processes_of(reader), "ils attendraient sans fin, et garderaient le verrou"
    assert not (reader.aurore / "data" / "train").exists()
    for rank in range(31):
        replace_unseen(next(shelf.rglob(f"ormes_{rank:02}.txt")), "ses sacs", "ses dons")
    process = reader.run(STEP_1)
    assert process.returncode == 0, process.stderr
    dataset = load_from_disk(reader.aurore / "data")
    texts = "".join(dataset["train"]["text"][:] + dataset["test"]["text"][:])
    assert "ses sacs" in texts and "ses dons" in texts, "le début n'est pas relu, la suite l'est"
    assert "ses sacs" in "".join(dataset["test"]["text"][:])


def test_ctrl_c_says_one_sentence_and_keeps_what_is_read(reader):
    code, said = stop(reader, signal.SIGINT)
    assert code == 130 and "Interrompu" in said and "Traceback" not in said, said
    assert not processes_of(reader)
    assert len(list((reader.aurore / "data").glob(".unfinished/*.arrow"))) >= 5


@pytest.mark.parametrize("change", ["réglage", "livre", "lot abîmé"])
def test_what_has_changed_since_the_kill_is_read_again(reader, shelf, change):
    stop(reader, signal.SIGKILL)
    if change == "réglage":
        reader.change(STEP_1, "SHORTEST_SENTENCE = 4 ", "SHORTEST_SENTENCE = 12 ")
    elif change == "livre":
        path = shelf / "ormes_00.txt"
        path.write_text(path.read_text(encoding="utf-8").replace("ses sacs", "ses oies"), encoding="utf-8")
    else:
        for path in (reader.aurore / "data").glob(".unfinished/*.arrow"):
            path.write_bytes(path.read_bytes()[:500])
    process = reader.run(STEP_1)
    assert process.returncode == 0, process.stderr
    dataset = load_from_disk(reader.aurore / "data")
    assert min(dataset["train"]["sentence_length"][:]) >= (12 if change == "réglage" else 4)
    assert ("ses oies" in "".join(dataset["test"]["text"][:])) == (change == "livre")
    assert len(dataset["train"].unique("book")) == 30


# --- Les refus ----------------------------------------------------------------------------

def test_a_missing_folder_says_what_to_type(atelier):
    atelier.change(STEP_1, 'BOOKS = "" ', 'BOOKS = "mes livres" ')
    refused(atelier.run(STEP_1), "mes livres", "n'existe pas", 'BOOKS = ""')
    (atelier.folder / "mes livres").mkdir()  # le chemin part du dossier du projet
    (atelier.folder / "mes livres" / "conte.epub").touch()
    refused(atelier.run(STEP_1), "aucun fichier .txt", "Gutenberg")


@pytest.mark.parametrize("test_books, sentence", [
    ({"Les hêtres": ""}, "« Les hêtres ».*TEST_BOOKS = {\"Les ormes 01\""),
    ({}, "TEST_BOOKS est vide"),
    ({"mauvais_vide": ""}, "« mauvais_vide », choisi par TEST_BOOKS, ne peut pas servir : le fichier est vide"),
    ({f"Les ormes {rank:02}": "" for rank in range(31)}, "aucun livre pour s'entraîner"),
])
def test_a_folder_without_a_test_or_a_training_book(rows_of, tmp_path, shelf, test_books, sentence):
    with pytest.raises(WorkshopError, match=f"(?s){sentence}"):
        rows_of(tmp_path / "data", BOOKS=str(shelf), TEST_BOOKS=test_books)
    assert not (tmp_path / "data" / "train").exists()


def test_a_validation_book_that_does_not_exist_shows_a_few_titles(rows_of, tmp_path, shelf):
    with pytest.raises(WorkshopError, match="Les ormes 01, .*et 20 autres"):
        rows_of(tmp_path / "data", BOOKS=str(shelf), TEST_BOOKS={TEST_BOOK: ""},
                VALIDATION="Les hêtres")


def test_a_book_too_big_for_memory_is_put_aside(rows_of, monkeypatch, tmp_path, shelf, capsys):
    monkeypatch.setattr(library, "LARGEST", (shelf / "ormes_00.txt").stat().st_size)
    (shelf / "enorme.txt").write_text(book("Énorme", story=PROSE * 2), encoding="utf-8")
    rows_of(tmp_path / "data", BOOKS=str(shelf), TEST_BOOKS={TEST_BOOK: ""})
    assert "enorme.txt : le fichier fait plus de" in capsys.readouterr().out


def test_two_scripts_do_not_read_the_same_folder_at_once(rows_of, monkeypatch, tmp_path, shelf):
    with library.alone(tmp_path), pytest.raises(WorkshopError, match="Un autre script"):
        monkeypatch.setattr(library, "UNFINISHED", ".")
        rows_of(tmp_path, BOOKS=str(shelf), TEST_BOOKS={TEST_BOOK: ""})


def test_an_unfinished_answer_is_told_in_one_sentence(reader):
    exercise = "1_prepare_dataset.py"
    reader.change(exercise, 'BOOKS = "" ', f'BOOKS = "{reader.folder.as_posix()}/livres" ')
    reader.change(exercise, '"La Mare au Diable": ', f'"{TEST_BOOK}": ')
    refused(reader.run(exercise), "TODO 1.5")
