"""Les doublures des bibliothèques lourdes : personne n'attend TensorFlow pour savoir si un slice est juste.

Ce qu'un exercice fait écrire a sa doublure à lui, dans exercise_1 à exercise_4 : elle n'a que les méthodes
de l'original. Tout le reste n'est qu'un figurant, qui accepte n'importe quoi.
"""

from contextlib import nullcontext
from unittest.mock import MagicMock

_LEARNING = ("comparison", "evaluation", "gpt2_tf", "hub", "journal", "packing", "resumption", "training", "vocabulary")


def extras():
    """Renvoie {nom du module: figurant} pour tout ce que les quatre scripts importent de lourd."""
    modules = {name: MagicMock() for name in (
        "tensorflow", "tf_keras", "transformers", "datasets", "workshop.artefacts", "workshop.figures",
        "workshop.learning", "workshop.quiet_tensorflow")}
    modules["tf_keras.utils"] = modules["tf_keras"].utils
    for name in _LEARNING:
        modules[f"workshop.learning.{name}"] = getattr(modules["workshop.learning"], name)
    modules["workshop.artefacts"].reading = lambda *_, **__: nullcontext()
    return modules
