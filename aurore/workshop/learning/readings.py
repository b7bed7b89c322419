"""Ce qu'un réseau a lu : readings.tsv, à côté de ses poids, une œuvre par ligne.

On ne note pas un réseau sur un livre qu'il a lu : il le reconnaîtrait. Cette liste permet de
choisir un livre d'examen, et à l'étape 3 de dire si celui que l'on a choisi n'en est pas un.
"""

import csv
import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

from workshop.text.fingerprints import fingerprint, recognised, sequences

FILE = "readings.tsv"
HERE = "l'étape 1 de l'atelier"


class Reading(NamedTuple):
    """Une œuvre lue. L'année est celle de la parution, quand on la connaît."""

    author: str
    title: str
    year: str
    source: str
    fingerprint: str  # de quoi la reconnaître : text/fingerprints.py


def read_list(folder):
    """Renvoie la liste des `Reading` du réseau de `folder` ; None s'il ne dit pas ce qu'il a lu."""
    try:
        with open(Path(folder) / FILE, encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t")
            return [Reading(*(row.get(name) or "" for name in Reading._fields)) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error):
        return None


def write_list(path, readings):
    """Écrit ces lectures dans `path` (TSV, une œuvre par ligne)."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t", lineterminator="\n").writerows([Reading._fields, *readings])


def read_here(texts):
    """Renvoie les `Reading` des livres de {titre: texte}, lus dans l'atelier même."""
    return [Reading("", title, "", HERE, fingerprint(text)) for title, text in texts.items()]


def already_read(readings, title, text):
    """Renvoie la première des `readings` qui a ce titre ou ce texte, ou None."""
    wanted, found = _plain(title), sequences(text)
    return next((reading for reading in readings if _plain(reading.title) == wanted
                 or (reading.fingerprint and recognised(reading.fingerprint, found))), None)


def _plain(title):
    """Un titre sans accents, ni ponctuation, ni majuscules : « La Mare au diable. » vaut « La mare au Diable »."""
    letters = unicodedata.normalize("NFKD", title.replace("œ", "oe").replace("Œ", "Oe"))
    return " ".join(re.findall(r"[a-z0-9]+", letters.encode("ascii", "ignore").decode().lower()))
