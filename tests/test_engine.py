"""La traversée du réseau et le tirage : les mêmes tokens que transformers, mot pour mot."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import transformers
from safetensors.numpy import load_file, save_file
from tf_keras.utils import set_random_seed
from transformers import TextIteratorStreamer, create_optimizer, pipeline
from transformers.generation import (TFLogitsProcessorList, TFRepetitionPenaltyLogitsProcessor,
                                     TFTemperatureLogitsWarper, TFTopKLogitsWarper, TFTopPLogitsWarper)

from random_networks import random_gpt2
from tiny_networks import tiny_model
from workshop.errors import WorkshopError
from workshop.learning import hub
from workshop.learning.gpt2_tf import TFGPT2LMHeadModel, pytorch_weights
from workshop.paths import BASE_MODEL
from workshop.writing import engine
from workshop.writing.engine import Memory, Network
from workshop.writing.generation import Batch, Text
from workshop.writing import gpt2 as textbook
from workshop.writing.gpt2 import gpt2
from workshop.writing.sampling import Settings, choose

PROMPTS = ["Cette femme était assise", "Le soir, elle se rappelait que son père lui", "Oh!"]


@pytest.fixture(scope="module", name="model")
def _model():
    return TFGPT2LMHeadModel.from_pretrained(BASE_MODEL)


@pytest.fixture(scope="module", name="network")
def _network():
    return Network.open(BASE_MODEL)


def inputs(tokenizer, prompts):
    """Les amorces en un lot, complété à gauche."""
    tokenizer.padding_side = "left"
    return tokenizer(prompts, return_tensors="tf", padding=True)


def logits_of(network, tokens):
    """Les logits qui suivent `tokens`, une liste."""
    return network.read(np.array([tokens]), Memory(network, 1))[0]


def textbook_logits(folder, tokens):
    """Les logits du réseau de `folder`, par le GPT-2 que l'on enseigne."""
    weights = {name: array.astype(np.float32) for name, array in load_file(folder / "model.safetensors").items()}
    return gpt2(tokens, weights, json.loads((folder / "config.json").read_text(encoding="utf-8")))


# --- La traversée --------------------------------------------------------------------------

@pytest.mark.parametrize("settings", [
    {}, {"n_embd": 768, "n_head": 12, "n_layer": 1}, {"n_embd": 60, "n_head": 3}, {"n_head": 1}, {"n_inner": 20},
    {"tie_word_embeddings": False}, {"activation_function": "relu"}, {"activation_function": "tanh"},
    {"layer_norm_epsilon": 0.1}, {"vocab_size": 5_000}])
def test_the_engine_is_the_textbook(settings):
    """Un token ou plusieurs, d'une traite ou par morceaux, seul ou à côté d'un autre texte."""
    weights, config = random_gpt2(**settings)
    network = Network(weights, config)
    tokens = np.random.default_rng(1).integers(0, config["vocab_size"], (2, 24))
    expected = np.stack([gpt2(row, weights, config) for row in tokens])       # (2, 24, vocabulaire)
    assert expected.std() > 0.5
    for length in 1, 2, 24:
        np.testing.assert_allclose(logits_of(network, tokens[0, :length]), expected[0, length - 1], atol=1e-4)
    memory = Memory(network, 2)
    for start, end in (0, 1), (1, 4), (4, 5), (5, 24):
        np.testing.assert_allclose(network.read(tokens[:, start:end], memory), expected[:, end - 1], atol=1e-4)


def textbook_attention(tokens, weights, config):
    """Ce que le dernier token regarde, dans toutes les têtes : une tête qui rend ses parts, car les valeurs de `tokens`
    y sont les colonnes de l'identité."""
    seen = []

    def noted(*head):
        seen.append(attention(*head[:2], np.eye(len(tokens)))[-1])
        return attention(*head)
    attention = textbook.attention
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(textbook, "attention", noted)
        gpt2(tokens, weights, config)
    return np.reshape(seen, (config["n_layer"], config["n_head"], len(tokens)))


@pytest.mark.parametrize("settings", [
    {}, {"n_embd": 768, "n_head": 12, "n_layer": 1}, {"n_embd": 60, "n_head": 3}, {"n_head": 1}, {"n_layer": 5}])
@pytest.mark.parametrize("length", [1, 2, 3, 24])
def test_what_the_engine_looks_at_is_what_the_textbook_looks_at(settings, length):
    weights, config = random_gpt2(**settings)
    tokens = np.random.default_rng(2).integers(0, config["vocab_size"], length)
    shares = Network(weights, config).attention(tokens)
    np.testing.assert_allclose(shares.sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(shares, textbook_attention(tokens, weights, config), atol=1e-4)
    assert length < 24 or shares.max() > 1.5 / length, "des têtes qui choisissent"


def test_looking_at_a_text_does_not_disturb_those_who_write():
    """Rien n'en reste dans le réseau, et les mêmes tokens se regardent de même."""
    weights, config = random_gpt2()
    network, tokens = Network(weights, config), np.arange(20)
    memory, other = Memory(network, 1), Memory(network, 1)
    for each in memory, other:
        network.read(tokens[None, :10], each)
    first = network.attention(tokens)
    np.testing.assert_array_equal(network.read(tokens[None, 10:], memory), network.read(tokens[None, 10:], other))
    np.testing.assert_array_equal(first, network.attention(tokens))


def test_the_textbook_gives_the_logits_of_tensorflow(model):
    tokens = np.random.default_rng(0).integers(0, 8192, 50)
    np.testing.assert_allclose(textbook_logits(BASE_MODEL, tokens), model(tokens[None]).logits[0], atol=2e-4)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["transformer.wte.weight", "transformer.h.1.mlp.c_proj.weight",
                                  "transformer.h.0.attn.c_attn.bias", "transformer.ln_f.bias"])
def test_a_network_gone_astray_is_not_opened(name, value, tmp_path):
    weights, config = random_gpt2()
    weights[name].flat[-1] = value
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(WorkshopError, match="pas des nombres"):
        Network.open(tmp_path)


def test_the_logits_are_those_of_tensorflow(model, network):
    tokens = np.random.default_rng(0).integers(0, 8192, (1, 256))
    np.testing.assert_allclose(logits_of(network, tokens[0]), model(tokens).logits[0, -1], atol=2e-4)


@pytest.mark.parametrize("settings", [
    {"n_layer": 3, "n_head": 2, "n_positions": 24}, {"tie_word_embeddings": False}, {"n_inner": 20},
    {"activation_function": "relu"}, {"layer_norm_epsilon": 0.1}, {"vocab_size": 50_257}])
@pytest.mark.parametrize("half", [False, True])
def test_any_shape_in_both_naming_schemes(settings, half, tokenizer, tmp_path):
    """Noms de PyTorch et de TensorFlow, simple et demi-précision ; des biais et des gains tirés au hasard."""
    model = tiny_model(**settings)
    generator = np.random.default_rng(0)
    model.set_weights([generator.normal(scale=0.3, size=weight.shape) for weight in model.get_weights()])
    tokens = generator.integers(0, 8192, (1, 15))
    expected = model(tokens).logits[0, -1]
    hub.save_model(model, tokenizer, tmp_path)
    pytorch, tensorflow = tmp_path / "pytorch", tmp_path / "tensorflow"
    for folder in (pytorch, tensorflow):
        folder.mkdir()
        (folder / "config.json").write_text((tmp_path / "config.json").read_text(encoding="utf-8"), encoding="utf-8")
    precision = np.float16 if half else np.float32
    save_file({name: array.astype(precision) for name, array in load_file(tmp_path / "model.safetensors").items()},
              pytorch / "model.safetensors")
    save_file({variable.name: variable.numpy().astype(precision) for variable in model.weights},
              tensorflow / "model.safetensors")
    for folder in (pytorch, tensorflow):
        np.testing.assert_allclose(logits_of(Network.open(folder), tokens[0]), expected,
                                   rtol=0.02 if half else 1e-4, atol=0.05 if half else 1e-4)


def test_other_scales_of_the_attention(model, network):
    """TensorFlow ne les connaît pas : on les refait ici avec les poids des questions."""
    width, heads = model.config.n_embd, model.config.n_head
    tensors = pytorch_weights(model)
    for number in range(model.config.n_layer):
        for kind in ("weight", "bias"):
            tensors[f"transformer.h.{number}.attn.c_attn.{kind}"][..., :width] *= (number + 1) / np.sqrt(width // heads)
    same = Network(tensors, {**model.config.to_dict(), "scale_attn_weights": False,
                             "scale_attn_by_inverse_layer_idx": True})
    np.testing.assert_allclose(logits_of(same, [1, 2, 3]), logits_of(network, [1, 2, 3]), atol=1e-4)


def test_the_names_and_buffers_of_the_first_gpt2(model, network):
    """Le tout premier GPT-2 publié ne dit pas « transformer. », et enregistre ses masques d'attention."""
    tensors = {name.removeprefix("transformer."): array for name, array in pytorch_weights(model).items()}
    tensors["h.0.attn.bias"] = np.ones((1, 1, 4, 4), bool)
    tensors["h.0.attn.masked_bias"] = np.array(-10_000.0)
    same = Network(tensors, model.config.to_dict())
    np.testing.assert_array_equal(logits_of(same, [1, 2, 3]), logits_of(network, [1, 2, 3]))


def test_reading_at_once_or_token_by_token(network):
    tokens = np.random.default_rng(1).integers(0, 8192, 40)
    memory = Memory(network, 3)
    memory.lengths[:] = 0
    for token in tokens:
        step = network.read(np.array([[token]]), memory, first_row=1)
    np.testing.assert_allclose(step[0], logits_of(network, tokens), atol=1e-4)


def test_a_large_batch_shared_between_cores_equals_one_by_one(network):
    generator = np.random.default_rng(2)
    texts = [Text(generator.integers(1, 8192, length)) for length in (3, 40, 7, 7, 1, 90, 12, 5, 33, 2, 2, 64)]
    batch = Batch(network, len(texts))
    batch.join(texts)
    for _ in range(3):
        for text in batch.texts:
            np.testing.assert_allclose(text.logits, logits_of(network, text.tokens), atol=2e-4)
        batch.step()


@pytest.mark.parametrize("cores", [1, 2, 3, 16])
def test_a_network_shared_between_cores_is_the_same(network, monkeypatch, cores):
    tokens = np.random.default_rng(0).integers(0, 8192, 40)
    monkeypatch.setattr(engine, "TOKENS_TO_SHARE", 10 ** 9)
    alone = logits_of(network, tokens)
    monkeypatch.setattr(engine, "CORES", cores)
    monkeypatch.setattr(engine, "TOKENS_TO_SHARE", 1)
    shared = Network.open(BASE_MODEL)
    assert len(shared.shared_layers[0]) == min(cores, network.heads)
    np.testing.assert_allclose(logits_of(shared, tokens), alone, atol=1e-4)
    rows = shared.read(np.tile(tokens, (12, 1)), Memory(shared, 12))
    np.testing.assert_allclose(rows, np.tile(alone, (12, 1)), atol=1e-4)


def test_a_share_that_no_core_has_begun_is_done_by_who_waits(network, monkeypatch):
    """Tous les autres cœurs sont pris : le réseau n'attend personne."""
    pool, free = ThreadPoolExecutor(1), threading.Event()
    pool.submit(free.wait)
    monkeypatch.setattr(engine, "_POOL", pool)
    monkeypatch.setattr(engine, "TOKENS_TO_SHARE", 1)
    try:
        expected = np.random.default_rng(0).integers(0, 8192, 9)
        np.testing.assert_allclose(logits_of(network, expected), textbook_logits(BASE_MODEL, expected)[-1], atol=1e-4)
    finally:
        free.set()
        pool.shutdown()


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="seul Linux dit ce qu'occupe chaque tableau")
def test_the_memory_of_a_text_is_given_as_it_is_written(network):
    """Trente textes de seize tokens n'occupent pas la place de trente contextes."""
    memory = Memory(network, 30)
    network.read(np.ones((30, 16), int), memory)
    start = f"{memory.kept.ctypes.data:x}-"
    mapping = Path("/proc/self/smaps").read_text(encoding="utf-8").partition(start)[2]
    resident = int(re.search(r"Rss: +(\d+) kB", mapping)[1])
    assert 0 < resident * 1024 < memory.kept.nbytes / 4


@pytest.mark.parametrize("name, content", [
    ("config.json", None), ("config.json", b"{"), ("config.json", b"[]"), ("config.json", b'{"n_embd": 256}'),
    ("model.safetensors", None), ("model.safetensors", b"\x00" * 100)])
def test_an_incomplete_folder_is_named(tmp_path, name, content):
    for file in ("config.json", "model.safetensors"):
        (tmp_path / file).write_bytes((BASE_MODEL / file).read_bytes())
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(WorkshopError, match="n'est pas le dossier d'un GPT-2 complet"):
        Network.open(tmp_path)


def test_an_unknown_activation_is_named(tmp_path):
    config = json.loads((BASE_MODEL / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps({**config, "activation_function": "mish"}), encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes((BASE_MODEL / "model.safetensors").read_bytes())
    with pytest.raises(WorkshopError, match="mish"):
        Network.open(tmp_path)


# --- Le même texte que transformers ---------------------------------------------------------

@pytest.mark.parametrize("settings", [
    {}, {"repetition_penalty": 1.3}, {"no_repeat_ngram_size": 2}, {"no_repeat_ngram_size": 1},
    {"eos_token_id": 14}])
@pytest.mark.parametrize("prompts", [PROMPTS[:1], PROMPTS[1:2]])
def test_greedy_text_is_that_of_transformers(model, tokenizer, prompts, settings):
    arguments = {**inputs(tokenizer, prompts), "max_new_tokens": 20, "do_sample": False,
                 "pad_token_id": tokenizer.pad_token_id, **settings}
    ours = model.generate(**arguments)
    stock = transformers.TFGPT2LMHeadModel.generate(model, **arguments)
    np.testing.assert_array_equal(ours, stock)


def test_greedy_texts_of_unequal_prompts_are_those_of_transformers(model, tokenizer):
    arguments = {**inputs(tokenizer, PROMPTS), "max_new_tokens": 12, "do_sample": False,
                 "pad_token_id": tokenizer.pad_token_id}
    np.testing.assert_array_equal(model.generate(**arguments),
                                  transformers.TFGPT2LMHeadModel.generate(model, **arguments))


def test_no_end_before_the_least_length(model, tokenizer):
    """`min_new_tokens`, que transformers suit avec PyTorch et oublie avec TensorFlow."""
    arguments = {**inputs(tokenizer, PROMPTS[:1]), "max_new_tokens": 40, "do_sample": False, "eos_token_id": 14,
                 "pad_token_id": 0}
    soon, later = (model.generate(**arguments, min_new_tokens=least).numpy()[0] for least in (0, 25))
    opening = len(arguments["input_ids"][0])
    assert 14 in soon[opening:opening + 25] and 14 not in later[opening:opening + 25]


def test_what_is_not_done_here_is_left_to_transformers(model, tokenizer):
    arguments = {**inputs(tokenizer, PROMPTS[:1]), "max_new_tokens": 3, "num_beams": 2, "do_sample": False}
    np.testing.assert_array_equal(model.generate(**arguments),
                                  transformers.TFGPT2LMHeadModel.generate(model, **arguments))


def test_an_activation_not_known_here_is_left_to_transformers():
    model = tiny_model(activation_function="silu")
    arguments = {"input_ids": tf.constant([[5, 17, 300]]), "attention_mask": tf.ones((1, 3), tf.int32),
                 "max_new_tokens": 5, "do_sample": False, "pad_token_id": 0}
    np.testing.assert_array_equal(model.generate(**arguments),
                                  transformers.TFGPT2LMHeadModel.generate(model, **arguments))


def test_several_texts_of_one_prompt_and_padding(model, tokenizer):
    set_random_seed(0)
    arguments = {**inputs(tokenizer, PROMPTS[:2]), "max_new_tokens": 30, "do_sample": True, "num_return_sequences": 3,
                 "eos_token_id": 14, "pad_token_id": 7}
    texts = model.generate(**arguments).numpy()
    assert len(texts) == 6 and len({tuple(text) for text in texts}) == 6
    for text in texts[:, arguments["input_ids"].shape[1]:]:
        ends = np.flatnonzero(text == 14)
        assert np.all(text[ends[0] + 1:] == 7) if len(ends) else len(text) == 30
    set_random_seed(0)
    np.testing.assert_array_equal(model.generate(**arguments), texts)


def test_a_pipeline_needs_no_special_word(model, tokenizer):
    tokenizer.padding_side = "left"
    pipe = pipeline("text-generation", model=model, tokenizer=tokenizer)
    set_random_seed(1)
    together = pipe(PROMPTS, max_new_tokens=5, batch_size=3)
    assert [text[0]["generated_text"].startswith(prompt) for text, prompt in zip(together, PROMPTS)] == [True] * 3
    assert pipe("", max_new_tokens=5)[0]["generated_text"]


def test_a_streamer_hears_each_token(model, tokenizer):
    streamer = TextIteratorStreamer(tokenizer, skip_prompt=True)
    arguments = {**inputs(tokenizer, PROMPTS[:1]), "max_new_tokens": 15, "do_sample": False}
    text = model.generate(**arguments, streamer=streamer)
    assert PROMPTS[0] + "".join(streamer) == tokenizer.decode(text[0])


def test_a_long_text_goes_on_past_the_context(model, tokenizer):
    prompt = inputs(tokenizer, ["La meunière chantait au bord de la rivière. " * 40])
    length = prompt["input_ids"].shape[1]
    assert length > 256
    text = model.generate(**prompt, max_new_tokens=300, do_sample=False).numpy()[0]
    assert len(text) == length + 300
    # Le premier token écrit dépend des 256 derniers lus, et d'eux seuls.
    assert text[length] == np.argmax(model(text[None, length - 256:length]).logits[0, -1])


def test_a_negative_temperature_is_refused(model, tokenizer):
    with pytest.raises(WorkshopError, match="temperature"):
        model.generate(**inputs(tokenizer, PROMPTS[:1]), do_sample=True, temperature=-1.0, max_new_tokens=2)


def test_generate_follows_the_weights_however_they_change(tmp_path):
    """Le jumeau n'est refait que lorsqu'un poids a changé ; il est alors toujours celui de transformers."""
    model = tiny_model(n_embd=32, n_head=2, tie_word_embeddings=False, initializer_range=0.5)
    model.compile(optimizer=create_optimizer(init_lr=0.05, num_train_steps=100, num_warmup_steps=0)[0])
    model.save_weights(tmp_path / "weights.h5")
    block = {"input_ids": np.array([[5, 17, 300, 4]]), "labels": np.array([[5, 17, 300, 4]])}
    bias = model.transformer.h[0].mlp.c_proj.bias
    changes = {
        "fit": lambda: model.fit(tf.data.Dataset.from_tensors(block).repeat(2), verbose=0),
        "train_on_batch": lambda: model.train_on_batch(block),
        "set_weights": lambda: model.set_weights([weight[..., ::-1] for weight in model.get_weights()]),
        "assign": lambda: bias.assign(bias[:, ::-1]),
        "assign_add": lambda: bias.assign_add(tf.reshape(tf.range(32.0), bias.shape)),
        "scatter": lambda: model.transformer.wte.embeddings.scatter_nd_update([[5]], [tf.range(32.0)]),
        "load_weights": lambda: model.load_weights(tmp_path / "weights.h5")}
    tokens = np.array([[5, 17, 300]])
    before = model.twin.follow(model)
    for name, change in changes.items():
        assert model.twin.follow(model) is before, name
        change()
        twin = model.twin.follow(model)
        assert twin is not before, name
        np.testing.assert_allclose(logits_of(twin, tokens[0]), model(tokens).logits[0, -1], rtol=1e-3, atol=1e-3,
                                   err_msg=name)
        np.testing.assert_array_equal(
            model.generate(tokens, max_new_tokens=1, do_sample=False, pad_token_id=0)[0, -1],
            np.argmax(model(tokens).logits[0, -1]), err_msg=name)
        before = twin


# --- Le tirage ------------------------------------------------------------------------------

@pytest.mark.parametrize("settings", [
    Settings(), Settings(top_k=5), Settings(temperature=0.5, top_k=20), Settings(top_p=0.7),
    Settings(temperature=1.6, top_k=30, top_p=0.9), Settings(repetition_penalty=1.8, top_k=10)])
def test_the_draw_follows_the_distribution_of_transformers(settings):
    """Khi carré, sur vingt mille tirages ; les graines sont fixées : ce test ne dépend pas du hasard."""
    tokens = [3, 5, 5, 8, 1]
    logits = np.random.default_rng(7).normal(scale=2, size=60).astype(np.float32)
    processors = TFLogitsProcessorList()
    if settings.repetition_penalty != 1:
        processors.append(TFRepetitionPenaltyLogitsProcessor(settings.repetition_penalty))
    processors.append(TFTemperatureLogitsWarper(settings.temperature))
    if settings.top_k:
        processors.append(TFTopKLogitsWarper(settings.top_k))
    if settings.top_p < 1:
        processors.append(TFTopPLogitsWarper(settings.top_p))
    expected = tf.nn.softmax(processors(tf.constant([tokens]), tf.constant(logits[None]), len(tokens)))[0].numpy()
    generator, draws = np.random.default_rng(11), 20_000
    counts = np.bincount([choose(logits, tokens, 0, settings, generator).token for _ in range(draws)], minlength=60)
    assert not counts[expected < 1e-6].any()
    common = expected * draws >= 5
    deviations = (counts[common] - expected[common] * draws) ** 2 / (expected[common] * draws)
    freedom = np.count_nonzero(common) - 1
    assert deviations.sum() < freedom + 4 * np.sqrt(2 * freedom)


def test_the_candidates_are_those_of_the_draw():
    logits = np.log(np.array([0.1, 0.4, 0.2, 0.3], np.float32))
    choice = choose(logits, [0], 0, Settings(top_k=3), np.random.default_rng(0))
    assert choice.candidates.tolist() == [1, 3, 2]
    np.testing.assert_allclose(choice.probabilities, [4 / 9, 3 / 9, 2 / 9], rtol=1e-5)
    assert choice.probability == pytest.approx(dict(zip(choice.candidates, choice.probabilities))[choice.token])


def test_a_temperature_of_zero_is_the_most_probable():
    logits = np.array([0.1, 2.0, -1.0], np.float32)
    generator = np.random.default_rng(0)
    assert {choose(logits, [0], 0, Settings(temperature=0), generator).token for _ in range(9)} == {1}
