"""L'étape 3, lancée comme par une personne : coupée, relancée, avec l'autre tokenizer ; sur un réseau minuscule."""

import re
import shutil

import numpy as np
from transformers import AutoTokenizer, TFAutoModelForCausalLM

from small_atelier import SAME_CURVE, SCRIPT, STEPS, at_step, curve, resumed_at
from test_atelier import VOCABULARY
from workshop.artefacts import newest_model


def excerpts(said):
    """Ce que le réseau écrivait au début, à mi-chemin et à la fin."""
    return re.findall(r"^pas \d+ : .+$", said, re.M)


def test_it_learns_alone(alone):
    losses, said = alone
    assert len(losses) == STEPS + 1 and losses[-1, 1] < losses[1, 1] - 0.5
    assert "J'attends" not in said and "cartes" not in said and len(excerpts(said)) == 3


def test_killed_then_interrupted_it_ends_as_if_nothing_had_happened(small, alone):
    """Tuée sans préavis, relancée, interrompue (Ctrl-C), relancée : mêmes pertes (à 0,001 près), mêmes extraits."""
    model = small.aurore / "model"
    small.kill(SCRIPT, after=at_step(4))
    assert newest_model(model) is None
    code, said = small.interrupt(SCRIPT, after=at_step(8))
    assert code == 130 and "Interrompu (Ctrl-C)" in said and "Traceback" not in said
    assert resumed_at(said) >= 3 and "pas 2/" not in said
    assert newest_model(model) is None
    process = small.run(SCRIPT)
    assert process.returncode == 0, process.stderr
    assert resumed_at(process.stdout) >= 8 and "pas 8/" not in process.stdout
    np.testing.assert_allclose(curve(small), alone[0], atol=SAME_CURVE)
    assert excerpts(process.stdout) == excerpts(alone[1])


def test_it_can_use_the_specialised_tokenizer(small, tokenized_atelier):
    shutil.copytree(tokenized_atelier.aurore / "tokenizer", small.aurore / "tokenizer")
    before = (small.aurore / SCRIPT).read_bytes()
    try:
        small.change(SCRIPT, "TOKENIZER = TOKENIZERS[0]", "TOKENIZER = TOKENIZERS[1]")
        process = small.run(SCRIPT)
    finally:
        (small.aurore / SCRIPT).write_bytes(before)
    assert process.returncode == 0, process.stderr
    assert "adapté au tokenizer spécialisé" in process.stdout
    losses = curve(small)[:, 2]
    losses = losses[~np.isnan(losses)]
    assert losses[-1] < losses[0] - 0.01
    folder = newest_model(small.aurore / "model")
    assert len(AutoTokenizer.from_pretrained(folder)) == VOCABULARY
    assert TFAutoModelForCausalLM.from_pretrained(folder).config.vocab_size == VOCABULARY
