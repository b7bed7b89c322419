"""Nos réseaux ailleurs : PyTorch (transformers) et CTranslate2 les ouvrent, et écrivent les mêmes mots.

`make test-recipe` lance ce fichier deux fois : avec le transformers de l'atelier, puis avec celui d'aujourd'hui.
"""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

torch = pytest.importorskip("torch", reason="PyTorch n'est pas dans cet environnement :  make test-recipe")
transformers = pytest.importorskip("transformers")
ctranslate2 = pytest.importorskip("ctranslate2")

# pylint: disable=wrong-import-position  # sans PyTorch, rien ici
from tokenizers import Tokenizer

from random_networks import random_gpt2
from workshop.paths import BASE_MODEL, SAND_MODEL
from workshop.writing.engine import Network
from workshop.writing.generation import write_texts
from workshop.writing.gpt2 import gpt2
from workshop.writing.sampling import Settings

PROMPTS = ["Cette femme était assise", "Le soir, elle se rappelait que son père lui", "Oh!"]
EMBEDDED = pytest.mark.parametrize("folder", [BASE_MODEL, SAND_MODEL], ids=["aurore-mini", "aurore"])


@pytest.fixture(scope="module", name="tokenizer")
def _tokenizer():
    return Tokenizer.from_file(str(BASE_MODEL / "tokenizer.json"))


def pytorch(folder):
    """Le réseau de `folder`, ouvert comme quiconque l'ouvrirait, en simple précision."""
    return transformers.GPT2LMHeadModel.from_pretrained(folder).float().eval()


def pytorch_logits(network, tokens):
    """Les logits que donne PyTorch après chaque token."""
    with torch.no_grad():
        return network(torch.tensor([tokens])).logits[0].numpy()


def textbook(folder):
    """(poids, configuration) de `folder`, que lit le GPT-2 que l'on enseigne."""
    weights = load_file(folder / "model.safetensors")
    return ({name: array.astype(np.float32) for name, array in weights.items()},
            json.loads((folder / "config.json").read_text(encoding="utf-8")))


@EMBEDDED
def test_the_logits_are_those_of_the_textbook(folder, tokenizer):
    tokens = tokenizer.encode(PROMPTS[1]).ids
    np.testing.assert_allclose(pytorch_logits(pytorch(folder), tokens), gpt2(tokens, *textbook(folder)), atol=2e-3)


@pytest.mark.parametrize("settings", [
    {}, {"tie_word_embeddings": False}, {"n_inner": 20}, {"activation_function": "relu"}, {"n_head": 1},
    {"layer_norm_epsilon": 0.1}])
def test_every_shape_of_network_is_read(settings, tmp_path):
    weights, config = random_gpt2(**settings)
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    (tmp_path / "config.json").write_text(json.dumps({**config, "model_type": "gpt2"}), encoding="utf-8")
    tokens = np.random.default_rng(1).integers(0, config["vocab_size"], 24).tolist()
    np.testing.assert_allclose(pytorch_logits(pytorch(tmp_path), tokens), gpt2(tokens, weights, config), atol=1e-4)


@EMBEDDED
def test_the_tokens_are_those_of_the_workshop(folder, tokenizer):
    opened = transformers.AutoTokenizer.from_pretrained(folder)
    for text in *PROMPTS, "L'été, « enfin », dit-elle; l'œuvre — 1 832 francs...", "\U0001f469\u200d\U0001f33e 漢字":
        assert opened(text).input_ids == tokenizer.encode(text).ids
        assert opened.decode(opened(text).input_ids) == text


@pytest.mark.parametrize("settings", [{}, {"repetition_penalty": 1.3}, {"no_repeat_ngram_size": 2}])
@pytest.mark.parametrize("prompt", PROMPTS)
@EMBEDDED
def test_greedy_text_is_that_of_pytorch(folder, prompt, settings, tokenizer):
    tokens = tokenizer.encode(prompt).ids
    network = pytorch(folder)
    stock = network.generate(torch.tensor([tokens]), attention_mask=torch.ones(1, len(tokens), dtype=torch.long),
                             max_new_tokens=40, do_sample=False, pad_token_id=network.config.eos_token_id, **settings)
    ours, = write_texts(Network.open(folder), [tokens], Settings(max_new_tokens=40, do_sample=False, **settings))
    assert stock[0, len(tokens):].tolist() == ours


@EMBEDDED
def test_pipeline_writes(folder):
    pipe = transformers.pipeline("text-generation", model=str(folder), device="cpu")
    written = pipe(PROMPTS[0], max_new_tokens=12, do_sample=False)[0]["generated_text"]
    assert written.startswith(PROMPTS[0]) and len(written) > len(PROMPTS[0])


@EMBEDDED
def test_ctranslate2_converts_the_network_and_writes_the_same_text(folder, tokenizer, tmp_path):
    ctranslate2.converters.TransformersConverter(str(folder)).convert(str(tmp_path / "converted"))
    generator = ctranslate2.Generator(str(tmp_path / "converted"), device="cpu", compute_type="float32")
    network = Network.open(folder)
    for prompt in PROMPTS:
        tokens = tokenizer.encode(prompt).ids
        result, = generator.generate_batch([[tokenizer.id_to_token(token) for token in tokens]], max_length=40,
                                           sampling_topk=1, include_prompt_in_result=False)
        ours, = write_texts(network, [tokens], Settings(max_new_tokens=40, do_sample=False))
        assert result.sequences_ids[0] == ours
