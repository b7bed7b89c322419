"""Le réseau lui-même : ses blocs, sa tête, son tokenizer."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
import transformers
from datasets import Dataset
from safetensors.numpy import load_file
from transformers import AutoTokenizer

from tiny_networks import TEXT, tiny_model
from workshop.learning import gpt2_tf, hub, session
from workshop.learning.evaluation import score, sliding_windows, token_losses, window_losses
from workshop.learning.gpt2_tf import TFGPT2LMHeadModel
from workshop.learning.packing import IGNORED, evenly, pack
from workshop.learning.session import Session
from workshop.learning.vocabulary import carry_over, old_pieces
from workshop.paths import BASE_MODEL
from workshop.writing.gpt2 import gpt2

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


def test_a_special_token_in_a_book_is_ordinary_text(tokenizer):
    blocks = pack(split_of({"A": [f"Le soir{tokenizer.eos_token} la mer."]}), tokenizer, block_length=32)
    ids = blocks["input_ids"][0][blocks["labels"][0] != IGNORED]
    assert ids.tolist().count(tokenizer.eos_token_id) == 1, "celui qui ouvre le livre"
    assert tokenizer.decode(ids[1:]) == f"Le soir{tokenizer.eos_token} la mer."


@pytest.mark.parametrize("script", ["4_generate_solution", "5_flask"])
def test_a_special_token_in_an_opening_is_ordinary_text(lesson, script):
    tokenizer = lesson(script).open_pipe(BASE_MODEL).tokenizer
    for token in tokenizer.all_special_tokens:
        ids = tokenizer(f"Le soir{token} la mer").input_ids
        assert tokenizer.decode(ids) == f"Le soir{token} la mer"
        assert not set(ids) & set(tokenizer.all_special_ids)


def test_a_special_token_in_the_opening_of_step_3_is_ordinary_text(tokenizer):
    seen = []
    model = SimpleNamespace(generate=lambda input_ids, **_: seen.append(input_ids.numpy()[0]) or input_ids)
    opening = f"Le soir{tokenizer.eos_token} la mer"
    assert session_of(tokenizer, model, opening).write_sample(model).startswith(opening)
    assert tokenizer.eos_token_id not in seen[0]


@pytest.mark.parametrize("written", [" lanterne" * 60, " rit." + " lanterne" * 60])
def test_the_speed_of_a_network_counts_all_it_writes(tokenizer, monkeypatch, written):
    """Une phrase finie tôt n'en fait pas un réseau lent : le tableau des essais les compare."""
    clock, tokens = [0.0], tokenizer(written, return_tensors="tf").input_ids
    monkeypatch.setattr(session.time, "perf_counter", lambda: clock[0])

    def generate(input_ids, max_new_tokens, **_):
        clock[0] += 1 + max_new_tokens  # une seconde pour se préparer, puis une par token
        return tf.concat([input_ids, tokens[:, :max_new_tokens]], axis=1)
    speed = session_of(tokenizer, SimpleNamespace(generate=generate), "Elle").writing_speed()
    lengths = [len(tokenizer.decode(tokens[0, :count])) for count in (1, session.SAMPLE_TOKENS)]
    assert speed == (lengths[1] - lengths[0]) / (session.SAMPLE_TOKENS - 1)


def session_of(tokenizer, model, opening):
    """Une séance dont rien n'est mesuré : ce qui fait écrire ce réseau."""
    bare = Session.__new__(Session)
    bare.settings, bare.tokenizer, bare.model = SimpleNamespace(OPENING=opening, SEED=0), tokenizer, model
    return bare


@pytest.mark.parametrize("most, chosen", [(1, [0]), (3, [0, 4, 9]), (10, list(range(10))), (50, list(range(10)))])
def test_a_few_blocks_are_taken_from_beginning_to_end(most, chosen):
    blocks = {"input_ids": np.arange(10)[:, None], "labels": np.arange(10)[:, None]}
    assert evenly(blocks, most)["labels"][:, 0].tolist() == chosen


# --- La tête ------------------------------------------------------------------------------

INPUTS = {"input_ids": np.array([[5, 17, 300, 4], [9, 9, 1, 0]]),
          "labels": np.array([[5, 17, 300, 4], [9, 9, IGNORED, IGNORED]])}


def test_our_network_is_the_one_of_transformers():
    """Mêmes logits, même perte, mêmes gradients, étiquettes à ignorer comprises."""
    without_dropout = {"attn_pdrop": 0, "embd_pdrop": 0, "resid_pdrop": 0}
    ours = TFGPT2LMHeadModel.from_pretrained(BASE_MODEL, **without_dropout)
    theirs = transformers.TFGPT2LMHeadModel.from_pretrained(BASE_MODEL, **without_dropout)
    names = [[weight.name.partition("/")[2] for weight in model.weights] for model in (ours, theirs)]
    assert names[0] == names[1]
    batch = {name: tf.constant(array) for name, array in INPUTS.items()}
    assert float(tf.reduce_mean(ours(batch).loss)) == pytest.approx(float(ours.mean_loss(batch)[0]))
    results = []
    for model in (ours, theirs):
        if model is ours:
            loss, gradients = model.mean_loss_and_gradients(batch)
        else:
            with tf.GradientTape() as tape:
                loss = model(batch, training=True).loss
            gradients = map(tf.convert_to_tensor, tape.gradient(loss, model.trainable_variables))
        results.append((model(INPUTS).logits, tf.reduce_mean(loss), list(gradients)))
    np.testing.assert_allclose(results[0][0], results[1][0], atol=2e-4)
    assert float(results[0][1]) == pytest.approx(float(results[1][1]), rel=1e-5)
    for mine, other in zip(results[0][2], results[1][2], strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5, rtol=1e-5)  # des simples précisions


@pytest.mark.parametrize("cores", [1, 3, 8])  # huit : plus que de lignes
def test_the_slices_of_the_cores_change_nothing(monkeypatch, tokenizer, cores):
    """La perte, ses gradients et la note sont les mêmes, sur deux cœurs comme sur un autre nombre."""
    tokens = np.arange(7 * 9).reshape(7, 9)
    batch = {"input_ids": tf.constant(tokens), "labels": tf.constant(np.where(tokens % 5, tokens, IGNORED))}

    def measured(count):
        monkeypatch.setattr(gpt2_tf, "CORES", count)
        model = tiny_model()  # la note n'est préparée qu'une fois par réseau
        loss, gradients = model.mean_loss_and_gradients(batch)
        losses = token_losses(model, tokenizer, "Le soir tombait sur les prés.", window=4, stride=2)
        return [loss, model.mean_loss(batch), losses, *gradients]
    for found, expected in zip(measured(cores), measured(2), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_no_core_waits_for_another(tokenizer):
    """TensorFlow passe à la tranche suivante quand ses vérifications (Assert) sont faites : aucune n'attend un produit
    de matrices, et toutes les tranches sont donc en cours à la fois."""
    model = tiny_model()
    batch = {name: tf.TensorSpec((None, 16), tf.int32) for name in ("input_ids", "labels")}
    windows = sliding_windows(np.array(tokenizer(TEXT).input_ids), 16, 8)
    for function, given in ((model.mean_loss, batch),
                            (model.mean_loss_and_gradients, batch),
                            (lambda batch: window_losses(model, batch), windows)):
        graph = tf.function(function, autograph=False).get_concrete_function(given).graph.as_graph_def()
        (body,) = (body for body in graph.library.function if "while_body" in body.signature.name)
        nodes, waited = {node.name: node for node in body.node_def}, set()
        to_see = list(body.control_ret.values())
        while to_see:
            name = to_see.pop().lstrip("^").partition(":")[0]
            if name in nodes and name not in waited:
                waited.add(name)
                to_see += nodes[name].input
        assert any(nodes[name].op == "Assert" for name in waited)
        assert not [name for name in waited if "MatMul" in nodes[name].op]
        assert any("MatMul" in node.op for node in body.node_def)


def test_the_head_of_an_untied_network_is_kept(tokenizer, tmp_path):
    """Une tête à part est lue, entraînée, enregistrée et relue."""
    model = tiny_model(tie_word_embeddings=False)
    head = model.lm_head.get_weights()[0]
    assert not np.allclose(head.T, model.transformer.wte.get_weights()[0])
    model.compile(optimizer=tf.keras.optimizers.legacy.SGD(1.0))
    model.train_on_batch({"input_ids": np.array([[1, 2, 3]]), "labels": np.array([[1, 2, 3]])})
    assert not np.allclose(head, model.lm_head.get_weights()[0])
    hub.save_model(model, tokenizer, tmp_path)
    reopened = TFGPT2LMHeadModel.from_pretrained(tmp_path)
    np.testing.assert_allclose(reopened(INPUTS["input_ids"]).logits, model(INPUTS["input_ids"]).logits, atol=1e-6)


@pytest.mark.parametrize("settings", [
    {}, {"tie_word_embeddings": False}, {"vocab_size": 50257, "n_layer": 2, "n_head": 2}])
def test_the_weights_are_saved_with_the_names_and_layout_of_pytorch(settings, tokenizer, tmp_path):
    """Ceux du manuel ; recipe/tests/test_elsewhere.py vérifie que PyTorch lit le manuel."""
    model = tiny_model(**settings)
    hub.save_model(model, tokenizer, tmp_path)
    logits = gpt2(INPUTS["input_ids"][0], load_file(tmp_path / "model.safetensors"), model.config.to_dict())
    np.testing.assert_allclose(model(INPUTS["input_ids"]).logits[0], logits, atol=1e-5)


# --- Changer de tokenizer -----------------------------------------------------------------

def test_a_new_token_starts_as_the_mean_of_its_old_pieces(tokenizer):
    new = tokenizer.train_new_from_iterator([TEXT], vocab_size=600, show_progress=False)
    model = tiny_model(tie_word_embeddings=False)
    carried = carry_over(model, tokenizer, new)
    old_rows, new_rows = (network.transformer.wte.get_weights()[0] for network in (model, carried))
    old_head, new_head = (network.lm_head.get_weights()[0] for network in (model, carried))
    pieces = old_pieces(tokenizer, new)
    assert carried.config.vocab_size == len(new) == len(new_rows) and max(map(len, pieces)) > 1
    for number in range(len(new)):
        token = new.convert_ids_to_tokens(number)
        assert "".join(tokenizer.convert_ids_to_tokens(pieces[number])) == token
        np.testing.assert_allclose(new_rows[number], old_rows[pieces[number]].mean(axis=0), rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(new_head[:, number], old_head[:, pieces[number]].mean(axis=1), rtol=1e-5, atol=1e-7)
    assert carried.config.eos_token_id == new.eos_token_id
    for old, kept in zip(model.transformer.h[0].get_weights(), carried.transformer.h[0].get_weights()):
        np.testing.assert_array_equal(old, kept)


def test_what_the_network_knew_survives_the_new_tokenizer(tokenizer, tokenized_atelier):
    """La note d'avant tout entraînement est bien plus près de l'originale qu'avec des lignes au hasard."""
    new = AutoTokenizer.from_pretrained(tokenized_atelier.aurore / "tokenizer")
    text = (tokenized_atelier.aurore / "data" / "validation_text.txt").read_text(encoding="utf-8")
    text = text.replace("\n", " ")[:4000]
    model = TFGPT2LMHeadModel.from_pretrained(BASE_MODEL)
    carried = carry_over(model, tokenizer, new)
    original, kept = (score(network, its_own, text).bits_per_character
                      for network, its_own in ((model, tokenizer), (carried, new)))
    rows = carried.transformer.wte.embeddings
    rows.assign(np.random.default_rng(0).normal(scale=np.std(rows), size=rows.shape))
    random = score(carried, new, text).bits_per_character
    assert original < kept < original + 0.5 * (random - original)
