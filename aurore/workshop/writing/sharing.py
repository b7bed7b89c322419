"""Lire l'amorce des uns entre deux tokens des autres.

Lire cinq cents tokens d'un coup fait attendre tous ceux qui écrivent une demi-seconde. Ici, une amorce est lue par
tranches, à part, une à chaque token : qui arrive avec un long texte attend le sien, et les autres s'en aperçoivent à
peine (« chunked prefill » : Agrawal et al., « Sarathi », 2023, arxiv.org/abs/2308.16369).
"""

import math
from collections import deque

import numpy as np

from workshop.writing.engine import Memory
from workshop.writing.generation import Batch

SLICE = 8     # tokens lus entre deux tokens de qui écrit seul : à peine plus longs à lire qu'un seul
ALONE = 256   # et quand personne n'écrit


class SharedBatch(Batch):
    """Un `Batch` où l'on entre sans arrêter les autres."""

    def __init__(self, network, seats):
        super().__init__(network, seats)
        self.reading = deque()             # les textes dont l'amorce n'est pas encore lue
        self._desk = Memory(network, 1)    # où se lit celle du premier

    def enter(self, text):
        """Ajoute `text` à ceux dont l'amorce reste à lire ; il n'en gardera que ce qui laisse la place d'écrire."""
        self.reading.append(text)

    def leave(self, text):
        """Retire un texte, qu'il s'écrive ou qu'on en soit encore à lire son amorce."""
        if text in self.texts:
            super().leave(text)
            return
        if text is self.reading[0]:
            self._desk.lengths[0] = 0
        self.reading.remove(text)

    def clear(self):
        """Retire tous les textes."""
        self.texts.clear()
        self.reading.clear()
        self._desk.lengths[0] = 0

    def step(self):
        """Ajoute un token à chaque texte, puis lit une tranche d'amorce ; retire ceux qui sont finis, et les renvoie."""
        finished = super().step() if self.texts else []
        # Autant de temps à lire qu'à écrire, ou à peu près.
        budget = SLICE + len(self.texts) if self.texts else ALONE
        while self.reading and budget > 0:
            text = self.reading[0]
            try:
                budget -= self._read_a_slice(text, budget)
            except Exception as error:  # pylint: disable=broad-exception-caught  # elle n'appartient qu'à ce texte
                text.failure = error
                self.leave(text)
                finished.append(text)
        return finished

    def _read_a_slice(self, text, most):
        """Lit au plus `most` tokens de l'amorce de `text`, et renvoie combien ; s'il n'en reste pas, il s'écrira."""
        row, kept = len(self.texts), self._kept(text)
        start = self._desk.lengths[0]
        part = text.tokens[len(text.tokens) - kept:][start:start + most]
        logits = self.network.read(np.array([part]), self._desk)
        if self._desk.lengths[0] == kept:
            text.logits = logits[0]
            self.memory.take(self._desk, 0, row)
            self._desk.lengths[0] = 0
            self.texts.append(self.reading.popleft())
        return len(part)

    def _kept(self, text):
        """Combien de tokens de `text` relire : tous, ou assez peu pour ne pas avoir bientôt à en oublier."""
        context = self.network.context
        left = text.settings.max_new_tokens - text.written
        return min(len(text.tokens), max(math.ceil(context / 2), context - left))

    def _forget(self, text):
        """Plus de place pour un token : le texte attend que l'on ait relu ce qu'il en garde."""
        super().leave(text)
        self.reading.append(text)
