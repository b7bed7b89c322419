"""Les doublures : ce qu'une réponse emploie de TensorFlow, avec la signature de l'original, et qui note tout."""

import os
import re
from types import SimpleNamespace

from workshop.checks.stand_ins import StandIn
from workshop.paths import AURORE, CONTAINER, IN_CONTAINER


def same_place(path, expected):
    """Dit si `path`, tapé par quelqu'un, est le dossier `expected` : d'où l'on lance les scripts, ou dans l'image."""
    try:
        typed = AURORE.parent / os.fspath(path)
    except TypeError:
        return False
    return os.path.realpath(typed) == os.path.realpath(expected) or in_container(path, expected)


def in_container(path, expected):
    """Dit si `path` est celui de `expected` dans l'image, et n'existe que là."""
    inside = f"{CONTAINER}/{expected.relative_to(AURORE).as_posix()}" if expected.is_relative_to(AURORE) else None
    return os.path.normpath(str(path)).replace(os.sep, "/") == inside and not IN_CONTAINER


def keras_get_file(asked):
    """Renvoie la doublure de get_file, qui ajoute à `asked` l'adresse demandée et renvoie un chemin."""
    def get_file(  # pylint: disable=too-many-arguments,too-many-positional-arguments,unused-argument
            # (ceux de Keras, dans leur ordre)
            fname=None, origin=None, untar=False, md5_hash=None, file_hash=None, cache_subdir="datasets",
            hash_algorithm="auto", extract=False, archive_format="auto", cache_dir=None):
        if origin is None:
            raise TypeError("get_file() missing 1 required positional argument: 'origin'")
        asked.append(origin)
        name = os.fspath(fname) if fname else origin.rpartition("/")[2]
        return os.path.join(cache_dir or os.path.join("~", ".keras"), cache_subdir, name)
    return get_file


class Network:
    """Un réseau qui ne sait rien faire : là où la réponse n'en a pas besoin."""

    @classmethod
    def from_pretrained(cls, *_, **__):
        """Renvoie un réseau."""
        return cls()


class TextGenerationPipeline:
    """Continue un texte toujours de même, et note ce qu'on lui demande."""

    def __init__(self, tokenizer=None):
        self.tokenizer = tokenizer or SimpleNamespace(pad_token_id=0, eos_token_id=0)
        self.asked = []

    def __call__(self, text_inputs, **settings):
        if not isinstance(text_inputs, (str, list, tuple)):
            raise ValueError("pipe attend un texte, ou une liste de textes")
        self.asked.append((text_inputs, settings))
        if isinstance(text_inputs, str):
            return [{"generated_text": continued(text_inputs)}]
        return [[{"generated_text": continued(text)}] for text in text_inputs]


def open_pipeline(task=None, model=None, tokenizer=None, **_):  # pylint: disable=unused-argument  # ceux de transformers
    """Tient la place de pipeline."""
    return TextGenerationPipeline(tokenizer)


def continued(prompt):
    """Renvoie ce que le faux réseau écrit après `prompt`."""
    return f"{prompt}, puis se tut."


def from_transformers(name):
    """Renvoie ce qui remplace un nom de transformers ; None pour ce qui n'a pas besoin de TensorFlow."""
    if name.startswith("TF"):
        return type(name, (Network,), {})
    if name == "pipeline":
        return open_pipeline
    return None if name.startswith("__") or re.search("Tokenizer|Config|Model|models|utils", name) else StandIn()
