"""Un lecteur : ce qu'il demande, et ce qui lui vient, token après token."""

from queue import Empty, SimpleQueue
from typing import NamedTuple, Self

from tokenizers.decoders import DecodeStream

from workshop.page.contract import BOLDNESS, TOP_K
from workshop.page.events import Piece, Place, Silence
from workshop.page.visitor import Visitor, current
from workshop.writing.generation import Text

REMINDER_SECONDS = 5     # à qui n'a rien reçu, on redit où il en est : en lui parlant, on voit s'il est parti


class Request(NamedTuple):
    """Ce que demande un lecteur. `text` est déjà normalisé ; vide, le réseau trouve lui-même un début."""

    text: str
    max_new_tokens: int = 200
    temperature: float = BOLDNESS.usual
    top_k: int = int(TOP_K.usual)
    top_p: float = 1.0
    seed: int | None = None


class Reader:  # pylint: disable=too-many-instance-attributes  # qui, quoi, où il en est
    """Un lecteur : ce qu'il faut parcourir pour recevoir son texte, et fermer pour s'en aller.

    `ending` dit, à la fin, pourquoi le texte s'arrête : « length » (longueur demandée), « end » (le réseau
    y a mis fin), « closed » (le lecteur est parti) ou « stopped » (la page ferme).
    """

    def __init__(self, request: Request):
        self.request = request
        self.visitor: Visitor = current()
        self.ending: str | None = None
        self.text: Text | None = None           # le `Text` qui s'écrit, une fois assis
        self.decoder = DecodeStream(skip_special_tokens=True)
        self.place: int | None = None          # dans la file, tant qu'il attend
        self.left = False
        self.events: SimpleQueue[Piece | Place | str | BaseException] = SimpleQueue()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Piece | Place | Silence:
        if self.ending is not None:
            raise StopIteration
        event = self._next_event()
        if isinstance(event, BaseException):
            self.ending = "closed"
            raise event
        if isinstance(event, str):  # la fin, et sa raison
            self.ending = event
            raise StopIteration
        return event

    def _next_event(self):
        try:
            return self.events.get(timeout=REMINDER_SECONDS)
        except Empty:
            return Place(self.place) if self.place and self.text is None else Silence()

    def close(self) -> None:
        """S'en va. Le réseau ne calcule plus rien pour lui à partir du token suivant."""
        self.left = True
        self.ending = self.ending or "closed"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
