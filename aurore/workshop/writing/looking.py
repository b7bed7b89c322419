"""Regarder un réseau lire : ce qu'il attendait à chaque token d'un texte qu'il n'a pas écrit."""

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
