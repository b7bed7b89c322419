"""Ce que l'on vérifie dans 2_tokenize.py, avec un tokenizer de trois fois rien."""

import re
from pathlib import Path

from workshop.checks.answer import Answer
from workshop.checks.doubles import extras
from workshop.checks.sentences import Wrong, kind, value_of
from workshop.paths import TOKENIZER

MODEL_PATH = Path("un/dossier/modele")
BATCHES = [["Il pleut.", "Elle chante."], ["La nuit vint."]]


class Tokenizer:
    """Un mot, un token ; l'identifiant d'un mot dépend de ses lettres. Note ce qu'on lui demande."""

    def __init__(self, path):
        self.path, self.analysed, self.trained_on, self.saved_in = path, [], None, None

    def __call__(self, text, **_):
        self.analysed.append(text)
        if not isinstance(text, str):
            return {"input_ids": [self(one)["input_ids"] for one in text]}
        ids = [sum(map(ord, word)) for word in self.tokenize(text)]
        return Analysis({"input_ids": ids, "attention_mask": [1] * len(ids)})

    @staticmethod
    def tokenize(text):
        """Les morceaux, comme des textes."""
        return [f"Ġ{word}" for word in re.findall(r"\w+|[^\w\s]", text)]

    def encode(self, text):
        """Les identifiants seuls."""
        return self(text)["input_ids"]

    def _piece(self, number):
        return next((piece for text in self.analysed if isinstance(text, str) for piece in self.tokenize(text)
                     if sum(map(ord, piece)) == number), "<inconnu>")

    def convert_ids_to_tokens(self, ids, **_):
        """Les morceaux de ces identifiants."""
        if isinstance(ids, (str, dict)):
            raise TypeError("convert_ids_to_tokens attend une liste d'identifiants")
        return self._piece(ids) if isinstance(ids, int) else [self._piece(number) for number in ids]

    def decode(self, ids, **_):
        """Le texte d'un seul tenant."""
        return " ".join(map(self._piece, ids)).replace("Ġ", "")

    def batch_decode(self, ids, **_):
        """Le texte de chacun, les espaces en moins."""
        return [self._piece(number).replace("Ġ", "") for number in ids]

    def train_new_from_iterator(self, text_iterator, vocab_size, **_):
        """Note le corpus et la taille, et renvoie un autre tokenizer."""
        specialised = Tokenizer("spécialisé")
        specialised.trained_on = (text_iterator if isinstance(text_iterator, (str, dict)) or callable(text_iterator)
                                  else list(text_iterator), vocab_size)
        return specialised

    def save_pretrained(self, folder):
        """Note le dossier."""
        self.saved_in = folder


class Analysis(dict):
    """Ce que renvoie un tokenizer : les clés sont aussi des attributs."""

    input_ids = property(lambda self: self["input_ids"])


class AutoTokenizer:
    """Ne s'instancie que par from_pretrained, comme l'original."""

    def __init__(self, *_, **__):
        raise EnvironmentError("AutoTokenizer s'instancie avec AutoTokenizer.from_pretrained(...)")

    @staticmethod
    def from_pretrained(pretrained_model_name_or_path, **_):
        """Renvoie un tokenizer qui sait d'où il vient."""
        return Tokenizer(pretrained_model_name_or_path)


def answer_in(*script):
    """Renvoie la réponse à essayer, les doublures en place."""
    modules = extras()
    modules["transformers"].AutoTokenizer = AutoTokenizer
    modules["workshop.learning.hub"].local_copy = lambda *_, **__: MODEL_PATH
    return Answer(*script, modules)


def check_open(*script):
    """TODO 2.1 : le tokenizer du réseau choisi."""
    answer = answer_in(*script)
    tokenizer = value_of(answer.call("open_tokenizer"), "tokenizer", answer, object, expected="un tokenizer")
    if tokenizer is AutoTokenizer:
        raise Wrong("AutoTokenizer seul ne sait pas quel tokenizer ouvrir",
                    "Appelez AutoTokenizer.from_pretrained(model_path)")
    if not isinstance(tokenizer, Tokenizer):
        if callable(tokenizer):
            raise Wrong("from_pretrained n'a pas été appelée", "Ajoutez les parenthèses, et model_path à l'intérieur")
        raise Wrong(f"tokenizer est {kind(tokenizer)}, et non un tokenizer",
                    "Appelez AutoTokenizer.from_pretrained(model_path)")
    if str(tokenizer.path) not in (str(MODEL_PATH), answer.names.get("MODEL_NAME")):
        raise Wrong(f"c'est le tokenizer de « {tokenizer.path} », et non celui de MODEL_NAME",
                    "Donnez model_path à from_pretrained, sans guillemets")


def check_text(*script):
    """TODO 2.2 : un texte, où il y a des mots."""
    answer = answer_in(*script)
    call = answer.call("show_tokens", Tokenizer(""))
    text = value_of(call, "text", answer, str, expected="un texte entre guillemets")
    if len(re.findall(r"[^\W\d_]+", text)) < 2:
        raise Wrong(f"text vaut « {text} » : il n'y a pas deux mots à découper", "Écrivez une phrase")


def _show(script):
    """Renvoie (réponse, appel de show_tokens, tokenizer, texte analysé)."""
    answer = answer_in(*script)
    tokenizer = Tokenizer("")
    call = answer.call("show_tokens", tokenizer)
    return answer, call, tokenizer, call.variables.get("text")


def check_analysis(*script):
    """TODO 2.3 : les identifiants du texte."""
    answer, call, tokenizer, text = _show(script)
    ids = value_of(call, "input_ids", answer, object, expected="la liste des identifiants")
    if ids == tokenizer(text)["input_ids"]:
        return
    if isinstance(ids, dict):
        raise Wrong("input_ids est le dictionnaire entier", 'Prenez-y la valeur de la clé : ...["input_ids"]')
    if not isinstance(ids, list):
        raise Wrong(f"input_ids est {kind(ids)}, et non une liste de nombres",
                    'Écrivez tokens_analysis = tokenizer(text), puis tokens_analysis["input_ids"]')
    if ids == [tokenizer(text)["input_ids"]]:
        raise Wrong("le tokenizer a reçu une liste de textes : il y a une liste de trop",
                    "Donnez-lui text, sans crochets")
    if ids and isinstance(ids[0], str):
        raise Wrong("ce sont des morceaux de texte, et non leurs identifiants",
                    'Appelez tokenizer(text), et prenez la clé "input_ids"')
    if set(ids) == {1}:
        raise Wrong("c'est attention_mask, qui dit seulement quels tokens regarder", 'Prenez la clé "input_ids"')
    raise Wrong("ces identifiants ne sont pas ceux de text", "Donnez au tokenizer la variable text, sans guillemets")


def check_tokens(*script):
    """TODO 2.4 : le morceau de texte de chaque identifiant."""
    answer, call, tokenizer, text = _show(script)
    tokens = value_of(call, "tokens", answer, object, expected="la liste des morceaux")
    expected = tokenizer.tokenize(text)
    if tokens == expected and "tokenize(" not in answer.text:
        return
    if tokens == expected:
        raise Wrong("ce sont bien les morceaux, mais tokenize repart du texte, et non des identifiants",
                    "Donnez input_ids à tokenizer.convert_ids_to_tokens")
    if isinstance(tokens, str):
        raise Wrong("decode recolle le texte d'un seul tenant : on ne voit plus les morceaux",
                    "Employez convert_ids_to_tokens, qui donne une liste")
    if not isinstance(tokens, list):
        raise Wrong(f"tokens est {kind(tokens)}, et non une liste de morceaux",
                    "Écrivez tokenizer.convert_ids_to_tokens(input_ids)")
    if tokens and isinstance(tokens[0], int):
        raise Wrong("ce sont encore les identifiants", "Donnez-les à tokenizer.convert_ids_to_tokens")
    if tokens == [piece.replace("Ġ", "") for piece in expected]:
        raise Wrong("les espaces ont disparu des morceaux",
                    "Employez convert_ids_to_tokens, qui les marque d'un G pointé")
    if len(tokens) < len(expected):
        raise Wrong(f"il y a {len(tokens)} morceau(x) pour {len(expected)} identifiants", "Donnez input_ids en entier")
    raise Wrong("ces morceaux ne sont pas ceux de input_ids", "Écrivez tokenizer.convert_ids_to_tokens(input_ids)")


def _specialise(script):
    """Renvoie (réponse, appel de specialise, tokenizer), le corpus tenant en deux paquets."""
    answer = answer_in(*script)
    tokenizer = Tokenizer("pré-entraîné")
    dataset = {"train": ["les phrases"], "validation": ["d'autres"]}

    def corpus(given):
        if given is not dataset:
            raise Wrong(f"get_training_corpus a reçu {kind(given)} : elle choisit elle-même la partie d'entraînement",
                        "Donnez-lui dataset, en entier")
        return iter(BATCHES)

    answer.names["get_training_corpus"] = corpus
    return answer, answer.call("specialise", tokenizer, dataset), tokenizer


def check_iterator(*script):
    """TODO 2.5 : les paquets de phrases."""
    answer, call, _ = _specialise(script)
    iterator = value_of(call, "text_iterator", answer, object, expected="le résultat de get_training_corpus")
    specialised = call.variables.get("specialised")
    if specialised is not None and specialised.trained_on[0] == BATCHES:
        return
    if callable(iterator):
        raise Wrong("text_iterator est la fonction, et non son résultat", "Écrivez get_training_corpus(dataset)")
    if isinstance(iterator, (dict, str)):
        raise Wrong(f"text_iterator est {kind(iterator)}, et non des paquets de phrases",
                    "Écrivez get_training_corpus(dataset)")
    if specialised is not None and specialised.trained_on[0] == []:
        raise Wrong("un itérateur ne se parcourt qu'une fois, et votre réponse l'a déjà parcouru",
                    "Écrivez seulement get_training_corpus(dataset)")
    raise Wrong("ce ne sont pas tous les paquets de phrases d'entraînement", "Écrivez get_training_corpus(dataset)")


def check_specialise(*script):
    """TODO 2.6 : le bon corpus, et une taille de vocabulaire qui est un nombre."""
    answer, call, tokenizer = _specialise(script)
    specialised = value_of(call, "specialised", answer, object, expected="le nouveau tokenizer")
    if specialised is tokenizer:
        raise Wrong("specialised est le tokenizer de départ", "Prenez ce que renvoie train_new_from_iterator")
    if not isinstance(specialised, Tokenizer) or specialised.trained_on is None:
        if callable(specialised):
            raise Wrong("train_new_from_iterator n'a pas été appelée", "Ajoutez les parenthèses et ses arguments")
        raise Wrong(f"specialised est {kind(specialised)}, et non un tokenizer entraîné",
                    "Appelez tokenizer.train_new_from_iterator(text_iterator, vocab_size=VOCAB_SIZE)")
    corpus, vocab_size = specialised.trained_on
    if isinstance(vocab_size, str):
        raise Wrong(f"vocab_size est le texte « {vocab_size} », et non un nombre", "Retirez les guillemets")
    if corpus != BATCHES:
        raise Wrong("le corpus donné n'est pas text_iterator", "Donnez text_iterator en premier")
    if vocab_size not in (52_000, answer.names.get("VOCAB_SIZE")):
        raise Wrong(f"vocab_size vaut {vocab_size}, et non 52 000", "Écrivez vocab_size=VOCAB_SIZE")


def check_save(*script):
    """TODO 2.7 : celui qui est spécialisé, dans son dossier."""
    answer = answer_in(*script)
    specialised = Tokenizer("spécialisé")
    folder = Path("aurore/tokenizer/.ready.incoming")
    answer.names["written_whole"].return_value.__enter__.return_value = folder
    answer.call("save", specialised)
    if specialised.saved_in is None:
        raise Wrong("le tokenizer spécialisé n'est pas sauvegardé", "Appelez specialised.save_pretrained(folder)")
    if str(specialised.saved_in) not in (str(folder), str(TOKENIZER), "aurore/tokenizer"):
        raise Wrong(f"il est sauvegardé dans « {specialised.saved_in} », et non dans aurore/tokenizer",
                    "Donnez folder à save_pretrained : son contenu ira dans aurore/tokenizer")


CHECKS = {"2.1": check_open, "2.2": check_text, "2.3": check_analysis, "2.4": check_tokens, "2.5": check_iterator,
          "2.6": check_specialise, "2.7": check_save}
