"""Mettre en blocs, noter, entraîner : sur des réseaux minuscules, dont on connaît la réponse."""

import math

import numpy as np
import pytest
import tensorflow as tf
from datasets import Dataset
from transformers import AutoTokenizer, GPT2Config, TFGPT2LMHeadModel

from workshop.network.evaluation import score, sliding_windows
from workshop.network.packing import IGNORED, pack
from workshop.network.training import Journal, StopInTime, batches, mean_loss, seconds_per_step
from workshop.paths import BASE_MODEL

TEXT = "Il était une fois une meunière qui chantait. Elle chantait au bord de la rivière, et le vent aussi. " * 8


@pytest.fixture(scope="module", name="tokenizer")
def _tokenizer():
    return AutoTokenizer.from_pretrained(BASE_MODEL)


def tiny_model(zeros=False):
    """Un GPT-2 minuscule ; avec `zeros`, tous ses poids sont nuls et il ne préfère aucun token."""
    tf.keras.utils.set_random_seed(0)
    model = TFGPT2LMHeadModel(GPT2Config(vocab_size=8192, n_positions=16, n_embd=8, n_layer=1, n_head=1,
                                         attn_pdrop=0, embd_pdrop=0, resid_pdrop=0))
    model.build_in_name_scope()
    if zeros:
        model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    return model


# --- Mettre en blocs ----------------------------------------------------------------------

def split_of(sentences_by_book):
    """Une partie du jeu de données, comme l'étape 1 la range."""
    return Dataset.from_list([{"text": text, "book": book} for book, texts in sentences_by_book.items()
                              for text in texts])


def test_blocks_hold_every_token_and_never_two_books(tokenizer):
    sentences = {"A": ["Il pleut sur la ville.", "Le vent se lève."] * 9, "B": ["Elle chantait.", "Il dansait."] * 9}
    blocks = pack(split_of(sentences), tokenizer, block_length=16)
    assert blocks["input_ids"].shape == blocks["labels"].shape and blocks["input_ids"].dtype == np.int32
    expected = []
    for texts in sentences.values():
        stream = [tokenizer.bos_token_id, *tokenizer(" ".join(texts)).input_ids]
        count = math.ceil(len(stream) / 16)
        starts = [16 * number for number in range(count - 1)] + [len(stream) - 16]
        expected += [stream[start:start + 16] for start in starts]
    assert blocks["input_ids"].tolist() == expected
    assert np.array_equal(blocks["input_ids"], blocks["labels"])


def test_a_short_book_is_padded_and_its_padding_not_learnt(tokenizer):
    blocks = pack(split_of({"A": ["Il pleut."]}), tokenizer, block_length=16)
    words = len(tokenizer("Il pleut.").input_ids) + 1
    assert blocks["input_ids"].shape == (1, 16)
    assert (blocks["labels"][0, words:] == IGNORED).all() and (blocks["labels"][0, :words] != IGNORED).all()


# --- Noter --------------------------------------------------------------------------------

def test_a_network_without_preference_has_a_known_score(tokenizer):
    """Chaque token coûte log2(8192) = 13 bits : la note s'en déduit exactement."""
    result = score(tiny_model(zeros=True), tokenizer, TEXT, window=16, stride=8)
    tokens = len(tokenizer(TEXT).input_ids)
    assert result.bits_per_character == pytest.approx(13 * tokens / len(TEXT), rel=1e-6)
    assert result.perplexity == pytest.approx(8192, rel=1e-5)


def test_the_score_is_the_sum_of_the_token_losses(tokenizer):
    """Fenêtre plus longue que le texte : la note est celle d'une seule lecture."""
    model, text = tiny_model(), "Il pleut sur la ville."
    ids = [tokenizer.bos_token_id, *tokenizer(text).input_ids]
    log_probabilities = tf.nn.log_softmax(model(np.array([ids[:-1]])).logits)[0].numpy()
    bits = -sum(log_probabilities[row, token] for row, token in enumerate(ids[1:])) / math.log(2)
    assert score(model, tokenizer, text, window=16).bits_per_character == pytest.approx(bits / len(text), rel=1e-5)


def test_the_score_does_not_depend_on_the_batch(tokenizer):
    model = tiny_model()
    results = [score(model, tokenizer, TEXT, window=16, stride=4, batch_size=size) for size in (1, 7, 64)]
    for result in results[1:]:
        assert result == pytest.approx(results[0], rel=1e-5)


@pytest.mark.parametrize("length", [1, 2, 8, 9, 16, 17, 24, 25, 100])
@pytest.mark.parametrize("stride", [1, 4, 8])
def test_windows_count_each_token_once_with_context(length, stride):
    inputs, targets, counted = sliding_windows(np.arange(length + 1), window=8, stride=stride)
    seen = targets[counted == 1.0]
    assert sorted(seen) == list(range(1, length + 1))
    assert (inputs[counted == 1.0] == seen - 1).all()
    for row in range(1, len(counted)):
        assert not counted[row, :8 - stride].any()


# --- Entraîner ----------------------------------------------------------------------------

@pytest.fixture(name="blocks")
def _blocks(tokenizer):
    return pack(split_of({"A": TEXT.split(". ")}), tokenizer, block_length=16)


def fit(model, blocks, callbacks, epochs=2, rate=0.05):
    """Entraîne comme l'étape 3."""
    model.compile(optimizer=tf.keras.optimizers.legacy.Adam(rate))
    model.fit(batches(blocks, 2, shuffle_seed=0), validation_data=batches(blocks, 2), epochs=epochs,
              callbacks=callbacks, verbose=0)


def test_training_learns_and_writes_its_journal(blocks, tmp_path):
    model = tiny_model()
    assert seconds_per_step(model, batches(blocks, 2)) > 0
    model.compile()
    journal = Journal(mean_loss(model, batches(blocks, 2)))
    fit(model, blocks, [journal])
    steps = 2 * (len(blocks["input_ids"]) // 2)
    assert len(journal.train_points) == steps and journal.kept_step == steps
    assert journal.train_points[-1][1] < journal.train_points[0][1]
    journal.write(tmp_path)
    lines = (tmp_path / "training_log.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == steps + 2 and lines[0] == "step,loss,val_loss" and lines[-1].count(",") == 2
    assert (tmp_path / "learning_curve.png").read_bytes().startswith(b"\x89PNG")


def test_the_best_weights_are_kept_even_if_they_are_the_first(blocks):
    model = tiny_model()
    before = model.get_weights()
    journal = Journal(validation_loss_before=0.001)  # imbattable
    fit(model, blocks, [journal], epochs=1)
    assert journal.kept_step == 0
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("seconds, steps, expected", [(1000, 3, 3), (0, 1000, 1)])
def test_training_stops_in_time(blocks, capsys, seconds, steps, expected):
    journal = Journal(100.0)
    fit(tiny_model(), blocks, [StopInTime(seconds, steps), journal], epochs=3)
    assert len(journal.train_points) == expected
    assert ("est écoulé" in capsys.readouterr().out) == (seconds == 0)
    assert len(journal.validation_points) == 2  # noté quand même avant de finir


def test_batches_lose_nothing_when_evaluating(blocks):
    count = len(blocks["input_ids"])
    assert sum(len(batch["labels"]) for batch in batches(blocks, 3)) == count
    assert sum(len(batch["labels"]) for batch in batches(blocks, 3, shuffle_seed=1)) == count // 3 * 3
    assert sum(len(batch["labels"]) for batch in batches(blocks, 10 * count, shuffle_seed=1)) == count
