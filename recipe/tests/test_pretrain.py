"""L'entraînement, sur des romans inventés et un réseau minuscule."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from recipe import pretrain  # pylint: disable=wrong-import-position  # sans PyTorch, rien ici
from recipe.network import GPT2, Shape, open_network, write_network  # pylint: disable=wrong-import-position
from recipe.tests.invented import CONTEXT, small_library  # pylint: disable=wrong-import-position
from workshop.errors import WorkshopError  # pylint: disable=wrong-import-position
from workshop.writing.engine import Memory, Network  # pylint: disable=wrong-import-position

ROOT = Path(__file__).resolve().parent.parent.parent

# Il sauve tous les cinq pas, et se tue lui-même au pas demandé.
DRIVER = """
import os, signal, sys
from recipe import pretrain
pretrain.LOG_STEPS, pretrain.SAVE_SECONDS = 1, 0
dies_at = int(sys.argv.pop(1))
training = pretrain.Training(pretrain.parse_arguments())
save, one_step = training.save, training.one_step
def save_sometimes():
    if training.step % 5 == 0:
        save()
def mortal_step():
    if training.step == dies_at:
        os.kill(os.getpid(), signal.SIGKILL)
    return one_step()
training.save, training.one_step = save_sometimes, mortal_step
training.run()
"""


@pytest.fixture(name="library")
def fixture_library(tmp_path):
    """Le dossier d'une bibliothèque minuscule, avec son tokenizer."""
    folder = tmp_path / "bibliothèque"
    small_library(folder)
    return folder


def options(library, output, *more):
    """Les réglages d'un entraînement minuscule."""
    return [str(library), str(output), "--tokenizer", str(library), "--steps", "20", "--step-tokens", str(8 * CONTEXT),
            "--context", str(CONTEXT), "--layers", "1", "--width", "16", "--heads", "2", "--warmup", "4",
            "--second-share", "0.25", "--second-from", "0.5", *more]


def training(library, output, *more):
    """Un entraînement minuscule, prêt à partir."""
    return pretrain.Training(pretrain.parse_arguments(options(library, output, *more)))


def train_apart(library, output, dies_at=-1):
    """Lance l'entraînement dans un processus à part, et renvoie son code de retour."""
    return subprocess.run(
        [sys.executable, "-c", DRIVER, str(dies_at), *options(library, output)], check=False, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'aurore'}{os.pathsep}{ROOT}"}).returncode


def read_log(output):
    """Les lignes du journal."""
    with open(output.with_name(output.name + "-travail") / "training_log.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_rate_rises_then_falls_to_zero():
    rates = [pretrain.rate_share(step, step / 1000, warmup=100) for step in range(1001)]
    assert rates[0] == pytest.approx(0.01) and np.argmax(rates) == 99 and rates[1000] == 0
    assert np.all(np.diff(rates[:100]) > 0) and np.allclose(np.diff(rates[100:]), -0.001)
    assert pretrain.rate_share(5000, 1.2, warmup=100) == 0  # le temps peut dépasser un peu


def test_reading_by_pieces_is_reading_everything_at_once(library, tmp_path):
    whole = training(library, tmp_path / "a", "--micro-batch", "8")
    pieces = training(library, tmp_path / "b", "--micro-batch", "3")
    whole.cores, pieces.cores = 1, 2
    starts = whole.mixture.base.take(8)
    losses = [run.update(starts, rate=1.0).item() for run in (whole, pieces)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for expected, found in zip(whole.weights, pieces.weights):
        assert torch.allclose(found, expected, atol=1e-5)
    with torch.no_grad():
        untouched = training(library, tmp_path / "c")
        assert losses[0] == pytest.approx(untouched.network(untouched.blocks(starts)).item(), rel=1e-5)


def test_a_killed_training_ends_where_an_undisturbed_one_does(library, tmp_path):
    undisturbed, killed = tmp_path / "tranquille", tmp_path / "tué"
    assert train_apart(library, undisturbed) == 0
    assert train_apart(library, killed, dies_at=13) == -signal.SIGKILL
    assert train_apart(library, killed) == 0
    for expected, found in zip(read_log(undisturbed), read_log(killed), strict=True):
        assert {**found, "seconds": ""} == {**expected, "seconds": ""}
    losses = [float(row["loss"]) for row in read_log(killed)]
    assert len(losses) == 20 and losses[-1] < losses[0]
    weights = [(folder / "model.safetensors").read_bytes() for folder in (undisturbed, killed)]
    assert weights[0] == weights[1]
    assert (tmp_path / "tué-travail" / "learning_curve.png").stat().st_size > 10_000


def test_the_state_of_another_training_is_refused(library, tmp_path):
    first = training(library, tmp_path / "réseau")
    first.one_step()
    first.save()
    with pytest.raises(WorkshopError, match="--matrix-rate"):
        training(library, tmp_path / "réseau", "--matrix-rate", "1e-3")
    with pytest.raises(WorkshopError, match="la forme du réseau"):
        training(library, tmp_path / "réseau", "--width", "32")


def test_rates_too_high_end_in_a_sentence_and_nothing_is_saved(library, tmp_path):
    run = training(library, tmp_path / "réseau", "--matrix-rate", "1e30", "--other-rate", "1e30")
    with pytest.raises(WorkshopError, match="n'est plus un nombre"):
        for _ in range(pretrain.LOG_STEPS):
            run.one_step()
    assert not (tmp_path / "réseau").exists() and not run.state_path.exists()


def test_validation_is_measured_at_the_tokens_asked_for(library, tmp_path):
    run = training(library, tmp_path / "réseau", "--measure-at", "0.0005", "0.001")
    run.run()
    measured = [int(row["tokens"]) for row in read_log(tmp_path / "réseau") if row["val_loss"]]
    assert measured == [512, 1024, 2560]


@pytest.mark.parametrize("more, reason", [
    (["--width", "100", "--heads", "3"], "têtes"),
    (["--from", "modèle", "--layers", "3"], "réseau de départ"),
    (["--step-tokens", "3"], "moins d'un bloc"),
    (["--validation", "absent.txt"], "absent.txt")])
def test_settings_that_cannot_be_are_refused_before_anything_is_written(library, tmp_path, capsys, more, reason):
    with pytest.raises(SystemExit):
        pretrain.parse_arguments(options(library, tmp_path / "modèle", *more))
    assert reason in capsys.readouterr().err


def test_the_network_written_says_the_same_under_the_workshop_s_engine(library, tmp_path):
    run = training(library, tmp_path / "réseau", "--layers", "2")
    run.run()
    config = json.loads((tmp_path / "réseau" / "config.json").read_text(encoding="utf-8"))
    assert [config[name] for name in ("n_layer", "n_embd", "n_head", "n_positions", "vocab_size")] == [
        2, 16, 2, CONTEXT, 300]
    engine = Network.open(tmp_path / "réseau")
    reopened = open_network(tmp_path / "réseau")  # en demi-précision, comme ce que lit l'autre
    tokens = torch.randint(0, 300, (3, CONTEXT), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = reopened.logits(tokens)[:, -1]
    found = engine.read(tokens.numpy(), Memory(engine, 3))
    assert np.allclose(found, expected, atol=1e-4)
    assert np.std(found) > 0.01


def test_a_network_is_taken_up_where_it_was(library, tmp_path):
    torch.manual_seed(0)
    start = GPT2(Shape(300, CONTEXT, 2, 32, 4))
    (tmp_path / "départ").mkdir()
    write_network(start, tmp_path / "départ")
    run = pretrain.Training(pretrain.parse_arguments(
        [str(library), str(tmp_path / "suite"), "--from", str(tmp_path / "départ"), "--tokenizer", str(library),
         "--step-tokens", "64"]))
    assert run.network.shape == start.shape
    for name, weight in run.network.state_dict().items():
        assert torch.equal(weight, start.state_dict()[name].half().float()), name
    with pytest.raises(WorkshopError, match="n'est pas le dossier d'un GPT-2"):
        open_network(library)
