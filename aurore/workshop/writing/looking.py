"""Regarder un réseau lire un texte qu'il n'a pas écrit : ce qu'il attendait à chaque token, et ce qu'il regardait."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from workshop.writing.engine import Memory, Network
from workshop.writing.sampling import Choice, Settings, distribution


class Reading(NamedTuple):
    """Ce que le réseau attendait de chaque token, à partir du second, et ce qu'il attend ensuite."""

    choices: list[Choice]
    following: tuple[np.ndarray, np.ndarray]   # (tokens, probabilités), le plus probable d'abord


def read(network: Network, tokens: Sequence[int]) -> Reading:
    """Lit la liste `tokens`, `network.context` au plus, et renvoie sa `Reading`.

    Les probabilités sont celles du réseau, avant tout réglage : leur somme vaut 1 sur tout le vocabulaire.
    """
    logits = network.read(np.array([tokens]), Memory(network, 1), everywhere=True)
    *expected, following = [distribution(row, Settings()) for row in logits]
    choices = [Choice(token, float(probabilities[candidates == token][0]), candidates, probabilities)
               for token, (candidates, probabilities) in zip(tokens[1:], expected)]
    return Reading(choices, following)


def attention(network: Network, tokens: Sequence[int]) -> np.ndarray:
    """Renvoie ce que le réseau regarde de `tokens`, `network.context` au plus, pour deviner la suite.

    De forme (couches, têtes, tokens) : la part de chaque token, pour mille. On arrondit les sommes plutôt que les
    parts : une tête fait toujours 1000, et des tokens qui se suivent, un mot, ne perdent jamais plus d'un millième.
    """
    sums = np.rint(1000 * network.attention(np.array(tokens)).cumsum(-1, dtype=float))
    return np.diff(sums, prepend=0).astype(int)
