"""Ce qui entoure `fit` : les lots, la précision, le temps que l'on y passera, et où l'on en est."""

import importlib.util
import sys
import time
from datetime import datetime
from statistics import median

import numpy as np
import tensorflow as tf
from tf_keras import mixed_precision
from tf_keras.callbacks import Callback, TensorBoard
from tqdm import tqdm

from workshop.learning.packing import IGNORED
from workshop.learning.strategy import anyone, from_chief
from workshop.narration import decimal, duration
from workshop.paths import shown


def choose_precision():
    """Choisit la précision la plus rapide sur cette machine, et renvoie son nom.

    Certains processeurs calculent deux fois plus vite sur des nombres de 16 bits (bfloat16) ; les
    autres les imitent, trente fois plus lentement. On essaie donc un produit de matrices, et l'on
    compte le temps de processeur, que les autres programmes n'allongent pas. Les poids restent en
    32 bits : seuls les calculs intermédiaires changent. À appeler avant d'ouvrir le réseau.
    """
    pairs = [(_matmul_seconds(tf.bfloat16), _matmul_seconds(tf.float32)) for _ in range(5)][1:]  # le premier prépare
    policy = from_chief("mixed_bfloat16" if all(short < 0.8 * long for short, long in pairs) else "float32")
    mixed_precision.set_global_policy(policy)
    return policy


def _matmul_seconds(precision, size=512):
    """Renvoie le temps de processeur d'un produit de matrices, en secondes."""
    matrix = tf.cast(tf.random.stateless_normal((size, size), seed=(0, 0)), precision)
    start = time.process_time()
    tf.matmul(matrix, matrix).numpy()
    return time.process_time() - start


def batches(blocks, batch_size):
    """Renvoie un tf.data.Dataset de lots {"input_ids", "labels"} de forme (batch_size, tokens), dans l'ordre."""
    return _at_a_fixed_pace(tf.data.Dataset.from_tensor_slices(blocks).batch(batch_size))


def shuffled_batches(blocks, batch_size, epochs, seed, first_step=0):
    """Renvoie les lots de toutes les époques, à la suite, à partir du pas `first_step`.

    Chaque époque a son ordre, qui ne dépend que de `seed` : un entraînement interrompu retrouve
    le lot suivant. Un dernier lot incomplet est laissé de côté, s'il y en a d'autres.
    """
    count = len(blocks["input_ids"])
    batch_size = min(batch_size, count)
    steps = count // batch_size
    orders = [np.random.default_rng((seed, epoch)).permutation(count)[:steps * batch_size] for epoch in range(epochs)]
    rows = np.concatenate(orders).reshape(epochs * steps, batch_size)[first_step:]
    arrays = {name: tf.constant(array) for name, array in blocks.items()}
    dataset = tf.data.Dataset.from_tensor_slices(rows)
    return _at_a_fixed_pace(dataset.map(lambda chosen: {name: tf.gather(array, chosen)
                                                        for name, array in arrays.items()}))


def _at_a_fixed_pace(dataset):
    """Prépare un lot d'avance, sans que tf.data règle lui-même son allure.

    La fin de `fit`, ou un Ctrl-C, attendrait que son régleur se réveille : de zéro à quatre secondes après douze
    secondes d'entraînement, cinq et demie après vingt.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(1).with_options(options)


def seconds_per_step(model, dataset):
    """Chronomètre un pas d'entraînement, sans toucher aux poids ; renvoie (durée d'un pas, temps de le préparer), en
    secondes. `fit` prépare de même son premier pas."""
    strategy = tf.distribute.get_strategy()
    batch = next(iter(strategy.experimental_distribute_dataset(dataset)))

    def one_part(part):
        _, gradients = model.mean_loss_and_gradients(part)
        gradients = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        return [tf.reduce_sum(gradient) for gradient in gradients]

    @tf.function(autograph=False)
    def forward_and_backward():
        return strategy.run(one_part, args=(batch,))

    durations = []
    for _ in range(4):
        start = time.perf_counter()
        forward_and_backward()
        durations.append(time.perf_counter() - start)
    step = median(durations[1:])
    return step, max(0.0, durations[0] - step)


def mean_loss(model, dataset):
    """Renvoie la perte moyenne (nats par token) du modèle compilé sur les lots de `dataset`."""
    return float(np.mean(model.evaluate(dataset, verbose=0)))


class StopInTime(Callback):
    """Arrête proprement l'entraînement après `seconds` secondes, ou au dernier pas prévu.

    `journal` sait à quel pas on en est et depuis combien de temps, reprises comprises.
    """

    def __init__(self, journal, seconds):
        super().__init__()
        self.journal, self.seconds = journal, seconds

    def on_train_batch_end(self, batch, logs=None):
        (out_of_time,) = anyone(self.journal.seconds >= self.seconds)
        if out_of_time or self.journal.step >= self.journal.steps:
            self.model.stop_training = True
        if out_of_time and self.journal.step < self.journal.steps:
            tqdm.write(f"\nLe temps prévu ({duration(self.seconds)}) est écoulé : l'entraînement s'arrête ici, "
                       "ce qui est appris est gardé.")


class Progress(Callback):
    """Montre où en est l'entraînement : une barre dans un terminal, une ligne de temps en temps ailleurs."""

    LINES = 10  # hors d'un terminal

    def __init__(self, journal, blocks, batch_size):
        super().__init__()
        self.journal = journal
        # Les tokens que l'on apprend à prédire : ni le premier d'un bloc, ni le remplissage.
        self.tokens_per_step = batch_size * float(np.mean(np.sum(blocks["labels"][:, 1:] != IGNORED, axis=1)))
        self.display = None
        self.started_at = self.first_step = 0

    def on_train_begin(self, logs=None):
        self.first_step = self.journal.step + 1
        self.display = tqdm(total=self.journal.steps, initial=self.journal.step, file=sys.stdout,
                            disable=not sys.stdout.isatty(),
                            bar_format="{percentage:3.0f} % |{bar}| {n_fmt}/{total_fmt}{postfix}")

    def on_train_batch_end(self, batch, logs=None):
        step, steps = self.journal.step, self.journal.steps
        state = f"perte {decimal(self.journal.train_points[-1][1])}"
        if step == self.first_step:  # le premier pas prépare les suivants : il ne compte pas
            self.started_at = time.monotonic()
        else:
            seconds, timed = time.monotonic() - self.started_at, step - self.first_step
            state += (f", {timed * self.tokens_per_step / seconds:.0f} tokens/s, "
                      f"reste {duration((steps - step) * seconds / timed) if step < steps else '0 s'}")
        self.display.set_postfix_str(state, refresh=False)
        self.display.update(1)
        if self.display.disable and step * self.LINES // steps > (step - 1) * self.LINES // steps:
            print(f"pas {step}/{steps} : {state}", flush=True)

    def on_train_end(self, logs=None):
        self.display.close()


class Estimate(Callback):
    """Corrige à voix haute la durée annoncée, `seconds`, dès que la machine va bien autrement que prévu.

    `journal` sait à quel pas on en est ; `limit` : les secondes au bout desquelles l'entraînement s'arrête.
    """

    TOLERANCE, PATIENCE = 0.3, 10  # part de la durée annoncée, secondes avant d'en juger

    def __init__(self, journal, seconds, limit):
        super().__init__()
        self.journal, self.seconds, self.limit = journal, seconds, limit
        self._first_step = self._begun_at = self._timed_from = 0

    def on_train_begin(self, logs=None):
        self._first_step, self._begun_at = self.journal.step + 1, time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        step, now = self.journal.step, time.monotonic()
        if step == self._first_step:  # le premier pas prépare les suivants : il ne compte pas
            self._timed_from = now
        elif now - self._begun_at > self.PATIENCE:
            remaining = (self.journal.steps - step) * (now - self._timed_from) / (step - self._first_step)
            seconds = min(now - self._begun_at + remaining, self.limit)
            if abs(seconds / self.seconds - 1) > self.TOLERANCE:
                tqdm.write(f"La machine va {'moins' if seconds > self.seconds else 'plus'} vite que prévu : "
                           f"l'entraînement durera plutôt environ {duration(seconds)}.")
                self.seconds = seconds


def tensorboard(folder):
    """Renvoie, dans une liste, de quoi suivre l'entraînement dans TensorBoard ; vide s'il n'est pas installé."""
    if importlib.util.find_spec("tensorboard") is None:
        return []
    print(f"TensorBoard est installé :  tensorboard --logdir {shown(folder / 'tensorboard')}")
    return [TensorBoard(folder / "tensorboard" / datetime.now().strftime("%Y-%m-%d_%H-%M-%S"), update_freq="batch")]
