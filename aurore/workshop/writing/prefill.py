"""Lire l'amorce des uns entre deux tokens des autres.

Lire cinq cents tokens d'un coup fait attendre tous ceux qui écrivent une demi-seconde. Ici, une amorce est lue par
tranches, à part, une tous les quelques tokens : qui arrive avec un long texte attend le sien, et les autres s'en
aperçoivent à peine (« chunked prefill » : Agrawal et al., « Sarathi », 2023, arxiv.org/abs/2308.16369).
"""

import math
from collections import deque

import numpy as np

from workshop.writing.engine import Memory, Network
from workshop.writing.generation import Batch, Text

SLICE = 24    # tokens d'une amorce lus d'un coup : une vingtaine de millisecondes
ALONE = 256   # et quand personne n'écrit
LEAST = 4     # tokens d'amorces que l'on peut lire pour un token que chacun écrit, au moins


class SharedBatch(Batch):
    """Un `Batch` où l'on entre sans arrêter les autres."""

    def __init__(self, network: Network, seats: int):
        super().__init__(network, seats)
        self.reading: deque[Text] = deque()   # les textes dont l'amorce n'est pas encore lue
        self._desk = Memory(network, 1)    # où se lit celle du premier
        self._credit = 0                   # tokens d'amorces que ceux qui écrivent ont laissé lire

    def enter(self, text: Text) -> None:
        """Ajoute `text` à ceux dont l'amorce reste à lire ; il n'en gardera que ce qui laisse la place d'écrire."""
        self.reading.append(text)

    def leave(self, text: Text) -> None:
        """Retire un texte, qu'il s'écrive ou qu'on en soit encore à lire son amorce."""
        if text in self.texts:
            super().leave(text)
            return
        if text is self.reading[0]:
            self._desk.lengths[0] = 0
        self.reading.remove(text)

    def clear(self) -> None:
        """Retire tous les textes."""
        self.texts.clear()
        self.reading.clear()
        self._desk.lengths[0] = 0

    def step(self) -> list[Text]:
        """Ajoute un token à chaque texte, puis lit une tranche d'amorce ; retire et renvoie ceux qui sont finis."""
        finished = super().step() if self.texts else []
        # Plus ils sont à attendre d'être lus, plus on lit ; ceux qui écrivent gardent la moitié du temps, à peu près.
        are_writing = bool(self.texts)
        earned = max(LEAST, len(self.reading) + len(self.texts) // 2)
        self._credit = (self._credit + earned if self.reading else 0) if are_writing else ALONE
        while self.reading and self._credit >= min(SLICE, self._left_to_read):
            text = self.reading[0]
            try:
                self._credit -= self._read_a_slice(text, self._credit)
            except Exception as error:  # pylint: disable=broad-exception-caught  # elle n'appartient qu'à ce texte
                text.failure = error
                self.leave(text)
                finished.append(text)
        if not are_writing:
            self._credit = 0
        return finished

    @property
    def _left_to_read(self):
        """Les tokens qui restent à lire de la première amorce."""
        return self._kept(self.reading[0]) - int(self._desk.lengths[0])

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
