"""Ce que l'on vérifie dans 4_generate.py, avec un réseau qui écrit toujours la même chose."""

from types import SimpleNamespace
from typing import NamedTuple

from workshop.checks.answer import Answer
from workshop.checks.doubles import extras
from workshop.checks.sentences import Wrong, kind, value_of

MODEL_PATH = "un/dossier/modele"


class Config(NamedTuple):
    """Une configuration, qui sait d'où elle vient."""

    path: str


class Model(NamedTuple):
    """Un réseau, qui sait d'où il vient et avec quelle configuration."""

    path: str
    config: Config | None


class AutoConfig:
    """Ne s'instancie que par from_pretrained, comme l'original."""

    def __init__(self, *_, **__):
        raise EnvironmentError("AutoConfig s'instancie avec AutoConfig.from_pretrained(...)")

    @staticmethod
    def from_pretrained(pretrained_model_name_or_path, **_):
        """Renvoie la configuration de ce dossier."""
        return Config(path=pretrained_model_name_or_path)


class TFGPT2LMHeadModel:
    """S'ouvre par from_pretrained ; d'une configuration seule, il naîtrait sans rien savoir."""

    def __init__(self, config=None, **_):
        self.config = config

    @staticmethod
    def from_pretrained(pretrained_model_name_or_path, config=None, **_):
        """Renvoie le réseau de ce dossier."""
        return Model(path=pretrained_model_name_or_path, config=config)


def continued(prompt):
    """Renvoie ce que le faux réseau écrit après `prompt`."""
    return f"{prompt}, puis se tut."


class Pipe:
    """Continue un texte toujours de même, et note ce qu'on lui demande."""

    tokenizer = SimpleNamespace(pad_token_id=0)

    def __init__(self):
        self.asked = []

    def __call__(self, prompts, **settings):
        self.asked.append((prompts, settings))
        if isinstance(prompts, str):
            return [{"generated_text": continued(prompts)}]
        return [[{"generated_text": continued(prompt)}] for prompt in prompts]


def answer_in(*script):
    """Renvoie la réponse à essayer, les doublures en place."""
    modules = extras()
    modules["transformers"].AutoConfig = AutoConfig
    modules["workshop.learning.gpt2_tf"].TFGPT2LMHeadModel = TFGPT2LMHeadModel
    return Answer(*script, modules)


def check_config(*script):
    """TODO 4.1 : la configuration du même dossier."""
    answer = answer_in(*script)
    config = value_of(answer.call("open_pipe", MODEL_PATH), "config", answer, object, expected="une configuration")
    if not isinstance(config, Config):
        if callable(config):
            raise Wrong("from_pretrained n'a pas été appelée", "Écrivez AutoConfig.from_pretrained(model_path)")
        raise Wrong(f"config est {kind(config)}, et non une configuration",
                    "Écrivez AutoConfig.from_pretrained(model_path)")
    if config.path != MODEL_PATH:
        raise Wrong(f"c'est la configuration de « {config.path} », et non celle de model_path",
                    "Donnez model_path à from_pretrained, sans guillemets")


def check_model(*script):
    """TODO 4.2 : le réseau du même dossier, avec sa configuration."""
    answer = answer_in(*script)
    model = value_of(answer.call("open_pipe", MODEL_PATH), "model", answer, object, expected="un réseau")
    if isinstance(model, TFGPT2LMHeadModel):
        raise Wrong("sans from_pretrained, le réseau a la bonne forme, mais des poids au hasard : il ne sait rien",
                    "Écrivez TFGPT2LMHeadModel.from_pretrained(model_path, config=config)")
    if not isinstance(model, Model):
        if callable(model):
            raise Wrong("from_pretrained n'a pas été appelée", "Ajoutez les parenthèses et ses arguments")
        raise Wrong(f"model est {kind(model)}, et non un réseau",
                    "Écrivez TFGPT2LMHeadModel.from_pretrained(model_path, config=config)")
    if model.path != MODEL_PATH:
        raise Wrong(f"le réseau serait ouvert depuis « {model.path} », et non depuis model_path",
                    "Donnez model_path en premier à from_pretrained, sans guillemets")
    if not isinstance(model.config, Config):
        raise Wrong("le réseau n'a pas reçu sa configuration", "Ajoutez config=config")


def _write(script):
    """Renvoie (réponse, appel de write, pipe)."""
    answer, pipe = answer_in(*script), Pipe()
    return answer, answer.call("write", pipe), pipe


def check_prompts(*script):
    """TODO 4.3 : deux débuts, différents."""
    answer = answer_in(*script)
    given = []
    normalise = answer.names.get("normalise", str)
    answer.names["normalise"] = lambda text: given.append(text) or normalise(text)
    call = answer.call("write", Pipe())
    prompts = value_of(call, "prompts", answer, list, tuple, str, expected="une liste de deux textes")
    if isinstance(prompts, str) or (len(given) > 2 and all(isinstance(one, str) and len(one) == 1 for one in given)):
        raise Wrong("prompts est un texte, et non une liste",
                    "Mettez les deux débuts entre crochets, séparés par une virgule")
    if any(not isinstance(prompt, str) for prompt in [*prompts, *given]):
        raise Wrong("la liste contient autre chose que des textes", "Mettez chaque début entre guillemets")
    if len(prompts) != 2:
        raise Wrong(f"la liste a {len(prompts)} début(s), et il en faut deux",
                    "Écrivez deux textes entre crochets, séparés par une virgule")
    if not all(prompt.strip() for prompt in prompts):
        raise Wrong("l'un des débuts est vide", "Écrivez quelques mots dans chacun")
    if prompts[0] == prompts[1]:
        raise Wrong("les deux débuts sont les mêmes", "Écrivez-en deux différents")


def check_pipe(*script):
    """TODO 4.4 : pipe reçoit les deux débuts."""
    answer, call, pipe = _write(script)
    outputs = value_of(call, "outputs", answer, object, expected="ce que renvoie pipe")
    if outputs is pipe:
        raise Wrong("outputs est pipe lui-même, qui n'a pas été appelé", "Écrivez pipe(prompts, **settings)")
    if not pipe.asked:
        raise Wrong(f"pipe n'a pas été appelé : outputs est {kind(outputs)}", "Écrivez pipe(prompts, **settings)")
    prompts = call.variables["prompts"]
    asked = pipe.asked[0][0]
    if isinstance(asked, str) and len(pipe.asked) == 1:
        raise Wrong("pipe n'a reçu qu'un début", "Donnez-lui la liste prompts, en entier")
    if isinstance(asked, dict):
        raise Wrong("pipe a reçu les réglages à la place des débuts", "Écrivez pipe(prompts, **settings)")
    if outputs != Pipe()(prompts):
        raise Wrong("outputs n'est pas ce que pipe renvoie pour les deux débuts de prompts",
                    "Écrivez outputs = pipe(prompts, **settings)")
    if not pipe.asked[0][1]:
        raise Wrong("pipe n'a pas reçu les réglages : longueur et température n'auraient pas d'effet",
                    "Ajoutez **settings, les deux étoiles comprises")


def check_outputs(*script):
    """TODO 4.5 : le premier texte, puis le deuxième."""
    answer = answer_in(*script)
    given = []
    finished = answer.names.get("finished", lambda text, start=0: text)
    answer.names["finished"] = lambda text, start=0: given.append(text) or finished(text, start)
    call = answer.call("write", Pipe())
    expected = [continued(prompt) for prompt in call.variables.get("prompts", [])]
    if given == expected:
        return
    for name in ("output0", "output1"):
        value_of(call, name, answer, object, expected="le texte d'un début et de sa suite")
    given = [*given, call.variables["output1"]][:2]
    for text in given:
        if isinstance(text, (list, tuple)):
            raise Wrong("c'est encore une liste : chaque élément de outputs est une liste d'un dictionnaire",
                        'Prenez outputs[0], puis [0], puis ["generated_text"]')
        if isinstance(text, dict):
            raise Wrong("c'est encore un dictionnaire", 'Prenez-y la clé ["generated_text"]')
        if not isinstance(text, str):
            raise Wrong(f"c'est {kind(text)}, et non un texte", 'Prenez outputs[0][0]["generated_text"]')
    if given[0] == given[1]:
        raise Wrong("output0 et output1 sont le même texte", "Pour output1, prenez le deuxième élément : outputs[1]")
    if given == expected[::-1]:
        raise Wrong("les deux textes sont échangés", "output0 est le premier, output1 le deuxième")
    raise Wrong("ce ne sont pas les deux textes que pipe a écrits",
                'Prenez outputs[0][0]["generated_text"] et outputs[1][0]["generated_text"]')


def check_print(*script):
    """TODO 4.6 : les deux textes, à l'écran."""
    _, call, _ = _write(script)
    texts = [call.variables["output0"], call.variables["output1"]]
    shown = [text in call.printed for text in texts]
    if "generated_text" in call.printed:
        raise Wrong("c'est outputs qui est affiché, avec ses crochets et ses accolades",
                    "Écrivez print(output0), puis print(output1)")
    if not any(shown):
        raise Wrong("aucun des deux textes n'est affiché", "Écrivez print(output0), puis print(output1)")
    if not all(shown):
        missing = f"output{shown.index(False)}"
        raise Wrong(f"{missing} n'est pas affiché", f"Ajoutez print({missing})")
    if call.printed.index(texts[0]) > call.printed.index(texts[1]):
        raise Wrong("les deux textes sont affichés dans l'autre sens", "Affichez output0 d'abord")
    if max(map(call.printed.count, texts)) > 1:
        raise Wrong("un texte est affiché deux fois", "Affichez output0 une fois, et output1 une fois")


CHECKS = {"4.1": check_config, "4.2": check_model, "4.3": check_prompts, "4.4": check_pipe, "4.5": check_outputs,
          "4.6": check_print}
