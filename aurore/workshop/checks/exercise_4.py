"""L'exercice 4 : un vrai réseau à ouvrir, un faux qui écrit toujours la même chose. Ce qui est faux et pourquoi."""

import importlib
from types import SimpleNamespace

import numpy as np
from safetensors import safe_open

from workshop.checks.answer import Answer
from workshop.checks.doubles import TextGenerationPipeline, continued, from_transformers, open_pipeline
from workshop.checks.explain import kind, tell, value_of
from workshop.checks.stand_ins import stand_ins
from workshop.paths import BASE_MODEL, shown
from workshop.text.typography import normalise

MISTAKES = {
    "4.1": [
        (lambda s: isinstance(s.config, type), "config est la classe, et non une configuration",
         "Écrivez AutoConfig.from_pretrained(model_path)"),
        (lambda s: s.kind == "un tokenizer", "config est un tokenizer, et non une configuration",
         "Écrivez AutoConfig.from_pretrained(model_path)"),
        (lambda s: callable(s.config), "from_pretrained n'a pas été appelée",
         "Écrivez AutoConfig.from_pretrained(model_path)"),
        (lambda s: not hasattr(s.config, "n_layer"), "config est {kind}, et non une configuration",
         "Écrivez AutoConfig.from_pretrained(model_path)"),
        (lambda s: not s.config.name_or_path, "c'est une configuration par défaut, et non celle de model_path",
         "Écrivez AutoConfig.from_pretrained(model_path)"),
        (lambda s: True, "ce n'est pas la configuration de model_path",
         "Donnez model_path à from_pretrained, sans guillemets")],
    "4.2": [
        (lambda s: isinstance(s.model, type), "model est la classe, et non un réseau",
         "Écrivez TFGPT2LMHeadModel.from_pretrained(model_path, config=config)"),
        (lambda s: isinstance(s.model, TextGenerationPipeline),
         "model est un pipeline, et non un réseau : pipeline vient "
         "plus bas", "Écrivez TFGPT2LMHeadModel.from_pretrained(model_path, config=config)"),
        (lambda s: not s.is_network and callable(s.model), "from_pretrained n'a pas été appelée",
         "Écrivez TFGPT2LMHeadModel.from_pretrained(model_path, config=config)"),
        (lambda s: not s.is_network, "model est {kind}, et non un réseau",
         "Écrivez TFGPT2LMHeadModel.from_pretrained(model_path, config=config)"),
        (lambda s: not s.writes, "{name} lit le texte, mais n'a pas la tête qui écrit la suite",
         "Employez TFGPT2LMHeadModel"),
        (lambda s: not s.model.built or not s.same_weights and not s.model.name_or_path,
         "sans from_pretrained, le réseau a la bonne forme, mais des poids au hasard : il ne sait rien",
         "Écrivez TFGPT2LMHeadModel.from_pretrained(model_path, config=config)"),
        (lambda s: not s.same_weights, "c'est le réseau de « {where} », et non celui de model_path",
         "Donnez model_path à from_pretrained, sans guillemets"),
        (lambda s: "config" not in s.answer, "le réseau n'a pas reçu sa configuration",
         "Ajoutez config=config à from_pretrained"),
        (lambda s: not _is_same(s.model.config, s.config), "config n'est pas la configuration lue au TODO 4.1",
         "Écrivez config=config")],
    "4.3": [
        (lambda s: isinstance(s.prompts, set),
         "un ensemble n'a pas d'ordre : on ne saurait pas quel texte est le premier",
         "Remplacez les accolades par des crochets"),
        (lambda s: not isinstance(s.prompts, (list, tuple)), "prompts est {kind}, et non une liste de deux débuts",
         "Écrivez deux textes entre crochets, séparés par une virgule"),
        (lambda s: any(not isinstance(prompt, str) for prompt in s.prompts),
         "la liste contient autre chose que des textes : {other}", "Mettez-y deux textes entre guillemets"),
        (lambda s: len(s.prompts) == 1 and len(s.strings) > 1,
         "il manque une virgule : Python colle les deux textes en un seul début",
         "Séparez les deux textes par une virgule"),
        (lambda s: len(s.prompts) != 2, "la liste a {count} début(s), et il en faut deux",
         "Écrivez deux textes entre crochets, séparés par une virgule"),
        (lambda s: not all(prompt.strip() for prompt in s.prompts), "l'un des débuts est vide",
         "Écrivez quelques mots dans chacun"),
        (lambda s: s.prompts[0] == s.prompts[1], "les deux débuts sont les mêmes", "Écrivez-en deux différents")],
    "4.4": [
        (lambda s: s.outputs is s.pipe, "outputs est pipe lui-même, qui n'a pas été appelé",
         "Écrivez pipe(prompts, **settings)"),
        (lambda s: not s.pipe.asked, "pipe n'a pas été appelé : outputs est {kind}",
         "Écrivez pipe(prompts, **settings)"),
        (lambda s: isinstance(s.asked, dict), "pipe a reçu les réglages à la place des débuts",
         "Écrivez pipe(prompts, **settings)"),
        (lambda s: s.asked == "prompts", "pipe a reçu le mot « prompts », et non la liste", "Retirez les guillemets"),
        (lambda s: isinstance(s.asked, str) and len(s.pipe.asked) == 1, "pipe n'a reçu qu'un début",
         "Donnez-lui la liste prompts, en entier"),
        (lambda s: isinstance(s.outputs, dict) or s.outputs == s.expected[0],
         "il n'y a que ce que pipe a écrit pour le premier début", "Gardez tout : outputs = pipe(prompts, **settings)"),
        (lambda s: s.outputs != s.expected, "outputs n'est pas ce que pipe renvoie pour les deux débuts de prompts",
         "Écrivez outputs = pipe(prompts, **settings)"),
        (lambda s: "settings" in s.pipe.asked[0][1], "settings=settings donne un argument nommé settings, que pipe "
         "ne connaît pas", "Écrivez **settings, les deux étoiles comprises"),
        (lambda s: not s.pipe.asked[0][1],
         "pipe n'a pas reçu les réglages : longueur et température n'auraient pas d'effet",
         "Ajoutez **settings, les deux étoiles comprises")],
    "4.5": [
        (lambda s: isinstance(s.wrong, (list, tuple)),
         "c'est encore une liste : chaque élément de outputs est une liste d'un dictionnaire",
         'Prenez outputs[0], puis [0], puis ["generated_text"]'),
        (lambda s: isinstance(s.wrong, dict), "c'est encore un dictionnaire", 'Prenez-y la clé ["generated_text"]'),
        (lambda s: not isinstance(s.wrong, str), "c'est {kind}, et non un texte",
         'Prenez outputs[0][0]["generated_text"]'),
        (lambda s: s.given[0] == s.given[1], "output0 et output1 sont le même texte",
         "Pour output1, prenez le deuxième élément : outputs[1]"),
        (lambda s: s.given == s.expected[::-1], "les deux textes sont échangés",
         "output0 est le premier, output1 le deuxième"),
        (lambda s: True, "ce ne sont pas les deux textes que pipe a écrits",
         'Prenez outputs[0][0]["generated_text"] et outputs[1][0]["generated_text"]')],
    "4.6": [
        (lambda s: s.call.left and not s.printed, "return renvoie les textes, mais ne les affiche pas",
         "Écrivez print(output0), puis print(output1)"),
        (lambda s: "generated_text" in s.printed, "c'est outputs qui est affiché, avec ses crochets et ses accolades",
         "Écrivez print(output0), puis print(output1)"),
        (lambda s: any(repr(text) in s.printed for text in s.texts),
         "les textes s'affichent entre guillemets, comme une "
         "liste", "Écrivez print(output0), puis print(output1)"),
        (lambda s: not any(s.shown), "aucun des deux textes n'est affiché",
         "Écrivez print(output0), puis print(output1)"),
        (lambda s: not all(s.shown), "{missing} n'est pas affiché", "Ajoutez print({missing})"),
        (lambda s: "".join(s.texts) in s.printed, "les deux textes sont collés l'un à l'autre",
         "Écrivez print(output0), print(), puis print(output1)"),
        (lambda s: s.printed.index(s.texts[0]) > s.printed.index(s.texts[1]),
         "les deux textes sont affichés dans l'autre sens", "Affichez output0 d'abord"),
        (lambda s: max(map(s.printed.count, s.texts)) > 1, "un texte est affiché deux fois",
         "Affichez output0 une fois, et output1 une fois")],
}

HINTS = {
    "4.1": [
        "Dans 5_flask.py, cherchez AutoConfig.",
        "AutoConfig.from_pretrained(model_path)",
    ],
    "4.2": [
        "Dans 5_flask.py, cherchez la ligne qui donne sa valeur à model.",
        "from_pretrained prend le dossier, puis la configuration : config=config.",
    ],
    "4.3": [
        "Une liste s'écrit entre crochets, ses éléments séparés par une virgule : [\"un début\", \"un autre\"].",
    ],
    "4.4": [
        "pipe s'appelle comme une fonction : avec une liste de textes, il renvoie une liste de résultats.",
        "pipe(prompts, **settings) : les deux étoiles font de chaque réglage un argument.",
    ],
    "4.5": [
        "outputs[0] concerne le premier début, outputs[1] le deuxième.",
        "outputs[0] est une liste d'un seul dictionnaire : outputs[0][0]. Le texte y est à la clé \"generated_text\".",
        "output0 = outputs[0][0][\"generated_text\"], et de même pour output1.",
    ],
    "4.6": [
        "print(output0), puis print() pour une ligne vide, puis print(output1).",
    ],
}


def _answer_in(script):
    """Renvoie la réponse à essayer, les doublures en place."""
    importlib.import_module("workshop.learning.offline")  # avant d'entrer en scène : il enveloppe le vrai transformers
    modules = stand_ins(script[2], {"transformers": from_transformers})
    modules["workshop.learning"].gpt2_tf.TFGPT2LMHeadModel = from_transformers("TFGPT2LMHeadModel")
    return Answer(*script, modules)


def _open(script):
    """Renvoie (réponse, appel de la fonction qui ouvre le réseau)."""
    answer = _answer_in(script)
    return answer, answer.run(model_path=BASE_MODEL)


def _is_same(config, expected):
    """Dit si deux configurations décrivent le même réseau."""
    if not hasattr(config, "to_dict") or isinstance(config, type):
        return False
    return {**config.to_dict(), "_name_or_path": ""} == {**expected.to_dict(), "_name_or_path": ""}


def _check_config(script):
    """La configuration du même dossier."""
    from transformers import AutoConfig  # pylint: disable=import-outside-toplevel  # une seconde, s'il le faut
    answer, call = _open(script)
    config = value_of(call, "config", answer, object, expected="une configuration")
    if not _is_same(config, AutoConfig.from_pretrained(BASE_MODEL)):
        tell(MISTAKES["4.1"], SimpleNamespace(config=config, kind=kind(config)))


def _check_model(script):
    """Un vrai réseau, qui sait écrire, avec les poids du dossier et sa configuration."""
    gpt2_tf = importlib.import_module("workshop.learning.gpt2_tf")  # six secondes : seulement s'il y a une réponse
    import transformers  # pylint: disable=import-outside-toplevel  # de même
    importlib.import_module("workshop.learning.offline")
    modules = stand_ins(script[2], {"transformers": {"pipeline": open_pipeline}.get}, heavy=())
    modules["workshop.learning"].gpt2_tf.TFGPT2LMHeadModel = gpt2_tf.TFGPT2LMHeadModel
    answer = Answer(*script, modules)
    call = answer.run(model_path=BASE_MODEL)
    model = value_of(call, "model", answer, object, expected="un réseau")
    writes = isinstance(model, transformers.TFGPT2LMHeadModel)
    tell(MISTAKES["4.2"], SimpleNamespace(
        model=model, config=call.variables.get("config"), kind=kind(model), name=type(model).__name__, writes=writes,
        is_network=isinstance(model, transformers.TFPreTrainedModel), where=shown(getattr(model, "name_or_path", "")),
        answer=answer.text,
        same_weights=writes and _has_weights_of(model, BASE_MODEL)))


def _has_weights_of(model, folder):
    """Dit si les embeddings de `model` sont ceux qu'a enregistrés `folder`."""
    with safe_open(folder / "model.safetensors", framework="numpy") as weights:
        saved = weights.get_tensor("transformer.wte.weight")
    return model.built and np.array_equal(model.transformer.wte.embeddings.numpy(), saved)


def _write(script):
    """Renvoie (réponse, appel de write, pipe, textes remis à finished)."""
    answer, pipe, given = _answer_in(script), TextGenerationPipeline(), []
    finished = answer.names.get("finished", lambda text, start=0: text)
    prompts = []

    def note(text, start=0):
        given.append(text)
        return finished(text, start) if isinstance(text, str) else text

    def normalised(text):
        prompts.append(text)
        return normalise(text)

    return answer, answer.run(pipe=pipe, finished=note, normalise=normalised), pipe, given


def _check_prompts(script):
    """Deux textes, différents."""
    answer = _answer_in(script)
    call = answer.run_alone()
    prompts = value_of(call, "prompts", answer, object, expected="une liste de deux débuts")
    strings = [part for part in answer.text.replace("'", '"').split('"')[1::2] if part.strip()]
    other = next((kind(prompt) for prompt in prompts if not isinstance(prompt, str)), "") \
        if isinstance(prompts, (list, tuple)) else ""
    tell(MISTAKES["4.3"], SimpleNamespace(prompts=prompts, strings=strings, kind=kind(prompts), other=other,
                                          count=len(prompts) if hasattr(prompts, "__len__") else 0))


def _check_pipe(script):
    """pipe reçoit les deux débuts, et les réglages."""
    answer, call, pipe, _ = _write(script)
    outputs = value_of(call, "outputs", answer, object, expected="ce que renvoie pipe")
    tell(MISTAKES["4.4"], SimpleNamespace(
        outputs=outputs, pipe=pipe, kind=kind(outputs), asked=pipe.asked[0][0] if pipe.asked else None,
        expected=TextGenerationPipeline()(call.variables["prompts"])))


def _check_outputs(script):
    """Le premier texte, puis le deuxième."""
    answer, call, _, given = _write(script)
    expected = [continued(prompt) for prompt in call.variables.get("prompts", [])]
    if given == expected:
        return
    for name in ("output0", "output1"):
        value_of(call, name, answer, object, expected="le texte d'un début et de sa suite")
    given = [*given, call.variables["output1"]][:2]
    wrong = next((text for text in given if not isinstance(text, str)), given[0])
    tell(MISTAKES["4.5"], SimpleNamespace(given=given, expected=expected, wrong=wrong, kind=kind(wrong)))


def _check_print(script):
    """Les deux textes, à l'écran."""
    _, call, _, _ = _write(script)
    texts = [call.variables["output0"], call.variables["output1"]]
    printed = [text in call.printed for text in texts]
    tell(MISTAKES["4.6"], SimpleNamespace(call=call, printed=call.printed, texts=texts, shown=printed,
                                          missing=f"output{printed.index(False)}" if False in printed else ""))


CHECKS = {"4.1": _check_config, "4.2": _check_model, "4.3": _check_prompts, "4.4": _check_pipe, "4.5": _check_outputs,
          "4.6": _check_print}
