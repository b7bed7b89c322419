"""L'exercice 2 : essayé sur le vrai tokenizer d'aurore-mini. Ce qui est faux et pourquoi, les indices."""

import contextlib
from pathlib import Path
from types import SimpleNamespace

from workshop.checks.answer import Answer
from workshop.checks.doubles import same_place
from workshop.checks.explain import Wrong, kind, tell, value_of
from workshop.checks.stand_ins import stand_ins
from workshop.paths import BASE_MODEL, TOKENIZER

TEXT = "Bonjour Madame, je m'appelle George Sand. Et vous ?"
SENTENCES = ["Il pleut sur la mare.", "Elle chante.", "La nuit vint, et la Petite Fadette se tut."]
FOLDER = Path("aurore/tokenizer/.ready.incoming")

MISTAKES = {
    "2.1": [
        (lambda s: isinstance(s.tokenizer, type), "AutoTokenizer seul ne sait pas quel tokenizer ouvrir",
         "Appelez AutoTokenizer.from_pretrained(model_path)"),
        (lambda s: "from_pretrained" in s.answer and callable(s.tokenizer) and not s.is_tokenizer,
         "from_pretrained n'a pas été appelée", "Ajoutez les parenthèses, et model_path à l'intérieur"),
        (lambda s: not s.is_tokenizer, "tokenizer est {kind}, et non un tokenizer",
         "Appelez AutoTokenizer.from_pretrained(model_path)"),
        (lambda s: True, "ce n'est pas le tokenizer de MODEL_NAME",
         "Donnez model_path à from_pretrained, sans guillemets")],
    "2.2": [
        (lambda s: not any(map(str.isalpha, s.text)), "text vaut « {text} » : il n'y a pas un mot à découper",
         "Écrivez une phrase")],
    "2.3": [
        (lambda s: "return_tensors" in s.answer or s.ids.ndim > 1,
         "return_tensors donne un tableau à deux dimensions, et non une liste", "Retirez return_tensors"),
        (lambda s: "input_ids" in s.ids, "input_ids est le dictionnaire entier",
         'Prenez-y la valeur de la clé : ...["input_ids"]'),
        (lambda s: s.ids == [s.expected], "il y a une liste de trop : le tokenizer a reçu une liste de textes",
         "Donnez-lui text, sans crochets"),
        (lambda s: not isinstance(s.ids, (list, tuple)), "input_ids est {kind}, et non une liste de nombres",
         'Écrivez tokens_analysis = tokenizer(text), puis tokens_analysis["input_ids"]'),
        (lambda s: isinstance(s.ids[0], str), "ce sont des morceaux de texte, et non leurs identifiants",
         'Appelez tokenizer(text), et prenez la clé "input_ids"'),
        (lambda s: set(s.ids) == {1}, "c'est attention_mask, qui dit seulement quels tokens regarder",
         'Prenez la clé "input_ids"'),
        (lambda s: True, "ces identifiants ne sont pas ceux de text",
         "Donnez au tokenizer la variable text, sans guillemets")],
    "2.4": [
        (lambda s: s.tokens == s.expected and "tokenize(" in s.answer,
         "ce sont bien les morceaux, mais tokenize repart du texte, et non des identifiants",
         "Donnez input_ids à tokenizer.convert_ids_to_tokens"),
        (lambda s: s.tokens in s.expected and "decode" not in s.answer, "il n'y a que le morceau d'un seul identifiant",
         "Donnez toute la liste input_ids à convert_ids_to_tokens"),
        (lambda s: isinstance(s.tokens, str) and len(s.tokens) < 15,
         "decode n'a reçu qu'un identifiant, et rend un texte",
         "Donnez toute la liste input_ids à convert_ids_to_tokens"),
        (lambda s: isinstance(s.tokens, str), "decode recolle le texte d'un seul tenant : on ne voit plus les morceaux",
         "Employez convert_ids_to_tokens, qui donne une liste"),
        (lambda s: not isinstance(s.tokens, (list, tuple)), "tokens est {kind}, et non une liste de morceaux",
         "Écrivez tokenizer.convert_ids_to_tokens(input_ids)"),
        (lambda s: isinstance(s.tokens[0], int), "ce sont encore les identifiants",
         "Donnez-les à tokenizer.convert_ids_to_tokens"),
        (lambda s: len(s.tokens) < len(s.expected), "il y a {count} morceau(x) pour {total} identifiants",
         "Donnez input_ids en entier"),
        (lambda s: "decode" in s.answer,
         "decode récrit chaque morceau : la marque des espaces a disparu, et une lettre "
         "coupée en deux ne se lit plus", "Employez convert_ids_to_tokens, qui montre le morceau tel qu'il est"),
        (lambda s: True, "ces morceaux ne sont pas ceux de input_ids",
         "Écrivez tokenizer.convert_ids_to_tokens(input_ids)")],
    "2.5": [
        (lambda s: s.iterator is s.function, "text_iterator est la fonction, et non son résultat",
         "Écrivez get_training_corpus(dataset)"),
        (lambda s: s.batches == [], "un itérateur ne se parcourt qu'une fois, et votre réponse l'a déjà parcouru",
         "Écrivez seulement get_training_corpus(dataset)"),
        (lambda s: s.batches == s.expected[0] and len(s.expected) > 1, "ce n'est que le premier paquet de phrases",
         "Gardez l'itérateur entier : get_training_corpus(dataset), sans next"),
        (lambda s: s.batches == [text for batch in s.expected for text in batch],
         "ce sont bien les phrases, mais tout le corpus est lu d'un coup : get_training_corpus le donne par paquets",
         "Écrivez get_training_corpus(dataset)"),
        (lambda s: isinstance(s.iterator, (dict, str)), "text_iterator est {kind}, et non des paquets de phrases",
         "Écrivez get_training_corpus(dataset)"),
        (lambda s: True, "ce ne sont pas tous les paquets de phrases d'entraînement",
         "Écrivez get_training_corpus(dataset)")],
    "2.6": [
        (lambda s: not s.is_tokenizer and callable(s.specialised), "train_new_from_iterator n'a pas été appelée",
         "Ajoutez les parenthèses et ses arguments"),
        (lambda s: not s.is_tokenizer, "specialised est {kind}, et non un tokenizer entraîné",
         "Appelez tokenizer.train_new_from_iterator(text_iterator, vocab_size=VOCAB_SIZE)"),
        (lambda s: s.specialised is s.tokenizer, "specialised est le tokenizer de départ",
         "Prenez ce que renvoie train_new_from_iterator"),
        (lambda s: not s.trained, "specialised n'a pas été entraîné",
         "Appelez tokenizer.train_new_from_iterator(text_iterator, vocab_size=VOCAB_SIZE)"),
        (lambda s: s.corpus != s.expected, "le corpus donné n'est pas text_iterator",
         "Donnez text_iterator en premier"),
        (lambda s: s.vocab_size not in (52_000, s.setting), "vocab_size vaut {vocab_size}, et non 52 000",
         "Écrivez vocab_size=VOCAB_SIZE")],
    "2.7": [
        (lambda s: not s.saved, "le tokenizer spécialisé n'est pas sauvegardé",
         "Appelez specialised.save_pretrained(folder)"),
        (lambda s: not s.right_place, "il est sauvegardé dans « {where} », et non dans aurore/tokenizer",
         "Donnez folder à save_pretrained : son contenu ira dans aurore/tokenizer")],
}

HINTS = {
    "2.1": [
        "La classe AutoTokenizer lit dans le dossier du modèle de quel tokenizer il s'agit : on ne l'instancie "
        "pas directement.",
        "AutoTokenizer.from_pretrained(...), avec le dossier entre les parenthèses.",
    ],
    "2.2": [
        "Un texte s'écrit entre guillemets : text = \"Bonjour Madame, je m'appelle George Sand. Et vous ?\"",
    ],
    "2.3": [
        "tokenizer s'appelle comme une fonction, avec le texte entre les parenthèses.",
        "La valeur d'une clé d'un dictionnaire se lit entre crochets : dictionnaire[\"clé\"].",
        "tokens_analysis = tokenizer(text), puis, à la ligne suivante, input_ids = tokens_analysis[...]",
    ],
    "2.4": [
        "C'est une méthode du tokenizer, celui-là même qui a fait le découpage.",
        "tokenizer.convert_ids_to_tokens(...), avec la liste des identifiants.",
    ],
    "2.5": [
        "get_training_corpus est écrite plus haut : appelez-la avec dataset, et gardez ce qu'elle renvoie.",
    ],
    "2.6": [
        "train_new_from_iterator est une méthode de tokenizer ; elle en renvoie un autre, et laisse le premier intact.",
        "tokenizer.train_new_from_iterator(text_iterator, vocab_size=VOCAB_SIZE, show_progress=False)",
    ],
    "2.7": [
        "C'est le tokenizer spécialisé qui se sauvegarde : la méthode est la sienne.",
        "specialised.save_pretrained(...), avec le dossier.",
    ],
}


def _answer_in(script):
    """Renvoie la réponse à essayer ; le nom du réseau y ouvre aurore-mini."""
    modules = stand_ins(script[2], {})
    modules["workshop.learning"].hub.local_copy = lambda *_, **__: BASE_MODEL
    return Answer(*script, modules)


def _tokenizer():
    from transformers import AutoTokenizer  # pylint: disable=import-outside-toplevel  # une seconde, s'il le faut
    return AutoTokenizer.from_pretrained(BASE_MODEL)


def _is_tokenizer(value):
    from transformers import PreTrainedTokenizerBase  # pylint: disable=import-outside-toplevel  # de même
    return isinstance(value, PreTrainedTokenizerBase)


def _check_open(script):
    """Le tokenizer du réseau choisi : il découpe comme lui."""
    answer = _answer_in(script)
    with _opened_by_name(answer.names.get("MODEL_NAME")):
        call = answer.run()
    tokenizer = value_of(call, "tokenizer", answer, object, expected="un tokenizer",
                         returned=lambda tokenizer: tokenizer)
    if not _is_tokenizer(tokenizer) or tokenizer(TEXT)["input_ids"] != _tokenizer()(TEXT)["input_ids"]:
        tell(MISTAKES["2.1"], SimpleNamespace(tokenizer=tokenizer, is_tokenizer=_is_tokenizer(tokenizer),
                                              kind=kind(tokenizer), answer=answer.text))


@contextlib.contextmanager
def _opened_by_name(name):
    """Fait ouvrir aurore-mini à qui tape le nom du réseau, comme le fait hub.local_copy."""
    from workshop.learning import offline  # pylint: disable=import-outside-toplevel  # importe transformers
    offline.remember(name, BASE_MODEL)
    try:
        yield
    finally:
        offline.forget(name)


def _show(script):
    """Renvoie (réponse, appel de show_tokens, tokenizer, texte analysé)."""
    answer, tokenizer = _answer_in(script), _tokenizer()
    call = answer.run(tokenizer=tokenizer)
    return answer, call, tokenizer, call.variables.get("text")


def _check_text(script):
    """Un texte, où il y a des lettres."""
    answer, call, _, _ = _show(script)
    text = value_of(call, "text", answer, str, expected="un texte entre guillemets")
    tell(MISTAKES["2.2"], SimpleNamespace(text=text))


def _check_analysis(script):
    """Les identifiants du texte."""
    answer, call, tokenizer, text = _show(script)
    ids = value_of(call, "input_ids", answer, object, expected="la liste des identifiants")
    expected = tokenizer(text)["input_ids"]
    try:
        right = list(map(int, ids)) == expected
    except (TypeError, ValueError):
        right = False
    if not right:
        tell(MISTAKES["2.3"], SimpleNamespace(ids=ids, expected=expected, kind=kind(ids), answer=answer.text))


def _check_tokens(script):
    """Le morceau de texte de chaque identifiant."""
    answer, call, tokenizer, text = _show(script)
    tokens = value_of(call, "tokens", answer, object, expected="la liste des morceaux")
    expected = tokenizer.tokenize(text)
    if not isinstance(tokens, (list, tuple)) or list(tokens) != expected or "tokenizer.tokenize(" in answer.text:
        tell(MISTAKES["2.4"], SimpleNamespace(tokens=tokens, expected=expected, answer=answer.text, kind=kind(tokens),
                                              count=len(tokens) if hasattr(tokens, "__len__") else 0,
                                              total=len(expected)))


def _specialise(script):
    """Renvoie (réponse, appel, ce qu'on a vu) ; le corpus tient en deux paquets."""
    from datasets import Dataset, DatasetDict  # pylint: disable=import-outside-toplevel  # une seconde, s'il le faut
    answer, tokenizer = _answer_in(script), _tokenizer()
    dataset = DatasetDict({split: Dataset.from_dict({"text": SENTENCES if split == "train" else ["Il dort."]})
                           for split in ("train", "validation", "test")})
    seen = SimpleNamespace(tokenizer=tokenizer, function=None, trained=[], corpus=None, vocab_size=None,
                           expected=[SENTENCES[:2], SENTENCES[2:]])
    real = tokenizer.train_new_from_iterator

    def train_new_from_iterator(text_iterator, vocab_size, *others, **named):
        seen.corpus = text_iterator if isinstance(text_iterator, (str, dict)) or callable(text_iterator) \
            else list(text_iterator)
        seen.vocab_size = vocab_size
        seen.trained.append(real(text_iterator if callable(text_iterator) else seen.corpus, vocab_size, *others,
                                 **{**named, "show_progress": False}))
        return seen.trained[-1]

    tokenizer.train_new_from_iterator = train_new_from_iterator
    given = answer.names.get("get_training_corpus")

    def get_training_corpus(dataset):
        if not isinstance(dataset, dict):
            raise Wrong(f"get_training_corpus a reçu {kind(dataset)} : elle choisit elle-même la partie d'entraînement",
                        "Donnez-lui dataset, en entier")
        return given(dataset)

    seen.function = get_training_corpus
    call = answer.run(tokenizer=tokenizer, dataset=dataset, BATCH_SIZE=2, get_training_corpus=get_training_corpus)
    return answer, call, seen


def _check_iterator(script):
    """Les paquets de phrases."""
    answer, call, seen = _specialise(script)
    seen.iterator = value_of(call, "text_iterator", answer, object, expected="le résultat de get_training_corpus")
    seen.batches, seen.kind = seen.corpus, kind(seen.iterator)
    if seen.batches != seen.expected:
        tell(MISTAKES["2.5"], seen)


def _check_specialise(script):
    """Le bon corpus, et une taille de vocabulaire qui est un nombre."""
    answer, call, seen = _specialise(script)
    seen.specialised = value_of(call, "specialised", answer, object, expected="le nouveau tokenizer",
                                returned=lambda specialised: specialised)
    seen.is_tokenizer, seen.kind = _is_tokenizer(seen.specialised), kind(seen.specialised)
    seen.setting = answer.names.get("VOCAB_SIZE")
    if seen.specialised not in seen.trained:
        seen.trained = []
    tell(MISTAKES["2.6"], seen)


def _check_save(script):
    """Celui qui est spécialisé, dans son dossier."""
    answer, specialised, saved = _answer_in(script), _tokenizer(), []

    def save_pretrained(save_directory, *_, **__):
        saved.append(save_directory)

    specialised.save_pretrained = save_pretrained

    class Folder:  # pylint: disable=too-few-public-methods
        """Tient la place de written_whole : donne le dossier à remplir."""
        __enter__ = lambda self: FOLDER  # pylint: disable=unnecessary-lambda-assignment
        __exit__ = lambda self, *_: None  # pylint: disable=unnecessary-lambda-assignment

    answer.run(specialised=specialised, written_whole=lambda _: Folder())
    right = bool(saved) and (str(saved[-1]) == str(FOLDER) or same_place(saved[-1], TOKENIZER))
    tell(MISTAKES["2.7"], SimpleNamespace(saved=saved, right_place=right, where=saved[-1] if saved else ""))


CHECKS = {"2.1": _check_open, "2.2": _check_text, "2.3": _check_analysis, "2.4": _check_tokens, "2.5": _check_iterator,
          "2.6": _check_specialise, "2.7": _check_save}
