"""La plomberie de l'atelier : une idée par module, importée par les scripts numérotés.

Ce fichier est lu avant tous les autres. Il règle TensorFlow, Keras et Hugging Face par des
variables d'environnement, qui n'ont d'effet que posées avant leur import. Une variable déjà
posée par la personne qui lance le script est respectée.
"""

import gc
import logging
import os
import sys

from workshop import interpreter
from workshop.paths import AURORE, CACHE

if os.path.dirname(os.path.abspath(sys.argv[0])) == str(AURORE):  # un script de l'atelier, et non ses outils
    interpreter.check()

_SETTINGS = {
    "TF_USE_LEGACY_KERAS": "1",          # transformers ne connaît que Keras 2
    "TF_CPP_MIN_LOG_LEVEL": "3",         # taire les messages internes de TensorFlow
    "TF_CPU_ALLOCATOR_USE_BFC": "1",     # garder la mémoire d'une opération à l'autre : un pas va 1,2 fois plus vite
    "TF_NUM_INTRAOP_THREADS": "1",       # un cœur par tranche du lot (learning/gpt2_tf.py) : 1,1 fois
    "TF_ENABLE_ONEDNN_OPTS": "1",        # oneDNN même sur les processeurs où TensorFlow l'écarte : 1,05 fois
    "OPENBLAS_NUM_THREADS": "1",         # NumPy : de même (writing/engine.py) ; à deux fils, un cœur déjà pris
                                         # fait aller l'autre dix fois moins vite
    "TRANSFORMERS_VERBOSITY": "error",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_VERBOSITY": "error",         # ses nouveaux essais s'annoncent en anglais, avec l'adresse de chacun
    "HF_HUB_DISABLE_XET": "1",           # un seul chemin de téléchargement, dont les erreurs sont connues
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HOME": str(CACHE / "huggingface"),  # tous les caches dans le volume monté
    "KERAS_HOME": str(CACHE / "keras"),
    "MPLCONFIGDIR": str(CACHE / "matplotlib"),
    "MPLBACKEND": "Agg",                 # dessiner dans un fichier, sans écran
}

_kit = os.environ.get("AURORE_KIT", "").strip().rstrip("/")
if _kit:  # un portable de la salle sert les livres et les réseaux (kit/server.py) : une seule adresse à taper
    _kit = os.environ["AURORE_KIT"] = _kit if "://" in _kit else f"http://{_kit}"
    for _name in ("GUTENBERG_MIRROR", "HF_ENDPOINT"):
        os.environ[_name] = os.environ.get(_name) or _kit
    _SETTINGS["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"  # HF_TOKEN n'est pas pour lui

if os.environ.get("AURORE_SOURCE", "").strip().lower() == "embedded":  # aucune connexion, dans aucune bibliothèque
    _SETTINGS.update({"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"})

for _name, _value in _SETTINGS.items():
    os.environ.setdefault(_name, _value)

# Les bibliothèques créent en s'ouvrant des millions d'objets qui restent : le ramasse-miettes les parcourt moins
# souvent, et une étape s'ouvre 1,15 fois plus vite.
gc.set_threshold(50_000)

# Ceux-là annoncent en anglais un dossier protégé, un arrêt, une validation plus longue qu'un pas ;
# narration dit en français ce qui est utile.
for _name in ("matplotlib", "waitress", "tensorflow"):
    logging.getLogger(_name).setLevel(logging.ERROR)
