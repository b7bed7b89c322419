"""Chaque mésaventure a sa phrase, un code de sortie différent de 0, et n'abîme rien."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from datasets import Dataset, DatasetDict
from filelock import FileLock

from conftest import AURORE, ONE_OUTPUT, ROOT
from workshop import downloads
from workshop.artefacts import newest_model
from workshop.errors import WorkshopError
from workshop.paths import BASE_MODEL
from workshop.sources import embedded_books

STEP_1, STEP_2, STEP_3, STEP_4 = (f"{name}_solution.py" for name in (
    "1_prepare_dataset", "2_tokenize", "3_train", "4_generate"))


def refused(process, *fragments, code=2):
    """Vérifie qu'un script s'est arrêté en disant ces mots, sans trace d'appels."""
    assert process.returncode == code, process.stdout + process.stderr
    assert "Traceback" not in process.stdout + process.stderr
    for fragment in fragments:
        assert fragment in process.stderr


# --- Un jeu de données abîmé ---------------------------------------------------------------

def lose_a_split(data):
    """Un dossier de moins."""
    shutil.rmtree(data / "validation")


def cut_a_table(data):
    """Un fichier coupé en deux."""
    table = next((data / "train").glob("*.arrow"))
    table.write_bytes(table.read_bytes()[:table.stat().st_size // 2])


def empty_the_index(data):
    """Un index vide."""
    (data / "dataset_dict.json").write_text("", encoding="utf-8")


def put_another_dataset(data):
    """Un jeu de données qui n'est pas le nôtre."""
    shutil.rmtree(data)
    DatasetDict(train=Dataset.from_dict({"image": [1, 2]}), validation=Dataset.from_dict({"image": [3]}),
                test=Dataset.from_dict({"image": [4]})).save_to_disk(data)


@pytest.mark.fault("données coupées, vidées ou d'un autre format")
@pytest.mark.parametrize("script", [STEP_2, STEP_3])
@pytest.mark.parametrize("damage", [lose_a_split, cut_a_table, empty_the_index, put_another_dataset])
def test_a_damaged_dataset_is_named_with_the_command_that_remakes_it(atelier_with_data, script, damage):
    damage(atelier_with_data.aurore / "data")
    refused(atelier_with_data.run(script), "aurore/data", f"python aurore/{STEP_1}")
    assert not list((atelier_with_data.aurore / "model").glob("[!.]*"))


@pytest.mark.fault("tokenizer abîmé ou absent")
@pytest.mark.parametrize("damage", [True, False])
def test_a_damaged_or_missing_tokenizer_is_named(atelier_with_data, damage):
    atelier_with_data.change(STEP_3, "TOKENIZER = TOKENIZERS[0]", "TOKENIZER = TOKENIZERS[1]")
    (atelier_with_data.aurore / "tokenizer").mkdir()
    if damage:
        (atelier_with_data.aurore / "tokenizer" / "tokenizer.json").write_text("{", encoding="utf-8")
    refused(atelier_with_data.run(STEP_3), "aurore/tokenizer", f"python aurore/{STEP_2}")


# --- Des réglages impossibles --------------------------------------------------------------

def test_an_impossible_setting_stops_the_script(atelier_with_data):
    """Les autres : test_settings.py."""
    atelier_with_data.change(STEP_3, "EPOCHS = 1 ", "EPOCHS = 4 ")
    refused(atelier_with_data.run(STEP_3), "EPOCHS vaut", "1, 2 ou 3")


def test_an_unknown_model_name(atelier_with_data, hub_server):
    atelier_with_data.change(STEP_3, "benjamin/gpt2-wechsel-french", "benjamin/gpt2-weschel")
    process = atelier_with_data.run(STEP_3, AURORE_SOURCE="auto", HF_ENDPOINT=hub_server.url)
    refused(process, "benjamin/gpt2-weschel", "n'existe pas", "MODEL_NAME")


@pytest.mark.fault("réseau coupé")
@pytest.mark.parametrize("cut", [("tokenizer.json", "vocab.json", "merges.txt"), ("model.safetensors",)])
def test_a_model_folder_cut_short(atelier_with_data, cut):
    """Un réseau copié en partie : au tokenizer, ou aux poids coupés."""
    folder = atelier_with_data.aurore / "incomplet"
    shutil.copytree(BASE_MODEL, folder)
    for path in [folder / name for name in cut]:
        path.write_bytes(path.read_bytes()[:1000])
    atelier_with_data.change(STEP_3, "benjamin/gpt2-wechsel-french", "aurore/incomplet")
    refused(atelier_with_data.run(STEP_3), "aurore/incomplet", "n'est pas le dossier d'un GPT-2 complet")


@pytest.mark.parametrize("source", ["auto", "embedded"])
def test_a_typed_folder_that_does_not_exist(atelier_with_data, source):
    """Ni catalogue, ni jeton, ni attente : c'est un dossier."""
    atelier_with_data.change(STEP_3, "benjamin/gpt2-wechsel-french", "aurore/model/2026-01-01_00-00-00")
    process = atelier_with_data.run(STEP_3, AURORE_SOURCE=source, timeout=60)
    refused(process, "le dossier aurore/model/2026-01-01_00-00-00 n'existe pas", "aurore/embedded/base_model")
    assert "jeton" not in process.stderr and "catalogue" not in process.stdout + process.stderr


def test_a_validation_book_that_does_not_exist(atelier):
    atelier.change(STEP_1, "VALIDATION = 0.1 ", 'VALIDATION = "Indianna" ')
    refused(atelier.run(STEP_1), "Indianna", "La noce du rebouteux")


@pytest.mark.parametrize("settings, sentence", [
    ({"VALIDATION": None}, "VALIDATION vaut None"),
    ({"VALIDATION": 1}, "VALIDATION vaut 1"),
    ({"VALIDATION": 0.9999}, "VALIDATION vaut 0.9999"),
    ({"VALIDATION": "Le conte", "TRAIN_BOOKS": {"Le conte": next(iter(embedded_books("train").values()))}},
     "VALIDATION vaut 'Le conte'"),
    ({"SHORTEST_SENTENCE": 10_000}, "SHORTEST_SENTENCE vaut 10000"),
    ({"TEST_BOOKS": {}}, "TEST_BOOKS doit contenir"),
    ({"TEST_BOOKS": embedded_books("train")}, "TRAIN_BOOKS doit contenir"),
    ({"LANGUAGE": "English"}, "LANGUAGE"),
])
def test_settings_that_leave_a_part_empty(lesson, monkeypatch, tmp_path, settings, sentence):
    step_1 = lesson("1_prepare_dataset_solution")
    monkeypatch.setattr(step_1.paths, "DATA", tmp_path)
    monkeypatch.setattr(downloads, "BOOKS", tmp_path / "books")
    settings = {"TRAIN_BOOKS": embedded_books("train"), "TEST_BOOKS": embedded_books("test"), **settings}
    for name, value in settings.items():
        monkeypatch.setattr(step_1, name, value)
    with pytest.raises(WorkshopError, match=sentence):
        step_1.main()


def test_an_unknown_source(atelier):
    refused(atelier.run(STEP_1, AURORE_SOURCE="local"), "auto, embedded ou network")


def test_network_only_without_network(atelier):
    refused(atelier.run(STEP_1, AURORE_SOURCE="network"), "injoignable")
    assert not (atelier.aurore / "data" / "train").exists()


def test_without_network_the_tales_replace_the_books(atelier):
    process = atelier.run(STEP_1, AURORE_SOURCE="auto")
    assert process.returncode == 0 and "HORS LIGNE" in process.stdout and "pastiches" in process.stdout
    assert (atelier.aurore / "data" / "train").is_dir()


# --- Des livres impossibles ----------------------------------------------------------------

@pytest.mark.parametrize("content, sentence", [(b"", "vide"), ("Été à Nohant\n".encode("latin-1") * 500, "Latin-1")])
def test_an_unreadable_book_is_named(atelier, content, sentence):
    (atelier.folder / "livre.txt").write_bytes(content)
    atelier.change(STEP_1, "https://www.gutenberg.org/files/39738/39738-0.txt", "livre.txt")
    refused(atelier.run(STEP_1, AURORE_SOURCE="auto"), "Lélia", sentence)


# --- Un disque plein ou protégé ------------------------------------------------------------

@pytest.fixture(name="small_disk")
def _small_disk(atelier_with_data):
    """Monte un disque de quelques Mo à la place d'un dossier de l'atelier, là où c'est permis."""
    mounted = []

    def mount(name, options, keep=()):
        folder = atelier_with_data.aurore / name
        saved = {entry: (folder / entry).read_bytes() for entry in keep}
        folder.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if shutil.which("mount") is None or subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("Monter un petit disque demande d'être root : essayé en CI.")
        mounted.append(folder)
        for entry, content in saved.items():
            (folder / entry).write_bytes(content)
        return folder
    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.fault("disque plein")
@pytest.mark.parametrize("script, name", [(STEP_1, "data"), (STEP_2, "tokenizer"), (STEP_3, "model")])
def test_a_full_disk(atelier_with_data, small_disk, script, name):
    small_disk(name, "size=64k")
    refused(atelier_with_data.run(script), "disque est plein")


@pytest.mark.fault("volume en lecture seule")
@pytest.mark.parametrize("script, name", [(STEP_1, "data"), (STEP_2, "tokenizer"), (STEP_3, "model")])
def test_a_read_only_disk(atelier_with_data, small_disk, script, name):
    small_disk(name, "ro")
    refused(atelier_with_data.run(script), "lecture seule")


@pytest.mark.parametrize("container, advice", [(True, "sans « :ro »"), (False, "Copiez le projet")])
def test_docker_is_only_named_in_a_container(atelier, container, advice):
    code = (f"from workshop import paths; paths.IN_CONTAINER = {container}; from workshop import narration; "
            "raise OSError(30, 'non', 'aurore/data')")
    process = subprocess.run([sys.executable, "-c", code], cwd=AURORE, env=atelier.environment(),
                             capture_output=True, encoding="utf-8", check=False)
    refused(process, "lecture seule", "aurore/data", advice)
    assert "Docker" not in process.stderr


@pytest.mark.fault("permission refusée")
def test_a_forbidden_file_is_explained(atelier):
    code = "from workshop import narration; raise PermissionError(13, 'non', 'aurore/data')"
    process = subprocess.run([sys.executable, "-c", code], cwd=AURORE, env=atelier.environment(),
                             capture_output=True, encoding="utf-8", check=False)
    refused(process, "pas le droit", "aurore/data")


@pytest.mark.parametrize("folder, typed", [
    (ROOT, os.path.join("aurore", "1_prepare_dataset_solution.py")), (AURORE, "1_prepare_dataset_solution.py"),
    (AURORE / "static", os.path.join("..", "1_prepare_dataset_solution.py")),
    (ROOT / "docs" / "images", str(AURORE / "1_prepare_dataset_solution.py"))])
def test_the_command_to_type_is_the_one_from_here(atelier, folder, typed):
    code = (f"import sys; sys.path.insert(0, {str(AURORE)!r}); from pathlib import Path\n"
            "from workshop.artefacts import reading\nfrom workshop import narration\n"
            "with reading(Path('nulle part'), '1_prepare_dataset_solution.py'): pass")
    process = subprocess.run([sys.executable, "-c", code], cwd=folder, env=atelier.environment(),
                             capture_output=True, encoding="utf-8", check=False)
    refused(process, f":  python {typed}\n")


def test_an_error_of_the_attendee_keeps_its_trace(atelier):
    code = "from workshop import narration; print(sentences)"
    process = subprocess.run([sys.executable, "-c", code], cwd=AURORE, env=atelier.environment(),
                             capture_output=True, encoding="utf-8", check=False)
    assert process.returncode == 1 and "NameError" in process.stderr and "Traceback" in process.stderr


# --- Ctrl-C --------------------------------------------------------------------------------

@pytest.mark.parametrize("script, after", [
    (STEP_1, "Étape 1"), (STEP_1, "Retirer ce qui"), (STEP_2, "Étape 2"), (STEP_3, "Étape 3"), (STEP_4, "Étape 4")])
def test_ctrl_c_says_one_sentence(atelier_with_data, script, after):
    """En plein entraînement : test_step_3.py."""
    before = sorted(path.name for path in (atelier_with_data.aurore / "data").iterdir())
    code, said = atelier_with_data.interrupt(script, after, cold=script in (STEP_3, STEP_4))
    assert "Traceback" not in said
    assert code == 130 and "Interrompu" in said
    assert sorted(path.name for path in (atelier_with_data.aurore / "data").iterdir()) == before
    index = json.loads((atelier_with_data.aurore / "data" / "dataset_dict.json").read_text(encoding="utf-8"))
    assert index["splits"] == ["train", "validation", "test"]
    assert newest_model(atelier_with_data.aurore / "model") is None


@pytest.mark.parametrize("script", [STEP_1, STEP_4])
def test_ctrl_c_while_libraries_load(atelier, script):
    with atelier.start(script, cold=True, options=ONE_OUTPUT) as process:
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[0]
    assert process.returncode == 130 and "Traceback" not in said and "Interrompu" in said


@pytest.mark.fault("deux scripts à la fois")
def test_two_scripts_do_not_write_at_once(atelier_with_data):
    with FileLock(atelier_with_data.aurore / "data" / ".lock"):
        refused(atelier_with_data.run(STEP_1), "Un autre script")


@pytest.mark.fault("deux scripts à la fois")
def test_two_trainings_do_not_run_at_once(atelier_with_data):
    """Hors d'un terminal, le second s'arrête ; dans un terminal, test_training.py."""
    (atelier_with_data.aurore / "model").mkdir()
    with FileLock(atelier_with_data.aurore / "model" / ".training.lock"):
        refused(atelier_with_data.run(STEP_3), "Un autre entraînement est en cours dans aurore/model", "Ctrl-C")


def test_a_killed_step_leaves_the_previous_dataset(atelier_with_data):
    data = atelier_with_data.aurore / "data"
    before = (data / "train_text.txt").read_bytes()
    atelier_with_data.kill(STEP_1, after="Regarder les données")
    assert (data / "train_text.txt").read_bytes() == before
    assert atelier_with_data.run(STEP_2).returncode == 0
    assert atelier_with_data.run(STEP_1).returncode == 0
