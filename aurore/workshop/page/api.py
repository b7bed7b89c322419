"""L'API : demander une suite en JSON, d'un bloc ou mot après mot."""

import json
import logging

from flask import Blueprint, Response, jsonify, request, stream_with_context

from workshop.page import prompts
from workshop.page.errors import SENTENCES, described, message
from workshop.page.openapi import description
from workshop.page.readers import Place
from workshop.page.story import Story, network_as_json, to_the_end

BOLDNESS = (0.1, 1.5)   # audace : la température du tirage


class Malformed(Exception):
    """Le JSON reçu n'a pas la forme attendue ; le message dit quel champ corriger."""


def blueprint(generator, lengths, metrics, limit):
    """Renvoie le morceau d'application de l'API.

    `lengths` est la liste des longueurs que connaît `generator` ; `metrics` compte ; `limit` borne.
    """
    api = Blueprint("api", __name__, url_prefix="/api")

    @api.get("/model")
    def model():
        return network_as_json(generator.network)

    @api.get("/openapi.json")
    def openapi():
        return description(lengths, BOLDNESS)

    @api.post("/generate")
    @limit
    def generate():
        asked = _read(_body(), lengths)
        prompt = prompts.check(asked["amorce"], asked["suite"])
        story = Story(prompt, generator.network)
        events = story.follow(metrics.count(
            generator.write(prompt.opening, prompt.suite, asked["longueur"], asked["audace"])))
        if not asked["stream"]:
            to_the_end(events)
            return jsonify(story.as_json())
        first = next(events, None)  # une file pleine se dit avant de commencer à répondre
        response = Response(stream_with_context(_stream(first, events, story)),
                            mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
        response.call_on_close(events.close)
        return response

    @api.errorhandler(prompts.Refused)
    @api.errorhandler(Malformed)
    def refuse(reason):
        return message(400, str(reason))

    return api


def _body():
    """Renvoie le JSON reçu ; lève Malformed s'il est trop profond pour être lu."""
    try:
        return request.get_json()
    except RecursionError:
        raise Malformed("Ce JSON a trop de crochets les uns dans les autres.") from None


def _read(body, lengths):
    """Renvoie les champs de la demande, complétés de leurs valeurs par défaut ; lève Malformed."""
    if not isinstance(body, dict):
        raise Malformed("Il faut un objet JSON, par exemple {\"amorce\": \"Le soir, la meunière\"}.")
    asked = {"suite": "", "longueur": "moyen", "audace": 0.8, "stream": False, **body}
    if not isinstance(asked.get("amorce"), str) or not isinstance(asked["suite"], str):
        raise Malformed("« amorce » (le début de l'histoire) et « suite » doivent être des textes.")
    if asked["longueur"] not in lengths:
        raise Malformed(f"« longueur » doit être l'une de : {', '.join(lengths)}.")
    if type(asked["audace"]) not in (int, float) or not BOLDNESS[0] <= asked["audace"] <= BOLDNESS[1]:
        raise Malformed("« audace » doit être un nombre entre 0.1 et 1.5.")
    if not isinstance(asked["stream"], bool):
        raise Malformed("« stream » doit être true ou false.")
    return asked


def _stream(first, events, story):
    """Donne les événements de la suite, au format « text/event-stream »."""
    try:
        if story.prompt.warning:
            yield _sent("avertissement", {"message": story.prompt.warning})
        if first is not None:
            yield _event(first)
        for event in events:
            yield _event(event)
        yield _sent("fin", story.as_json())
    except Exception as error:  # pylint: disable=broad-exception-caught  # les en-têtes sont partis : c'est
        # dans le texte même qu'il faut dire qu'il s'arrête là.
        logging.getLogger(__name__).error("%s", described(error))
        yield _sent("erreur", {"message": SENTENCES[500][1]})
    finally:
        events.close()


def _event(event):
    if isinstance(event, Place):
        return _sent("place", {"place": event.number})
    return _sent("token", {"texte": event.text, "p": float(event.probability),
                           "candidats": [{"texte": text, "p": float(chance)} for text, chance in event.candidates]})


def _sent(name, data):
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
