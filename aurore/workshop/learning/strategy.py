"""Sur quoi l'on s'entraîne : un appareil, plusieurs cartes graphiques, plusieurs machines.

Sans rien régler, on prend l'appareil qu'il y a ; s'il y a plusieurs cartes, chacune lit sa part de chaque lot
(MirroredStrategy). Pour plusieurs machines, chacune lance le même script, et TF_CONFIG, la variable que lit
TensorFlow, lui dit qui sont les autres et laquelle elle est (MultiWorkerMirroredStrategy). Un lot a toujours
BATCH_SIZE blocs : il est partagé, et non répété ; les pertes sont donc celles d'une seule machine.

La première machine, le chef, raconte, note et enregistre. Les autres, les ouvriers, font les mêmes gestes autour
de `fit`, mais se taisent, attendent le chef quand il travaille seul, et n'écrivent rien dans aurore/model.
"""

import atexit
import json
import os
import re
import shutil
import signal
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import tensorflow as tf

from workshop import narration
from workshop.errors import WorkshopError

ROLES = ("chief", "worker")  # dans l'ordre de TensorFlow : le chef est le premier de tous
PIECE = 2**23                # nombres de huit octets : ce que l'on envoie d'un coup, 64 Mio
EXAMPLE = ('Pour la première de deux machines :  TF_CONFIG=\'{"cluster": {"worker": ["192.168.0.10:2222", '
           '"192.168.0.11:2222"]}, "task": {"type": "worker", "index": 0}}\'')

LOST = ("Une des machines de l'entraînement ne répond plus : elle s'est arrêtée (son terminal dit pourquoi), ou le "
        "réseau est coupé.\nRelancez la même commande sur toutes ; l'entraînement reprendra à sa dernière sauvegarde.")
DIFFERENT = ("Cette machine et la première n'ont pas les mêmes réglages, le même réseau de départ ou les mêmes "
             "données.\nCopiez-y aurore/data et le script de la première, puis relancez la même commande sur toutes.")


def choose():
    """Prend ce que TensorFlow offre, pour tout le script ; attend les autres machines, si TF_CONFIG en nomme.

    À appeler avant tout calcul de TensorFlow. Lève une WorkshopError si TF_CONFIG n'a pas de sens.
    """
    cards = [device.name.rpartition("physical_device:")[2] for device in tf.config.list_physical_devices("GPU")]
    if os.environ.get("TF_CONFIG", "").strip():
        strategy = _join(*read_place(os.environ["TF_CONFIG"]))
    elif len(cards) > 1:
        print(f"{len(cards)} cartes graphiques : chacune lit sa part de chaque lot.")
        strategy = tf.distribute.MirroredStrategy(cards)
    else:
        return
    tf.distribute.experimental_set_strategy(strategy)


def read_place(written):
    """Renvoie (rang, adresses) : la place de cette machine dans TF_CONFIG, et l'adresse de chacune, le chef d'abord."""
    try:
        config = json.loads(written)
    except ValueError:
        raise WorkshopError(f"TF_CONFIG n'est pas du JSON.\n{EXAMPLE}") from None
    try:
        addresses = {(role, index): re.fullmatch(r"[^\s:]+:\d+", address)[0] for role in ROLES
                     for index, address in enumerate(config["cluster"].get(role, []))}
    except (KeyError, TypeError, AttributeError):
        addresses = {}
    if not addresses:
        raise WorkshopError("TF_CONFIG ne nomme pas les machines : il y faut « cluster », et l'adresse et le port de "
                            f"chacune.\n{EXAMPLE}")
    try:
        return list(addresses).index((config["task"]["type"], config["task"]["index"])), list(addresses.values())
    except (KeyError, TypeError, ValueError):
        raise WorkshopError("TF_CONFIG ne dit pas laquelle de ces machines est celle-ci : « task » doit donner le type "
                            f"(« worker ») et le rang (à partir de 0) de l'une des {len(addresses)}.\n{EXAMPLE}"
                            ) from None


def _join(rank, addresses):
    """Attend que toutes les machines soient là, et renvoie la stratégie ; un ouvrier se tait désormais."""
    print(f"Entraînement sur {len(addresses)} machines, dont celle-ci est le numéro {rank + 1} ({addresses[rank]}). "
          "J'attends les autres (Ctrl-C : y renoncer)...", flush=True)
    try:
        with _stopped_at_once_by_ctrl_c():
            strategy = tf.distribute.MultiWorkerMirroredStrategy()
    except (tf.errors.OpError, RuntimeError, ValueError) as error:
        raise WorkshopError(f"Cette machine n'a pas pu rejoindre les autres ({type(error).__name__}) : le port de "
                            f"{addresses[rank]} est pris, ou une adresse de TF_CONFIG n'est pas joignable.\n"
                            "Vérifiez TF_CONFIG, puis relancez la même commande sur toutes.") from error
    narration.translators.append(_broken_off)
    if not strategy.extended.should_checkpoint:
        print("Elles sont toutes là ; la première raconte la suite.", flush=True)
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # pylint: disable=consider-using-with  # jusqu'à la fin
    return strategy


@contextmanager
def _stopped_at_once_by_ctrl_c():
    """Laisse Ctrl-C arrêter le script pendant que TensorFlow attend, sans rendre la main à Python."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _broken_off(error):
    """Renvoie la phrase qui explique pourquoi les machines ne s'entendent plus ; None si l'erreur est une autre.

    TensorFlow s'aperçoit en dix secondes qu'une machine s'est arrêtée, ou figée.
    """
    while error is not None:
        if isinstance(error, tf.errors.OpError) and "Collective ops is aborted" in str(error):
            return DIFFERENT if "Shape mismatch" in str(error) else LOST
        error = error.__cause__ or error.__context__
    return None


# --- Le chef et les ouvriers ----------------------------------------------------------------

def is_chief():
    """Dit si cette machine est celle qui raconte et enregistre ; toujours vrai quand elle est seule."""
    return tf.distribute.get_strategy().extended.should_checkpoint


def anyone(*flags):
    """Renvoie, pour chaque question, si au moins une machine répond oui. Toutes la posent au même moment."""
    return [bool(count) for count in _total(np.array(flags, np.int64))]


def from_chief(value):
    """Renvoie à toutes les machines la valeur qu'a le chef (ce que JSON sait écrire) ; toutes la demandent ensemble."""
    return json.loads(_bytes_from_chief(json.dumps(value).encode()))


def check_same(signature):
    """Lève une WorkshopError si l'entraînement de cette machine n'est pas celui du chef."""
    if from_chief(signature) != signature:
        raise WorkshopError(DIFFERENT)


def copy_from_chief(folder):
    """Donne à chaque ouvrier, dans son `folder`, les fichiers de celui du chef : il peut être sur une autre machine."""
    for name in from_chief([path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]):
        content = _bytes_from_chief((folder / name).read_bytes() if is_chief() else b"")
        if not is_chief():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


def own_folder(folder):
    """Renvoie `folder` au chef ; à un ouvrier, un dossier à lui, effacé à la fin du script."""
    if is_chief():
        return folder
    private = Path(tempfile.mkdtemp(prefix="aurore-"))
    atexit.register(shutil.rmtree, private, ignore_errors=True)
    return private


def follow_to_the_end():
    """Attend que le chef ait enregistré le réseau, et finit le script d'un ouvrier."""
    _total(np.zeros(1, np.int64))
    sys.stdout = sys.__stdout__
    print("Fini : le réseau est sur la première machine.")
    raise SystemExit


def release_the_others():
    """Dit aux ouvriers, de la part du chef, que tout est enregistré ; qu'ils n'attendent plus n'y change rien."""
    with suppress(tf.errors.OpError):
        _total(np.zeros(1, np.int64))


def _bytes_from_chief(content):
    (size,) = _total(np.array([len(content) if is_chief() else 0], np.int64))
    numbers = np.zeros(-(-size // 8), np.int64)
    if is_chief():
        numbers.view(np.uint8)[:size] = np.frombuffer(content, np.uint8)
    pieces = [_total(numbers[start:start + PIECE]) for start in range(0, len(numbers), PIECE)]
    return np.concatenate(pieces or [numbers]).tobytes()[:size]


def _total(numbers):
    """Renvoie la somme, sur toutes les machines, de ces tableaux d'entiers de même forme."""
    strategy = tf.distribute.get_strategy()
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return numbers
    return strategy.reduce(tf.distribute.ReduceOp.SUM, tf.constant(numbers), axis=None).numpy()
