"""L'API : demander une suite en JSON, d'un bloc ou mot après mot."""

import json
import logging
from collections.abc import Generator, Iterable, Iterator
from itertools import chain
from typing import Any, Callable

from flask import Blueprint, Response, jsonify, request, stream_with_context

from workshop.page import prompts
from workshop.page.contract import ERRORS, LOOK_FIELDS, SEEDS, Malformed, read_json, wish
from workshop.page.errors import described
from workshop.page.events import Event, Piece, Place, Writer
from workshop.page.openapi import description
from workshop.page.story import Story, network_as_json, to_the_end, together


def blueprint(generator: Writer, limit: Callable) -> Blueprint:
    """Renvoie le morceau d'application de l'API ; `limit` borne ce que chacun peut demander à `generator`."""
    api = Blueprint("api", __name__, url_prefix="/api")

    @api.get("/model")
    def model():
        return network_as_json(generator.network)

    @api.get("/models")
    def models():
        return {"reseaux": [network_as_json(network) for network in generator.networks]}

    @api.get("/openapi.json")
    def openapi():
        return description(request.script_root + "/", [network.key for network in generator.networks])

    @api.post("/look")
    @limit
    def look():
        asked = read_json(_body(), LOOK_FIELDS)
        prompt, network = prompts.check(asked["amorce"], asked["suite"]), generator.find(asked["reseau"])
        seen = generator.look(prompt.opening + prompt.suite, network.key)
        return {"tokens": [_piece(piece) for piece in seen.pieces], "ensuite": _candidates(seen.following),
                "reseau": network_as_json(network)}

    @api.post("/generate")
    @limit
    def generate():
        asked = read_json(_body())
        prompt, network = prompts.check(asked["amorce"], asked["suite"]), generator.find(asked["reseau"])
        first = wish(asked)
        stories = [Story(prompt, network, first._replace(seed=(first.seed + number) % SEEDS))
                   for number in range(asked["suites"])]
        written = together([story.follow(generator.write(prompt.opening, prompt.suite, story.wish))
                            for story in stories])
        if not asked["stream"]:
            to_the_end(written)
            answer, *others = [story.as_json() for story in stories]
            return jsonify({**answer, "autres": others} if others else answer)
        begun = [next(written) for _ in stories]  # une file pleine se dit avant de commencer à répondre
        response = Response(stream_with_context(_stream(chain(begun, written), written, stories)),
                            mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
        response.call_on_close(written.close)
        return response

    return api


def _body() -> object:
    """Renvoie le JSON reçu ; lève Malformed s'il est trop profond pour être lu."""
    try:
        return request.get_json()
    except RecursionError:
        raise Malformed("Ce JSON a trop de crochets les uns dans les autres.") from None


def _stream(events: Iterable[tuple[int, Event | None]], written: Generator, stories: list[Story]) -> Iterator[str]:
    """Donne les événements des suites, au format « text/event-stream » ; s'il y en a plusieurs, chacun dit laquelle."""
    try:
        if stories[0].prompt.warning:
            yield _sent("avertissement", {"message": stories[0].prompt.warning})
        for number, event in events:
            name, data = _event(event) if event is not None else ("fin", stories[number].as_json())
            yield _sent(name, {**data, "numero": number} if len(stories) > 1 else data)
    except Exception as error:  # pylint: disable=broad-exception-caught  # les en-têtes sont partis : c'est
        # dans le texte même qu'il faut dire qu'il s'arrête là.
        logging.getLogger(__name__).error("%s", described(error))
        yield _sent("erreur", {"message": ERRORS[500][1]})
    finally:
        written.close()


def _event(event: Event) -> tuple[str, dict[str, Any]]:
    match event:
        case Place(number):
            return "place", {"place": number}
        case Piece():
            return "token", _piece(event)
    raise TypeError(event)


def _piece(piece: Piece) -> dict[str, Any]:
    if piece.probability is None:
        return {"texte": piece.text}
    return {"texte": piece.text, "p": float(piece.probability), "candidats": _candidates(piece.candidates or ()),
            "hesitation": piece.entropy}


def _candidates(candidates: Iterable[tuple[str, float]]) -> list[dict[str, Any]]:
    return [{"texte": text, "p": float(chance)} for text, chance in candidates]


def _sent(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
