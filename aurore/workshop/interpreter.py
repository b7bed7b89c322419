# -*- coding: utf-8 -*-
"""Le bon Python ? Lu par n'importe lequel, même Python 2 : ni f-string, ni rien de récent ici."""

import os
import sys

OLDEST, NEWEST = (3, 11), (3, 13)
LIBRARIES = ("datasets", "nltk", "tensorflow", "tf_keras", "transformers")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def _missing():
    """Renvoie la première bibliothèque qui manque, ou None."""
    from importlib.util import find_spec  # pylint: disable=import-outside-toplevel  # Python 2 ne l'a pas
    return next((name for name in LIBRARIES if find_spec(name) is None), None)


def _problem():
    version = ".".join(map(str, sys.version_info[:2]))
    if not OLDEST <= tuple(sys.version_info[:2]) <= NEWEST:
        return "Ce Python est le " + version + ", et l'atelier demande Python 3.11, 3.12 ou 3.13."
    missing = None if "--machine" in sys.argv else _missing()  # « verify.py --machine » le dit lui-même
    if missing:
        return "Ce Python (" + sys.executable + ") n'a pas les bibliothèques de l'atelier : il manque " + missing + "."
    return None


def _advice():
    """Renvoie ce qu'il faut taper à la place, d'où l'on est."""
    script = " ".join(sys.argv) or "aurore/verify.py"
    inside = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    python = os.path.join(ROOT, ".venv", *inside)
    image = 'docker run -v "$PWD/aurore:/aurore" text-gen python aurore/' + os.path.basename(sys.argv[0] or "verify.py")
    if os.path.exists(python):
        shown = os.path.relpath(python)
        return "Tapez :  " + (python if shown.startswith(os.path.join("..", "..")) else shown) + " " + script
    return ("Installez-les d'abord (une seule fois), à la racine du projet :\n"
            "  python3.11 -m venv .venv\n"
            "  " + os.path.join(".venv", *inside) + " -m pip install -r requirements.txt\n"
            "puis employez ce Python :  " + os.path.join(".venv", *inside) + " aurore/verify.py\n"
            "Ou, avec Docker :  " + image)


def check():
    """Arrête le script, en une phrase et avec le code 2, si ce Python n'est pas celui qu'il faut."""
    problem = _problem()
    if problem:
        text = "\nERREUR. " + problem + "\nVos réponses n'y sont pour rien.\n" + _advice() + "\n"
        if sys.version_info[0] > 2:
            text = text.encode(sys.stderr.encoding or "utf-8", "replace").decode(sys.stderr.encoding or "utf-8")
        sys.stderr.write(text)
        sys.exit(2)
