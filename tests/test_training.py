"""Entraîner, s'interrompre, reprendre, comparer : sur un réseau minuscule."""

import csv
import math
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from datasets import Dataset
from tf_keras import mixed_precision

from tiny_networks import TEXT, tiny_model
from workshop.errors import WorkshopError
from workshop.learning import gpt2_tf, hub, training
from workshop.learning.comparison import COLUMNS, add_run, jitter, show_runs
from workshop.learning.evaluation import Score
from workshop.learning.journal import Journal
from workshop.learning.packing import pack
from workshop.learning.resumption import Resumption, alone, fingerprint
from workshop.learning.training import (
    Estimate,
    Progress,
    StopInTime,
    batches,
    choose_precision,
    mean_loss,
    seconds_per_step,
    shuffled_batches,
)

BATCH = 2


@pytest.fixture(name="blocks", scope="module")
def _blocks(tokenizer):
    sentences = [{"text": text, "book": "A"} for text in TEXT.split(". ")]
    return pack(Dataset.from_list(sentences), tokenizer, block_length=16)


class Run:  # pylint: disable=too-few-public-methods  # un entraînement comme celui de l'étape 3, en tout petit
    """Un entraînement de `epochs` époques, que l'on peut couper au pas `cut`, ou interrompre dans le pas `ctrl_c`."""

    def __init__(  # pylint: disable=too-many-arguments  # ce que les tests font varier
            self, blocks, folder=None, *, epochs=2, rate=0.05, steps=None, budget=1000, cut=None, ctrl_c=None, every=0):
        self.model = tiny_model()
        per_epoch = len(blocks["input_ids"]) // BATCH
        evaluation = batches(blocks, BATCH)
        self.journal = journal = Journal(evaluation, per_epoch, write_sample=lambda model: "un extrait")
        callbacks, first_step = [], 0
        if folder:
            resumption = Resumption(folder, journal, fingerprint(epochs, self.model, blocks, blocks), seconds=every)
            first_step = self.resumed_at = resumption.offer(self.model)
            callbacks = [resumption]
        journal.steps = journal.steps or steps or epochs * per_epoch
        schedule = tf.keras.optimizers.schedules.PolynomialDecay(rate, journal.steps, 0.0)
        self.model.compile(optimizer=tf.keras.optimizers.legacy.Adam(schedule))
        if not first_step:
            journal.start(self.model, Score(2.0, 50.0))
        if cut:
            callbacks.append(tf.keras.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: self._cut(cut)))
        if ctrl_c:
            callbacks.append(tf.keras.callbacks.LambdaCallback(on_batch_begin=lambda batch, logs: self._press(ctrl_c)))
        before = signal.getsignal(signal.SIGINT)
        try:
            self.model.fit(
                shuffled_batches(blocks, BATCH, epochs, 0, first_step), validation_data=evaluation,
                epochs=epochs, steps_per_epoch=per_epoch, verbose=0,
                callbacks=[journal, StopInTime(journal, budget), Progress(journal, blocks, BATCH), *callbacks])
        finally:
            self.handler_after = signal.getsignal(signal.SIGINT)
            signal.signal(signal.SIGINT, before)

    def _cut(self, step):
        if self.journal.step == step:
            raise KeyboardInterrupt

    def _press(self, step):
        if self.journal.step == step - 1:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture(name="undisturbed", scope="module")
def _undisturbed(blocks):
    """Un entraînement que rien ne coupe, auquel se comparent ceux qui reprennent."""
    return Run(blocks)


def test_training_learns_and_writes_its_journal(blocks, undisturbed, tmp_path):
    journal = undisturbed.journal
    steps = 2 * (len(blocks["input_ids"]) // BATCH)
    assert journal.step == steps and journal.kept_step == steps
    assert journal.train_points[-1][1] < journal.train_points[0][1]
    assert len(journal.validation_points) == 1 + Journal.VALIDATIONS
    assert [step for step, _ in journal.samples] == [0, steps // 2]
    journal.write(tmp_path)
    lines = (tmp_path / "training_log.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == steps + 2 and lines[0] == "step,loss,val_loss" and lines[-1].count(",") == 2
    assert (tmp_path / "learning_curve.png").read_bytes().startswith(b"\x89PNG")


def test_the_loss_of_a_step_is_its_own(blocks):
    """Et non la moyenne depuis le début de l'époque, que Keras affiche."""
    run = Run(blocks, rate=0.0, epochs=1)  # rien n'est appris : la perte d'un pas est celle de son lot
    model = tiny_model()
    for (_, loss), batch in zip(run.journal.train_points, shuffled_batches(blocks, BATCH, 1, 0), strict=True):
        assert loss == pytest.approx(float(tf.reduce_mean(model(batch).loss)), rel=1e-4)


def test_a_network_that_loses_itself_ends_in_a_sentence(blocks):
    with pytest.raises(WorkshopError, match="LEARNING_RATES"):
        Run(blocks, rate=1e30)


def test_a_network_that_is_no_longer_made_of_numbers_is_not_saved(blocks, tokenizer, tmp_path):
    model = Run(blocks, epochs=1).model
    model.weights[0].assign(np.full(model.weights[0].shape, np.nan, np.float32))
    with pytest.raises(WorkshopError, match="ne sont plus des nombres"):
        hub.save_model(model, tokenizer, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_best_weights_are_kept_even_if_they_are_the_first(blocks):
    run = Run(blocks, rate=-0.5, epochs=1)  # une vitesse négative désapprend
    assert run.journal.kept_step == 0
    for old, new in zip(tiny_model().get_weights(), run.model.get_weights()):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("budget, steps, expected", [(1000, 3, 3), (0, None, 1)])
def test_training_stops_in_time(blocks, capsys, budget, steps, expected):
    journal = Run(blocks, steps=steps, budget=budget).journal
    assert journal.step == expected
    assert ("est écoulé" in capsys.readouterr().out) == (budget == 0)
    assert journal.validation_points[-1][0] == expected  # noté quand même avant de finir


# --- Les lots -----------------------------------------------------------------------------

def test_batches_lose_nothing_when_evaluating(blocks):
    count = len(blocks["input_ids"])
    assert sum(len(batch["labels"]) for batch in batches(blocks, 3)) == count
    assert sum(len(batch["labels"]) for batch in shuffled_batches(blocks, 3, 1, seed=1)) == count // 3 * 3
    assert sum(len(batch["labels"]) for batch in shuffled_batches(blocks, 10 * count, 1, seed=1)) == count


def test_each_epoch_reads_everything_in_another_order(blocks):
    numbered = {name: np.arange(len(array))[:, None] for name, array in blocks.items()}
    count = len(blocks["input_ids"]) // BATCH * BATCH
    rows = [int(row) for batch in shuffled_batches(numbered, BATCH, 2, seed=0) for row in batch["labels"][:, 0]]
    first, second = rows[:count], rows[count:]
    assert len(set(first)) == len(set(second)) == count and first != second
    resumed = [int(row) for batch in shuffled_batches(numbered, BATCH, 2, seed=0, first_step=3)
               for row in batch["labels"][:, 0]]
    assert resumed == rows[3 * BATCH:]


# --- La précision et le temps -------------------------------------------------------------

@pytest.mark.parametrize("seconds, policy", [({tf.float32: 1.0, tf.bfloat16: 0.5}, "mixed_bfloat16"),
                                             ({tf.float32: 1.0, tf.bfloat16: 30.0}, "float32")])
def test_the_faster_precision_is_chosen(monkeypatch, seconds, policy):
    monkeypatch.setattr(training, "_matmul_seconds", seconds.get)
    try:
        assert choose_precision() == policy == mixed_precision.global_policy().name
    finally:
        mixed_precision.set_global_policy("float32")


def test_one_lucky_measure_does_not_choose_the_precision(monkeypatch):
    """Sur une machine occupée, une mesure sur cinq peut être absurde : il faut que toutes s'accordent."""
    measures = iter([1.0, 1.0] + [30.0, 1.0] * 2 + [0.1, 1.0] + [30.0, 1.0])
    monkeypatch.setattr(training, "_matmul_seconds", lambda precision: next(measures))
    try:
        assert choose_precision() == "float32"
    finally:
        mixed_precision.set_global_policy("float32")


def test_a_network_trains_in_mixed_precision(blocks):
    """Là où le processeur sait le faire ; les poids restent en 32 bits."""
    mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        run = Run(blocks, epochs=1)
    finally:
        mixed_precision.set_global_policy("float32")
    assert run.model.transformer.h[0].attn.c_attn.compute_dtype == "bfloat16"
    assert {weight.dtype for weight in run.model.weights} == {tf.float32}
    assert run.journal.train_points[-1][1] < run.journal.train_points[0][1] - 0.5


def test_timing_a_step_changes_nothing(blocks):
    model = tiny_model()
    before = model.get_weights()
    step, preparation = seconds_per_step(model, batches(blocks, BATCH))
    assert step > 0 and preparation >= 0
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_a_network_without_preference_has_a_known_loss(blocks):
    model = tiny_model(zeros=True)
    model.compile()
    assert mean_loss(model, batches(blocks, BATCH)) == pytest.approx(math.log(8192), rel=1e-5)


@pytest.mark.parametrize("optimizer", ["legacy.Adam", "Adam"])
def test_the_first_step_is_traced_once(blocks, optimizer, monkeypatch):
    """TensorFlow met deux secondes à préparer celui d'aurore-mini : une fois, quel que soit le nombre de cœurs."""
    monkeypatch.setattr(gpt2_tf, "CORES", 8)
    model, traced = tiny_model(), []
    logits_of = model.logits
    model.logits = lambda hidden: traced.append(hidden) or logits_of(hidden)
    model.compile(optimizer=attrgetter(optimizer)(tf.keras.optimizers)())
    model.fit(batches(blocks, BATCH), verbose=0)
    assert len(traced) == 1


# --- Reprendre ----------------------------------------------------------------------------

def assert_same_ending(resumed, undisturbed):
    """Mêmes pertes à 1e-5 près, mêmes poids gardés, mêmes extraits."""
    for name in ("train_points", "validation_points"):
        np.testing.assert_allclose(getattr(resumed.journal, name), getattr(undisturbed.journal, name), rtol=1e-5)
    assert resumed.journal.kept_step == undisturbed.journal.kept_step
    assert resumed.journal.samples == undisturbed.journal.samples
    assert resumed.journal.score_before == undisturbed.journal.score_before
    for mine, other in zip(resumed.model.get_weights(), undisturbed.model.get_weights()):
        np.testing.assert_allclose(mine, other, atol=1e-5)


@pytest.mark.parametrize("epochs, rate, share", [(1, 0.05, 0.3), (3, 0.05, 0.5), (2, -0.02, 0.6)])
def test_an_interrupted_training_ends_where_an_undisturbed_one_ends(blocks, tmp_path, epochs, rate, share):
    undisturbed = Run(blocks, epochs=epochs, rate=rate)
    cut = round(share * undisturbed.journal.steps)
    with pytest.raises(KeyboardInterrupt):
        Run(blocks, tmp_path / "state", epochs=epochs, rate=rate, cut=cut)
    resumed = Run(blocks, tmp_path / "state", epochs=epochs, rate=rate)
    assert resumed.resumed_at == cut
    assert_same_ending(resumed, undisturbed)


def test_ctrl_c_saves_the_step_it_interrupts(blocks, undisturbed, tmp_path, capsys):
    """Même si la dernière sauvegarde est loin : le pas en cours se termine, et c'est là qu'on reprend."""
    with pytest.raises(KeyboardInterrupt):
        Run(blocks, tmp_path / "state", ctrl_c=3, every=1000)
    assert "l'entraînement se sauve" in capsys.readouterr().out
    resumed = Run(blocks, tmp_path / "state", every=1000)
    assert resumed.resumed_at == 3 and resumed.handler_after is signal.default_int_handler
    assert_same_ending(resumed, undisturbed)


def test_ctrl_c_in_the_last_step_lets_the_training_end(blocks, undisturbed, tmp_path, capsys):
    ended = Run(blocks, tmp_path / "state", ctrl_c=undisturbed.journal.steps, every=1000)
    assert "C'était le dernier pas" in capsys.readouterr().out
    assert_same_ending(ended, undisturbed)


def test_it_can_be_interrupted_several_times_between_two_epochs_too(blocks, undisturbed, tmp_path):
    per_epoch = undisturbed.journal.steps // 2
    for cut in (2, per_epoch, per_epoch + 1):
        with pytest.raises(KeyboardInterrupt):
            Run(blocks, tmp_path / "state", cut=cut)
    assert_same_ending(Run(blocks, tmp_path / "state"), undisturbed)


def test_a_journal_ahead_of_the_weights_goes_back(blocks, undisturbed, tmp_path):
    """Coupé entre l'écriture du journal et celle des poids : ce sont les poids qui font foi."""
    with pytest.raises(KeyboardInterrupt):
        Run(blocks, tmp_path / "state", cut=4)
    older = {path.name: path.read_bytes() for path in (tmp_path / "state" / "chief").iterdir()}
    with pytest.raises(KeyboardInterrupt):
        Run(blocks, tmp_path / "state", cut=5)
    for path in (tmp_path / "state" / "chief").iterdir():
        path.unlink()
    for name, content in older.items():
        (tmp_path / "state" / "chief" / name).write_bytes(content)
    resumed = Run(blocks, tmp_path / "state")
    assert resumed.resumed_at == 4
    assert_same_ending(resumed, undisturbed)


def test_another_training_is_not_resumed(blocks, tmp_path, capsys):
    with pytest.raises(KeyboardInterrupt):
        Run(blocks, tmp_path / "state", cut=4)
    assert Run(blocks, tmp_path / "state", epochs=3).resumed_at == 0
    assert "repart du début" in " ".join(capsys.readouterr().out.replace("|", " ").split())


@pytest.mark.fault("sauvegarde d'un entraînement abîmée ou d'une autre version")
@pytest.mark.parametrize("damage", ["journal.json", "chief/checkpoint", "tout"])
def test_a_damaged_state_is_forgotten(blocks, tmp_path, damage):
    with pytest.raises(KeyboardInterrupt):
        Run(blocks, tmp_path / "state", cut=4)
    damaged = [path for path in (tmp_path / "state").rglob("*") if path.is_file()] if damage == "tout" else [
        tmp_path / "state" / damage]
    for path in damaged:
        path.write_bytes(path.read_bytes()[:20])
    run = Run(blocks, tmp_path / "state")
    assert run.resumed_at == 0 and run.journal.step == run.journal.steps


def test_one_may_refuse_to_resume(blocks, tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        Run(blocks, tmp_path / "state", cut=4)
    monkeypatch.setattr("workshop.learning.resumption.ask", lambda question: False)
    assert Run(blocks, tmp_path / "state").resumed_at == 0


@pytest.mark.parametrize("stops", [True, False])
def test_a_second_training_says_so_and_waits_or_stops(tmp_path, monkeypatch, capsys, stops):
    monkeypatch.setattr("workshop.learning.resumption.ask", lambda question: stops)
    taken, ended = Event(), Event()

    def first_training():
        lock = alone(tmp_path)
        taken.set()
        ended.wait(0.3)
        lock.release()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(first_training)
        taken.wait()
        if stops:
            with pytest.raises(WorkshopError, match="Un autre entraînement est en cours"):
                alone(tmp_path)
            ended.set()
        else:
            alone(tmp_path).release()
            assert "J'attends" in capsys.readouterr().out
    alone(tmp_path).release()


@pytest.mark.parametrize("pace, said", [(1, []), (3, ["moins"]), (0.5, ["plus"])])
def test_an_estimate_is_corrected_aloud(monkeypatch, capsys, pace, said):
    """Cent secondes sont annoncées pour cent pas."""
    clock = [0.0]
    monkeypatch.setattr(training.time, "monotonic", lambda: clock[0])
    journal = SimpleNamespace(step=0, steps=100)
    estimate = Estimate(journal, 100, limit=200)
    estimate.on_train_begin()
    for journal.step in range(1, 101):
        clock[0] += pace
        estimate.on_train_batch_end(0)
    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    assert [word for line in lines for word in ("moins", "plus") if f"va {word} vite" in line] == said
    assert not said or ("environ 3 min" in lines[0]) == (said == ["moins"])  # au plus le temps prévu


# --- Comparer -----------------------------------------------------------------------------

RUN = {name: "8" for name in COLUMNS} | {"folder": "2026-01-01_00-00-00", "tokenizer": "pré-entraîné",
                                         "network": "aurore-mini", "test_books": "La Mare au Diable"}


def test_runs_are_added_to_the_table(tmp_path, capsys):
    path = tmp_path / "runs.csv"
    add_run(path, RUN)
    runs = add_run(path, RUN | {"score_after": 1.4321})
    show_runs(runs)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and "1,432" in lines[-1] and max(map(len, lines)) <= 100
    with open(path, newline="", encoding="utf-8") as file:
        assert [row["score_after"] for row in csv.DictReader(file)] == ["8", "1.4321"]


def test_only_comparable_runs_are_shown(capsys):
    """Deux notes prises sur deux livres ne se comparent pas ; plusieurs réseaux sont nommés."""
    show_runs([RUN, RUN | {"test_books": "Un conte", "score_after": "1.1"},
               RUN | {"network": "gpt2", "score_after": "2"}])
    said = capsys.readouterr().out
    assert "1,100" not in said and re.search(r"^3 +gpt2 .* 2,000", said, re.M) and "aurore-mini" in said


@pytest.mark.parametrize("content", ["", "a;b\n1;2\n", "folder\nx\n", "\udcff"])
def test_an_unreadable_table_is_set_aside(tmp_path, capsys, content):
    path = tmp_path / "runs.csv"
    path.write_bytes(content.encode("utf-8", errors="surrogateescape"))
    assert len(add_run(path, RUN)) == 1
    assert (tmp_path / "runs_illisible.csv").is_file() and "mis de côté" in capsys.readouterr().out


def test_jitter_is_the_mean_change_from_a_step_to_the_next():
    assert jitter([1.0, 3.0, 2.0]) == pytest.approx(1.5)
    assert jitter([1.0]) == 0.0
