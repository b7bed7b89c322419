"""Une demande à /v1/completions : les champs d'OpenAI que la page sert, leurs bornes, et la phrase qui refuse le reste.

Un champ dont la valeur ne demande rien (null, une pénalité nulle) est accepté : les clients en envoient.
"""

import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from workshop.page.contract import (
    FIELDS,
    LENGTHS,
    LONGEST_SUITE,
    PATIENCE,
    SEEDS,
    SUITES,
    TOP_K,
    Field,
    Malformed,
    Wish,
)
from workshop.page.errors import refuse_unknown

LONGEST = list(LENGTHS)[-1]
MOST_TOKENS = LENGTHS[LONGEST].tokens + PATIENCE
MOST_STOPS = 4
MOST_LOGPROBS = 5


def _number(kind: str, lowest: float, highest: float, default: float | None, sentence: str) -> dict[str, Any]:
    schema = {"type": kind, "minimum": lowest, "maximum": highest, "description": sentence}
    return schema if default is None else {**schema, "default": default}


# Chacun a son schéma ; le refus nomme le champ et dit ce qu'il peut valoir.
SCHEMAS: dict[str, dict[str, Any]] = {
    "model": {"type": "string", "default": "", "description": "Un nom que donne /v1/models."},
    "max_tokens": _number("integer", 1, 1_000_000, 16, f"Au-delà de {MOST_TOKENS}, le texte s'arrête là."),
    "temperature": _number("number", 0, 2, 1, "0 : toujours le token le plus probable."),
    "top_p": _number("number", 0.01, 1, 1, "Ne tirer qu'entre les plus probables, qui font ensemble cette part."),
    "top_k": _number("integer", 1, int(TOP_K.highest), int(TOP_K.highest), "Ne tirer qu'entre tant de tokens."),
    "n": _number("integer", 1, int(SUITES.highest), 1, "Combien de suites."),
    "logprobs": _number("integer", 0, MOST_LOGPROBS, None, "Combien de candidats montrer pour chaque token."),
    "seed": _number("integer", 0, 2 ** 63 - 1, None, "La même redonne les mêmes mots."),
    "stream": {"type": "boolean", "default": False, "description": "Recevoir les mots un à un."},
    "echo": {"type": "boolean", "default": False, "description": "Commencer la réponse par l'amorce."},
    "best_of": _number("integer", 1, 1, 1, "Rien d'autre que 1."),
    "presence_penalty": _number("number", 0, 0, 0, "Rien d'autre que 0."),
    "frequency_penalty": _number("number", 0, 0, 0, "Rien d'autre que 0."),
    "user": {"type": "string", "description": "La page n'en fait rien."},
}
# Les mêmes signes que dans une amorce, et rien du tout, si l'on veut.
_TEXT = {"type": "string", "maxLength": LONGEST_SUITE, "pattern": f"^({FIELDS['amorce'].schema['pattern'][1:-1]})?$"}
PROMPT = {"description": "Le début du texte.", "default": "", "anyOf": [
    _TEXT, {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 1}]}
STOP = {"description": "Où s'arrêter, sans l'écrire.", "anyOf": [
    {"type": "string", "minLength": 1, "maxLength": 100},
    {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 100}, "maxItems": MOST_STOPS}]}
NAMES = ("model", "prompt", "stop", *(name for name in SCHEMAS if name != "model"))


class Completion(NamedTuple):
    """Une demande comprise."""

    prompt: str
    wishes: list[Wish]         # une par suite
    max_tokens: int
    stops: tuple[str, ...]
    logprobs: int | None       # None : sans
    stream: bool
    echo: bool


def read(sent: object) -> Completion:
    """Renvoie la demande que forme le JSON `sent` ; lève Malformed."""
    if not isinstance(sent, dict):
        raise Malformed('Il faut un objet JSON, par exemple {"model": "aurore", "prompt": "Le soir, la meunière"}.')
    refuse_unknown(sent, NAMES, "que cette page sert")
    asked = {name: _value(sent, name) for name in SCHEMAS}
    seed = secrets.randbelow(SEEDS) if asked["seed"] is None else asked["seed"]
    most = min(asked["max_tokens"], MOST_TOKENS)
    # La plus courte qui suffise : d'une longue amorce, le réseau garde d'autant plus qu'il lui reste moins à écrire.
    length = next(name for name, length in LENGTHS.items() if length.tokens + PATIENCE >= most)
    wishes = [Wish(asked["model"], seed + number, length, asked["temperature"], asked["top_k"], asked["top_p"])
              for number in range(asked["n"])]
    return Completion(_prompt(sent.get("prompt")), wishes, most, _stops(sent.get("stop")), asked["logprobs"],
                      asked["stream"], asked["echo"])


def _value(sent: Mapping[str, Any], name: str) -> Any:
    schema, value = SCHEMAS[name], sent.get(name)
    if value is None:
        return schema.get("default")
    if not Field(schema, "").accepts(value):
        raise Malformed(f"« {name} » doit être {_kind(schema)}.")
    return int(value) if schema["type"] == "integer" else value


def _kind(schema: Mapping[str, Any]) -> str:
    if schema["type"] in ("string", "boolean"):
        return {"string": "un texte", "boolean": "true ou false"}[schema["type"]]
    noun = "un entier" if schema["type"] == "integer" else "un nombre"
    lowest, highest = schema["minimum"], schema["maximum"]
    return f"{lowest}, ou absent" if lowest == highest else f"{noun} entre {lowest} et {highest}"


def _prompt(prompt: object) -> str:
    texts = prompt if isinstance(prompt, list) else ["" if prompt is None else prompt]
    if len(texts) != 1 or not isinstance(texts[0], str):
        raise Malformed("« prompt » doit être un texte, un seul à la fois (et non des tokens).")
    if len(texts[0]) > LONGEST_SUITE:
        raise Malformed(f"« prompt » doit faire {LONGEST_SUITE} caractères au plus.")
    return texts[0]


def _stops(stop: object) -> tuple[str, ...]:
    stops = [] if stop is None else stop if isinstance(stop, list) else [stop]
    if len(stops) > MOST_STOPS or not all(isinstance(one, str) and 0 < len(one) <= 100 for one in stops):
        raise Malformed(f"« stop » doit être un texte de 100 caractères au plus, ou {MOST_STOPS} au plus.")
    return tuple(stops)
