"""Le journal d'un entraînement : ses pertes, ce que le réseau écrivait en chemin, les poids à garder."""

import csv
import math
import time

import numpy as np
from tf_keras.callbacks import Callback
from tqdm import tqdm

from workshop.errors import WorkshopError
from workshop.figures import draw_learning_curve
from workshop.learning.evaluation import Score
from workshop.learning.training import mean_loss


class Journal(Callback):  # pylint: disable=too-many-instance-attributes  # ce qu'une reprise retrouve
    """Note la perte de chaque pas et, de temps en temps, celle de validation ; garde les meilleurs poids.

    `train_points` et `validation_points` sont des listes de [pas, perte], `samples` de [pas,
    texte]. À la fin, le modèle a les poids de la meilleure perte de validation, celle du point de
    départ comprise.
    """

    VALIDATIONS = 4  # par entraînement, régulièrement espacées, et au départ

    def __init__(self, eval_dataset, steps_per_epoch, write_sample):
        super().__init__()
        self.eval_dataset = eval_dataset
        self.steps_per_epoch = steps_per_epoch
        self.write_sample = write_sample  # une fonction qui fait écrire le réseau et renvoie le texte
        self.steps = 0                    # prévus en tout
        self.score_before = self.score_after = None
        self.train_points, self.validation_points, self.samples = [], [], []
        self.best_weights = None
        self.seconds_before = 0.0         # passés avant une interruption
        self._started_at = None

    @property
    def step(self):
        """Le nombre de pas faits, reprises comprises."""
        return len(self.train_points)

    @property
    def epochs(self):
        """Le nombre d'époques faites : 0,9 si le temps a manqué pour finir la première."""
        return self.step / self.steps_per_epoch

    @property
    def seconds(self):
        """Le temps passé à entraîner, reprises comprises."""
        return self.seconds_before + (time.monotonic() - self._started_at if self._started_at else 0)

    @property
    def kept_step(self):
        """Le pas dont les poids sont gardés : le premier de la plus petite perte de validation."""
        return min(self.validation_points, key=lambda point: point[1])[0]

    def start(self, model, score_before):
        """Note le point de départ : la note du livre de test, la perte de validation, un texte, les poids."""
        self.score_before = score_before
        self.validation_points = [[0, mean_loss(model, self.eval_dataset)]]
        self.samples = [[0, self.write_sample(model)]]
        self.best_weights = model.get_weights()

    def on_train_begin(self, logs=None):
        self._started_at = time.monotonic()

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()  # pour que la perte soit celle du pas, et non la moyenne depuis le début

    def on_train_batch_end(self, batch, logs=None):
        self.train_points.append([self.step + 1, float(logs["loss"])])
        self._ensure_finite(logs["loss"])
        if self.step == self.steps // 2:
            self._ensure_finite(*map(np.sum, self.model.get_weights()))
            self.samples.append([self.step, self.write_sample(self.model)])
            tqdm.write(f"À mi-chemin, il écrit : {self.samples[-1][1]}")
        due = self.step * self.VALIDATIONS // self.steps > (self.step - 1) * self.VALIDATIONS // self.steps
        epoch_ends = self.step == self.steps or batch + 1 == self.params["steps"]  # `fit` va la mesurer
        if due and not epoch_ends:
            self._validate(mean_loss(self.model, self.eval_dataset))

    def on_epoch_begin(self, epoch, logs=None):
        if self.step > 0 and self.step % self.params["steps"] == 0:  # interrompu juste avant cette mesure
            self._validate(mean_loss(self.model, self.eval_dataset))

    def on_epoch_end(self, epoch, logs=None):
        self._validate(logs["val_loss"])

    def _ensure_finite(self, *numbers):
        """Lève une WorkshopError si l'un des nombres n'en est plus un : les poids sont perdus."""
        if not all(map(math.isfinite, numbers)):
            raise WorkshopError(
                f"Au pas {self.step}, la perte n'est plus un nombre : les pas sont si grands que le réseau s'est "
                "perdu, et rien n'est enregistré.\nChoisissez une vitesse plus petite dans LEARNING_RATES (1e-4, par "
                "exemple), en haut du script, puis relancez.")

    def _validate(self, loss):
        self._ensure_finite(loss)
        if self.validation_points[-1][0] == self.step:
            return
        self.validation_points.append([self.step, float(loss)])
        if self.kept_step == self.step:
            self.best_weights = self.model.get_weights()

    def on_train_end(self, logs=None):
        self.model.set_weights(self.best_weights)
        self.seconds_before, self._started_at = self.seconds, None

    # --- Se souvenir d'une interruption à l'autre -----------------------------------------

    def remember(self):
        """Renvoie, dans un dictionnaire, tout ce qu'il faut pour reprendre, hormis les poids."""
        return {"steps": self.steps, "seconds": self.seconds, "score_before": self.score_before,
                "train_points": self.train_points, "validation_points": self.validation_points, "samples": self.samples}

    def recall(self, state, step):
        """Reprend ce que `remember` a noté, jusqu'au pas `step`."""
        self.steps, self.seconds_before = state["steps"], state["seconds"]
        self.score_before = Score(*state["score_before"])
        self.train_points, self.validation_points, self.samples = (
            [point for point in state[name] if point[0] <= step]
            for name in ("train_points", "validation_points", "samples"))

    # --- Montrer --------------------------------------------------------------------------

    def write(self, folder):
        """Écrit training_log.csv et learning_curve.png dans `folder`."""
        validation = dict(map(tuple, self.validation_points))
        with open(folder / "training_log.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("step", "loss", "val_loss"))
            writer.writerow((0, "", f"{validation[0]:.4f}"))
            for step, loss in self.train_points:
                writer.writerow((step, f"{loss:.4f}", f"{validation[step]:.4f}" if step in validation else ""))
        draw_learning_curve(self.train_points, self.validation_points, self.kept_step,
                            folder / "learning_curve.png")
