"""Ce qu'il faut à un après-midi, lu dans les leçons elles-mêmes : si l'on y change d'auteur, le kit suit."""

import ast

from workshop.errors import WorkshopError
from workshop.paths import AURORE, shown


def books(aurore=AURORE):
    """Renvoie {titre: adresse} des livres de l'étape 1, d'entraînement et d'examen."""
    path = aurore / "1_prepare_dataset_solution.py"
    return {**_setting(path, "TRAIN_BOOKS"), **_setting(path, "TEST_BOOKS")}


def model_name(aurore=AURORE):
    """Renvoie le nom du réseau d'où part l'étape 3."""
    return _setting(aurore / "3_train_solution.py", "MODEL_NAME")


def _setting(path, name):
    """Renvoie la valeur du réglage `name`, sans exécuter le script : il importerait TensorFlow."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(getattr(target, "id", None) == name for target in node.targets):
            try:
                return ast.literal_eval(node.value)
            except ValueError:
                break
    raise WorkshopError(f"{shown(path)} ne dit plus, en toutes lettres, ce que vaut {name} : remettez ce réglage.")
