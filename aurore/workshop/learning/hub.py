"""Ouvrir un GPT-2 d'où qu'il vienne, et l'enregistrer pour que tout le monde sache le rouvrir.

Un modèle du catalogue Hugging Face est téléchargé une seule fois, dans le volume monté, puis
toujours ouvert depuis ce dossier : un modèle en cache n'appelle plus le réseau.
"""

import contextlib
import errno
import importlib.util
import json
import shutil
import time
from pathlib import Path

import numpy as np
from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError
from safetensors.numpy import save_file

from workshop.artefacts import trained_models
from workshop.credentials import read_token
from workshop.errors import WorkshopError
from workshop.identity import FILE as IDENTITY
from workshop.identity import Identity
from workshop.learning import offline
from workshop.learning.readings import FILE as READINGS
from workshop.paths import AURORE, BASE_MODEL, CACHE, SAND_MODEL, shown
from workshop.sources import EMBEDDED, OutOfReach, fall_back, source_mode, through_kit

# Par ordre de préférence : le premier format présent est le seul téléchargé.
WEIGHTS = (("model.safetensors", "model-*.safetensors", "model.safetensors.index.json"),
           ("tf_model.h5",),
           ("pytorch_model.bin",))
TOKENIZER_FILES = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
                   "special_tokens_map.json", "vocab.json", "merges.txt", "added_tokens.json")
WORKSHOP_FILES = (IDENTITY, READINGS)  # ce qu'un réseau de l'atelier dit de lui
COMPLETE = ".complete"  # posé dans la copie d'un modèle une fois qu'elle est entière
TORCH_VERSION = "2.13.0"
PATIENCE_SECONDS = 20  # sans réponse du catalogue, on travaille hors ligne
PAUSES = (0.5, 1.5)    # secondes avant de le lui redemander, s'il a vite échoué : un Wi-Fi saute


def local_copy(model_name, tokenizer_only=False):
    """Renvoie le dossier local du modèle `model_name` : dossier, cache, réseau ou embarqué.

    `tokenizer_only` ne télécharge pas les poids. Lève une WorkshopError si le modèle n'existe
    pas, est privé, ou n'est pas un GPT-2.
    """
    folder = _find(model_name, tokenizer_only)
    offline.remember(model_name, folder)
    _check_network(folder, model_name)
    if not tokenizer_only:
        _check_weights(folder)
    return folder


def _find(model_name, tokenizer_only):
    if not model_name.strip():
        raise WorkshopError("MODEL_NAME est vide : donnez le nom d'un modèle du catalogue, ou le dossier d'un modèle.")
    for folder in (Path(model_name), AURORE.parent / model_name):  # « aurore/embedded/base_model »
        if folder.is_dir():
            return folder
    if offline.is_a_path(model_name):
        there = "\n".join(map(shown, [*trained_models(), BASE_MODEL, SAND_MODEL]))
        raise WorkshopError(f"MODEL_NAME : le dossier {model_name} n'existe pas.\nCeux qui existent :\n{there}")
    if source_mode() == EMBEDDED:
        print(f"AURORE_SOURCE=embedded : aurore-mini, le petit réseau embarqué, remplace {model_name}.")
        return BASE_MODEL
    folder = cached_folder(model_name)
    marks = [folder / COMPLETE] + [folder / ".tokenizer-complete"] * tokenizer_only
    if any(mark.is_file() for mark in marks):
        return folder
    try:
        print(f"Recherche de {model_name} dans le catalogue Hugging Face...", flush=True)
        _download(model_name, folder, tokenizer_only)
    except OutOfReach as error:
        fall_back(error, instead="aurore-mini, le petit réseau embarqué (romans français du XIXe siècle).",
                  consequence="il tient dans 14 Mo et s'entraîne en quelques minutes ; il écrit moins bien.")
        return BASE_MODEL
    marks[-1].touch()
    return folder


def cached_folder(model_name):
    """Renvoie où est gardée, téléchargée, la copie du modèle `model_name`."""
    return CACHE / "models" / model_name.replace("/", "--")


def forget(model_name):
    """Efface la copie du modèle `model_name`, pour que la prochaine ouverture reprenne celui du catalogue."""
    shutil.rmtree(cached_folder(model_name), ignore_errors=True)
    offline.forget(model_name)


def _download(model_name, folder, tokenizer_only):
    """Télécharge dans `folder` le tokenizer et un seul format de poids ; lève OutOfReach s'il est vain d'insister."""
    access = {"token": token_to_show()}
    try:
        listing = patiently(HfApi().model_info, model_name, timeout=PATIENCE_SECONDS, **access)
        present = {file.rfilename for file in listing.siblings}
        wanted = [*TOKENIZER_FILES, *WORKSHOP_FILES]
        if not tokenizer_only:
            wanted += _preferred_weights(present, model_name)
        patiently(snapshot_download, model_name, local_dir=folder, allow_patterns=wanted, max_workers=2, **access)
    except (OSError, HFValidationError) as error:  # requests et huggingface_hub héritent d'OSError
        if is_the_disk(error):
            raise
        raise _failure(error, model_name, read_token()) from error


def patiently(ask, *arguments, **options):
    """Renvoie ce que répond `ask` ; si le catalogue flanche sans avoir fait attendre, le lui redemande."""
    for pause in PAUSES:
        asked = time.monotonic()
        try:
            return ask(*arguments, **options)
        except OSError as error:
            waited = time.monotonic() - asked > PATIENCE_SECONDS / 2
            if waited or is_the_disk(error) or 400 <= (_status(error) or 0) < 500:  # il redirait la même chose
                raise
        time.sleep(pause)
    return ask(*arguments, **options)


def is_the_disk(error):
    """Dit si `error` vient du disque, que narration explique : requests et huggingface_hub héritent aussi d'OSError."""
    return type(error) in (OSError, PermissionError, FileExistsError) and bool(error.errno)


def _status(error):
    """Renvoie le code HTTP que porte `error`, ou None."""
    return error.response.status_code if getattr(error, "response", None) is not None else None


def token_to_show():
    """Renvoie le jeton, ou False : ne pas en chercher d'autre sur la machine. Un kit n'en reçoit aucun : il est servi
    en clair."""
    return not through_kit() and read_token().value or False


def _failure(error, model_name, token):
    """Traduit l'échec d'un téléchargement ; OutOfReach s'il est permis de se replier."""
    if isinstance(error, GatedRepoError):
        return WorkshopError(f"Le modèle {model_name} demande une autorisation : acceptez ses conditions "
                             f"sur sa page du catalogue. {token.remark}")
    code = _status(error)
    if isinstance(error, (RepositoryNotFoundError, HFValidationError)) or code in (401, 403, 404):
        return WorkshopError(_not_found(model_name, token))
    if code:
        return OutOfReach(f"Le catalogue Hugging Face ne peut pas répondre (réponse {code}).")
    return OutOfReach(f"Le catalogue Hugging Face est injoignable, et {model_name} n'est pas en cache.")


def _not_found(model_name, token):
    sentence = f"Le modèle « {model_name} » n'existe pas dans le catalogue Hugging Face, ou il est privé.\n"
    if token.value:
        return (sentence + f"Vérifiez MODEL_NAME. {token.remark} S'il est faux ou périmé, "
                "créez-en un autre dans votre compte Hugging Face.")
    return sentence + f"Vérifiez MODEL_NAME. S'il est privé, il faut un jeton. {token.remark}"


def preferred_weights(present):
    """Renvoie les noms, avec « * », du seul format de poids à télécharger parmi les fichiers `present` ; () s'il n'y en
    a aucun."""
    return next((names for names in WEIGHTS if names[0] in present or names[-1] in present), ())


def _preferred_weights(present, model_name):
    names = preferred_weights(present)
    if names:
        return names
    raise WorkshopError(f"Le modèle « {model_name} » ne contient pas de poids que l'on sache ouvrir "
                        f"({', '.join(names[0] for names in WEIGHTS)}). Choisissez-en un autre.")


def _check_network(folder, model_name):
    """Lève une WorkshopError si ce n'est pas un GPT-2, ou s'il n'a pas de tokenizer."""
    try:
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise WorkshopError(f"Le dossier {shown(folder)} n'est pas celui d'un modèle : il n'a pas de config.json "
                            f"lisible.\n{_advice(folder)}") from error
    if kind != "gpt2":
        raise WorkshopError(f"« {model_name} » est un modèle de type {kind}, pas un GPT-2.\n"
                            "Cherchez « gpt2 french » dans le catalogue Hugging Face.")
    if not (folder / "tokenizer.json").is_file() and not (folder / "vocab.json").is_file():
        raise WorkshopError(f"Le dossier {shown(folder)} n'a pas de tokenizer (tokenizer.json, ou vocab.json et "
                            f"merges.txt).\n{_advice(folder)}")


def _check_weights(folder):
    """Lève une WorkshopError si les poids manquent, ou si seul torch sait les lire et qu'il manque."""
    if not only_torch_can_read(folder):
        return
    if not (folder / "pytorch_model.bin").is_file():
        raise WorkshopError(f"Le dossier {shown(folder)} ne contient pas de poids.")
    if importlib.util.find_spec("torch") is None:
        raise WorkshopError(
            "Ce modèle n'existe qu'à l'ancien format de PyTorch (pytorch_model.bin), que seul torch sait lire.\n"
            f"Installez-le :  pip install torch=={TORCH_VERSION}\n"
            "puis relancez la même commande, ou choisissez un modèle qui a un fichier model.safetensors.")


def check_block_length(model, block_length):
    """Lève une WorkshopError si le réseau ne voit pas autant de tokens à la fois."""
    if block_length > model.config.n_positions:
        raise WorkshopError(f"BLOCK_LENGTH vaut {block_length}, mais ce réseau ne voit que "
                            f"{model.config.n_positions} tokens à la fois : choisissez au plus ce nombre.")


def known_as(folder):
    """Renvoie le nom d'un modèle dont on a le dossier local : « aurore-mini », « benjamin/gpt2-wechsel-french »..."""
    folder = Path(folder)
    if folder.parent == CACHE / "models":
        return folder.name.replace("--", "/")
    return Identity.read(folder).name


def _advice(folder):
    """Dit quoi faire d'un dossier abîmé : seul celui que l'on a téléchargé peut être effacé sans crainte."""
    if CACHE in Path(folder).resolve().parents:
        return "Effacez-le, puis relancez la même commande : il sera téléchargé de nouveau."
    return "Vérifiez le nom ou le dossier du modèle (MODEL_NAME), puis relancez la même commande."


@contextlib.contextmanager
def opening(folder):
    """Traduit en une phrase l'échec de l'ouverture du tokenizer et du réseau de `folder`."""
    try:
        yield
    except (MemoryError, ImportError):
        raise
    except Exception as error:  # pylint: disable=broad-exception-caught  # tokenizers, safetensors et h5py
        # lèvent chacun leurs propres erreurs devant un fichier absent, coupé ou étranger.
        if getattr(error, "errno", None) not in (None, errno.ENOENT):
            raise  # le disque, que narration explique
        raise WorkshopError(f"{shown(folder)} n'est pas le dossier d'un GPT-2 complet : on y attend config.json, un "
                            f"tokenizer et des poids, entiers ({type(error).__name__}).\n{_advice(folder)}") from error


def only_torch_can_read(folder):
    """Dit si les poids de `folder` n'existent qu'au format .bin : le `from_pt` des diapositives."""
    return not any((folder / name).is_file() for names in WEIGHTS[:2] for name in (names[0], names[-1]))


def save_model(model, tokenizer, folder):
    """Enregistre un TFGPT2LMHeadModel et son tokenizer sous les noms de poids de PyTorch.

    TensorFlow, PyTorch et les autres moteurs ouvrent tous ce format-là ; celui que
    `save_pretrained` écrit depuis TensorFlow n'est lu que par TensorFlow. Lève une WorkshopError si un poids n'est
    plus un nombre.
    """
    from workshop.learning.gpt2_tf import (  # pylint: disable=import-outside-toplevel
        pytorch_weights)  # importe TensorFlow : inutile pour télécharger
    weights = pytorch_weights(model)
    if not all(np.isfinite(array).all() for array in weights.values()):
        raise WorkshopError("Ce réseau a des poids qui ne sont plus des nombres : il n'est pas enregistré.\n"
                            "Entraînez-le plus doucement (LEARNING_RATES, en haut de l'étape 3), puis relancez.")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # safetensors le réserve à qui l'écrit ; le volume se partage
    model.config.architectures = ["GPT2LMHeadModel"]
    model.config.save_pretrained(folder)
    if model.can_generate():
        model.generation_config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
