"""Qui écrit : le nom, la date et la note d'un réseau, lus dans son dossier."""

import re
from datetime import datetime
from typing import NamedTuple

from workshop.paths import BASE_MODEL, shown

_MONTHS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
           "décembre")
# La fiche de l'étape 3 a un tableau avant / après ; celle d'aurore-mini donne sa note à la même mesure.
_SCORE = re.compile(r"^\| après \| (\d+,\d+) \||\((\d+,\d+) pour ce modèle", re.M)


class Network(NamedTuple):
    """Le réseau qui écrit."""

    name: str             # « aurore-mini », ou « aurore/model/2026-11-25_10-12-30 »
    date: str | None      # « le 25 novembre 2026 à 10 h 12 »
    score: float | None   # bits par caractère sur le livre de test, après l'entraînement


def read_signature(folder):
    """Renvoie le `Network` que décrivent le nom et la fiche de `folder`."""
    try:
        card = _SCORE.search((folder / "README.md").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        card = None
    score = float((card[1] or card[2]).replace(",", ".")) if card else None
    if folder == BASE_MODEL:
        return Network("aurore-mini", None, score)
    return Network(shown(folder), _date(folder.name), score)


def _date(name):
    try:
        when = datetime.strptime(name, "%Y-%m-%d_%H-%M-%S")
    except ValueError:
        return None
    day = "1er" if when.day == 1 else when.day
    return f"le {day} {_MONTHS[when.month - 1]} {when.year} à {when.hour} h {when.minute:02}"
