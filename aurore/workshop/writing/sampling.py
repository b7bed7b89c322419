"""Choisir le token suivant : le plus probable, ou un tirage parmi les plus probables.

Le réseau donne un logit par token. Toujours prendre le plus grand écrit un texte plat, qui se répète ;
tirer dans tout le vocabulaire finit par tomber sur un mot absurde. On tire donc parmi les meilleurs :
les `top_k` premiers (Fan et al., 2018), ou ceux qui font ensemble une part `top_p` des chances
(Holtzman et al., 2020). Les réglages ont les noms et le sens de ceux de transformers.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Settings(NamedTuple):
    """Comment choisir. Les valeurs par défaut ne changent rien aux probabilités du réseau."""

    max_new_tokens: int = 60
    min_new_tokens: int = 0            # avant, pas de fin de texte
    do_sample: bool = True             # False : toujours le plus probable
    temperature: float = 1.0           # près de 0, le plus probable ; au-delà de 1, l'aventure
    top_k: int = 0                     # ne tirer qu'entre les top_k plus probables ; 0 : entre tous
    top_p: float = 1.0                 # ne tirer qu'entre les plus probables, qui font ensemble top_p
    repetition_penalty: float = 1.0    # au-delà de 1, les tokens déjà écrits deviennent moins probables
    no_repeat_ngram_size: int = 0      # aucune suite de tant de tokens ne revient ; 0 : sans cette règle
    eos_token_ids: tuple[int, ...] = ()   # ceux qui finissent le texte


class Choice(NamedTuple):
    """Un token choisi, et ceux entre lesquels le réseau hésitait : le meilleur d'abord."""

    token: int
    probability: float
    candidates: np.ndarray       # tokens
    probabilities: np.ndarray    # de même forme ; leur somme vaut 1

    @property
    def entropy(self) -> float:
        """L'hésitation, en bits (Shannon, 1948) : 0 s'il n'y a qu'un choix, 1 pour pile ou face, 3 entre huit égaux."""
        likely = self.probabilities[self.probabilities > 0]
        return float(-(likely * np.log2(likely)).sum()) + 0.0


def choose(logits: np.ndarray, tokens: Sequence[int], written: int, settings: Settings,
           generator: np.random.Generator) -> Choice:
    """Renvoie le `Choice` qui suit `tokens`, les tokens du texte, dont `written` ont été écrits par le réseau.

    `logits` est de forme (vocabulaire,) ; `generator`, un générateur de NumPy.
    """
    logits = _penalised(logits, tokens, written, settings)
    if not settings.do_sample or settings.temperature == 0:
        token = int(logits.argmax())
        return Choice(token, 1.0, np.array([token]), np.ones(1))
    candidates, probabilities = distribution(logits, settings)
    cumulative = probabilities.cumsum()
    drawn = min(int(cumulative.searchsorted(generator.random() * cumulative[-1], side="right")), len(candidates) - 1)
    return Choice(int(candidates[drawn]), float(probabilities[drawn]), candidates, probabilities)


def distribution(logits: np.ndarray, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Renvoie (tokens, probabilités) de ce qui peut être tiré, du plus probable au moins probable."""
    if 0 < settings.top_k < len(logits):
        least = np.partition(logits, -settings.top_k)[-settings.top_k]
        candidates = np.flatnonzero(logits >= least)
    else:
        candidates = np.arange(len(logits))
    candidates = candidates[np.argsort(-logits[candidates], kind="stable")]
    scores = logits[candidates].astype(np.float64) / settings.temperature
    probabilities = np.exp(scores - scores[0])
    probabilities /= probabilities.sum()
    if settings.top_p < 1:
        before = probabilities.cumsum() - probabilities  # la part de ceux qui sont plus probables
        kept = np.count_nonzero(before < settings.top_p)
        candidates, probabilities = candidates[:kept], probabilities[:kept] / probabilities[:kept].sum()
    return candidates, probabilities


def _penalised(logits, tokens, written, settings):
    """Renvoie les logits, moins ce que les réglages interdisent ou découragent."""
    ends_too_early = settings.eos_token_ids and written < settings.min_new_tokens
    if settings.repetition_penalty == 1 and not settings.no_repeat_ngram_size and not ends_too_early:
        return logits
    logits = logits.copy()
    if settings.repetition_penalty != 1:  # Keskar et al., 2019
        seen = np.unique(tokens)
        scores = logits[seen]
        logits[seen] = np.where(scores < 0, scores * settings.repetition_penalty, scores / settings.repetition_penalty)
    if settings.no_repeat_ngram_size:
        logits[_would_repeat(tokens, settings.no_repeat_ngram_size)] = -np.inf
    if ends_too_early:
        logits[list(settings.eos_token_ids)] = -np.inf
    return logits


def _would_repeat(tokens, size):
    """Renvoie les tokens qui, à la suite de `tokens`, referaient une suite de `size` tokens déjà écrite."""
    if len(tokens) < size:
        return []
    last = tokens[len(tokens) - size + 1:]
    return [tokens[start + size - 1] for start in range(len(tokens) - size + 1)
            if tokens[start:start + size - 1] == last]
