"""Les livres : fichier local, cache, réseau, contes embarqués ; avec le vrai client de Keras."""

import os
import time
from pathlib import Path

import pytest

from test_books import gutenberg_file
from workshop import artefacts, downloads, sources
from workshop.errors import WorkshopError
from workshop.paths import AURORE
from workshop.sources import OutOfReach
from workshop.text.gutenberg import check_book, keep_author_lines

PATHS = ("/files/1/1-0.txt", "/files/2/2-0.txt")
BOOKS = {"Un": f"https://www.gutenberg.org{PATHS[0]}", "Deux": f"https://www.gutenberg.org{PATHS[1]}"}


def fetch(books, download):
    """Renvoie {titre: chemin} des livres, demandés comme le fait l'étape 1."""
    asked = downloads.Downloads(books)
    for request in asked.requests():
        with request:
            check_book(download(request.url, request.name, request.folder))
    return asked.paths


@pytest.fixture(name="download")
def _download(lesson):
    return lesson("1_prepare_dataset_solution").download_file


@pytest.fixture(name="shelf", autouse=True)
def _shelf(tmp_path, monkeypatch):
    """Un dossier de livres vide, et aucune attente entre deux essais."""
    monkeypatch.setattr(downloads, "BOOKS", tmp_path / "books")
    monkeypatch.setattr(downloads, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(downloads, "SILENCE_LIMIT", 0.5)
    return tmp_path / "books"


@pytest.fixture(name="mirror")
def _mirror(book_server, monkeypatch):
    """Un miroir qui a les deux livres."""
    monkeypatch.setenv("GUTENBERG_MIRROR", book_server.url + "/")
    book_server.files = {path: gutenberg_file().encode() for path in PATHS}
    return book_server


def test_books_are_downloaded_once(mirror, download, shelf):
    paths = fetch(BOOKS, download)
    assert list(paths) == ["Un", "Deux"]
    assert [path.read_bytes() for path in paths.values()] == list(mirror.files.values())
    assert mirror.requests == list(PATHS)
    fetch(BOOKS, download)
    assert mirror.requests == list(PATHS)
    assert sorted(path.name for path in shelf.iterdir()) == ["deux_2-0.txt", "un_1-0.txt"]


@pytest.mark.parametrize("failures", [[503], ["truncated"], ["silent"], [500, "truncated"]])
def test_a_failing_server_is_asked_again(mirror, download, failures):
    mirror.behaviours[PATHS[0]] = list(failures)
    fetch(BOOKS, download)
    assert mirror.requests.count(PATHS[0]) == len(failures) + 1


@pytest.mark.parametrize("content, sentence", [
    (None, "n'a pas ce fichier"),
    (b"", "vide"),
    (b"<html>portail</html>", "page web"),
    (gutenberg_file().encode()[:3000], "tronqué"),
    (gutenberg_file().encode("latin-1"), "Latin-1"),
])
def test_a_single_missing_book_is_named(mirror, download, shelf, content, sentence):
    mirror.files[PATHS[1]] = content
    if content is None:
        del mirror.files[PATHS[1]]
    with pytest.raises(WorkshopError) as caught:
        fetch(BOOKS, download)
    assert not isinstance(caught.value, OutOfReach)
    assert "Deux" in str(caught.value) and sentence in str(caught.value) and "AURORE_SOURCE" in str(caught.value)
    assert [path.name for path in shelf.iterdir()] == ["un_1-0.txt"]


@pytest.mark.parametrize("behaviour", [503, "truncated", "silent"])
def test_patience_has_an_end(mirror, download, shelf, behaviour):
    mirror.behaviours[PATHS[1]] = [behaviour] * 10
    with pytest.raises(WorkshopError, match="Deux"):
        fetch(BOOKS, download)
    assert mirror.requests.count(PATHS[1]) == downloads.ATTEMPTS
    assert [path.name for path in shelf.iterdir()] == ["un_1-0.txt"]


def test_no_book_at_all_is_out_of_reach(monkeypatch, download):
    monkeypatch.setenv("GUTENBERG_MIRROR", "http://127.0.0.1:9")
    with pytest.raises(OutOfReach, match="127.0.0.1:9 est injoignable"):
        fetch(BOOKS, download)


@pytest.mark.parametrize("missing", BOOKS)
def test_a_book_missing_offline_is_named_wherever_it_stands(mirror, download, monkeypatch, missing):
    paths = fetch(BOOKS, download)
    paths[missing].unlink()
    monkeypatch.setenv("GUTENBERG_MIRROR", "http://127.0.0.1:9")
    with pytest.raises(WorkshopError, match=f"1 livre.*\n  - {missing} : 127.0.0.1:9 est injoignable") as caught:
        fetch(BOOKS, download)
    assert not isinstance(caught.value, OutOfReach) and len(mirror.requests) == len(BOOKS)


def test_an_unreachable_host_is_not_asked_for_the_other_books(monkeypatch, download):
    monkeypatch.setenv("GUTENBERG_MIRROR", "http://127.0.0.1:9")
    asked = []

    def count_and_download(url, name, folder):
        asked.append(url)
        return download(url, name, folder)

    with pytest.raises(OutOfReach):
        fetch(BOOKS, count_and_download)
    assert asked == [f"http://127.0.0.1:9{PATHS[0]}"] * downloads.ATTEMPTS


def test_a_truncated_first_book_is_named(mirror, download):
    mirror.behaviours[PATHS[0]] = ["truncated"] * downloads.ATTEMPTS
    with pytest.raises(WorkshopError, match="1 livre.*\n  - Un : .* tronqué") as caught:
        fetch(BOOKS, download)
    assert not isinstance(caught.value, OutOfReach) and "injoignable" not in str(caught.value)


def test_leftovers_of_a_killed_script_are_removed(mirror, download, shelf):
    old, young = (shelf / f".{number}{artefacts.INCOMING}" for number in (1, 2))
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old, (time.time() - 2 * artefacts.ABANDONED,) * 2)
    fetch(BOOKS, download)
    assert mirror.requests and young.is_dir() and not old.exists()


def test_a_wifi_portal_is_out_of_reach(mirror, download):
    mirror.files = dict.fromkeys(PATHS, b"<html>Connectez-vous</html>")
    with pytest.raises(OutOfReach, match="page web"):
        fetch(BOOKS, download)


def test_the_network_really_is_cut(download):
    with pytest.raises(OutOfReach, match="www.gutenberg.org"):
        fetch({"Un": BOOKS["Un"]}, download)


def test_a_damaged_cached_book_is_downloaded_again(mirror, download):
    paths = fetch(BOOKS, download)
    paths["Un"].write_text("", encoding="utf-8")
    fetch(BOOKS, download)
    assert mirror.requests.count(PATHS[0]) == 2 and paths["Un"].stat().st_size


def test_a_local_file_needs_no_network(tmp_path, download):
    path = tmp_path / "mon livre.txt"
    path.write_text(gutenberg_file(), encoding="utf-8")
    assert fetch({"Mon livre": str(path)}, download) == {"Mon livre": path}


def test_a_local_path_starts_from_the_project(tmp_path, monkeypatch, download):
    tales = sources.embedded_books("test")
    relative = {title: Path(path).relative_to(AURORE.parent).as_posix() for title, path in tales.items()}
    monkeypatch.chdir(tmp_path)
    assert {title: str(path) for title, path in fetch(relative, download).items()} == tales


@pytest.mark.parametrize("address, sentence", [("aurore", "aurore est un dossier"), ("", "adresse est vide")])
def test_an_address_that_is_no_file_is_explained(download, address, sentence):
    with pytest.raises(WorkshopError, match=f"Un : .*{sentence}"):
        fetch({"Un": address}, download)


def test_a_mirror_without_scheme_is_explained(monkeypatch, download):
    monkeypatch.setenv("GUTENBERG_MIRROR", "miroir.local")
    with pytest.raises(WorkshopError, match="adresse complète"):
        fetch(BOOKS, download)


def test_source_mode(monkeypatch):
    assert sources.source_mode() == "auto"
    monkeypatch.setenv("AURORE_SOURCE", "Embedded ")
    assert sources.source_mode() == "embedded"
    monkeypatch.setenv("AURORE_SOURCE", "embeded")
    with pytest.raises(WorkshopError, match="auto, embedded ou network"):
        sources.source_mode()


def test_falling_back_is_announced_unless_refused(monkeypatch, capsys):
    sources.fall_back(OutOfReach("Le serveur est injoignable."), "les contes.", "moins de texte.")
    assert "injoignable" in capsys.readouterr().out
    monkeypatch.setenv("AURORE_SOURCE", "network")
    with pytest.raises(OutOfReach):
        sources.fall_back(OutOfReach("Le serveur est injoignable."), "les contes.", "moins de texte.")


def test_embedded_tales_are_long_enough_and_labelled():
    tales = {**sources.embedded_books("train"), **sources.embedded_books("test")}
    assert len(sources.embedded_books("train")) == 3 and len(tales) == 4
    for path in tales.values():
        with open(path, encoding="utf-8-sig") as tale:
            lines = tale.readlines()
        assert lines[0].startswith("Pastiche")
        assert len("".join(keep_author_lines(lines)).split()) >= 3000
