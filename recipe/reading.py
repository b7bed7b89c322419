"""Dans quel ordre lire une bibliothèque : des blocs de tokens, et le second corpus qui s'y mêle."""

import numpy as np
import torch

from recipe.novels import PARTS
from workshop.errors import WorkshopError


def block_starts(novels, context, phase=0):
    """Renvoie le début de chaque bloc de `context` + 1 tokens (int64) ; aucun ne sort de son roman.

    Le token de plus est la dernière réponse. Le premier bloc d'un roman commence à son token `phase`,
    le dernier recule pour être plein ; un roman plus court qu'un bloc n'en donne pas.
    """
    starts = [np.empty(0, np.int64)]
    for novel in novels:
        last = novel.end - context - 1
        if last >= novel.start:
            starts += [np.arange(novel.start + phase, last, context), [last]]
    return np.concatenate(starts)


class Reader:
    """Lit les blocs d'une part de la bibliothèque, époque après époque.

    L'ordre d'une époque, et la phase de ses blocs, ne dépendent que de la graine et de son rang :
    d'une époque à l'autre un token change de place dans son bloc, et une reprise retrouve tout.
    """

    def __init__(self, novels, part, context, seed, device="cpu"):
        self.novels = [novel for novel in novels if novel.part == part]
        self.context, self.device = context, device
        self.seeds = PARTS.index(part), seed  # deux parts ne se lisent pas dans le même ordre
        self.epoch, self.position, self.order = 0, 0, self._order(0)
        if len(self.order) == 0:
            raise WorkshopError(f"Aucun livre de la part « {part} » ne remplit un bloc de {context} tokens.\n"
                                "Ajoutez des livres, ou de plus longs.")

    def _order(self, epoch):
        generator = np.random.default_rng([*self.seeds, epoch])
        phase = int(generator.integers(self.context)) if epoch else 0
        return torch.from_numpy(generator.permutation(block_starts(self.novels, self.context, phase))).to(self.device)

    def take(self, number):
        """Renvoie les débuts des `number` blocs suivants (int64)."""
        pieces = []
        while number:
            if self.position == len(self.order):
                self.resume(self.epoch + 1, 0)
            pieces.append(self.order[self.position:self.position + number])
            self.position += len(pieces[-1])
            number -= len(pieces[-1])
        return torch.cat(pieces)

    def resume(self, epoch, position):
        """Reprend à ce bloc de cette époque."""
        self.epoch, self.position, self.order = epoch, position, self._order(epoch)

    @property
    def epochs(self):
        """Le nombre d'époques lues, en décimales."""
        return self.epoch + self.position / len(self.order)


class Mixture:
    """Les blocs de chaque pas : ceux de la base et, à partir d'un moment, une part du second corpus."""

    def __init__(self, base, second=None, second_from=0.0, second_share=0.0):
        """`second_from` : part de l'entraînement déjà faite ; `second_share` : part des blocs d'un pas."""
        self.base, self.second = base, second
        self.second_from, self.second_share = second_from, second_share

    def take(self, number, progress):
        """Renvoie les débuts de `number` blocs, quand la part `progress` de l'entraînement est faite."""
        seconds = round(number * self.second_share) if self.second and progress >= self.second_from else 0
        starts = self.base.take(number - seconds)
        return torch.cat([starts, self.second.take(seconds)]) if seconds else starts

    @property
    def readers(self):
        """Les lecteurs, dans un ordre fixe."""
        return [reader for reader in (self.base, self.second) if reader]


class Blocks:
    """Tous les tokens, gardés là où l'on calcule : un bloc s'y prend sans passer par le processeur."""

    def __init__(self, tokens, context, device):
        self.tokens = torch.from_numpy(np.asarray(tokens).astype(np.int32)).to(device)
        self.span = torch.arange(context + 1, device=device)

    def __call__(self, starts):
        """Renvoie les blocs qui commencent à `starts`, de forme (blocs, contexte + 1), en int64."""
        return self.tokens[starts[:, None] + self.span].long()


def evenly(starts, most):
    """Renvoie au plus `most` de ces débuts, pris régulièrement du premier au dernier."""
    return starts[np.linspace(0, len(starts) - 1, min(most, len(starts))).astype(int)] if len(starts) else starts
