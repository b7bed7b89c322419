"""L'étape 3 à plusieurs : deux machines (deux processus qui se parlent), deux appareils ; la courbe d'une seule."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack

import numpy as np
import pytest
from datasets import Dataset, DatasetDict

from conftest import Atelier
from tiny_networks import tiny_model
from workshop.artefacts import newest_model
from workshop.errors import WorkshopError
from workshop.learning import hub, strategy

SCRIPT = "3_train_solution.py"
SAME_CURVE = 1e-3  # nats : les sommes ne se font pas dans le même ordre
WORDS = "la meunière chantait au bord de la rivière et le vent aussi quand le soir tombait sur les prés".split()
# Deux appareils, là où il n'y a qu'un processeur : TensorFlow le coupe en deux, et le script y voit deux cartes.
ON_TWO_DEVICES = f"""
import runpy, sys
sys.path.insert(0, "aurore")
sys.argv = ["aurore/{SCRIPT}"]
from workshop import quiet_tensorflow
import tensorflow as tf
from types import SimpleNamespace
half = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [half, half])
tf.config.list_physical_devices = lambda kind: [SimpleNamespace(name=f"/physical_device:CPU:{{i}}") for i in (0, 1)]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def invented_book(title, sentences, seed):
    """Un livre inventé : des phrases de mots tirés au hasard."""
    random = np.random.default_rng(seed)
    texts = [f"{' '.join(random.choice(WORDS, 9)).capitalize()}." for _ in range(sentences)]
    return [{"text": text, "book": title, "position": position, "sentence_length": 9}
            for position, text in enumerate(texts)]


@pytest.fixture(name="small")
def _small(tmp_path, tokenizer):
    """Un atelier où l'étape 3 a peu à faire : un corpus inventé, un réseau minuscule, des lots que deux ne partagent
    pas également."""
    atelier = Atelier(tmp_path)
    DatasetDict({  # le premier livre ne remplit pas un bloc : les parts n'ont pas le même nombre de tokens
        "train": Dataset.from_list(invented_book("A", 1, 0) + invented_book("B", 180, 1)),
        "validation": Dataset.from_list(invented_book("C", 30, 2)),
        "test": Dataset.from_list(invented_book("D", 20, 3))}).save_to_disk(atelier.aurore / "data")
    folder = atelier.aurore / "embedded_tiny"
    folder.mkdir()
    hub.save_model(tiny_model(n_positions=32, n_embd=32, n_layer=2, n_head=2), tokenizer, folder)
    for old, new in {"benjamin/gpt2-wechsel-french": "aurore/embedded_tiny", "BLOCK_LENGTH = 256": "BLOCK_LENGTH = 32",
                     "BATCH_SIZE = 8": "BATCH_SIZE = 5", "SAVE_EVERY_SECONDS = 60": "SAVE_EVERY_SECONDS = 0",
                     "20e6: 5e-4": "20e6: 5e-3"}.items():
        atelier.change(SCRIPT, old, new)
    return atelier


@pytest.fixture(name="start")
def _start():
    """Une fonction qui lance l'étape 3 d'un atelier, et rend le processus ; aucun ne survit au test."""
    with ExitStack() as opened:
        def start(atelier, arguments=(f"aurore/{SCRIPT}",), **settings):
            process = opened.enter_context(subprocess.Popen(
                [sys.executable, *arguments], cwd=atelier.folder, env=atelier.environment(**settings),
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"))
            opened.callback(process.kill)
            return process
        yield start


def start_two(start, atelier):
    """Lance deux machines sur celle-ci, le chef d'abord."""
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        cluster = {"worker": [f"127.0.0.1:{found.getsockname()[1]}" for found in (first, second)]}
    return [start(atelier, TF_CONFIG=json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}))
            for index in (0, 1)]


def ended(process, code=0):
    """Attend la fin d'un processus, et renvoie (ce qu'il a dit, ce dont il s'est plaint)."""
    said, complained = process.communicate(timeout=200)
    assert process.returncode == code, said + complained
    return said, complained


def curve(atelier):
    """Les pertes du seul réseau enregistré, pas après pas : [pas, perte, perte de validation]."""
    model = atelier.aurore / "model"
    folder = newest_model(model)
    assert sorted(path.name for path in model.glob("[!.]*")) == [folder.name, "runs.csv"]
    assert not (model / ".unfinished").exists()
    return np.genfromtxt(folder / "training_log.csv", delimiter=",", skip_header=1)


