"""Noter un réseau sur un texte qu'il n'a jamais lu : bits par caractère, et perplexité.

La perplexité dépend du tokenizer : couper le texte en moins de tokens la fait monter, sans que
le réseau soit moins bon. Le nombre de bits par caractère n'en dépend pas : c'est ce qu'il
faudrait pour transmettre le texte, une fois que le réseau a prédit ce qu'il pouvait.
"""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf


class Score(NamedTuple):
    """Une note : plus les deux nombres sont petits, meilleur est le réseau."""

    bits_per_character: float
    perplexity: float  # par token


def score(model, tokenizer, text, *, window=256, stride=128, batch_size=16):
    """Renvoie le `Score` d'un GPT-2 sur `text`, déjà normalisé.

    Le texte est lu par fenêtres de `window` tokens qui avancent de `stride` : chaque token est
    prédit une seule fois, avec au moins `window - stride` tokens de contexte (moins au tout
    début, que précède le seul token de début de texte). Ne dépend pas de `batch_size`.
    """
    window = min(window, model.config.n_positions)
    stride = min(stride, window)
    start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    ids = np.array([start, *tokenizer(text).input_ids], dtype=np.int32)
    if len(ids) < 2:
        raise ValueError("Un texte vide n'a pas de note.")
    inputs, targets, counted = sliding_windows(ids, window, stride)
    losses = tf.function(_losses).get_concrete_function(
        model, tf.TensorSpec((batch_size, window), tf.int32), tf.TensorSpec((batch_size, window), tf.int32))
    total = 0.0
    for first in range(0, len(inputs), batch_size):
        rows = [_fill(array[first:first + batch_size], batch_size) for array in (inputs, targets, counted)]
        total += float(np.sum(losses(tf.constant(rows[0]), tf.constant(rows[1])).numpy() * rows[2]))
    return Score(bits_per_character=total / math.log(2) / len(text),
                 perplexity=math.exp(total / (len(ids) - 1)))


def sliding_windows(ids, window, stride):
    """Découpe `ids` (le token de début, puis N tokens) en fenêtres qui couvrent les N tokens.

    Renvoie trois tableaux de forme (fenêtres, window) : les tokens lus, ceux à prédire, et 1.0
    là où la prédiction compte, 0.0 ailleurs (contexte déjà noté, ou au-delà de la fin).
    """
    length = len(ids) - 1
    starts = [0]
    while starts[-1] + window < length:
        starts.append(starts[-1] + stride)
    inputs = np.zeros((len(starts), window), np.int32)
    targets = np.zeros((len(starts), window), np.int32)
    counted = np.zeros((len(starts), window), np.float32)
    for row, begin in enumerate(starts):
        end = min(begin + window, length)
        inputs[row, :end - begin] = ids[begin:end]
        targets[row, :end - begin] = ids[begin + 1:end + 1]
        already = 0 if row == 0 else window - stride
        counted[row, already:end - begin] = 1.0
    return inputs, targets, counted


def _losses(model, inputs, targets):
    """Perte de chaque token, en nats, de forme (lot, window)."""
    logits = tf.cast(model(inputs, training=False).logits, tf.float32)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits)


def _fill(rows, count):
    """Complète un lot trop court par des lignes nulles, pour garder une seule forme."""
    return np.pad(rows, ((0, count - len(rows)), (0, 0)))
