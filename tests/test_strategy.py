"""L'étape 3 à plusieurs : deux machines (deux processus qui se parlent), deux appareils ; la courbe d'une seule."""

import json
import re
import signal
import socket
from contextlib import ExitStack

import numpy as np
import pytest

from conftest import read_until
from small_atelier import SAME_CURVE, SCRIPT, STEPS, at_step, curve, resumed_at
from workshop.errors import WorkshopError
from workshop.learning import strategy

# Deux appareils, là où il n'y a qu'un processeur : TensorFlow le coupe en deux, et le script y voit deux cartes.
ON_TWO_DEVICES = f"""
import runpy, sys
sys.argv = ["aurore/{SCRIPT}"]
from workshop import quiet_tensorflow
import tensorflow as tf
from types import SimpleNamespace
half = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [half, half])
tf.config.list_physical_devices = lambda kind: [SimpleNamespace(name=f"/physical_device:CPU:{{i}}") for i in (0, 1)]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(name="other")
def _other(small, tmp_path):
    """Une copie de cet atelier, comme sur une autre machine."""
    return small.copied(tmp_path)


@pytest.fixture(name="start")
def _start():
    """Une fonction qui lance l'étape 3 d'un atelier, et rend le processus ; aucun ne survit au test."""
    with ExitStack() as opened:
        def start(atelier, script=SCRIPT, **settings):
            process = opened.enter_context(atelier.start(script, TMPDIR=str(atelier.folder), **settings))
            opened.callback(process.kill)
            return process
        yield start


def start_two(start, atelier, second_atelier=None):
    """Lance deux machines sur celle-ci, dans le même dossier ou dans deux ; le chef d'abord."""
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        cluster = {"worker": [f"127.0.0.1:{found.getsockname()[1]}" for found in (first, second)]}
    return [start(folder, TF_CONFIG=json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}))
            for index, folder in enumerate((atelier, second_atelier or atelier))]


def ended(process, code=0):
    """Attend la fin d'un processus, et renvoie (ce qu'il a dit, ce dont il s'est plaint)."""
    said, complained = process.communicate(timeout=200)
    assert process.returncode == code, said + complained
    return said, complained


# --- Ce que dit TF_CONFIG -------------------------------------------------------------------

TWO = {"worker": ["127.0.0.1:2222", "127.0.0.1:2223"]}


@pytest.mark.parametrize("written, word", [
    ("{", "JSON"), ("deux machines", "JSON"), ("[]", "cluster"), ("{}", "cluster"), ({"cluster": {}}, "cluster"),
    ({"cluster": {"ps": ["127.0.0.1:2222"]}}, "cluster"), ({"cluster": {"worker": "127.0.0.1:2222"}}, "cluster"),
    ({"cluster": {"worker": ["127.0.0.1"]}}, "port"), ({"cluster": {"worker": 2}}, "cluster"),
    ({"cluster": TWO}, "task"), ({"cluster": TWO, "task": 1}, "task"),
    *(({"cluster": TWO, "task": {"type": "worker", "index": index}}, "rang") for index in (2, -1, "0", None, [])),
    ({"cluster": TWO, "task": {"type": "chief", "index": 0}}, "type")])
def test_a_wrong_tf_config_is_explained(written, word):
    with pytest.raises(WorkshopError) as refusal:
        strategy.read_place(written if isinstance(written, str) else json.dumps(written))
    assert re.match(r"TF_CONFIG n", str(refusal.value)) and word in str(refusal.value)
    assert strategy.read_place(re.search("TF_CONFIG='(.+)'", str(refusal.value))[1])[0] == 0


def test_the_chief_is_the_first_machine():
    cluster = {"worker": ["b:2", "c:3"], "chief": ["a:1"]}
    places = [strategy.read_place(json.dumps({"cluster": cluster, "task": {"type": role, "index": index}}))
              for role, index in (("chief", 0), ("worker", 0), ("worker", 1))]
    assert places == [(rank, ["a:1", "b:2", "c:3"]) for rank in range(3)]


def test_a_script_with_a_wrong_tf_config_ends_in_a_sentence(small, start):
    _, complained = ended(start(small, TF_CONFIG='{"cluster": {}}'), code=2)
    assert "ERREUR. TF_CONFIG ne nomme pas les machines" in complained and "Traceback" not in complained
    assert not (small.aurore / "model").exists()


def test_alone_the_first_machine_is_this_one(tmp_path):
    """Sans TF_CONFIG ni plusieurs cartes, rien ne change et rien n'est échangé."""
    strategy.choose()
    (tmp_path / "là").touch()
    assert strategy.is_chief() and strategy.own_folder(tmp_path) == tmp_path
    assert strategy.from_chief({"pas": 3}) == {"pas": 3} and strategy.anyone(False, True) == [False, True]
    strategy.copy_from_chief(tmp_path)
    strategy.check_same("a")


# --- L'étape 3, à plusieurs -----------------------------------------------------------------

def test_two_machines_learn_as_one(small, start, alone):
    """Au même lot, les mêmes pertes ; seul le chef raconte et enregistre."""
    chief, worker = map(ended, start_two(start, small))
    assert f"pas {STEPS}/{STEPS}" in chief[0] and "Étape suivante" in chief[0]
    assert worker[0].splitlines()[-2:] == ["Elles sont toutes là ; la première raconte la suite.",
                                           "Fini : le réseau est sur la première machine."]
    assert not chief[1] and not worker[1] and not list(small.folder.glob("aurore-*"))
    np.testing.assert_allclose(curve(small), alone[0], atol=SAME_CURVE)


def test_two_devices_learn_as_one(other, start, alone):
    (other.aurore / "two_devices.py").write_text(ON_TWO_DEVICES, encoding="utf-8")
    said, _ = ended(start(other, "two_devices.py"))
    assert "2 cartes graphiques" in said
    np.testing.assert_allclose(curve(other), alone[0], atol=SAME_CURVE)


def test_killed_one_after_the_other_then_stopped_they_start_again(small, other, start, alone):
    """La seconde tuée, puis le chef : l'autre le dit en une phrase, et s'arrête. Une autre machine prend la place de la
    seconde ; Ctrl-C sur elle sauve et arrête tout. Deux peuvent finir ce que deux ont commencé, et une seule aussi."""
    for rank, step in ((1, 3), (0, 6)):
        machines = start_two(start, small)
        read_until(machines[0], at_step(step))
        machines[rank].kill()
        _, complained = ended(machines[1 - rank], code=2)
        assert "Une des machines de l'entraînement ne répond plus" in complained and "Traceback" not in complained
        assert sorted(path.name for path in (small.aurore / "model").iterdir()) == [".training.lock", ".unfinished"]
    machines = start_two(start, small, other)
    assert resumed_at(read_until(machines[0], at_step(9))) >= 5
    machines[1].send_signal(signal.SIGINT)
    for machine in machines:
        assert "Interrompu (Ctrl-C)" in ended(machine, code=130)[1]
    assert not (other.aurore / "model").exists()
    single = small.copied(other.folder / "seule")
    chief, _ = map(ended, start_two(start, small, other))
    for atelier, (said, _) in ((small, chief), (single, ended(start(single)))):
        assert resumed_at(said) >= 9 and "pas 8/" not in said
        np.testing.assert_allclose(curve(atelier), alone[0], atol=SAME_CURVE)


def test_machines_that_do_not_train_the_same_network_say_so(small, other, start):
    """La seconde a d'autres réglages : elle le dit, et la première qu'elle s'est arrêtée."""
    other.change(SCRIPT, "SEED = 42", "SEED = 43")
    chief, worker = start_two(start, small, other)
    assert "n'ont pas les mêmes réglages" in ended(worker, code=2)[1]
    assert "Une des machines de l'entraînement ne répond plus" in ended(chief, code=2)[1]
