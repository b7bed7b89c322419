"""Un concurrent : la boucle de l'atelier d'origine, des phrases isolées et complétées.

Chaque ligne d'un lot est une phrase ; les plus courtes sont complétées jusqu'à la plus longue.
"""

import itertools
import json
import sys

import numpy as np
import tensorflow as tf
from tf_keras.callbacks import LambdaCallback
from transformers import TFGPT2LMHeadModel, create_optimizer

from bench.race import Track

IGNORED = -100


def main():
    """Apprend les phrases de `data` (un fichier JSON), jusqu'à la fin de la course."""
    with open(sys.argv[1], encoding="utf-8") as file:
        data = json.load(file)
    size = data["batch_size"]
    sentences = data["sentences"][:len(data["sentences"]) // size * size]
    batches = [padded(sentences[first:first + size]) for first in range(0, len(sentences), size)]
    useful = [int(np.sum(batch["labels"][:, 1:] != IGNORED)) for batch in batches]
    share = 1 - sum(map(len, sentences)) / sum(batch["input_ids"].size for batch in batches)

    line = tf.TensorSpec((None, None), tf.int32)
    dataset = tf.data.Dataset.from_generator(
        lambda: itertools.cycle(batches),
        output_signature={"input_ids": line, "attention_mask": line, "labels": line}).prefetch(tf.data.AUTOTUNE)
    model = TFGPT2LMHeadModel.from_pretrained(data["model"], attn_pdrop=0, embd_pdrop=0, resid_pdrop=0)
    optimizer, _ = create_optimizer(init_lr=5e-5, num_train_steps=10_000, num_warmup_steps=3_000,
                                    weight_decay_rate=0.01)
    model.compile(optimizer=optimizer)
    track = Track(f"float32, {100 * share:.0f} % de remplissage")
    model.fit(dataset, epochs=1_000, steps_per_epoch=len(batches), verbose=0,
              callbacks=[LambdaCallback(on_batch_end=lambda batch, logs: track.done(useful[batch]))])


def padded(sentences):
    """Renvoie un lot {"input_ids", "attention_mask", "labels"} de forme (phrases, la plus longue)."""
    shape = len(sentences), max(map(len, sentences))
    batch = {"input_ids": np.zeros(shape, np.int32), "attention_mask": np.zeros(shape, np.int32),
             "labels": np.full(shape, IGNORED, np.int32)}
    for row, sentence in enumerate(sentences):
        batch["input_ids"][row, :len(sentence)] = batch["labels"][row, :len(sentence)] = sentence
        batch["attention_mask"][row, :len(sentence)] = 1
    return batch


if __name__ == "__main__":
    main()
