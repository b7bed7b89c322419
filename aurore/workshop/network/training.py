"""Ce qui entoure `fit` : combien de temps il prendra, quand l'arrêter, quels poids garder."""

import csv
import time

import numpy as np
import tensorflow as tf
from tf_keras.callbacks import Callback

from workshop.figures import draw_learning_curve
from workshop.narration import duration


def batches(blocks, batch_size, shuffle_seed=None):
    """Renvoie un tf.data.Dataset de lots {"input_ids", "labels"} de forme (batch_size, tokens).

    Avec `shuffle_seed`, les blocs sont mélangés à chaque époque et un dernier lot incomplet est
    laissé de côté, s'il y en a d'autres.
    """
    dataset = tf.data.Dataset.from_tensor_slices(blocks)
    count = len(blocks["input_ids"])
    if shuffle_seed is not None:
        dataset = dataset.shuffle(count, seed=shuffle_seed, reshuffle_each_iteration=True)
    complete_only = shuffle_seed is not None and count >= batch_size
    return dataset.batch(batch_size, drop_remainder=complete_only).prefetch(tf.data.AUTOTUNE)


def seconds_per_step(model, dataset):
    """Chronomètre un pas d'entraînement (sans toucher aux poids), compilation non comprise."""
    batch = next(iter(dataset))

    @tf.function
    def forward_and_backward():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(batch, training=True).loss)
        return [tf.reduce_sum(gradient) for gradient in tape.gradient(loss, model.trainable_variables)]

    durations = []
    for _ in range(3):
        start = time.perf_counter()
        forward_and_backward()
        durations.append(time.perf_counter() - start)
    return min(durations[1:])


class StopInTime(Callback):
    """Arrête proprement l'entraînement après `seconds` secondes ou `steps` pas."""

    def __init__(self, seconds, steps):
        super().__init__()
        self.seconds, self.steps = seconds, steps
        self.done = 0
        self.start = None

    def on_train_begin(self, logs=None):
        self.start = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self.done += 1
        out_of_time = time.monotonic() - self.start >= self.seconds
        if out_of_time or self.done >= self.steps:
            self.model.stop_training = True
        if out_of_time and self.done < self.steps:
            print(f"\nLe temps prévu ({duration(self.seconds)}) est écoulé : l'entraînement s'arrête ici, "
                  "ce qui est appris est gardé.")


class Journal(Callback):
    """Note la perte de chaque pas, celle de validation à chaque époque, et garde les meilleurs poids.

    `train_points` et `validation_points` sont des listes de (pas, perte). À la fin, le modèle
    a les poids de la meilleure perte de validation, celle du point de départ comprise.
    """

    def __init__(self, validation_loss_before):
        super().__init__()
        self.train_points = []
        self.validation_points = [(0, validation_loss_before)]
        self.kept_step = 0
        self._best_weights = None
        self._sum = 0.0

    def on_train_begin(self, logs=None):
        self._best_weights = self.model.get_weights()

    def on_epoch_begin(self, epoch, logs=None):
        self._sum = 0.0

    def on_train_batch_end(self, batch, logs=None):
        total = logs["loss"] * (batch + 1)  # Keras donne la moyenne depuis le début de l'époque
        self.train_points.append((len(self.train_points) + 1, total - self._sum))
        self._sum = total

    def on_epoch_end(self, epoch, logs=None):
        step, loss = len(self.train_points), logs["val_loss"]
        if loss < min(best for _, best in self.validation_points):
            self.kept_step = step
            self._best_weights = self.model.get_weights()
        self.validation_points.append((step, loss))

    def on_train_end(self, logs=None):
        self.model.set_weights(self._best_weights)

    def write(self, folder):
        """Écrit training_log.csv et learning_curve.png dans `folder`."""
        validation = dict(self.validation_points)
        with open(folder / "training_log.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("step", "loss", "val_loss"))
            writer.writerow((0, "", f"{validation[0]:.4f}"))
            for step, loss in self.train_points:
                writer.writerow((step, f"{loss:.4f}", f"{validation[step]:.4f}" if step in validation else ""))
        draw_learning_curve(self.train_points, self.validation_points, self.kept_step,
                            folder / "learning_curve.png")


def mean_loss(model, dataset):
    """Renvoie la perte moyenne (nats par token) du modèle sur les lots de `dataset`."""
    return float(np.mean(model.evaluate(dataset, verbose=0)))
