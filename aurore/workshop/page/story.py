"""Une suite en train de s'écrire : ce que le formulaire et l'API en montrent."""

from contextlib import closing
from typing import Any, NamedTuple

from flask import has_request_context, request

from workshop.page.contract import LENGTHS, USUAL_LENGTH
from workshop.page.events import End, Piece, Stream
from workshop.page.prompts import Prompt
from workshop.page.signature import Signature
from workshop.page.typesetting import capitalised, ends_a_sentence, link, typeset
from workshop.text.sentences import finished


class Line(NamedTuple):
    """Un paragraphe imprimé : la part du visiteur, puis celle du réseau."""

    opening: str
    text: str


class Story:
    """L'amorce, la suite qui s'allonge, et ce qui l'a finie."""

    def __init__(self, prompt: Prompt, network: Signature, length: str = USUAL_LENGTH):
        self.prompt = prompt
        self.network = network     # celui qui l'écrit
        self.wanted = LENGTHS[length].tokens
        self.suite = prompt.suite  # telle quelle, à la suite de ce que le réseau avait déjà écrit
        self.ending = "arret"      # une clé de contract.ENDINGS

    def follow(self, events: Stream) -> Stream:
        """Recopie `events` en gardant le texte ; s'arrête à la fin d'une phrase, une fois la longueur atteinte.

        Fermer cette copie ferme l'original.
        """
        written = 0
        with closing(events):
            for event in events:
                if isinstance(event, End):
                    self.ending = event.reason
                    break
                if isinstance(event, Piece):
                    self.suite, written = self.suite + event.text, written + 1
                yield event
                if written >= self.wanted and self.is_finished:
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
                "avertissement": self.prompt.warning, "fin": self.ending, "reseau": network_as_json(self.network)}


def network_as_json(network: Signature) -> dict[str, Any]:
    """Renvoie ce que l'API dit du réseau qui écrit."""
    return {"nom": network.name, "date": network.date, "note": network.score}


def to_the_end(events: Stream) -> None:
    """Épuise `events`, ou les ferme dès que le visiteur est parti : personne ne lira la fin."""
    has_left = request.environ.get("waitress.client_disconnected") if has_request_context() else None
    for _ in events:
        if has_left and has_left():
            events.close()
