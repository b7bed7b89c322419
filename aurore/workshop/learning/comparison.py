"""Le tableau des entraînements, rempli d'un essai à l'autre : ce que changent les réglages."""

import csv
import io
import os

import numpy as np

from workshop.artefacts import one_file
from workshop.narration import decimal, duration, notice, table
from workshop.paths import shown

# Colonne du fichier: (titre à l'écran, comment l'écrire)
COLUMNS = {
    "folder": ("dossier", str),
    "test_books": ("livre de test", str),
    "network": ("réseau", str),
    "tokenizer": ("tokenizer", str),
    "tokens_per_word": ("tokens/mot", lambda value: decimal(float(value))),
    "epochs": ("époques", lambda value: decimal(float(value), 1)),
    "batch_size": ("lot", str),
    "steps": ("pas", str),
    "seconds": ("durée", lambda value: duration(float(value))),
    "jitter": ("agitation", lambda value: decimal(float(value))),
    "score_before": ("note avant", lambda value: decimal(float(value), 3)),
    "score_after": ("note", lambda value: decimal(float(value), 3)),
    "characters_per_second": ("car./s", lambda value: "–" if value == "None" else decimal(float(value), 0)),
}
HIDDEN = ("folder", "test_books", "steps", "score_before")  # dans le fichier seulement : l'écran n'est pas si large
SHOWN = 8                      # derniers essais affichés


def jitter(losses):
    """Renvoie de combien la perte change, en moyenne, d'un pas au suivant (nats par token)."""
    return float(np.mean(np.abs(np.diff(losses)))) if len(losses) > 1 else 0.0


def add_run(path, run):
    """Ajoute l'essai `run` (un dictionnaire qui a les clés de COLUMNS) au fichier CSV, et renvoie tous les essais.

    Un fichier que l'on ne sait pas lire (modifié dans un tableur, abîmé) est mis de côté.
    """
    runs = read_runs(path)
    if not runs and path.is_file():
        aside = path.with_name(f"{path.stem}_illisible{path.suffix}")
        os.replace(path, aside)
        notice(f"{shown(path)} n'a plus la forme attendue : il est mis de côté sous le nom {aside.name}.")
    runs.append({name: str(run[name]) for name in COLUMNS})
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(runs)
    with one_file(path) as file:
        file.write(text.getvalue().encode())
    return runs


def read_runs(path):
    """Renvoie la liste des essais déjà notés ; vide s'il n'y en a pas, ou si le fichier n'est pas lisible."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            runs = list(csv.DictReader(file))
        for run in runs:
            for name, (_, written) in COLUMNS.items():
                written(run[name])
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return []
    return [{name: run[name] for name in COLUMNS} for run in runs]


def show_runs(runs):
    """Affiche les derniers essais notés sur le même livre que le dernier, numérotés dans l'ordre du fichier.

    Le réseau n'est nommé que s'il y en a plusieurs.
    """
    comparable = [(number, run) for number, run in enumerate(runs, start=1)
                  if run["test_books"] == runs[-1]["test_books"]][-SHOWN:]
    alike = len({run["network"] for _, run in comparable}) == 1
    names = [name for name in COLUMNS if name not in HIDDEN and not (name == "network" and alike)]
    table(["essai"] + [COLUMNS[name][0] for name in names],
          [[number] + [COLUMNS[name][1](run[name]) for name in names] for number, run in comparable])
