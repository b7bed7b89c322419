"""Un concurrent : l'atelier, avec les fonctions et les réglages de l'étape 3."""

import importlib
import json
import sys

from workshop import quiet_tensorflow  # pylint: disable=unused-import  # l'importer suffit
from workshop.learning.gpt2_tf import TFGPT2LMHeadModel
from workshop.learning.packing import IGNORED
from workshop.learning.training import choose_precision, shuffled_batches

import numpy as np
from tf_keras.callbacks import LambdaCallback
from transformers import GPT2Config, create_optimizer

from bench.race import Track

EPOCHS = 100  # plus que la course n'en demande


def main():
    """Apprend les blocs de `data` (un fichier JSON), jusqu'à la fin de la course.

    Le réseau est celui que nomme `data`, ou celui d'un autre dossier, dit ensuite ; avec « 124M », un GPT-2
    de 124 millions de paramètres, tirés au hasard.
    """
    with open(sys.argv[1], encoding="utf-8") as file:
        data = json.load(file)
    lesson = importlib.import_module("3_train_solution")
    blocks = {name: np.array(rows, np.int32) for name, rows in data["blocks"].items()}
    useful = lesson.BATCH_SIZE * float(np.mean(np.sum(blocks["labels"][:, 1:] != IGNORED, axis=1)))

    precision = choose_precision()
    dropout = {"attn_pdrop": lesson.DROPOUT, "embd_pdrop": lesson.DROPOUT, "resid_pdrop": lesson.DROPOUT}
    network = sys.argv[2] if len(sys.argv) > 2 else data["model"]
    if network == "124M":
        model = TFGPT2LMHeadModel(GPT2Config(**dropout))
        model.build()
    else:
        model = TFGPT2LMHeadModel.from_pretrained(network, **dropout)
    optimizer, _ = create_optimizer(init_lr=1e-4, num_train_steps=10_000, num_warmup_steps=1_000,
                                    weight_decay_rate=0.01)
    model.compile(optimizer=optimizer)
    track = Track(precision)
    model.fit(shuffled_batches(blocks, lesson.BATCH_SIZE, EPOCHS, lesson.SEED), verbose=0,
              callbacks=[LambdaCallback(on_batch_end=lambda batch, logs: track.done(useful))])


if __name__ == "__main__":
    main()
