"""/v1/completions et /v1/models : la page, dans la forme que parlent les clients d'OpenAI.

Avec eux, LangChain ou une page de conversation écrivent avec votre réseau :

    OpenAI(base_url="http://127.0.0.1:8080/v1", api_key="le code de la salle, ou n'importe quoi")

Le texte est brut, tel que le réseau l'écrit : ni composé, ni prolongé jusqu'à la fin d'une phrase.
"""

import json
import math
import secrets
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any, Callable

from flask import Blueprint, jsonify

from workshop.identity import FOLDER_NAME
from workshop.page import completion_request, error_codes, event_stream, prompts
from workshop.page.api import body
from workshop.page.completion_request import Completion
from workshop.page.contract import ERRORS, LONGEST_PROMPT, Malformed
from workshop.page.errors import message
from workshop.page.events import End, Piece, Stream, Writer
from workshop.page.signature import Signature
from workshop.page.story import to_the_end, together

_ALONE = "."   # ce que l'on fait juger à `prompts.check` à la place d'un début vide, qui est permis ici


class UnknownModel(Exception):
    """Aucun réseau ne porte ce nom."""


class Choice:  # pylint: disable=too-many-instance-attributes  # ce qui est écrit, ce que l'on retient, ce qui est noté
    """Une suite : le texte qui s'allonge, jusqu'à `max_tokens` ou à l'un des `stops`.

    `seen`, les tokens de l'amorce, précède les siens là où se lisent les probabilités.
    """

    def __init__(self, asked: Completion, seen: Sequence[Piece] = ()):
        self._asked = asked
        self._held = ""            # ce qui pourrait commencer un des `stops`
        self._prefix = asked.prompt if asked.echo else ""
        self.written = 0
        self._length = max(0, len(asked.prompt) - sum(len(piece.text) for piece in seen))
        self.text = ""
        self.finish_reason: str | None = None
        self.logprobs: dict[str, list] = {"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []}
        for piece in seen:
            self._note(piece)

    def follow(self, events: Stream) -> Generator[str, None, None]:
        """Donne ce qui s'ajoute au texte, morceau après morceau : rien, tant que l'on attend son tour."""
        with closing(events):
            for event in events:
                match event:
                    case Piece():
                        self._note(event)
                        yield self._add(event.text)
                    case End(reason):
                        self.finish_reason = "length" if reason == "longueur" else "stop"
                    case _:
                        yield ""
                if self.finish_reason is None and self.written >= self._asked.max_tokens:
                    self.finish_reason = "length"
                if self.finish_reason is not None:
                    break
        yield self._give(self._held)   # ce que l'on retenait : aucun des `stops` n'est venu

    def _add(self, written: str) -> str:
        self.written += 1
        self._held += written
        ends = [self._held.find(stop) for stop in self._asked.stops if stop in self._held]
        if ends:
            self._held, self.finish_reason = self._held[:min(ends)], "stop"
            return ""
        kept = max((size for stop in self._asked.stops for size in range(1, len(stop))
                    if self._held.endswith(stop[:size])), default=0)
        return self._give(self._held[:len(self._held) - kept])

    def _give(self, ready: str) -> str:
        """Ajoute au texte `ready`, le début de ce que l'on retenait, et le renvoie."""
        self._held = self._held[len(ready):]
        ready, self._prefix = self._prefix + ready, ""
        self.text += ready
        return ready

    def _note(self, piece: Piece) -> None:
        if self._asked.logprobs is None:
            return
        self.logprobs["tokens"].append(piece.text)
        self.logprobs["token_logprobs"].append(_log(piece.probability))
        likely: dict[str, float | None] = {}
        for text, chance in (piece.candidates or [])[:self._asked.logprobs]:
            likely.setdefault(text, _log(chance))   # deux tokens s'écrivent parfois de même : le plus probable reste
        self.logprobs["top_logprobs"].append(likely if piece.candidates is not None else None)
        self.logprobs["text_offset"].append(self._length)
        self._length += len(piece.text)

    def take_logprobs(self) -> dict[str, list] | None:
        """Renvoie les probabilités notées depuis la dernière fois ; None si l'on n'en veut pas."""
        noted = {name: list(values) for name, values in self.logprobs.items()}
        for values in self.logprobs.values():
            values.clear()
        return noted if self._asked.logprobs is not None else None


def _log(probability: float | None) -> float | None:
    return None if probability is None else math.log(max(probability, 1e-38))


def blueprint(generator: Writer, limit: Callable) -> Blueprint:
    """Renvoie le morceau d'application qui répond aux clients d'OpenAI ; `limit` borne chacun, comme pour l'API."""
    page = Blueprint("openai", __name__, url_prefix="/v1")

    @page.get("/models")
    def models():
        return {"object": "list", "data": [_model(network) for network in generator.networks]}

    @page.get("/models/<path:key>")
    def model(key):
        return _model(_find(generator, key))

    @page.post("/completions")
    @limit
    def completions():
        asked = completion_request.read(body())
        start = asked.prompt.lstrip() if asked.prompt else _ALONE
        prompts.check(start[:LONGEST_PROMPT], start[LONGEST_PROMPT:])
        network = _find(generator, asked.wishes[0].network)
        # Un client qui veut l'amorce et les probabilités veut celles de l'amorce : c'est ainsi que l'on note un réseau.
        seen = (generator.look(asked.prompt, network.key).pieces
                if asked.echo and asked.prompt and asked.logprobs is not None else [])
        choices = [Choice(asked, seen) for _ in asked.wishes]
        written = together([choice.follow(generator.write(asked.prompt, "", wish._replace(network=network.key)))
                            for choice, wish in zip(choices, asked.wishes)])
        head = {"id": f"cmpl-{secrets.token_hex(12)}", "object": "text_completion", "created": int(time.time()),
                "model": network.key}
        if not asked.stream:
            to_the_end(written)
            told = [_choice(number, choice, choice.text) for number, choice in enumerate(choices)]
            return jsonify({**head, "choices": told, **_usage(generator.count(asked.prompt, network.key), choices)})
        return event_stream.answer(written, _chunks(head, choices, event_stream.begun(written, len(choices))), FAILURE)

    @page.errorhandler(UnknownModel)
    def unknown(_):
        return message(404, "Ce réseau n'est pas dans la maison : voyez /v1/models.", code="model_not_found")

    return page


def _find(generator: Writer, key: str) -> Signature:
    try:
        return generator.find(key)
    except Malformed as error:
        raise UnknownModel from error


def _model(network: Signature) -> dict[str, Any]:
    try:
        created = datetime.strptime(network.key, FOLDER_NAME).timestamp()
    except ValueError:   # un réseau embarqué : sa clé est son nom
        created = 0
    return {"id": network.key, "object": "model", "created": int(created), "owned_by": "aurore"}


def _choice(number: int, choice: Choice, text: str, finished: bool = True) -> dict[str, Any]:
    return {"index": number, "text": text, "logprobs": choice.take_logprobs(),
            "finish_reason": choice.finish_reason if finished else None}


def _usage(asked: int | None, choices: Sequence[Choice]) -> dict[str, dict[str, int]]:
    """Renvoie le compte des tokens, que LangChain exige ; rien, si l'on ne sait pas combien en fait l'amorce."""
    if asked is None:
        return {}
    written = sum(choice.written for choice in choices)
    return {"usage": {"prompt_tokens": asked, "completion_tokens": written, "total_tokens": asked + written}}


def _chunks(head: dict[str, Any], choices: list[Choice], written: Iterable) -> Iterator[str]:
    """Donne la réponse morceau après morceau, jusqu'à « [DONE] »."""
    for number, text in written:
        if text != "":
            yield _sent({**head, "choices": [_choice(number, choices[number], text or "", text is None)]})
        else:
            yield event_stream.HEARTBEAT
    yield "data: [DONE]\n\n"


def _sent(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


FAILURE = _sent(error_codes.openai_error(500, error_codes.CODES[500], ERRORS[500][1]))
