"""Ce que l'on vérifie dans 3_train.py : ce qui est demandé au réseau, sans rien calculer."""

from types import SimpleNamespace
from unittest.mock import MagicMock

from workshop.checks.answer import Answer
from workshop.checks.doubles import extras
from workshop.checks.sentences import Wrong, kind, value_of
from workshop.paths import DATA, shown

EPOCHS = 3  # et non 1, la valeur du fichier : un nombre écrit en dur se verrait


class Model:
    """Un réseau qui note les appels à summary et à fit."""

    name_or_path = "réseau"
    config = SimpleNamespace(n_positions=1024, n_layer=6, vocab_size=8192, name_or_path="réseau")

    def __init__(self):
        self.summaries, self.fits = 0, []

    def summary(self, *_, **__):
        """Note l'appel ; comme l'original, ne renvoie rien."""
        self.summaries += 1

    def fit(self, x=None, y=None, batch_size=None, epochs=1, **others):  # pylint: disable=unused-argument
        """Note l'appel ; le début de la signature est celui de Keras."""
        self.fits.append({"x": x, "y": y, "epochs": epochs, **others})

    def compile(self, **_):
        """Ne fait rien."""

    @staticmethod
    def num_parameters():
        """Une taille plausible."""
        return 7_000_000

    count_params = num_parameters


SPLIT = SimpleNamespace(column_names=("text", "book", "position", "sentence_length"), num_rows=3)


def answer_in(*script):
    """Renvoie la réponse à essayer, un réseau, et les chemins donnés à load_from_disk."""
    modules, model, loaded = extras(), Model(), []

    def load_from_disk(path):
        loaded.append(path)
        return dict.fromkeys(("train", "validation", "test"), SPLIT)

    modules["datasets"].load_from_disk = load_from_disk
    modules["transformers"].create_optimizer = lambda *_, **__: ("optimiseur", None)
    modules["workshop.learning.gpt2_tf"].TFGPT2LMHeadModel.from_pretrained = lambda *_, **__: model
    modules["workshop.learning.training"].tensorboard = lambda *_: []
    modules["workshop.learning.training"].shuffled_batches = lambda *_: "tf_train_dataset"
    modules["workshop.learning.training"].batches = lambda *_: "tf_eval_dataset"
    modules["workshop.learning.journal"].Journal = lambda *_, **__: MagicMock(steps=8)
    modules["workshop.learning.resumption"].Resumption = lambda *_: MagicMock(offer=lambda model: 1)
    return Answer(*script, modules), model, loaded


def check_summary(*script):
    """TODO 3.1 : summary est appelée."""
    answer, model, _ = answer_in(*script)
    call = answer.call("open_model")
    if not isinstance(call.variables.get("model", model), Model):
        raise Wrong("model ne contient plus le réseau : summary affiche, et ne renvoie rien",
                    "Appelez model.summary() sans la mettre dans une variable")
    if not model.summaries and call.error:
        raise call.error
    if not model.summaries:
        why = "summary n'a pas été appelée : il manque les parenthèses" if "model.summary" in answer.text else (
            "le réseau n'a pas montré ses couches : summary n'a pas été appelée")
        raise Wrong(why, "Écrivez model.summary()")


def check_data(*script):
    """TODO 3.2 : le dossier de l'étape 1, dans dataset."""
    answer, _, loaded = answer_in(*script)
    call = answer.call("load_data")
    if not loaded:
        dataset = value_of(call, "dataset", answer, object, expected="ce que renvoie load_from_disk")
        raise Wrong(f"load_from_disk n'a pas été appelée : dataset est {kind(dataset)}",
                    "Écrivez load_from_disk(paths.DATA)")
    if shown(loaded[-1]).rstrip("/") != shown(DATA):
        raise Wrong(f"le chemin donné est « {shown(loaded[-1])} », et les données sont dans aurore/data",
                    "Donnez paths.DATA à load_from_disk")
    dataset = value_of(call, "dataset", answer, object, expected="ce que renvoie load_from_disk")
    if not isinstance(dataset, dict):
        raise Wrong("dataset n'a pas les trois parties (train, validation, test)",
                    "Gardez dans dataset tout ce que renvoie load_from_disk")


def check_fit(*script):
    """TODO 3.3 : les trois arguments, chacun à sa place, et de quoi suivre l'entraînement."""
    answer, model, _ = answer_in(*script)
    answer.names["EPOCHS"] = EPOCHS
    call = answer.call("train", model, MagicMock(), MagicMock(), {"input_ids": list(range(16))}, {"input_ids": [1]})
    if not model.fits and call.error:
        raise call.error
    if not model.fits:
        why = "fit n'a pas été appelée" + (" : il manque les parenthèses" if "model.fit" in answer.text else "")
        raise Wrong(why, "Écrivez model.fit(tf_train_dataset, validation_data=tf_eval_dataset, ...)")
    if len(model.fits) > 1:
        raise Wrong("fit est appelée deux fois : le réseau serait entraîné deux fois", "N'appelez fit qu'une fois")
    given = model.fits[0]
    validation = given.get("validation_data")
    if given["x"] == "tf_eval_dataset" and validation == "tf_train_dataset":
        raise Wrong("les deux jeux sont échangés : le réseau apprendrait sur les données d'évaluation",
                    "Donnez tf_train_dataset en premier, et validation_data=tf_eval_dataset")
    if given["y"] is not None:
        raise Wrong("le deuxième argument de fit n'est pas le jeu d'évaluation, mais les réponses attendues (y)",
                    "Nommez l'argument : validation_data=tf_eval_dataset")
    if given["x"] != "tf_train_dataset":
        raise Wrong("le premier argument de fit n'est pas tf_train_dataset", "Commencez par tf_train_dataset")
    if validation is None:
        raise Wrong("sans données de validation, on ne saura pas si le réseau apprend ou récite",
                    "Ajoutez validation_data=tf_eval_dataset")
    if validation != "tf_eval_dataset":
        raise Wrong("validation_data n'est pas tf_eval_dataset : le réseau serait évalué sur ce qu'il a appris",
                    "Écrivez validation_data=tf_eval_dataset")
    if given["epochs"] != EPOCHS:
        raise Wrong("le nombre d'époques n'est pas EPOCHS : le réglage en haut du fichier n'aurait pas d'effet",
                    "Écrivez epochs=EPOCHS")
    if not given.get("callbacks") or not given.get("steps_per_epoch"):
        raise Wrong("il manque **monitoring : rien ne suivrait l'entraînement, ni ne le sauverait",
                    "Ajoutez **monitoring, les deux étoiles comprises, en dernier")


CHECKS = {"3.1": check_summary, "3.2": check_data, "3.3": check_fit}
