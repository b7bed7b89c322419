"""Qui écrit : le nom, la date et la note d'un réseau, comme la page les montre."""

from typing import NamedTuple

from workshop.identity import Identity


class Network(NamedTuple):
    """Le réseau qui écrit."""

    name: str             # « aurore », ou « aurore-mini spécialisé »
    date: str | None      # « le 25 novembre 2026 à 10 h 12 »
    score: float | None   # bits par caractère sur le livre de test


def read_signature(folder):
    """Renvoie le `Network` de `folder`."""
    identity = Identity.read(folder)
    return Network(identity.name, identity.french_date, identity.score and identity.score.bits_per_character)
