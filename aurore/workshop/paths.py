"""Où se trouve chaque chose, quel que soit le dossier d'où l'on lance un script."""

import os
from pathlib import Path

AURORE = Path(__file__).resolve().parent.parent
CONTAINER = "/aurore"                    # où le volume est monté, dans l'image
IN_CONTAINER = str(AURORE) == CONTAINER

DATA = AURORE / "data"             # étape 1
BOOKS = DATA / "books"             # les livres téléchargés
CACHE = DATA / "cache"             # les modèles téléchargés et les caches des bibliothèques
TOKENIZER = AURORE / "tokenizer"   # étape 2
MODEL = AURORE / "model"           # étape 3

CREDENTIALS = AURORE / "credentials.ini"
EMBEDDED_BOOKS = AURORE / "embedded" / "books"
BASE_MODEL = AURORE / "embedded" / "base_model"  # aurore-mini : d'où part l'étape 3, quand il n'y a pas de réseau
SAND_MODEL = AURORE / "embedded" / "sand_model"  # aurore : celui qui écrit, tant que l'on n'en a pas entraîné


def shown(path):
    """Renvoie `path` tel qu'on le taperait depuis la racine du projet : « aurore/data »."""
    path = Path(path)
    if path.is_relative_to(AURORE):
        return path.relative_to(AURORE.parent).as_posix()
    return str(path)


def here(path):
    """Renvoie `path` tel qu'on le tape d'où l'on est."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # un autre disque, sous Windows
        relative = str(path)
    typed = str(path) if relative.startswith(os.path.join("..", "..")) else relative
    return f'"{typed}"' if " " in typed else typed
