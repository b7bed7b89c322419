"""Combien de tokens un réseau apprend par seconde : boucle d'origine, PyTorch, atelier.

    make bench

Même machine, même réseau (aurore-mini), mêmes phrases (les contes embarqués), même taille de
lot ; l'atelier apprend ensuite à aurore et à un réseau de 124 millions de paramètres. Seuls
comptent les tokens utiles, ceux que le réseau apprend à prédire : le remplissage coûte autant et
n'apprend rien. Durée : six minutes, plus l'installation la première fois. La vitesse est montrée,
jamais vérifiée : elle dépend de la machine.
"""

import argparse
import importlib
import json
import sys
import tempfile
from pathlib import Path

from workshop import quiet_tensorflow  # pylint: disable=unused-import  # l'importer suffit
from workshop import narration
from workshop.learning.packing import pack
from workshop.paths import BASE_MODEL, SAND_MODEL
from workshop.sources import embedded_books
from workshop.text.gutenberg import keep_author_lines

import numpy as np
from datasets import concatenate_datasets
from transformers import AutoTokenizer

from bench.race import Peer, race

ORIGINAL, OURS = "boucle d'origine", "atelier"
TORCH = ("PyTorch", "PyTorch en 16 bits")


def write_data(path):
    """Écrit dans `path` ce que les concurrents apprennent : des phrases, et les mêmes en blocs."""
    preparing, training = map(importlib.import_module, ("1_prepare_dataset_solution", "3_train_solution"))
    books = []
    for title, book in embedded_books("train").items():
        lines = Path(book).read_text(encoding="utf-8-sig").splitlines(keepends=True)
        books.append(preparing.book_dataset(title, preparing.split_text_to_list(keep_author_lines(lines))))
    dataset = concatenate_datasets(books)
    tokenizer = AutoTokenizer.from_pretrained(BASE_MODEL)
    blocks = pack(dataset, tokenizer, training.BLOCK_LENGTH)
    sentences = tokenizer(dataset["text"][:]).input_ids
    np.random.default_rng(training.SEED).shuffle(sentences)
    path.write_text(json.dumps({
        "model": str(BASE_MODEL), "batch_size": training.BATCH_SIZE, "sentences": sentences,
        "blocks": {name: rows.tolist() for name, rows in blocks.items()}}), encoding="utf-8")
    print(f"Réseau : aurore-mini. Texte : les contes embarqués, {narration.count(len(sentences))} phrases, ou "
          f"{len(blocks['input_ids'])} blocs de {training.BLOCK_LENGTH} tokens.\n"
          f"Un pas lit {training.BATCH_SIZE} phrases ou {training.BATCH_SIZE} blocs.")


def show(results):
    """Affiche le tableau des résultats d'aurore-mini."""
    best_torch = max(results[name].speed for name in TORCH)
    narration.table(("", "tokens utiles/s", "× origine", "× PyTorch", "mémoire au plus haut"), [
        (f"{name} ({result.note})", narration.count(round(result.speed)),
         narration.decimal(result.speed / results[ORIGINAL].speed, 1),
         narration.decimal(result.speed / best_torch), gigabytes(result.memory))
        for name, result in results.items()])
    print("« × PyTorch » : comparé à la plus rapide des deux lignes de PyTorch.")


def gigabytes(size):
    """Renvoie une taille à la française : 1,5 Go."""
    return f"{narration.decimal(size / 1e9, 1)} Go"


def main():
    """Fait courir les concurrents et affiche ce qu'ils ont fait."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("torch_python", metavar="PYTHON", help="un interpréteur qui a torch et transformers")
    torch_python = parser.parse_args().torch_python

    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.json"
        write_data(data)
        narration.section("Échauffement, puis tours de piste")
        results = race({
            ORIGINAL: Peer([sys.executable, "-m", "bench.train_original", data], {"TF_USE_LEGACY_KERAS": "1"}),
            TORCH[0]: Peer([torch_python, "-m", "bench.train_pytorch", data, "float32"]),
            TORCH[1]: Peer([torch_python, "-m", "bench.train_pytorch", data, "bfloat16"]),
            OURS: Peer([sys.executable, "-m", "bench.train_workshop", data])})
        narration.section("Entraîner aurore-mini")
        show(results)

        for name, network in (("aurore", SAND_MODEL), ("un GPT-2 de 124 millions de paramètres", "124M")):
            narration.section(f"Entraîner {name}")
            big = race({OURS: Peer([sys.executable, "-m", "bench.train_workshop", data, network])}, laps=2)[OURS]
            print(f"{OURS} ({big.note}) : {narration.count(round(big.speed))} tokens utiles/s, "
                  f"{gigabytes(big.memory)} de mémoire au plus haut.")


if __name__ == "__main__":
    main()
