"""Qui écrit : le nom, la date et la note d'un réseau, comme la page les montre."""

from pathlib import Path
from typing import NamedTuple

from workshop.identity import Identity, key_of


class Signature(NamedTuple):
    """Ce que la page dit du réseau qui écrit."""

    name: str             # « aurore », ou « aurore-mini spécialisé »
    date: str | None      # « le 25 novembre 2026 à 10 h 12 »
    score: float | None   # bits par caractère sur le livre de test
    key: str = ""               # par quoi on le demande : « aurore », ou « 2026-11-25_10-12-30 »
    parent: str | None = None   # le nom du réseau dont il est parti


def read_signature(folder: Path) -> Signature:
    """Renvoie la `Signature` du réseau de `folder`."""
    identity = Identity.read(folder)
    return Signature(identity.name, identity.french_date, identity.score.bits_per_character if identity.score else None,
                     key_of(folder), identity.parent)
