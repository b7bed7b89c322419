"""Un vrai réseau, minuscule, que la réponse entraîne pour de vrai : il note ce qu'il apprend et ce qui l'évalue.

Importer TensorFlow prend six secondes, et un pas de ce réseau un centième. Il n'est donc importé que pour un TODO
auquel on a répondu, hors du temps compté ; et `verify.py --watch` a d'avance un processus où c'est fait (apart.py).
"""

import contextlib
import inspect
from types import SimpleNamespace

import numpy as np
import tensorflow as tf
from tf_keras.callbacks import Callback
from tf_keras.utils import unpack_x_y_sample_weight
from transformers import GPT2Config

from workshop.learning.gpt2_tf import TFGPT2LMHeadModel

BATCHES = 2  # lots par époque
LENGTH = 8   # tokens


class TinyNetwork(TFGPT2LMHeadModel):  # pylint: disable=abstract-method,too-many-ancestors  # comme la classe de base
    """Un GPT-2 de quelques centaines de poids, qui note dans `notes` ce qui lui arrive.

    `learnt` et `evaluated` : le premier token de chaque lot vu ; `fits` : les arguments de chaque appel à fit, de
    quoi expliquer ce qu'il a laissé ; `summaries` : combien de fois summary a été appelée.
    """

    def __init__(self):
        super().__init__(GPT2Config(n_layer=1, n_embd=4, n_head=1, n_positions=LENGTH, vocab_size=64))
        self.notes = SimpleNamespace(learnt=[], evaluated=[], fits=[], summaries=0)
        self.build_in_name_scope()
        self.compile(optimizer="sgd")

    def compile(self, *arguments, **named):
        """Celui de Keras, pas à pas : préparer un graphe prendrait plus longtemps que tout l'essai."""
        super().compile(*arguments, **{**named, "run_eagerly": True})

    def fit(self, *arguments, **named):
        """Celui de Keras, dont les arguments sont notés."""
        with contextlib.suppress(TypeError):  # un argument qui n'existe pas : Keras va le dire
            called = inspect.signature(super().fit).bind(*arguments, **named)
            called.apply_defaults()
            self.notes.fits.append(SimpleNamespace(**called.arguments))
        return super().fit(*arguments, **named)

    def summary(self, *arguments, **named):
        """Celui de Keras, compté."""
        self.notes.summaries += 1
        return super().summary(*arguments, **named)

    def train_step(self, data):
        """Un pas de `fit`."""
        self.notes.learnt.append(_first_token(data))
        return super().train_step(data)

    def test_step(self, data):
        """Un pas d'une mesure de validation."""
        self.notes.evaluated.append(_first_token(data))
        return super().test_step(data)


def _first_token(data):
    batch, _, _ = unpack_x_y_sample_weight(data)
    return int(batch["input_ids"][0, 0])


def batches(first, count):
    """Renvoie un tf.data.Dataset de `count` lots, chacun d'un seul token répété : `first`, puis les suivants."""
    tokens = np.repeat(np.arange(first, first + count, dtype=np.int32)[:, None], LENGTH, axis=1)
    return tf.data.Dataset.from_tensor_slices({"input_ids": tokens, "labels": tokens}).batch(1)


class Witness(Callback):
    """Tient la place du suivi de l'entraînement : compte les époques, et celles qui ont été évaluées."""

    def __init__(self):
        super().__init__()
        self.epochs = self.validated = 0

    def on_epoch_end(self, epoch, logs=None):
        self.epochs += 1
        self.validated += "val_loss" in (logs or {})


# Ce que TensorFlow prépare une fois pour toutes à son premier calcul n'est pas le temps de la réponse.
TinyNetwork().fit(batches(0, 1), validation_data=batches(0, 1), verbose=0)
