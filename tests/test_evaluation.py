"""Noter un réseau : sur des réseaux minuscules, dont on connaît la réponse, puis en ligne de commande."""

import math
import re
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tiny_networks import TEXT, tiny_model
from workshop.errors import WorkshopError
from workshop.learning.evaluation import main, read_text, score, sliding_windows
from workshop.paths import AURORE, BASE_MODEL


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
def test_windows_predict_each_token_once_with_context(length, stride):
    inputs, positions, targets = sliding_windows(np.arange(length + 1), window=8, stride=stride).values()
    counted = targets >= 0
    assert sorted(targets[counted]) == list(range(1, length + 1))
    before = np.take_along_axis(inputs, positions, axis=1)  # le token lu juste avant celui à prédire
    assert (before[counted] == targets[counted] - 1).all()
    for row in range(len(inputs)):
        assert inputs[row, 0] == 0 or (positions[row] >= 8 - stride).all()


def test_an_empty_text_has_no_score(tokenizer):
    with pytest.raises(ValueError, match="vide"):
        score(tiny_model(), tokenizer, "")


def test_any_model_is_scored_on_any_text_from_the_command_line(tmp_path):
    french, english = tmp_path / "français.txt", tmp_path / "english.txt"
    french.write_text("Le vieux paysan s'assit au bord du chemin.\n\n— Allons, dit-il, il faut rentrer.",
                      encoding="utf-8")
    english.write_text("The old farmer sat down by the roadside. Let us go home, he said.", encoding="utf-8")
    process = subprocess.run([sys.executable, "-m", "workshop.learning.evaluation", BASE_MODEL, french, english],
                             cwd=AURORE, capture_output=True, encoding="utf-8", check=False)
    assert process.returncode == 0, process.stderr
    first, second = (float(value.replace(",", ".")) for value in re.findall(r"\d,\d{3}", process.stdout))
    assert first < 2.5 < second


@pytest.mark.parametrize("model, text, reason", [
    ("nulle_part", "texte.txt", "config.json"), (BASE_MODEL, "absent.txt", "UTF-8"),
    (BASE_MODEL, "latin.txt", "UTF-8"), (BASE_MODEL, "vide.txt", "vide")])
def test_a_wrong_argument_is_explained(tmp_path, model, text, reason):
    (tmp_path / "texte.txt").write_text("Il pleut.", encoding="utf-8")
    (tmp_path / "latin.txt").write_bytes("Été".encode("latin-1"))
    (tmp_path / "vide.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(WorkshopError, match=reason):
        main([str(model), str(tmp_path / text)])


@pytest.mark.parametrize("options", [("--stride", "0"), ("--window", "0"), ("--window", "64"), ("--stride", "-3")])
def test_a_window_that_does_not_advance_is_refused(options):
    with pytest.raises(WorkshopError, match="--stride vaut"):
        main([str(BASE_MODEL), __file__, *options])


def test_truncated_weights_are_explained(tmp_path):
    for path in BASE_MODEL.iterdir():
        content = path.read_bytes()
        (tmp_path / path.name).write_bytes(content[:5000] if path.suffix == ".safetensors" else content)
    with pytest.raises(WorkshopError, match="Vérifiez le nom ou le dossier"):
        main([str(tmp_path), __file__])


def test_only_the_author_of_a_gutenberg_book_is_scored():
    tale = next((AURORE / "embedded" / "books").rglob("*.txt"))
    assert "PROJECT GUTENBERG" in tale.read_text(encoding="utf-8-sig").upper()
    assert "GUTENBERG" not in read_text(tale).upper()
