"""L'ordre de lecture : des blocs dans leur roman, d'autres phases à chaque époque, le second corpus à son heure."""

import numpy as np
import pytest

pytest.importorskip("torch")

from recipe.novels import BASE, SECOND, open_library  # pylint: disable=wrong-import-position  # sans PyTorch, rien ici
from recipe.reading import Blocks, Mixture, Reader, block_starts, evenly  # pylint: disable=wrong-import-position
from recipe.tests.invented import CONTEXT, small_library  # pylint: disable=wrong-import-position
from workshop.errors import WorkshopError  # pylint: disable=wrong-import-position


@pytest.fixture(name="library")
def fixture_library(tmp_path):
    """Les tokens et les romans d'une bibliothèque minuscule."""
    small_library(tmp_path)
    return open_library(tmp_path)


def novel_of(novels, start):
    """Le roman où commence un bloc."""
    return next(novel for novel in novels if novel.start <= start < novel.end)


@pytest.mark.parametrize("phase", [0, 5])
def test_blocks_never_cross_novels_and_read_every_token_after_the_phase(library, phase):
    _, novels = library
    starts = block_starts(novels, CONTEXT, phase)
    assert all(start + CONTEXT < novel_of(novels, start).end for start in starts)
    answered = {place for start in starts for place in range(start + 1, start + CONTEXT + 1)}
    assert answered == {place for novel in novels for place in range(novel.start + phase + 1, novel.end)}


def test_a_block_is_its_tokens(library):
    tokens, _ = library
    blocks = Blocks(tokens, CONTEXT, "cpu")(Reader(library[1], BASE, CONTEXT, 0).take(3))
    assert blocks.shape == (3, CONTEXT + 1)
    first = int(Reader(library[1], BASE, CONTEXT, 0).take(1)[0])
    assert np.array_equal(blocks[0], tokens[first:first + CONTEXT + 1])


def test_each_epoch_reads_its_part_once_in_another_order_at_another_phase(library):
    _, novels = library
    reader = Reader(novels, BASE, CONTEXT, seed=0)
    epochs = []
    for _ in range(3):
        epochs.append(reader.take(len(reader.order) - reader.position).tolist())
        reader.resume(reader.epoch + 1, 0)
    assert all(novel_of(novels, start).part == BASE for epoch in epochs for start in epoch)
    assert sorted(epochs[0]) == sorted(block_starts(reader.novels, CONTEXT)) and epochs[0] != sorted(epochs[0])
    phases = [{(start - novel_of(novels, start).start) % CONTEXT for start in epoch
               if start + CONTEXT + 1 != novel_of(novels, start).end} for epoch in epochs]
    assert phases[0] == {0} and all(len(phase) == 1 for phase in phases) and len(set(map(tuple, phases))) == 3


def test_an_epoch_ends_within_a_step_and_nothing_is_lost(library):
    reader = Reader(library[1], SECOND, CONTEXT, seed=0)
    length = len(reader.order)
    reader.take(length - 2)
    before, after = reader.order[-2:].tolist(), Reader(library[1], SECOND, CONTEXT, seed=0)
    after.resume(1, 0)
    assert reader.take(5).tolist() == before + after.take(3).tolist()
    assert reader.epochs == pytest.approx(1 + 3 / len(reader.order))


def test_the_second_corpus_comes_at_its_moment_with_its_share(library):
    _, novels = library
    mixture = Mixture(Reader(novels, BASE, CONTEXT, 0), Reader(novels, SECOND, CONTEXT, 0), 0.6, 0.18)
    for progress, expected in ((0.0, 0), (0.599, 0), (0.6, 9), (0.99, 9)):
        parts = [novel_of(novels, start).part for start in mixture.take(50, progress).tolist()]
        assert len(parts) == 50 and parts.count(SECOND) == expected


def test_a_part_too_short_for_a_block_is_refused_in_a_sentence(library):
    with pytest.raises(WorkshopError, match="ne remplit un bloc"):
        Reader(library[1], BASE, 100_000, seed=0)


def test_a_measure_takes_blocks_from_the_first_to_the_last():
    starts = np.arange(100)
    assert evenly(starts, 4).tolist() == [0, 33, 66, 99]
    assert evenly(starts[:3], 10).tolist() == [0, 1, 2] and evenly(starts[:0], 3).size == 0
