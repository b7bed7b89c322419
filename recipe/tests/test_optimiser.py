"""Muon : des pas orthogonaux, par lots, où requêtes, clés et valeurs comptent pour trois matrices."""

import pytest

torch = pytest.importorskip("torch")

from recipe.network import GPT2, Shape  # pylint: disable=wrong-import-position  # sans PyTorch, rien ici
from recipe.optimiser import Muon, make_optimisers, orthogonalise  # pylint: disable=wrong-import-position

RATE = 0.01


def one_step(matrices, width):
    """Fait un pas de Muon, sans inertie ni recul, et renvoie de combien chaque matrice a changé."""
    parameters = [torch.nn.Parameter(torch.zeros_like(matrix)) for matrix in matrices]
    for parameter, matrix in zip(parameters, matrices):
        parameter.grad = matrix.clone()
    Muon(parameters, RATE, width, weight_decay=0.0).step()
    return [-parameter.detach() / RATE for parameter in parameters]


def test_wide_and_tall_matrices_are_orthogonalised_alike():
    torch.manual_seed(0)
    wide = torch.randn(3, 8, 32) * torch.tensor([1e-3, 1.0, 1e3])[:, None, None]
    singular = torch.linalg.svdvals(orthogonalise(wide))
    assert singular.min() > 0.5 and singular.max() < 1.3
    assert torch.allclose(orthogonalise(wide.mT), orthogonalise(wide).mT, atol=1e-5)


def test_queries_keys_and_values_are_three_matrices():
    torch.manual_seed(0)
    # Sans cela, les requêtes, cent fois plus fortes, prendraient tout le pas.
    thirds = [torch.randn(16, 16) * size for size in (100, 1, 0.01)]
    [together] = one_step([torch.cat(thirds, 1)], width=16)
    scale = 0.2 * 16 ** 0.5
    for found, third in zip(together.chunk(3, 1), thirds):
        assert torch.allclose(found, scale * orthogonalise(third[None])[0], atol=1e-4)
    [as_one] = one_step([torch.cat(thirds, 1)], width=48)
    assert not torch.allclose(as_one, together, atol=0.1)


def test_a_batch_moves_each_matrix_as_if_it_were_alone():
    torch.manual_seed(0)
    matrices = [torch.randn(shape) for shape in ((16, 16), (16, 64), (16, 48), (64, 16), (16, 16), (16, 64))]
    for alone, matrix in zip(one_step(matrices, width=16), matrices):
        assert torch.allclose(alone, one_step([matrix], width=16)[0], atol=1e-5)


def test_a_step_has_the_size_of_one_of_adamw_and_decays():
    parameter = torch.nn.Parameter(torch.ones(16, 64))
    parameter.grad = torch.randn(16, 64, generator=torch.Generator().manual_seed(0))
    Muon([parameter], RATE, 16, weight_decay=0.1).step()
    change = (parameter.detach() - (1 - RATE * 0.1)) / RATE
    assert change.square().mean().sqrt().item() == pytest.approx(0.2, rel=0.15)


def test_every_weight_is_learnt_once_and_only_matrices_and_embeddings_decay():
    network = GPT2(Shape(50, 8, 2, 16, 2))
    optimisers = make_optimisers(network, 1e-3, 2e-3)
    groups = [group for optimiser in optimisers for group in optimiser.param_groups]
    learnt = [parameter for group in groups for parameter in group["params"]]
    assert len(learnt) == len(set(map(id, learnt))) == len(list(network.parameters()))
    decay = {id(parameter): group["weight_decay"] for group in groups for parameter in group["params"]}
    for name, parameter in network.named_parameters():
        expected = 0.0 if parameter.ndim < 2 else 0.1 if name.startswith("h.") else 0.01
        assert decay[id(parameter)] == expected, name
    assert [group["peak_rate"] for group in groups] == [1e-3, 2e-3, 2e-3]
