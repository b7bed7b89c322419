"""L'API : demander une suite en JSON, d'un bloc ou mot après mot."""

import json
import logging
from typing import Any, Callable, Iterator

from flask import Blueprint, Response, jsonify, request, stream_with_context

from workshop.page import events, prompts
from workshop.page.contract import ERRORS, Malformed, read_json
from workshop.page.errors import described
from workshop.page.openapi import description
from workshop.page.story import Story, network_as_json, to_the_end


def blueprint(generator: events.Writer, limit: Callable) -> Blueprint:
    """Renvoie le morceau d'application de l'API ; `limit` borne ce que chacun peut demander à `generator`."""
    api = Blueprint("api", __name__, url_prefix="/api")

    @api.get("/model")
    def model():
        return network_as_json(generator.network)

    @api.get("/openapi.json")
    def openapi():
        return description(request.script_root + "/")

    @api.post("/generate")
    @limit
    def generate():
        asked = read_json(_body())
        prompt = prompts.check(asked["amorce"], asked["suite"])
        story = Story(prompt, generator.network, asked["longueur"])
        written = story.follow(generator.write(prompt.opening, prompt.suite, asked["longueur"], asked["audace"]))
        if not asked["stream"]:
            to_the_end(written)
            return jsonify(story.as_json())
        first = next(written, None)  # une file pleine se dit avant de commencer à répondre
        response = Response(stream_with_context(_stream(first, written, story)),
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


def _stream(first: events.Event | None, written: events.Stream, story: Story) -> Iterator[str]:
    """Donne les événements de la suite, au format « text/event-stream »."""
    try:
        if story.prompt.warning:
            yield _sent("avertissement", {"message": story.prompt.warning})
        if first is not None:
            yield _event(first)
        for event in written:
            yield _event(event)
        yield _sent("fin", story.as_json())
    except Exception as error:  # pylint: disable=broad-exception-caught  # les en-têtes sont partis : c'est
        # dans le texte même qu'il faut dire qu'il s'arrête là.
        logging.getLogger(__name__).error("%s", described(error))
        yield _sent("erreur", {"message": ERRORS[500][1]})
    finally:
        written.close()


def _event(event: events.Event) -> str:
    match event:
        case events.Place(number):
            return _sent("place", {"place": number})
        case events.Piece(text, float() as probability, candidates):
            shown = [{"texte": other, "p": float(chance)} for other, chance in candidates or ()]
            return _sent("token", {"texte": text, "p": probability, "candidats": shown})
        case events.Piece(text):
            return _sent("token", {"texte": text})
    raise TypeError(event)


def _sent(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
