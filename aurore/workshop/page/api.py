"""L'API : demander une suite en JSON, d'un bloc ou mot après mot.

Ses adresses commencent par /api/v1 ; les premières, sans numéro, répondent toujours, et ne regardent pas les champs
qu'elles ne connaissent pas.
"""

import re
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from typing import Any, Callable

from flask import Blueprint, abort, jsonify, request

from workshop.page import event_stream, prompts
from workshop.page.contract import FIELDS, LOOK_FIELDS, SEEDS, Malformed, read_json, wish
from workshop.page.errors import refuse_unknown
from workshop.page.events import Piece, Writer
from workshop.page.openapi import description
from workshop.page.story import Story, network_as_json, to_the_end, together

WITH_TOKENS = "tokens"   # un champ de la v1 : recevoir aussi les tokens, sans qu'ils viennent un à un


def blueprint(generator: Writer, limit: Callable, version: str = "") -> Blueprint:
    """Renvoie le morceau d'application de l'API ; `limit` borne ce que chacun peut demander à `generator`."""
    api = Blueprint("api" + version.replace("/", "_"), __name__, url_prefix="/api" + version)

    @api.get("/model")
    def model():
        return network_as_json(generator.network)

    @api.get("/models")
    def models():
        return {"reseaux": [network_as_json(network) for network in generator.networks]}

    @api.get("/openapi.json")
    def openapi():
        return description(request.script_root + "/", [network.key for network in generator.networks])

    def asked_about():
        """Ce que l'on fait relire, et le réseau qui le relit."""
        asked = _read(body(), LOOK_FIELDS)
        prompt = prompts.check(asked["amorce"], asked["suite"])
        return prompt.opening + prompt.suite, generator.find(asked["reseau"])

    @api.post("/look")
    @limit
    def look():
        text, network = asked_about()
        seen = generator.look(text, network.key)
        return {"tokens": [event_stream.piece_as_json(piece) for piece in seen.pieces],
                "ensuite": event_stream.candidates_as_json(seen.following), "reseau": network_as_json(network)}

    if version:
        @api.post("/attention")
        @limit
        def attention():
            text, network = asked_about()
            seen = generator.attention(text, network.key)
            return {"avant": seen.before, "tokens": [{"texte": text} for text in seen.texts], "couches": seen.shares,
                    "reseau": network_as_json(network)}

    @api.post("/generate")
    @limit
    def generate():
        sent = body()
        with_tokens = bool(version) and _take_flag(sent, WITH_TOKENS)
        asked = _read(sent, FIELDS)
        stories, written = begin(generator, asked)
        if not asked["stream"]:
            return jsonify(_whole(stories, written, with_tokens))
        return event_stream.answer(written, event_stream.told(event_stream.begun(written, len(stories)), stories))

    if version:
        @api.get("/stream")
        @(lambda view: limit(view, methods=("GET",)))
        def stream():
            if request.headers.get("Sec-Fetch-Site") == "cross-site":
                abort(400)   # une adresse suffit pour faire écrire : aucun autre site ne doit le faire à votre place
            sent = _from_address(request.args)
            seed, _, known = request.headers.get("Last-Event-ID", "").partition(".")
            if known == "fin":
                return "", 204   # EventSource se reconnecte toujours ; c'est ainsi qu'on lui dit que tout est dit
            if seed.isdecimal() and known.isdecimal():
                sent["graine"] = int(seed)
            stories, written = begin(generator, _read(sent, [name for name in FIELDS if name != "suites"]))
            return event_stream.answer(written, event_stream.resumable(
                event_stream.begun(written), stories, int(known) if known.isdecimal() else 0))

    return api


def begin(generator: Writer, asked: Mapping[str, Any]) -> tuple[list[Story], Generator]:
    """Renvoie les suites que demandent les champs `asked`, et leurs événements, qui ne commencent que quand on les
    demande."""
    prompt, network = prompts.check(asked["amorce"], asked["suite"]), generator.find(asked["reseau"])
    first = wish(asked)
    stories = [Story(prompt, network, first._replace(seed=(first.seed + number) % SEEDS))
               for number in range(asked["suites"])]
    return stories, together([story.follow(generator.write(prompt.opening, prompt.suite, story.wish))
                              for story in stories])


def _whole(stories: list[Story], written: Generator, with_tokens: bool) -> dict[str, Any]:
    """Attend la fin des suites, et renvoie la réponse ; `with_tokens` y ajoute leurs tokens."""
    tokens: list[list[dict]] = [[] for _ in stories]

    def kept():
        with closing(written):
            for number, event in written:
                if with_tokens and isinstance(event, Piece):
                    tokens[number].append(event_stream.piece_as_json(event))
                yield event
    to_the_end(kept())
    answer, *others = [{**story.as_json(), **({WITH_TOKENS: written} if with_tokens else {})}
                       for story, written in zip(stories, tokens)]
    return {**answer, "autres": others} if others else answer


def body() -> object:
    """Renvoie le JSON reçu ; lève Malformed s'il est trop profond pour être lu."""
    try:
        return request.get_json()
    except RecursionError:
        raise Malformed("Ce JSON a trop de crochets les uns dans les autres.") from None


def _take_flag(sent: object, name: str) -> bool:
    """Retire de `sent` le champ `name`, et renvoie sa valeur."""
    flag = sent.pop(name, False) if isinstance(sent, dict) else False
    if not isinstance(flag, bool):
        raise Malformed(f"« {name} » doit être true ou false.")
    return flag


def _read(sent: object, names: Iterable[str]) -> dict[str, Any]:
    """Renvoie les champs `names` de `sent` ; la v1 refuse les autres par leur nom."""
    if request.path.startswith("/api/v1/") and isinstance(sent, dict):
        refuse_unknown(sent, names, "de cette demande")
    return read_json(sent, names)


def _from_address(sent: Mapping[str, str]) -> dict[str, Any]:
    """Renvoie les champs que porte une adresse, chacun du type qu'attend le contrat s'il en a l'air."""
    asked: dict[str, Any] = {}
    for name, value in sent.items():
        kind = FIELDS[name].schema["type"] if name in FIELDS else "string"
        if kind in ("integer", "number") and re.fullmatch(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", value[:40]):
            asked[name] = float(value[:40])
        elif kind == "boolean" and value in ("true", "false"):
            asked[name] = value == "true"
        else:
            asked[name] = value
    return asked
