"""D'où vient une chose : fichier local, puis cache, puis réseau, puis ce qui est embarqué.

AURORE_SOURCE choisit la règle : « auto » (par défaut), « embedded » (aucun réseau) ou
« network » (le réseau ou rien).
"""

import os
from itertools import islice

from workshop.errors import WorkshopError
from workshop.narration import notice
from workshop.paths import EMBEDDED_BOOKS

AUTO, EMBEDDED, NETWORK = "auto", "embedded", "network"
HEADER_LINES, LINE_LENGTH = 60, 1000  # l'en-tête d'un livre est là, ou nulle part


class OutOfReach(WorkshopError):
    """Le réseau ou le serveur ne répond pas : on peut se replier sur ce qui est embarqué."""


def source_mode():
    """Renvoie la règle choisie par AURORE_SOURCE."""
    mode = os.environ.get("AURORE_SOURCE", "").strip().lower() or AUTO
    if mode not in (AUTO, EMBEDDED, NETWORK):
        raise WorkshopError(f"AURORE_SOURCE vaut « {mode} », valeur inconnue.\n"
                            f"Choisissez {AUTO}, {EMBEDDED} ou {NETWORK}.")
    return mode


def through_kit():
    """Dit si les réseaux viennent d'un portable de la salle (AURORE_KIT) : on ne lui montre aucun jeton."""
    return bool(os.environ.get("AURORE_KIT"))


def fall_back(error, instead, consequence):
    """Annonce ce qui était hors d'atteinte, ce qui le remplace et ce que cela change.

    Lève `error` si AURORE_SOURCE interdit de se replier.
    """
    if source_mode() == NETWORK:
        raise error
    notice(f"HORS LIGNE. {error}\nÀ la place : {instead}\nCe que cela change : {consequence}")


def embedded_books(split):
    """Renvoie {titre: chemin} des contes embarqués pour `split` : « train » ou « test »."""
    return {title_of(path): str(path) for path in sorted((EMBEDDED_BOOKS / split).glob("*.txt"))}


def title_of(path):
    """Renvoie le titre que porte l'en-tête d'un livre, ou à défaut le nom du fichier."""
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as book:
            lines = iter(lambda: book.readline(LINE_LENGTH), "")
            titles = (line[6:].strip() for line in islice(lines, HEADER_LINES) if line.startswith("Title:"))
            return next(filter(None, titles), path.stem)
    except OSError:
        return path.stem
