"""Le catalogue Hugging Face, quand on l'appelle soi-même : ni minute d'attente, ni trace d'appels.

Importer ce module suffit. `from_pretrained("benjamin/gpt2-wechsel-french")`, quelle que soit la classe, ouvre alors
le dossier que `hub.local_copy` a déjà trouvé pour ce nom ; hors ligne, un autre nom finit en une phrase.
Toutes les classes de transformers cherchent leurs fichiers par `cached_files` : c'est elle que l'on enveloppe.
"""

import functools
import os

import requests
import transformers.utils.hub
from huggingface_hub import constants, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError

from workshop.errors import WorkshopError
from workshop.paths import BASE_MODEL
from workshop.sources import EMBEDDED, source_mode

PATIENCE_SECONDS = 5  # sans réponse du catalogue, il est tenu pour absent

_folders = {}       # {nom du catalogue: dossier}
_announced = set()


class NotHere(WorkshopError, OSError):
    """Un réseau qui n'est pas sur la machine ; une OSError, pour que transformers la laisse passer."""


def remember(name, folder):
    """Fait ouvrir `folder` à qui demandera le réseau `name` par son nom."""
    _folders[name] = folder


def forget(name):
    """Oublie ce que `remember` a retenu."""
    _folders.pop(name, None)


@functools.cache
def is_reachable():
    """Dit si le catalogue répond ; sinon, plus aucune bibliothèque ne l'attend."""
    if source_mode() != EMBEDDED and not constants.HF_HUB_OFFLINE:
        try:
            requests.head(constants.ENDPOINT, timeout=PATIENCE_SECONDS)
            return True
        except (requests.ConnectionError, requests.Timeout):
            pass
    constants.HF_HUB_OFFLINE = True
    transformers.utils.hub._is_offline_mode = True  # pylint: disable=protected-access  # lu à son import, jamais relu
    return False


def is_a_path(name):
    """Dit si `name`, tapé par quelqu'un, est un chemin, et non le nom d'un réseau du catalogue (« auteur/réseau »)."""
    return name.startswith((".", "/", "~", "aurore/")) or "\\" in name or name.count("/") > 1


def _sentence(name):
    if is_a_path(name):
        return f"Le dossier {name} n'existe pas, ou n'est pas celui d'un réseau.\nVérifiez son nom, puis relancez."
    return (f"« {name} » n'est pas sur cette machine, et le catalogue Hugging Face est hors d'atteinte.\n"
            "Donnez à from_pretrained un dossier, comme model_path ou paths.BASE_MODEL, sans guillemets.")


def _wrapped(cached_files):
    @functools.wraps(cached_files)
    def find(path_or_repo_id, filenames, **options):
        name = str(path_or_repo_id)
        reachable = os.path.isdir(name) or is_reachable()
        if name in _folders:
            folder = _folders[name]
            if folder == BASE_MODEL and name not in _announced:
                _announced.add(name)
                print(f"{name} n'est pas sur cette machine : aurore-mini, le petit réseau embarqué, le remplace.")
            return cached_files(str(folder), filenames, **options)
        try:
            found = cached_files(path_or_repo_id, filenames, **options)
            if found is None and not reachable and not try_to_load_from_cache(name, "config.json"):
                raise OSError(name)  # rien de ce réseau : les classes de TensorFlow cherchent ses poids en dernier
            return found
        except HFValidationError as error:
            raise NotHere(_sentence(name)) from error
        except OSError as error:
            if reachable:
                raise
            raise NotHere(_sentence(name)) from error
    return find


transformers.utils.hub.cached_files = _wrapped(transformers.utils.hub.cached_files)
