"""Qui est un réseau : son nom, sa date, son parent, ce qu'il a lu, sa note. Le fichier network.json, à côté des poids.

La page signe avec lui, l'étape 3 l'écrit et en tire sa fiche. Un dossier qui ne l'a pas (un réseau
d'avant ce fichier, ou venu d'ailleurs) s'ouvre quand même : son nom est alors celui du dossier.
"""

import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path

from workshop.paths import BASE_MODEL, shown

FILE = "network.json"
FOLDER_NAME = "%Y-%m-%d_%H-%M-%S"  # celui d'un réseau entraîné ici

_MONTHS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
           "décembre")


@dataclass(frozen=True)
class ExamScore:
    """La note d'un réseau sur un texte qu'il n'a pas lu."""

    text: str                  # son titre, et ce que l'on en a pris
    window: int                # tokens lus à la fois
    bits_per_character: float
    perplexity: float          # par token


@dataclass(frozen=True)
class Identity:
    """Ce que l'on sait d'un réseau ; None, si on ne le sait pas."""

    name: str
    date: str | None = None        # ISO 8601, au mois ou à la seconde près : « 2026-11 », « 2026-11-25T10:12:30 »
    parent: str | None = None      # le nom du réseau de départ
    parameters: int | None = None
    words_read: int | None = None  # les mots des livres de son apprentissage, chacun compté une fois
    steps: int | None = None
    score: ExamScore | None = None

    @classmethod
    def read(cls, folder):
        """Renvoie l'identité du réseau de `folder`, même si son network.json manque ou ne se lit pas."""
        folder = Path(folder)
        try:
            content = json.loads((folder / FILE).read_text(encoding="utf-8"))
            known = {field.name: content.get(field.name) for field in fields(cls)}
            if not isinstance(known["name"], str):
                raise ValueError(FILE)
            return cls(**{**known, "score": known["score"] and ExamScore(**known["score"])})
        except (OSError, ValueError, TypeError, AttributeError):
            return cls(shown(folder), date=_date_in_name(folder.name))

    def write(self, folder):
        """Écrit network.json dans `folder`."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n"
        (Path(folder) / FILE).write_text(text, encoding="utf-8")

    @property
    def french_date(self):
        """La date en toutes lettres : « le 25 novembre 2026 à 10 h 12 », « en novembre 2026 » ; None sans date."""
        for pattern, written in (("%Y-%m", "en {month} {year}"),
                                 ("%Y-%m-%dT%H:%M:%S", "le {day} {month} {year} à {hour} h {minute:02}")):
            try:
                when = datetime.strptime(self.date or "", pattern)
            except ValueError:
                continue
            return written.format(day="1er" if when.day == 1 else when.day, month=_MONTHS[when.month - 1],
                                  year=when.year, hour=when.hour, minute=when.minute)
        return None


def key_of(folder):
    """Renvoie par quoi l'on demande le réseau de `folder` dans la page : « aurore », « 2026-11-25_10-12-30 »."""
    # Deux réseaux entraînés ici portent souvent le même nom : chacun se demande par son dossier.
    return Identity.read(folder).name if folder.parent == BASE_MODEL.parent else folder.name


def _date_in_name(name):
    try:
        return datetime.strptime(name, FOLDER_NAME).isoformat()
    except ValueError:
        return None
