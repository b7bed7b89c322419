"""Ce que chaque étape laisse sur le disque : écrit en entier ou pas du tout, relu avec soin.

Un dossier se remplit sous un nom d'attente, puis prend le sien d'un seul coup : à cet instant il
est complet. S'il doit remplacer d'autres fichiers, ceux-ci partent après ; si l'on coupe le
courant pendant ce déménagement, la lecture suivante le termine.
"""

import contextlib
import errno
import functools
import json
import os
import re
import shutil
import tempfile
import time
from pathlib import Path

from filelock import FileLock, Timeout
from safetensors import safe_open
from tokenizers import Tokenizer

from workshop import interruption
from workshop.errors import WorkshopError
from workshop.paths import MODEL, shown

INCOMING, _READY = ".incoming", ".ready"
UNFINISHED = ".unfinished"  # ce qu'un long travail garde pour être repris
_MODEL_FILES = ("model.safetensors", "config.json", "tokenizer.json")
ABANDONED = 3600  # secondes ; un nom d'attente auquel rien ne s'ajoute depuis est celui d'un script tué
_MODEL_NAME = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d")


@contextlib.contextmanager
def new_folder(folder):
    """Donne un dossier vide à remplir, qui ne prend le nom `folder` que s'il n'y a pas eu d'erreur."""
    incoming = folder.with_name(f"{folder.name}{INCOMING}")
    shutil.rmtree(incoming, ignore_errors=True)
    incoming.mkdir(parents=True)
    try:
        yield incoming
        incoming.rename(folder)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


@contextlib.contextmanager
def written_whole(folder):
    """Donne un dossier vide à remplir, dont le contenu remplacera d'un coup celui de `folder`.

    Les autres fichiers de `folder` (les livres téléchargés, les caches) restent en place. S'il
    y a une erreur, `folder` ne change pas.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        _settle(folder)
        with new_folder(folder / _READY) as incoming:
            yield incoming
        _settle(folder)
        shutil.rmtree(folder / UNFINISHED, ignore_errors=True)  # sous Windows, ce qui est encore ouvert attend


@contextlib.contextmanager
def one_file(path):
    """Donne un fichier (binaire) à écrire, qui ne prend la place de `path` qu'une fois complet."""
    incoming = path.with_name(f"{path.name}{INCOMING}")
    try:
        with open(incoming, "wb") as file:
            yield file
        os.replace(incoming, path)
    finally:
        incoming.unlink(missing_ok=True)


def remove_leftovers(folder):
    """Efface de `folder` les noms d'attente qu'un script tué y a laissés, non ceux d'un script qui écrit."""
    for leftover in folder.glob(f"*{INCOMING}"):
        with contextlib.suppress(OSError):  # un autre script vient de l'effacer, ou de lui donner son nom
            if time.time() - leftover.stat().st_mtime > ABANDONED:
                if leftover.is_dir():
                    shutil.rmtree(leftover)
                else:
                    leftover.unlink()


@contextlib.contextmanager
def alone(folder):
    """Empêche deux scripts d'écrire en même temps dans `folder`."""
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise WorkshopError(f"Un autre script est en train d'écrire dans {shown(folder)}.\n"
                            "Attendez qu'il ait fini, puis relancez la même commande.") from None


def settle(folder):
    """Termine le remplacement qu'une coupure aurait interrompu."""
    if (folder / _READY).is_dir():
        with alone(folder):
            _settle(folder)


def _settle(folder):
    ready = folder / _READY
    if not ready.is_dir():
        return
    for entry in sorted(ready.iterdir()):
        target = folder / entry.name
        if target.is_dir():
            shutil.rmtree(target)
        os.replace(entry, target)
    ready.rmdir()


@contextlib.contextmanager
def reading(folder, made_by):
    """Traduit en une phrase l'échec de la lecture de `folder`, que le script `made_by` écrit."""
    command = f"python aurore/{made_by}"
    settle(folder)
    if not folder.is_dir() or not any(entry for entry in folder.iterdir()
                                      if entry.name[0] != "." and entry.name not in ("books", "cache")):
        raise WorkshopError(f"Le dossier {shown(folder)} est vide ou n'existe pas.\n"
                            f"Préparez-le d'abord :  {command}")
    try:
        _check_tables(folder)
        yield
    except (WorkshopError, PermissionError, NotImplementedError, NameError):
        raise  # ces deux derniers viennent de l'exercice que l'on est en train d'écrire
    except Exception as error:  # pylint: disable=broad-exception-caught  # datasets, pyarrow et
        # tokenizers lèvent chacun leurs propres erreurs devant un fichier coupé ou étranger.
        raise WorkshopError(f"Le contenu du dossier {shown(folder)} est incomplet ou n'est pas celui attendu "
                            f"({type(error).__name__}).\nRefaites-le :  {command}") from error


def _check_tables(folder):
    """Lève une ArrowInvalid si une table de `folder` est abîmée.

    datasets les lit telles quelles : un octet changé dans les limites d'un texte ferait lire hors du fichier, et le
    script s'arrêterait sans un mot. Ce qu'un script laisse à reprendre (.unfinished) n'en est pas.
    """
    for path in folder.glob("[!.]*/*.arrow"):
        import pyarrow  # pylint: disable=import-outside-toplevel  # là seulement où il y a des tables
        with pyarrow.memory_map(str(path)) as file, pyarrow.ipc.open_stream(file) as table:
            for batch in table:
                batch.validate(full=True)


def ensure_writable(folder, size=100_000):
    """S'assure, avant un long calcul, que son résultat (`size` octets) tiendra dans `folder`.

    Rend d'abord la place que prenaient les restes d'un script tué ; désormais, Ctrl-C défait ce qui s'écrit. Lève
    l'erreur du système (droits, disque plein), que `narration` traduit.
    """
    interruption.unwind()
    folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    with tempfile.TemporaryFile(dir=folder):  # sans nom : un Ctrl-C ici ne laisse rien derrière lui
        pass
    if shutil.disk_usage(folder).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), shown(folder))


def is_complete_model(folder):
    """Dit si `folder` contient une configuration, un tokenizer et des poids entiers.

    Ces fichiers ne sont relus que s'ils ont changé : la page, qui montre tous les réseaux, le demande sans cesse.
    """
    try:
        states = [(path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(folder.glob("*.*"))]
    except OSError:
        return False
    return {name for name, *_ in states}.issuperset(_MODEL_FILES) and _opens(folder, tuple(states))


@functools.lru_cache(maxsize=64)
def _opens(folder, _states):
    weights, _, tokenizer = _MODEL_FILES
    try:
        settings = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}
        Tokenizer.from_file(str(folder / tokenizer))
        with safe_open(folder / weights, framework="numpy") as tensors:
            return _fit(settings["config.json"], {name: tensors.get_slice(name).get_shape() for name in tensors.keys()})
    except Exception:  # pylint: disable=broad-exception-caught  # json, tokenizers et safetensors ont chacun les leurs
        return False


def _fit(config, shapes):
    """Dit si des poids de ces formes, {nom: dimensions}, sont ceux du GPT-2 que décrit `config`."""
    width = config["n_embd"]
    expected = {"wte.weight": [config["vocab_size"], width], "wpe.weight": [config["n_positions"], width],
                f"h.{config['n_layer'] - 1}.mlp.c_fc.weight": [width, config.get("n_inner") or 4 * width]}
    found = {end: shape for name, shape in shapes.items() for end in expected if name.endswith(end)}
    return found == expected and config["model_type"] == "gpt2" and width % config["n_head"] == 0


def trained_models(folder=MODEL):
    """Renvoie les dossiers des modèles entraînés, complets ou non, le plus récent d'abord."""
    if not folder.is_dir():
        return []
    weights = [entry / "model.safetensors" for entry in folder.iterdir() if _MODEL_NAME.fullmatch(entry.name)]
    # L'heure des fichiers, et non du nom : un conteneur n'a pas forcément le fuseau de la machine.
    newest_first = sorted(filter(Path.is_file, weights), key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.parent for path in newest_first]


def newest_model(folder=MODEL):
    """Renvoie le dossier du dernier modèle entraîné et complet, ou None s'il n'y en a pas."""
    return next(filter(is_complete_model, trained_models(folder)), None)
