"""Beaucoup de lecteurs, un seul réseau.

Tous les textes demandés s'écrivent ensemble, un token chacun à chaque traversée du réseau. On s'assied
ou l'on se lève entre deux tokens ; celui qui est parti ne coûte plus rien. Quand toutes les places sont
prises, on attend son tour dans une file ; quand la file est pleine, on est prié de revenir.

    readers = Readers(dossier_du_réseau)
    for event in readers.join(Request("Il était une fois")):
        ...  # Place(3), Place(2), Place(1), puis Piece(" une", 0.4, [...]), Piece(" reine", ...), ...
"""

import re
import threading
import time
from collections import deque
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple, Self

from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

from workshop.errors import WorkshopError
from workshop.page.contract import BOLDNESS, FORBIDDEN, TOP_K
from workshop.page.events import Full, Piece, Place
from workshop.paths import shown
from workshop.writing.engine import Network
from workshop.writing.generation import Batch, Text
from workshop.writing.sampling import Settings

CANDIDATES = 5           # montrés pour chaque token
NEWCOMERS = 2            # assis entre deux tokens : lire une amorce fait attendre tous les autres
TYPICAL_SECONDS = 5      # ce que dure un texte quand la salle est pleine : de quoi dire quand revenir
REMINDER_SECONDS = 5     # à qui attend, on redit sa place : c'est en lui parlant que l'on voit s'il est parti

_UNREADABLE = re.compile(f"[\x0b-\x1f{FORBIDDEN}]")  # des octets que le réseau a mal assemblés


class Request(NamedTuple):
    """Ce que demande un lecteur. `text` est déjà normalisé ; vide, le réseau trouve lui-même un début."""

    text: str
    max_new_tokens: int = 200
    temperature: float = BOLDNESS.usual
    top_k: int = int(TOP_K.usual)
    top_p: float = 1.0
    seed: int | None = None


class Reader:
    """Un lecteur : ce qu'il faut parcourir pour recevoir son texte, et fermer pour s'en aller.

    `ending` dit, à la fin, pourquoi le texte s'arrête : « length » (longueur demandée), « end » (le réseau
    y a mis fin), « closed » (le lecteur est parti) ou « stopped » (la page ferme).
    """

    def __init__(self, request: Request):
        self.request = request
        self.ending: str | None = None
        self.text: Text | None = None           # le `Text` qui s'écrit, une fois assis
        self.decoder = DecodeStream(skip_special_tokens=True)
        self.place: int | None = None          # dans la file, tant qu'il attend
        self.left = False
        self.events: SimpleQueue[Piece | Place | str | BaseException] = SimpleQueue()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Piece | Place:
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
        while True:
            try:
                return self.events.get(timeout=REMINDER_SECONDS)
            except Empty:
                if self.place and self.text is None:
                    return Place(self.place)

    def close(self) -> None:
        """S'en va. Le réseau ne calcule plus rien pour lui à partir du token suivant."""
        self.left = True
        self.ending = self.ending or "closed"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Readers:  # pylint: disable=too-many-instance-attributes  # un réseau, un lot, une file, un fil
    """Les lecteurs d'un réseau : `seats` écrivent à la fois, `places` attendent leur tour."""

    def __init__(self, folder: Path, seats: int = 32, places: int = 32):
        """Ouvre le réseau de `folder` et son tokenizer. Lève une WorkshopError s'il n'est pas complet."""
        self.network = Network.open(folder)
        self.tokenizer = _open_tokenizer(Path(folder))
        self.seats, self.places = seats, places
        self._end_tokens = self._find_end_tokens()
        self._batch = Batch(self.network, seats)
        self._seated: dict[Text, Reader] = {}
        self._line: deque[Reader] = deque()
        self._change = threading.Condition()
        self._deadline: float | None = None              # après quoi les textes en cours sont coupés
        self._thread = threading.Thread(target=self._work, name="readers", daemon=True)
        self._thread.start()

    def _find_end_tokens(self):
        """Le token qui commence et finit un texte : celui des GPT-2, ou le premier token spécial."""
        special = self.tokenizer.get_added_tokens_decoder()
        names = {str(token): number for number, token in special.items()}
        number = names.get("<|endoftext|>", min(special, default=0))
        return (number,)

    @property
    def active(self) -> int:
        """Combien de textes s'écrivent."""
        return len(self._seated)

    @property
    def waiting(self) -> int:
        """Combien de lecteurs attendent leur tour."""
        return len(self._line)

    def join(self, request: Request) -> Reader:
        """Renvoie le `Reader` de `request`, assis ou dans la file. Lève Full s'il n'y a plus de place."""
        reader = Reader(request)
        with self._change:
            if self._deadline is not None:
                reader.events.put("stopped")
                return reader
            self._forget_those_who_left()
            if len(self._seated) + len(self._line) >= self.seats + self.places:
                raise Full(TYPICAL_SECONDS)
            self._line.append(reader)
            self._announce_places()
            self._change.notify()
        return reader

    def try_out(self) -> None:
        """Écrit un petit texte ; lève une WorkshopError si ce réseau n'en est pas capable."""
        reader = self.join(Request("Le soir,", max_new_tokens=8, seed=0))
        try:
            text = "".join(event.text for event in reader if isinstance(event, Piece))
        except Exception as error:
            raise WorkshopError(f"Le réseau n'arrive pas à écrire ({type(error).__name__}) : ses poids ne sont pas "
                                "tous des nombres, ou son tokenizer est celui d'un autre.") from error
        tokens = reader.text.tokens if reader.text else ()
        strange = [token for token in tokens if self.tokenizer.id_to_token(token) is None]
        if strange or not text.strip():
            raise WorkshopError("Le réseau écrit des tokens que son tokenizer ne connaît pas : c'est celui d'un autre."
                                if strange else "Le réseau n'écrit rien.")

    def stop(self, grace: float = 5) -> None:
        """N'accepte plus personne, laisse `grace` secondes aux textes en cours pour finir, puis les coupe."""
        deadline = time.monotonic() + grace
        with self._change:
            self._deadline = min(deadline, self._deadline or deadline)
            self._change.notify()
        self._thread.join(grace + 5)

    # --- Le fil qui fait écrire le réseau ---------------------------------------------------

    def _work(self):
        while self._seat_newcomers():
            try:
                self._write_one_token()
            except Exception as error:  # pylint: disable=broad-exception-caught  # le réseau lui-même a échoué :
                # chacun doit le savoir, et la page continuer.
                for reader in self._seated.values():
                    reader.events.put(error)
                self._empty_seats()

    def _seat_newcomers(self):
        """Attend qu'il y ait quelque chose à écrire ; renvoie False quand il n'y aura plus rien."""
        with self._change:
            while True:
                self._forget_those_who_left()
                if self._deadline is not None and (not self._seated or time.monotonic() > self._deadline):
                    for reader in (*self._seated.values(), *self._line):
                        reader.events.put("stopped")
                    self._empty_seats()
                    self._line.clear()
                    return False
                if self._seated or self._line:
                    break
                self._change.wait()
            newcomers: list[Reader] = []
            while self._line and len(self._seated) + len(newcomers) < self.seats and len(newcomers) < NEWCOMERS:
                newcomers.append(self._line.popleft())
            self._announce_places()
        for reader in newcomers:
            self._seat(reader)
        return True

    def _seat(self, reader):
        request = reader.request
        try:
            settings = Settings(max_new_tokens=request.max_new_tokens, temperature=request.temperature,
                                top_k=request.top_k, top_p=request.top_p, eos_token_ids=self._end_tokens)
            tokens = self.tokenizer.encode(request.text).ids or list(self._end_tokens)
            reader.text = Text(tokens, settings, request.seed)
            self._batch.join([reader.text])
            self._seated[reader.text] = reader
        except Exception as error:  # pylint: disable=broad-exception-caught  # elle n'appartient qu'à ce lecteur
            if reader.text in self._batch.texts:
                self._batch.leave(reader.text)
            reader.events.put(error)

    def _write_one_token(self):
        finished = self._batch.step()
        for text, reader in list(self._seated.items()):
            try:
                piece = None if text.failure else self._piece(reader)
                if piece is not None:
                    reader.events.put(piece)
            except Exception as error:  # pylint: disable=broad-exception-caught  # elle n'appartient qu'à ce lecteur
                text.failure = error
            if text.failure and text not in finished:
                self._batch.leave(text)
            if text.failure or text.ending:
                del self._seated[text]
                reader.events.put(text.failure or text.ending)

    def _piece(self, reader):
        """Renvoie ce que le dernier token ajoute au texte ; None si ce n'est qu'une partie d'un signe."""
        choice = reader.text.choice
        written = _UNREADABLE.sub("", reader.decoder.step(self.tokenizer, choice.token) or "")
        if not written:
            return None
        candidates = [(self.alone(int(token)), float(probability))
                      for token, probability in zip(choice.candidates[:CANDIDATES], choice.probabilities)]
        return Piece(written, choice.probability, candidates, choice.entropy)

    def alone(self, token):
        """Renvoie ce que `token` écrirait à lui seul : rien à la fin du texte, U+FFFD pour un morceau de signe."""
        text = self.tokenizer.decode([token])
        return "\ufffd" if "\ufffd" in text else _UNREADABLE.sub("", text)

    def _forget_those_who_left(self):
        """Les lecteurs partis rendent leur place ; à n'appeler que si l'on tient `_change`."""
        for reader in [reader for reader in self._line if reader.left]:
            self._line.remove(reader)
        if threading.current_thread() is self._thread:  # lui seul touche au lot
            for text, reader in [item for item in self._seated.items() if item[1].left]:
                self._batch.leave(text)
                del self._seated[text]

    def _announce_places(self):
        """Dit sa place à chacun de ceux qui attendent vraiment, si elle a changé."""
        free = self.seats - len(self._seated)
        for number, reader in enumerate(self._line, start=1):
            place = number - free
            if place > 0 and place != reader.place:
                reader.place = place
                reader.events.put(Place(place))

    def _empty_seats(self):
        self._seated.clear()
        self._batch.texts.clear()


def _open_tokenizer(folder):
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.encode_special_tokens = True  # « <|endoftext|> », tapé, n'est que du texte
        return tokenizer
    except Exception as error:  # pylint: disable=broad-exception-caught  # tokenizers n'a pas d'erreur à lui
        raise WorkshopError(f"Le tokenizer de {shown(folder)} ne se lit pas : tokenizer.json est incomplet ou n'est "
                            "pas celui attendu.") from error
