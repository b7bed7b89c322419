"""Muon pour les matrices, AdamW pour le reste.

Un pas d'AdamW change surtout une matrice dans les quelques directions où le gradient est
fort. Muon remplace ce pas par la matrice orthogonale la plus proche, qui pousse également
dans toutes les directions : le réseau apprend autant en lisant moins.
Keller Jordan et al., « Muon: An optimizer for hidden layers in neural networks », 2024 ;
mise à l'échelle des pas d'après Liu et al., « Muon is Scalable for LLM Training », 2025.

`torch.optim.Muon` ne nous va pas : il prend pour une seule matrice les requêtes, les clés et les
valeurs, que GPT-2 range côte à côte, et traite les matrices une à une.
"""

import math

import torch

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # coefficients de Jordan et al.
MATRIX_DECAY = 0.1       # fois le taux, à chaque pas ; ni les biais ni les normalisations ne reculent
EMBEDDING_DECAY = 0.01


def orthogonalise(matrices, steps=5):
    """Renvoie, à peu près, U·Vᵀ pour chaque matrice U·S·Vᵀ d'un lot (lot, lignes, colonnes).

    Le polynôme de Newton-Schulz pousse toutes les valeurs singulières vers 1 par de simples
    produits de matrices, sans décomposition.
    """
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    a, b, c = NEWTON_SCHULZ
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Descente à inertie de Nesterov dont chaque pas est orthogonalisé.

    Les paramètres sont des matrices (entrées, sorties), comme les range GPT-2. Une matrice trois fois
    plus large que `width` en tient trois côte à côte (requêtes, clés, valeurs), orthogonalisées
    chacune à part. Celles de même forme le sont ensemble, en un seul lot.
    """

    def __init__(self, parameters, lr, width, momentum=0.95, weight_decay=MATRIX_DECAY):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self.width = width
        self.orthogonalise = orthogonalise
        if self.param_groups[0]["params"][0].is_cuda:
            # Sur une carte, la demi-précision suffit à des produits que cinq tours corrigent.
            compiled = torch.compile(orthogonalise, dynamic=False)
            self.orthogonalise = lambda batch: compiled(batch.bfloat16()).float()

    @torch.no_grad()
    def step(self, closure=None):  # pylint: disable=unused-argument  # signature de torch
        """Fait un pas."""
        for group in self.param_groups:
            batches = {}
            for parameter in group["params"]:
                update = self._with_momentum(parameter, group["momentum"])
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parts = 3 if parameter.shape[1] == 3 * self.width else 1
                for target, change in zip(parameter.chunk(parts, 1), update.chunk(parts, 1)):
                    batches.setdefault(change.shape, []).append((target, change))
            for shape, batch in batches.items():
                changes = self.orthogonalise(torch.stack([change for _, change in batch]))
                # La taille moyenne d'un pas d'AdamW : un seul taux convient aux deux.
                scale = 0.2 * math.sqrt(max(shape))
                for (target, _), change in zip(batch, changes):
                    target.add_(change, alpha=-group["lr"] * scale)

    def _with_momentum(self, parameter, share):
        """Renvoie le gradient d'un paramètre, avec l'inertie de Nesterov."""
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        momentum = state["momentum"].lerp_(parameter.grad, 1 - share)
        return parameter.grad.lerp(momentum, share)


def make_optimisers(network, matrix_rate, other_rate):
    """Renvoie la liste des optimiseurs de `network` ; chaque groupe garde son taux en `peak_rate`.

    Muon prend les matrices des couches ; AdamW prend les embeddings, les biais et les normalisations.
    """
    named = dict(network.named_parameters())
    embeddings = [network.wte.weight, network.wpe.weight]
    matrices = [parameter for name, parameter in named.items() if name.startswith("h.") and parameter.ndim == 2]
    vectors = [parameter for parameter in named.values() if parameter.ndim < 2]
    optimisers = [
        Muon(matrices, matrix_rate, network.shape.width),
        torch.optim.AdamW([{"params": embeddings, "weight_decay": EMBEDDING_DECAY},
                           {"params": vectors, "weight_decay": 0.0}],
                          lr=other_rate, betas=(0.9, 0.95), fused=True)]
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["peak_rate"] = group["lr"]
    return optimisers
