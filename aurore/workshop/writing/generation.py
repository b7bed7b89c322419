"""Écrire des textes avec un réseau : plusieurs à la fois, chacun jusqu'à sa fin.

Une traversée du réseau relit tous ses poids, pour un texte comme pour huit : écrire ensemble coûte
bien moins que l'un après l'autre. Un texte rejoint les autres ou les quitte à n'importe quel token,
sans que ceux-ci s'en aperçoivent (« continuous batching » : Yu et al., « Orca », 2022).
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from workshop.writing.engine import Memory, Network
from workshop.writing.sampling import Choice, Settings, choose


class Text:
    """Un texte en train de s'écrire."""

    def __init__(self, tokens: Iterable[int], settings: Settings = Settings(),
                 seed: int | Sequence[int] | None = None):
        """`tokens` : l'amorce, au moins un token. `seed` : une graine de NumPy, None pour le hasard."""
        self.tokens = list(tokens)
        self.settings = settings
        self.opening = len(self.tokens)
        self.generator = np.random.default_rng(seed)
        self.choice: Choice | None = None           # le dernier
        self.logits = np.empty(0)                   # (vocabulaire,) : ce que le réseau préfère ensuite
        self.failure: Exception | None = None       # l'erreur qui a empêché de l'écrire

    @property
    def written(self) -> int:
        """Le nombre de tokens écrits par le réseau."""
        return len(self.tokens) - self.opening

    @property
    def ending(self) -> str | None:
        """Pourquoi il est fini : « length » ou « end » (le réseau a mis fin au texte) ; None s'il ne l'est pas."""
        if self.choice is not None and self.choice.token in self.settings.eos_token_ids:
            return "end"
        return "length" if self.written >= self.settings.max_new_tokens else None

    def write(self) -> None:
        """Choisit le token suivant et l'ajoute ; garde une erreur dans `failure` : elle n'appartient qu'à ce texte."""
        try:
            self.choice = choose(self.logits, self.tokens, self.written, self.settings, self.generator)
            self.tokens.append(self.choice.token)
        except Exception as error:  # pylint: disable=broad-exception-caught  # quelle qu'elle soit
            self.failure = error


class Batch:
    """Les textes qui s'écrivent ensemble, au plus `seats`. Le rang d'un texte est sa place dans la mémoire."""

    def __init__(self, network: Network, seats: int):
        self.network = network
        self.memory = Memory(network, seats)
        self.texts: list[Text] = []

    def join(self, texts: Sequence[Text]) -> None:
        """Ajoute des textes, dont l'amorce est lue d'une traite ; ceux de même longueur le sont ensemble."""
        for text in sorted(texts, key=lambda text: len(text.tokens)):
            row = len(self.texts)
            self.texts.append(text)
            self.memory.lengths[row] = 0
        start = len(self.texts) - len(texts)
        while start < len(self.texts):
            length = self._visible(self.texts[start])
            end = next((row for row in range(start, len(self.texts)) if self._visible(self.texts[row]) != length),
                       len(self.texts))
            self._read([text.tokens[-length:] for text in self.texts[start:end]], start)
            start = end

    def _visible(self, text):
        """Le nombre de tokens de `text` que le réseau verra : une amorce trop longue perd son début."""
        return min(len(text.tokens), self.network.context)

    def leave(self, text: Text) -> None:
        """Retire un texte ; le dernier prend sa place."""
        row, last = self.texts.index(text), len(self.texts) - 1
        if row < last:
            self.memory.move(last, row)
            self.texts[row] = self.texts[last]
        self.texts.pop()

    def step(self) -> list[Text]:
        """Ajoute un token à chaque texte, retire ceux qui sont finis, et les renvoie."""
        for text in self.texts:
            text.write()
        finished = [text for text in self.texts if text.ending or text.failure]
        for text in finished:
            self.leave(text)
        for text in [text for row, text in enumerate(self.texts) if self.memory.lengths[row] == self.network.context]:
            self._forget(text)
        if self.texts:
            self._read([text.tokens[-1:] for text in self.texts], 0)
        return finished

    def _forget(self, text):
        """Plus de place pour un token : le réseau oublie la première moitié du texte et relit la seconde."""
        row = self.texts.index(text)
        self.memory.lengths[row] = 0
        self._read([text.tokens[-self.network.context // 2:-1]], row)

    def _read(self, tokens, first_row):
        logits = self.network.read(np.array(tokens), self.memory, first_row)
        for text, row in zip(self.texts[first_row:], logits):
            text.logits = row


def write_texts(network: Network, openings: Sequence[Sequence[int]], settings: Settings, *, seed: int | None = None,
                streamer: Any = None) -> list[list[int]]:
    """Continue les amorces `openings` (des listes de tokens) et renvoie la liste des tokens écrits pour chacune.

    `streamer` : un streamer de transformers, pour une seule amorce ; il reçoit chaque token aussitôt.
    """
    texts = [Text(opening, settings, [seed, number] if seed is not None else None)
             for number, opening in enumerate(openings)]
    batch = Batch(network, len(texts))
    try:
        batch.join(texts)
        while batch.texts:
            for text in batch.step():
                if text.failure:
                    raise text.failure
            if streamer is not None:
                streamer.put(np.array(texts[0].tokens[-1:]))
    finally:
        if streamer is not None:
            streamer.end()  # même après une erreur : quelqu'un attend peut-être la suite
    return [text.tokens[text.opening:] for text in texts]
