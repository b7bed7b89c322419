"""Qui écrit : le nom, la date et la note d'un réseau, comme la page les montre."""

from pathlib import Path
from typing import NamedTuple

from workshop.identity import Identity


class Signature(NamedTuple):
    """Ce que la page dit du réseau qui écrit."""

    name: str             # « aurore », ou « aurore-mini spécialisé »
    date: str | None      # « le 25 novembre 2026 à 10 h 12 »
    score: float | None   # bits par caractère sur le livre de test


def read_signature(folder: Path) -> Signature:
    """Renvoie la `Signature` du réseau de `folder`."""
    identity = Identity.read(folder)
    return Signature(identity.name, identity.french_date, identity.score.bits_per_character if identity.score else None)
