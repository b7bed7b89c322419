"""Les événements d'une suite, au format « text/event-stream » : pour `fetch` comme pour EventSource."""

import json
import logging
from collections.abc import Generator, Iterable, Iterator
from itertools import chain
from typing import Any

from flask import Response, stream_with_context

from workshop.page import error_codes
from workshop.page.contract import ERRORS
from workshop.page.errors import described
from workshop.page.events import Event, Piece, Place, Silence
from workshop.page.story import Story

HEARTBEAT = ": toujours là\n\n"   # un commentaire : les relais ne ferment pas ce qui parle
SILENCE = "silence"                # un événement qui ne s'envoie que comme un battement de cœur


def begun(written: Generator, count: int = 1) -> Iterable:
    """Attend que chacune des `count` suites de `written` ait commencé, et renvoie tout ce qu'elles donnent : une file
    pleine se dit avant de commencer à répondre."""
    return chain([next(written) for _ in range(count)], written)


def answer(written: Generator, told_events: Iterator[str], failure: str | None = None) -> Response:
    """Renvoie la réponse qui donne `told_events`, et `failure` s'ils s'interrompent ; quand elle se ferme, `written`
    aussi."""
    response = Response(stream_with_context(_whatever_happens(written, told_events, failure or FAILURE)),
                        mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
    response.call_on_close(written.close)
    return response


def _whatever_happens(written: Generator, told_events: Iterator[str], failure: str) -> Iterator[str]:
    try:
        yield from told_events
    except Exception as error:  # pylint: disable=broad-exception-caught  # les en-têtes sont partis : c'est
        # dans le texte même qu'il faut dire qu'il s'arrête là.
        logging.getLogger(__name__).error("%s", described(error))
        yield failure
    finally:
        written.close()


def told(events: Iterable[tuple[int, Event | None]], stories: list[Story]) -> Iterator[str]:
    """Donne les événements des suites ; s'il y en a plusieurs, chacun dit laquelle."""
    for name, data in named(events, stories):
        yield HEARTBEAT if name == SILENCE else sent(name, data)


def resumable(events: Iterable[tuple[int, Event | None]], stories: list[Story], known: int) -> Iterator[str]:
    """Donne les mêmes, numérotés, à partir du numéro `known` : EventSource renvoie le dernier reçu s'il est coupé, et
    la graine redonne alors les mêmes mots. Une place déjà dite n'est qu'un battement de cœur."""
    seed, number, last_place = stories[0].wish.seed, 0, None
    yield "retry: 3000\n\n"
    for name, data in named(events, stories):
        if name == "place":
            yield HEARTBEAT if data == last_place else sent(name, data)
            last_place = data
            continue
        if name == SILENCE:
            yield HEARTBEAT
            continue
        number += 1
        if number > known:
            yield f"id: {seed}.{'fin' if name == 'fin' else number}\n" + sent(name, data)
        elif number % 20 == 0:
            yield HEARTBEAT


def named(events: Iterable[tuple[int, Event | None]], stories: list[Story]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Donne le nom et le contenu de chaque événement."""
    if stories[0].prompt.warning:
        yield "avertissement", {"message": stories[0].prompt.warning}
    for number, event in events:
        name, data = _event(event) if event is not None else ("fin", stories[number].as_json())
        yield name, {**data, "numero": number} if len(stories) > 1 else data


def _event(event: Event) -> tuple[str, dict[str, Any]]:
    match event:
        case Place(number):
            return "place", {"place": number}
        case Silence():
            return SILENCE, {}
        case Piece():
            return "token", piece_as_json(event)
    raise TypeError(event)


def piece_as_json(piece: Piece) -> dict[str, Any]:
    """Renvoie un morceau écrit, et ce que le réseau aurait pu écrire à sa place."""
    if piece.probability is None:
        return {"texte": piece.text}
    return {"texte": piece.text, "p": float(piece.probability),
            "candidats": candidates_as_json(piece.candidates or ()), "hesitation": piece.entropy}


def candidates_as_json(candidates: Iterable[tuple[str, float]]) -> list[dict[str, Any]]:
    """Renvoie des candidats, chacun avec sa probabilité."""
    return [{"texte": text, "p": float(chance)} for text, chance in candidates]


def sent(name: str, data: dict[str, Any]) -> str:
    """Renvoie l'événement `name`, tel qu'il s'écrit."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


FAILURE = sent("erreur", {"code": error_codes.CODES[500], "message": ERRORS[500][1]})
