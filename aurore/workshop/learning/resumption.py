"""Reprendre un entraînement là où un Ctrl-C, un portable refermé ou une coupure l'ont laissé.

Keras sait sauver et retrouver les poids, l'optimiseur et le pas (`BackupAndRestore`). On y ajoute
le journal, les meilleurs poids, et la vérification qu'il s'agit bien du même entraînement.
"""

import contextlib
import hashlib
import json
import shutil
import signal
import time

import numpy as np
import tensorflow as tf
from filelock import FileLock, Timeout
from tf_keras.callbacks import BackupAndRestore
from tqdm import tqdm

from workshop.artefacts import one_file
from workshop.errors import WorkshopError
from workshop.learning.strategy import anyone, copy_from_chief, from_chief, is_chief, own_folder
from workshop.narration import ask, notice
from workshop.paths import shown


def alone(folder):
    """Renvoie le verrou de `folder`, à garder tant que l'on s'y entraîne ; un second entraînement attend, ou s'arrête.

    À deux, ils iraient moitié moins vite, et se disputeraient la sauvegarde. Dans un terminal, la question est posée ;
    ailleurs, une WorkshopError arrête le second. Un script tué rend son verrou.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".training.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        where = f"Un autre entraînement est en cours dans {shown(folder)}"
        if ask(f"{where}. Arrêter celui-ci (non : attendre que l'autre finisse) ?"):
            raise WorkshopError(f"{where} : celui-ci ne commence pas.\nAttendez que l'autre finisse, ou arrêtez-le "
                                "(Ctrl-C dans son terminal), puis relancez la même commande.") from None
        print("J'attends que l'autre entraînement finisse (Ctrl-C : y renoncer)...", flush=True)
        lock.acquire()
    return lock


def fingerprint(settings, model, *splits):
    """Renvoie l'empreinte d'un entraînement : ses réglages, ses poids de départ, les blocs de ses `splits`."""
    digest = hashlib.sha256(repr(settings).encode())
    for array in (*model.get_weights(), *(blocks["input_ids"] for blocks in splits)):
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


class Resumption(BackupAndRestore):
    """Sauve l'entraînement dans `folder` toutes les `seconds` secondes et au premier Ctrl-C, et l'y reprend.

    Le journal est écrit avant les poids : au retour, il recule jusqu'au pas de ceux-ci. Une coupure
    pendant l'écriture laisse donc toujours la sauvegarde précédente utilisable. Le dernier pas
    n'est jamais sauvé : il reste toujours quelque chose à reprendre.

    À plusieurs machines, toutes sauvent ensemble, et le chef seul dans `folder` ; il en donne une copie pour reprendre.
    """

    def __init__(self, folder, journal, signature, seconds):
        folder = own_folder(folder)
        super().__init__(str(folder), save_freq=1, delete_checkpoint=False)
        self.folder, self.journal, self.signature, self.seconds = folder, journal, signature, seconds
        self._saved_at = None
        self._interrupted = False

    def offer(self, model):
        """Renvoie le pas où reprendre ; 0, et rien de sauvé, s'il faut tout commencer.

        `model` a encore ses poids de départ ; `fit` retrouvera les autres. Dans un terminal, la
        question est posée ; ailleurs, on reprend.
        """
        copy_from_chief(self.folder)
        step = self._saved_step()
        if step and from_chief(ask(f"Un entraînement interrompu au pas {step} attend. Le reprendre ?")):
            print(f"L'entraînement reprend au pas {step}.", flush=True)
            self._recall_journal(model, step)
            return step
        if step is None and (self.folder / "journal.json").is_file():
            notice("Un entraînement interrompu attendait, mais il avait d'autres réglages ou d'autres données, ou sa "
                   "sauvegarde est abîmée : on repart du début.")
        shutil.rmtree(self.folder, ignore_errors=True)
        return 0

    def _saved_step(self):
        """Renvoie le pas où le même entraînement a été sauvé, ou None."""
        try:
            if self._read()["signature"] != self.signature:
                return None
            return int(tf.train.load_variable(str(self.folder / "chief"), "train_counter/.ATTRIBUTES/VARIABLE_VALUE"))
        except (OSError, ValueError, KeyError, TypeError, tf.errors.OpError):
            return None

    def _read(self):
        return json.loads((self.folder / "journal.json").read_text(encoding="utf-8"))

    def _recall_journal(self, model, step):
        self.journal.recall(self._read()["journal"], step)
        self.journal.best_weights = model.get_weights()
        if self.journal.kept_step:
            with np.load(self._best_weights_path()) as arrays:
                self.journal.best_weights = [arrays[name] for name in arrays.files]

    def on_train_begin(self, logs=None):
        self._saved_at = time.monotonic()
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # sourd à Ctrl-C : lancé en arrière-plan
            signal.signal(signal.SIGINT, self._interrupt)
        super().on_train_begin(logs)

    def on_train_end(self, logs=None):
        if signal.getsignal(signal.SIGINT) == self._interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if self._interrupted:
            tqdm.write("C'était le dernier pas : restent la note et l'enregistrement (encore Ctrl-C : les abandonner).")
        super().on_train_end(logs)

    def _interrupt(self, *_):
        """Retient le premier Ctrl-C jusqu'à la fin du pas : au milieu, il n'y aurait rien à sauver."""
        signal.signal(signal.SIGINT, signal.default_int_handler)  # le second arrête tout de suite
        self._interrupted = True
        with contextlib.suppress(RuntimeError):  # le signal tombe au milieu d'un autre affichage
            tqdm.write("\nCtrl-C : le pas en cours se termine, puis l'entraînement se sauve et s'arrête "
                       "(encore Ctrl-C : s'arrêter tout de suite).")

    def on_train_batch_end(self, batch, logs=None):
        if self.model.stop_training:
            return
        interrupted, due = anyone(self._interrupted, time.monotonic() - self._saved_at >= self.seconds)
        if interrupted or due:
            self._save(batch, logs)
        if interrupted:
            raise KeyboardInterrupt

    def _save(self, batch, logs):
        if is_chief():
            self._write_journal()
        super().on_train_batch_end(batch, logs)  # les poids, l'optimiseur et le pas
        for path in self.folder.glob("best_*.npz"):
            if path != self._best_weights_path():
                path.unlink()
        self._saved_at = time.monotonic()

    def _write_journal(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.journal.kept_step and not self._best_weights_path().is_file():
            with one_file(self._best_weights_path()) as file:
                np.savez(file, *self.journal.best_weights)
        with one_file(self.folder / "journal.json") as file:
            file.write(json.dumps({"signature": self.signature, "journal": self.journal.remember()}).encode())

    def _best_weights_path(self):
        return self.folder / f"best_{self.journal.kept_step}.npz"
