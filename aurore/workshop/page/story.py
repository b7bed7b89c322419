"""Une suite en train de s'écrire : ce que le formulaire et l'API en montrent."""

from collections import deque
from collections.abc import Generator, Sequence
from contextlib import closing
from typing import Any, NamedTuple

from flask import has_request_context, request

from workshop.page.contract import LENGTHS, Wish
from workshop.page.events import End, Event, Piece, Stream
from workshop.page.prompts import Prompt
from workshop.page.signature import Signature
from workshop.page.typesetting import capitalised, ends_a_sentence, link, typeset
from workshop.text.sentences import finished

ONE_LINE = 75   # signes, sur la page la plus large


class Line(NamedTuple):
    """Un paragraphe imprimé : la part du visiteur, puis celle du réseau."""

    opening: str
    text: str

    @property
    def is_short(self) -> bool:
        """Dit si ce paragraphe n'a peut-être qu'une ligne, où une lettrine ne tiendrait pas (prose.js fait de même)."""
        return len(self.opening + self.text) < ONE_LINE


class Story:
    """L'amorce, la suite qui s'allonge, et ce qui l'a finie."""

    def __init__(self, prompt: Prompt, network: Signature, wish: Wish = Wish()):
        self.prompt = prompt
        self.network = network     # celui qui l'écrit
        self.wish = wish._replace(network=network.key)   # le même, même si un plus récent arrive
        self.suite = prompt.suite  # telle quelle, à la suite de ce que le réseau avait déjà écrit
        self.ending = "arret"      # une clé de contract.ENDINGS

    def follow(self, events: Stream) -> Stream:
        """Recopie `events` en gardant le texte ; s'arrête à la fin d'une phrase, une fois la longueur atteinte.

        Fermer cette copie ferme l'original.
        """
        written, wanted = 0, LENGTHS[self.wish.length].tokens
        with closing(events):
            for event in events:
                if isinstance(event, End):
                    self.ending = event.reason
                    break
                if isinstance(event, Piece):
                    self.suite, written = self.suite + event.text, written + 1
                yield event
                if written >= wanted and self.is_finished:
                    break
        if self.is_finished:
            self.ending = "phrase"

    @property
    def text(self) -> str:
        """L'amorce et la suite, jusqu'à la fin de sa dernière phrase, dans la forme que lit le réseau."""
        return finished(self.prompt.opening + self.suite, start=len(self.prompt.opening))

    @property
    def is_finished(self) -> bool:
        """Dit si le texte s'arrête à la fin d'une phrase."""
        return self.text == self.prompt.opening + self.suite

    @property
    def paragraphs(self) -> list[str]:
        """La suite, en paragraphes composés, jusqu'à la fin de sa dernière phrase."""
        opening = self.prompt.opening
        shown = typeset(self.text[len(opening):])
        return capitalised(shown) if ends_a_sentence(opening) else shown

    @property
    def lines(self) -> list[Line]:
        """L'histoire imprimée : le premier paragraphe de la suite continue l'amorce, à moins d'être une réplique.

        `static/generate/story.js` fait de même pendant qu'elle s'écrit.
        """
        lines = [Line(opening, "") for opening in capitalised(typeset(self.prompt.typed))]
        paragraphs = self.paragraphs
        between = link(self.suite, paragraphs[0]) if paragraphs else ""
        if paragraphs and lines and between != "\n":
            lines[-1] = Line(lines[-1].opening, between + paragraphs.pop(0))
        return lines + [Line("", paragraph) for paragraph in paragraphs]

    def as_json(self) -> dict[str, Any]:
        """Renvoie la réponse de l'API (contenu de `fin` et de la réponse d'un seul tenant)."""
        return {"amorce": self.prompt.typed, "suite": self.suite, "paragraphes": self.paragraphs,
                "avertissement": self.prompt.warning, "fin": self.ending, "reseau": network_as_json(self.network),
                "reglages": self.wish.as_json()}


def together(streams: Sequence[Stream]) -> Generator[tuple[int, Event | None], None, None]:
    """Donne les événements de plusieurs suites, un de chacune à son tour : (numéro, événement), None à sa fin.

    Fermer cette copie les ferme toutes.
    """
    turn = deque(enumerate(streams))
    try:
        while turn:
            number, stream = turn.popleft()
            event = next(stream, None)
            yield number, event
            if event is not None:
                turn.append((number, stream))
    finally:
        for stream in streams:
            stream.close()


def network_as_json(network: Signature) -> dict[str, Any]:
    """Renvoie ce que l'API dit d'un réseau."""
    return {"id": network.key, "nom": network.name, "date": network.date, "note": network.score,
            "parent": network.parent}


def to_the_end(events: Generator) -> None:
    """Épuise `events`, ou les ferme dès que le visiteur est parti : personne ne lira la fin."""
    has_left = request.environ.get("waitress.client_disconnected") if has_request_context() else None
    for _ in events:
        if has_left and has_left():
            events.close()
