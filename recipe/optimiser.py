"""Muon pour les matrices, AdamW pour le reste.

Un pas d'AdamW change surtout une matrice dans les quelques directions où le gradient est
fort. Muon remplace ce pas par la matrice orthogonale la plus proche, qui pousse également
dans toutes les directions : le réseau apprend autant en lisant moins.
Keller Jordan et al., « Muon: An optimizer for hidden layers in neural networks », 2024 ;
mise à l'échelle des pas d'après Liu et al., « Muon is Scalable for LLM Training », 2025.
"""

import torch  # pylint: disable=import-error  # l'atelier s'en passe

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # coefficients de Jordan et al.


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

    Les paramètres sont des matrices (entrées, sorties), comme les range GPT-2. Celles de
    l'attention tiennent côte à côte requêtes, clés et valeurs : `split_columns` dit, en
    colonnes, la largeur de chacune, car ce sont trois matrices et non une.
    """

    def __init__(self, parameters, lr, momentum=0.95, weight_decay=0.1, split_columns=None):
        super().__init__(parameters, {"lr": lr, "momentum": momentum,
                                      "weight_decay": weight_decay,
                                      "split_columns": split_columns})

    @torch.no_grad()
    def step(self, closure=None):  # pylint: disable=unused-argument  # signature de torch
        """Fait un pas ; les matrices de même forme sont orthogonalisées ensemble."""
        for group in self.param_groups:
            by_shape = {}
            for parameter in group["params"]:
                momentum = self.state[parameter].setdefault(
                    "momentum", torch.zeros_like(parameter))
                momentum.lerp_(parameter.grad, 1 - group["momentum"])
                update = parameter.grad.lerp(momentum, group["momentum"])
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parts = [(parameter, update)]
                width = group["split_columns"]
                if width and parameter.shape[1] == 3 * width:
                    parts = list(zip(parameter.split(width, 1), update.split(width, 1)))
                for target, change in parts:
                    by_shape.setdefault(change.shape, []).append((target, change))
            for shape, parts in by_shape.items():
                changes = orthogonalise(torch.stack([change for _, change in parts]))
                # La taille moyenne d'un pas d'AdamW : un seul taux convient aux deux.
                scale = 0.2 * max(shape) ** 0.5
                for (target, _), change in zip(parts, changes):
                    target.add_(change, alpha=-group["lr"] * scale)


def make_optimisers(model, matrix_rate, other_rate, weight_decay, use_muon=True):
    """Renvoie la liste des optimiseurs de `model` ; chaque groupe garde son taux en `peak_rate`.

    Muon prend les matrices des couches ; AdamW prend les embeddings, les biais et les
    normalisations (et les matrices aussi sans `use_muon`). Biais et normalisations ne sont
    pas ramenés vers zéro.
    """
    named = dict(model.named_parameters())
    matrices = [p for name, p in named.items() if ".h." in name and p.ndim == 2]
    embeddings = [p for name, p in named.items() if ".h." not in name and p.ndim == 2]
    vectors = [p for p in named.values() if p.ndim < 2]
    groups = [{"params": embeddings, "lr": other_rate, "weight_decay": weight_decay},
              {"params": vectors, "lr": other_rate, "weight_decay": 0.0}]
    if not use_muon:
        groups.append({"params": matrices, "lr": matrix_rate, "weight_decay": weight_decay})
    optimisers = [torch.optim.AdamW(groups, betas=(0.9, 0.95), fused=True)]
    if use_muon:
        optimisers.append(Muon(matrices, matrix_rate, weight_decay=weight_decay,
                               split_columns=model.config.n_embd))
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["peak_rate"] = group["lr"]
    return optimisers
