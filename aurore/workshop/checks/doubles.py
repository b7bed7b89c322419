"""Les doublures : ce qu'une réponse emploie de TensorFlow, avec la signature de l'original, et qui note tout."""

import os
import re
from types import SimpleNamespace

from workshop.checks.stand_ins import StandIn
from workshop.paths import AURORE

CONTAINER = "/aurore"  # où le volume est monté, dans l'image


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
    return os.path.normpath(str(path)).replace(os.sep, "/") == inside and str(AURORE) != CONTAINER


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
    """Un réseau de TensorFlow, qui note les appels à summary et à fit, et sait d'où il vient."""

    def __init__(self, config=None, *_, **__):  # pylint: disable=keyword-arg-before-vararg  # celle de transformers
        if config is None:
            raise TypeError(f"{type(self).__name__}() missing 1 required positional argument: 'config'")
        self.config, self.opened, self.summaries, self.fits = config, None, 0, []
        self.name_or_path = "réseau"

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, *inputs, config=None, **_):
        """Renvoie le réseau de ce dossier ; lève l'erreur de transformers s'il n'a pas de configuration."""
        from transformers import AutoConfig  # pylint: disable=import-outside-toplevel  # une seconde, ici seulement
        found = AutoConfig.from_pretrained(pretrained_model_name_or_path)
        given = config or next(iter(inputs), None)
        network = cls.__new__(cls)
        Network.__init__(network, given or found)
        network.opened = SimpleNamespace(path=pretrained_model_name_or_path, config=given, kind=cls.__name__)
        return network

    def summary(  # pylint: disable=too-many-arguments,too-many-positional-arguments,unused-argument
            # (ceux de Keras, dans leur ordre)
            self, line_length=None, positions=None, print_fn=None, expand_nested=False, show_trainable=False,
            layer_range=None):
        """Note l'appel ; comme l'original, affiche et ne renvoie rien."""
        self.summaries += 1

    def fit(  # pylint: disable=too-many-arguments,too-many-positional-arguments,too-many-locals,unused-argument
            # (ceux de Keras, dans leur ordre ; locals() les note)
            self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None, validation_split=0.0,
            validation_data=None, shuffle=True, class_weight=None, sample_weight=None, initial_epoch=0,
            steps_per_epoch=None, validation_steps=None, validation_batch_size=None, validation_freq=1,
            max_queue_size=10, workers=1, use_multiprocessing=False):
        """Note ses arguments ; renvoie un journal, comme l'original."""
        self.fits.append(SimpleNamespace(**{name: value for name, value in locals().items() if name != "self"}))
        return StandIn()

    def compile(self, *_, **__):
        """Ne fait rien."""

    def num_parameters(self, *_, **__):
        """Renvoie une taille plausible."""
        return 7_000_000

    count_params = num_parameters
    layers = weights = trainable_variables = ()


def network_class(name):
    """Renvoie la doublure d'une classe de réseaux de transformers, par exemple TFGPT2LMHeadModel."""
    def refuse(*_, **__):
        raise OSError(f"{name} is designed to be instantiated using the `{name}.from_pretrained(...)` method")
    return type(name, (Network,), {"__init__": refuse} if name.startswith("TFAuto") else {})


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


def continued(prompt):
    """Renvoie ce que le faux réseau écrit après `prompt`."""
    return f"{prompt}, puis se tut."


def from_transformers(name):
    """Renvoie ce qui remplace un nom de transformers ; None pour ce qui n'a pas besoin de TensorFlow."""
    if name.startswith("TF"):
        return network_class(name)
    if name == "pipeline":
        return lambda task=None, model=None, tokenizer=None, **_: TextGenerationPipeline(tokenizer)
    return None if name.startswith("__") or re.search("Tokenizer|Config|Model|models|utils", name) else StandIn()
