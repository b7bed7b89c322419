"""L'atelier de bout en bout : mêmes entrées, mêmes sorties. Ces chiffres ne changent que si on le veut."""

import hashlib
import os
import re
import subprocess
import sys

import numpy as np
import tensorflow as tf
from datasets import load_from_disk
from transformers import AutoTokenizer, TFAutoModelForCausalLM

from test_guide_commands import blocks
from workshop.artefacts import newest_model
from workshop.paths import BASE_MODEL

SENTENCES = {"train": 635, "validation": 71, "test": 256}
TRAIN_TEXT = "e97110d2f4e6b9a4"
VOCABULARY = 5215
TOKENS = [34, 269, 940, 388, 740, 1164, 12, 368, 273, 7, 927, 330, 466, 69, 2155, 648, 337, 14]
GREEDY = "Cette femme était assise sur un banc de pierre, et elle avait l'air"


def test_every_step_names_itself_and_the_next_one(finished_atelier):
    for number, said in enumerate(finished_atelier.said.values(), start=1):
        assert f"Étape {number} sur 5" in said
        assert re.search(rf"python aurore/{number + 1}_\w+\.py", said)
        assert "Traceback" not in said and "Warning" not in said and "WARNING" not in said


def test_step_1_writes_the_same_dataset(finished_atelier):
    data = finished_atelier.aurore / "data"
    dataset = load_from_disk(data)
    assert {split: rows.num_rows for split, rows in dataset.items()} == SENTENCES
    assert dataset["train"].column_names == ["text", "book", "position", "sentence_length"]
    assert min(dataset["train"]["sentence_length"][:]) > 3
    train_text = (data / "train_text.txt").read_bytes()
    assert train_text.decode().splitlines() == dataset["train"]["text"][:]
    assert hashlib.sha256(train_text).hexdigest()[:16] == TRAIN_TEXT
    assert not set(train_text.splitlines()) & set((data / "validation_text.txt").read_bytes().splitlines())
    assert (data / "sentence_lengths.png").read_bytes().startswith(b"\x89PNG")
    assert not (data / "books").exists(), "les contes sont lus sur place"


def test_step_2_writes_the_same_tokenizer(finished_atelier):
    tokenizer = AutoTokenizer.from_pretrained(finished_atelier.aurore / "tokenizer")
    assert len(tokenizer) == VOCABULARY
    assert tokenizer("Bonjour Madame, je m'appelle George Sand.").input_ids == TOKENS


def test_step_3_improves_the_score_of_the_unseen_book(finished_atelier):
    said = finished_atelier.said["3_train"]
    before, after = (float(re.search(rf"^{name} +(\d,\d+)", said, re.M).group(1).replace(",", "."))
                     for name in ("avant", "après"))
    assert after < before - 0.001  # les contes sont courts : huit pas
    model = finished_atelier.aurore / "model"
    folder = newest_model(model)
    assert sorted(path.name for path in model.glob("[!.]*")) == [folder.name, "runs.csv"]
    assert {"README.md", "training_log.csv", "learning_curve.png", "tokenizer.json"} <= set(os.listdir(folder))
    assert str(finished_atelier.folder) not in (folder / "README.md").read_text(encoding="utf-8")


def test_step_3_shows_the_network_learning(finished_atelier):
    """Le même début, continué avant, à mi-chemin et après ; et le tableau des essais."""
    said = finished_atelier.said["3_train"]
    samples = re.findall(r"^pas (\d+) : (Le soir, elle se rappelait.+)$", said, re.M)
    assert [step for step, _ in samples] == ["0", "4", "8"] and len({text for _, text in samples}) == 3
    assert re.search(r"^pas 8/8 : perte \d,\d\d, \d+ tokens/s, reste 0 s$", said, re.M)
    assert "Lequel est le meilleur" in said and re.search(r"^1 +pré-entraîné", said, re.M)


def test_step_4_ends_on_finished_sentences(finished_atelier):
    said = finished_atelier.said["4_generate"]
    outputs = said.partition("Ce que le réseau a écrit ---\n")[2].partition("\nLa suite")[0].strip().split("\n\n")
    assert len(outputs) == 2
    for output, prompt in zip(outputs, ("Cette femme était assise", "Le soir elle se rappelait")):
        assert output.startswith(prompt) and len(output) > len(prompt)
        assert re.search(r"[.!?]»?$", output)


def test_the_base_model_continues_greedily_as_before():
    tokenizer = AutoTokenizer.from_pretrained(BASE_MODEL)
    model = TFAutoModelForCausalLM.from_pretrained(BASE_MODEL)
    ids = tokenizer("Cette femme était assise", return_tensors="tf").input_ids
    written = model.generate(ids, attention_mask=tf.ones_like(ids), max_new_tokens=12, do_sample=False,
                             pad_token_id=tokenizer.eos_token_id)
    assert tokenizer.decode(written[0]) == GREEDY


def test_the_trained_network_differs_from_the_base_one(finished_atelier):
    ids = np.array([[5, 17, 300]])
    base, trained = (TFAutoModelForCausalLM.from_pretrained(folder)(ids).logits.numpy()
                     for folder in (BASE_MODEL, newest_model(finished_atelier.aurore / "model")))
    assert np.abs(base - trained).max() > 0.01


def test_the_afternoon_can_start_anywhere(atelier):
    """Sans rien avoir fait : 2 va jusqu'à la moitié, 3 s'arrête en disant quoi faire, 4 écrit."""
    second = atelier.run("2_tokenize_solution.py")
    assert second.returncode == 2 and "Morceaux" in second.stdout
    assert "python aurore/1_prepare_dataset_solution.py" in second.stderr
    third = atelier.run("3_train_solution.py")
    assert third.returncode == 2 and "python aurore/1_prepare_dataset_solution.py" in third.stderr
    fourth = atelier.run("4_generate_solution.py")
    assert fourth.returncode == 0 and "Réseau : aurore, dans aurore/embedded/sand_model" in fourth.stdout
    for process in (second, third, fourth):
        assert "Traceback" not in process.stderr


def test_scripts_run_from_any_directory_and_on_a_windows_console(atelier_with_data):
    """Depuis le dossier aurore, avec l'encodage d'un terminal Windows d'Europe de l'Ouest."""
    for script in ("1_prepare_dataset_solution.py", "2_tokenize_solution.py"):
        process = subprocess.run([sys.executable, script], cwd=atelier_with_data.aurore, check=False,
                                 env=atelier_with_data.environment(PYTHONIOENCODING="cp1252"), capture_output=True)
        assert process.returncode == 0, process.stderr
        narrative = [line for line in process.stdout.decode("cp1252").splitlines() if "Morceaux" not in line]
        assert "é" in "".join(narrative)
        assert not [line for line in narrative if re.search(r"\w\?\w|« \? »", line)]


def test_the_real_books_are_prepared_and_downloaded_once(gutenberg, atelier, book_server):
    """L'étape 1 sur les neuf vrais livres, servis par un miroir ; la seconde fois, rien n'est demandé. Donnés en un
    dossier, les mêmes phrases."""
    for path in gutenberg.rglob("*.txt"):
        book_server.files["/" + path.relative_to(gutenberg).as_posix()] = path.read_bytes()
    script, mirror = "1_prepare_dataset_solution.py", {"AURORE_SOURCE": "auto", "GUTENBERG_MIRROR": book_server.url}
    process = atelier.run(script, **mirror)
    assert process.returncode == 0, process.stderr
    assert "« Indiana » est mis de côté" in process.stdout
    dataset = load_from_disk(atelier.aurore / "data")
    assert {split: rows.num_rows for split, rows in dataset.items()} == {
        "train": 28096, "validation": 3125, "test": 1690}
    assert dataset["test"].unique("book") == ["La Mare au Diable"] and len(dataset["train"].unique("book")) == 7
    seen = {" ".join(line.split()) for line in process.stdout.splitlines()}
    for line in "".join(blocks("1-donnees", "text")).splitlines():  # ce que le guide montre
        assert set(line) <= set("- ") or line == "[...]" or " ".join(line.split()) in seen, line
    one_by_one = rows_of(dataset)
    book_server.requests.clear()
    again = atelier.run(script, **mirror)
    assert again.returncode == 0 and not book_server.requests
    atelier.change(script, 'BOOKS = "" ', f'BOOKS = "{gutenberg.as_posix()}" ')
    together = atelier.run(script)
    assert together.returncode == 0, together.stderr
    same = rows_of(load_from_disk(atelier.aurore / "data")) == one_by_one
    assert same, "un dossier ne donne pas les mêmes phrases"  # sans montrer trente mille phrases


def rows_of(dataset):
    """Les phrases de chaque partie, triées ; un dossier lit les titres dans les en-têtes, à une majuscule près."""
    return {part: sorted(zip(map(str.casefold, rows["book"][:]), rows["position"][:], rows["text"][:]))
            for part, rows in dataset.items()}


def test_a_whole_book_can_be_set_aside(atelier):
    atelier.change("1_prepare_dataset_solution.py", "VALIDATION = 0.1 ", 'VALIDATION = "Les cloches de Cormier" ')
    assert atelier.run("1_prepare_dataset_solution.py").returncode == 0
    dataset = load_from_disk(atelier.aurore / "data")
    assert dataset["validation"].unique("book") == ["Les cloches de Cormier"]
    assert len(dataset["train"].unique("book")) == 2
