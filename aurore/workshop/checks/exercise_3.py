"""L'exercice 3 : un vrai réseau, minuscule, qui apprend pour de vrai. Ce qui est faux et pourquoi, les indices."""

import contextlib
import importlib
import tempfile
from types import SimpleNamespace

from workshop import paths
from workshop.checks.answer import Answer
from workshop.checks.doubles import from_transformers, in_container, same_place
from workshop.checks.explain import Remark, kind, tell, value_of
from workshop.checks.stand_ins import stand_ins
from workshop.paths import shown

EPOCHS = 3  # et non 1, la valeur du fichier : un nombre écrit en dur se verrait
PARTS = ("train", "validation", "test")

MISTAKES = {
    "3.1": [
        (lambda s: s.call.left and not isinstance(s.call.returned, tuple),
         "return quitte la fonction ici : le réseau ne serait pas renvoyé à la suite",
         "Écrivez model.summary(), sans return"),
        (lambda s: s.call.variables["model"] is not s.model,
         "model ne contient plus le réseau : summary affiche, et ne renvoie rien",
         "Appelez model.summary() sans la mettre dans une variable"),
        (lambda s: not s.model.notes.summaries and "model.summary" in s.answer,
         "summary n'a pas été appelée : il manque les parenthèses", "Écrivez model.summary()"),
        (lambda s: not s.model.notes.summaries, "le réseau n'a pas montré ses couches : summary n'a pas été appelée",
         "Écrivez model.summary()"),
        (lambda s: "Total params" not in s.call.printed, "summary a été appelée, mais rien ne s'affiche",
         "Écrivez model.summary(), qui affiche d'elle-même")],
    "3.2": [
        (lambda s: not s.opened and s.path is None, "load_from_disk n'a pas été appelée : dataset est {kind}",
         "Écrivez load_from_disk(paths.DATA)"),
        (lambda s: not s.opened, "le chemin donné est « {path} », et les données sont dans aurore/data",
         "Donnez paths.DATA à load_from_disk"),
        (lambda s: not hasattr(s.dataset, "keys") or not set(PARTS) <= set(s.dataset.keys()),
         "dataset n'a pas les trois parties (train, validation, test)",
         "Gardez dans dataset tout ce que renvoie load_from_disk")],
    "3.3": [
        (lambda s: s.call.left, "return quitte la fonction ici : le journal de l'entraînement ne serait pas renvoyé",
         "Appelez model.fit(...) sans return"),
        (lambda s: not s.fits and "model.fit" in s.answer, "fit n'a pas été appelée : il manque les parenthèses",
         "Écrivez model.fit(tf_train_dataset, validation_data=tf_eval_dataset, ...)"),
        (lambda s: not s.fits, "fit n'a pas été appelée",
         "Écrivez model.fit(tf_train_dataset, validation_data=tf_eval_dataset, ...)"),
        (lambda s: len(s.fits) > 1, "fit est appelée plusieurs fois : le réseau serait entraîné autant de fois",
         "N'appelez fit qu'une fois"),
        (lambda s: s.call.variables["model"] is not s.model,
         "model ne contient plus le réseau : fit renvoie un journal",
         "Appelez model.fit(...) sans la mettre dans model"),
        (lambda s: s.fits[0].x is s.eval and s.fits[0].validation_data is s.train,
         "les deux jeux sont échangés : le réseau apprendrait sur les données d'évaluation",
         "Donnez tf_train_dataset en premier, et validation_data=tf_eval_dataset"),
        (lambda s: s.fits[0].y is not None,
         "le deuxième argument de fit n'est pas le jeu d'évaluation, mais les réponses attendues (y)",
         "Nommez l'argument : validation_data=tf_eval_dataset"),
        (lambda s: s.fits[0].x is s.eval or not set(s.learnt) <= set(s.lessons),
         "le réseau n'apprendrait pas sur tf_train_dataset, mais sur autre chose",
         "Donnez tf_train_dataset en premier à fit"),
        (lambda s: not s.learnt and s.fits[0].x is not s.train, "le premier argument de fit n'est pas tf_train_dataset",
         "Commencez par tf_train_dataset"),
        (lambda s: s.fits[0].batch_size is not None,
         "batch_size ne va pas ici : les lots de tf_train_dataset sont déjà "
         "faits", "Retirez-le ; le nombre d'époques se nomme epochs=EPOCHS"),
        (lambda s: s.fits[0].validation_data is None,
         "sans données de validation, on ne saura pas si le réseau apprend ou récite",
         "Ajoutez validation_data=tf_eval_dataset"),
        (lambda s: s.fits[0].validation_data is s.train or not set(s.evaluated) <= set(s.exam),
         "validation_data n'est pas tf_eval_dataset : le réseau serait évalué sur ce qu'il a appris",
         "Écrivez validation_data=tf_eval_dataset"),
        (lambda s: isinstance(s.fits[0].epochs, str) or s.fits[0].epochs != EPOCHS,
         "le nombre d'époques n'est pas EPOCHS : le réglage en haut du fichier n'aurait pas d'effet",
         "Écrivez epochs=EPOCHS"),
        (lambda s: not s.fits[0].callbacks or not s.fits[0].steps_per_epoch,
         "il manque **monitoring : rien ne suivrait l'entraînement, ni ne le sauverait",
         "Ajoutez **monitoring, les deux étoiles comprises, en dernier")],
    "learnt": [
        (lambda s: s.witness.epochs == 0, "rien n'a suivi l'entraînement : les callbacks de monitoring sont perdus",
         "Ajoutez **monitoring, les deux étoiles comprises, en dernier"),
        (lambda s: s.witness.validated < s.witness.epochs,
         "le réseau n'est pas évalué à chaque époque : la courbe serait incomplète",
         "Écrivez validation_data=tf_eval_dataset, et laissez le reste à **monitoring"),
        (lambda s: s.count < s.total, "le réseau n'apprend pas tout : {count} lots sur {total}",
         "Donnez tf_train_dataset en entier, epochs=EPOCHS et **monitoring"),
        (lambda s: True, "le réseau apprend plusieurs fois les mêmes lots",
         "Écrivez model.fit(tf_train_dataset, validation_data=tf_eval_dataset, epochs=EPOCHS, **monitoring)")],
}

HINTS = {
    "3.1": [
        "summary est une méthode de model ; elle affiche elle-même : ni print, ni variable.",
    ],
    "3.2": [
        "load_from_disk ouvre un dossier écrit par save_to_disk, à la fin de l'étape 1.",
        "load_from_disk(paths.DATA), à mettre dans dataset.",
    ],
    "3.3": [
        "fit est une méthode de model. Son premier argument est ce qu'il faut apprendre.",
        "Les deux autres se nomment : validation_data=..., le jeu d'évaluation, et epochs=..., le réglage EPOCHS.",
        "model.fit(tf_train_dataset, validation_data=..., epochs=..., **monitoring)",
    ],
}


def _tiny():
    """Renvoie le module du petit réseau : six secondes de TensorFlow, seulement s'il y a une réponse à essayer."""
    return importlib.import_module("workshop.checks.tiny_network")


def _check_summary(script):
    """Ce que summary affiche."""
    model = _tiny().TinyNetwork()
    answer = Answer(*script, stand_ins(script[2], {}, heavy=()))
    call = answer.run_alone(model=model)
    tell(MISTAKES["3.1"], SimpleNamespace(call=call, model=model, answer=answer.text))


def _refuse(*_, **__):
    raise ValueError("load_dataset")


@contextlib.contextmanager
def _data_in(opened):
    """Donne de quoi ouvrir, au lieu d'aurore/data, un tout petit vrai jeu de données."""
    from datasets import Dataset, DatasetDict, load_from_disk  # pylint: disable=import-outside-toplevel  # une seconde
    with tempfile.TemporaryDirectory() as folder:
        columns = {"text": ["Il pleut."], "book": ["Conte"], "position": [0], "sentence_length": [2]}
        DatasetDict({part: Dataset.from_dict(columns) for part in PARTS}).save_to_disk(folder)

        def opened_instead(dataset_path, *others, **named):
            opened.append(dataset_path)
            return load_from_disk(folder if same_place(dataset_path, paths.DATA) else dataset_path, *others, **named)

        opened_instead.__name__ = opened_instead.__qualname__ = "load_from_disk"  # celui que cite Python
        parts = type("DatasetDict", (DatasetDict,), {"load_from_disk": staticmethod(opened_instead)})
        yield {"load_from_disk": opened_instead, "DatasetDict": parts, "load_dataset": _refuse}.get


def _check_data(script):
    """Le dossier de l'étape 1, dans dataset."""
    asked = []
    with _data_in(asked) as replace:
        answer = Answer(*script, stand_ins(script[2], {"datasets": replace, "transformers": from_transformers}))
        seen = SimpleNamespace(opened=False, path=None, dataset=None, kind="")
        try:
            call = answer.run_alone()
        except (OSError, ValueError):  # ce dossier n'existe pas, ou n'est pas celui d'un jeu de données
            if asked and not same_place(asked[-1], paths.DATA):
                tell(MISTAKES["3.2"], SimpleNamespace(opened=False, path=shown(asked[-1]), dataset=None, kind=""))
            raise
        seen.path = shown(asked[-1]) if asked else None
        seen.opened = bool(asked) and same_place(asked[-1], paths.DATA)
        seen.dataset = value_of(call, "dataset", answer, object, expected="ce que renvoie load_from_disk",
                                returned=lambda dataset: dataset)
        seen.kind = kind(seen.dataset)
        tell(MISTAKES["3.2"], seen)
    if in_container(asked[-1], paths.DATA):
        raise Remark("Ce chemin est celui de Docker. Hors du conteneur, écrivez paths.DATA : il va partout.")


def _check_fit(script):
    """Ce que le petit réseau a appris, ce qui l'a évalué, ce que le suivi en a vu ; l'appel ne sert qu'à expliquer."""
    tiny = _tiny()
    model, witness = tiny.TinyNetwork(), tiny.Witness()
    count = tiny.BATCHES * EPOCHS  # comme dans la leçon : les lots de toutes les époques, à la suite
    train, evaluation = tiny.batches(0, count), tiny.batches(count, 1)
    answer = Answer(*script, stand_ins(script[2], {}, heavy=()))
    seen = SimpleNamespace(model=model, train=train, eval=evaluation, lessons=range(count), exam=[count],
                           witness=witness, answer=answer.text, total=count)
    try:
        seen.call = answer.run_alone(
            model=model, tf_train_dataset=train, tf_eval_dataset=evaluation, EPOCHS=EPOCHS,
            steps_per_epoch=tiny.BATCHES,
            monitoring={"steps_per_epoch": tiny.BATCHES, "verbose": 0, "callbacks": [witness]})
    except Exception:  # pylint: disable=broad-exception-caught  # Keras a refusé : l'appel dit pourquoi
        if model.notes.fits:
            vars(seen).update(vars(model.notes))
            tell(MISTAKES["3.3"], seen)
        raise
    vars(seen).update(vars(model.notes), count=len(set(model.notes.learnt)))
    if (seen.call.left or seen.call.variables["model"] is not model or sorted(seen.learnt) != list(seen.lessons)
            or (witness.epochs, witness.validated) != (EPOCHS, EPOCHS) or set(seen.evaluated) != {count}):
        tell(MISTAKES["3.3"] + MISTAKES["learnt"], seen)


CHECKS = {"3.1": _check_summary, "3.2": _check_data, "3.3": _check_fit}
