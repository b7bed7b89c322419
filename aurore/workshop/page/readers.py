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
from collections import Counter
from pathlib import Path

from tokenizers import Tokenizer

from workshop.errors import WorkshopError
from workshop.page.contract import FORBIDDEN
from workshop.page.events import Full, Piece, Place
from workshop.page.line import COME_BACK_SECONDS, Line, Room
from workshop.page.reader import Reader, Request
from workshop.page.visitor import Visitor
from workshop.paths import shown
from workshop.writing.engine import Network
from workshop.writing.generation import Text
from workshop.writing.prefill import SharedBatch
from workshop.writing.sampling import Settings

LONG_TOKEN = 8           # signes : deux fois plus qu'un token n'en a d'ordinaire
CANDIDATES = 5           # montrés pour chaque token
TYPICAL_SECONDS = COME_BACK_SECONDS
SEATS = Room(32, for_persons=4, for_addresses=4)
BENCHES = Room(200, for_persons=10, for_addresses=10)

UNREADABLE = re.compile(f"[\x0b-\x1f{FORBIDDEN}]")  # des octets que le réseau a mal assemblés


class Readers:  # pylint: disable=too-many-instance-attributes  # un réseau, un lot, une file, un fil
    """Les lecteurs d'un réseau : ceux qui ont une place dans `seats` écrivent, les autres attendent sur `benches`."""

    def __init__(self, folder: Path, seats: Room = SEATS, benches: Room = BENCHES):
        """Ouvre le réseau de `folder` et son tokenizer. Lève une WorkshopError s'il n'est pas complet."""
        self.network = Network.open(folder)
        self.tokenizer = _open_tokenizer(Path(folder))
        self._end_tokens = self._find_end_tokens()
        self._batch = SharedBatch(self.network, seats.size)
        self._seated: dict[Text, Reader] = {}
        self._line: Line[Reader] = Line(seats, benches)
        self._change = threading.Condition()
        self._deadline: float | None = None              # après quoi les textes en cours sont coupés
        self._start()

    def _start(self):
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
            retry_after = self._line.join(reader, reader.visitor, self._held)
            if retry_after is not None:
                raise Full(retry_after)
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
        try:
            while self._seat_newcomers():
                try:
                    self._write_one_token()
                except Exception as error:  # pylint: disable=broad-exception-caught  # le réseau lui-même a échoué :
                    self._tell_everyone(error)  # chacun doit le savoir, et la page continuer.
        except BaseException as error:  # ce fil est perdu, pas la page : un autre prend sa place
            self._tell_everyone(RuntimeError(f"le fil qui écrivait s'est arrêté ({type(error).__name__})"))
            self._start()
            raise

    def _tell_everyone(self, error):
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
                    self._line.leave(self._line)
                    return False
                if self._seated or self._line:
                    break
                self._change.wait()
            if self._line:
                to_seat, _ = self._line.plan(self._held)
                newcomers = [turn.reader for turn in to_seat]
                self._line.leave(newcomers)
                for reader in newcomers:
                    self._seat(reader)
                self._announce_places()
        return True

    def _seat(self, reader):
        request = reader.request
        try:
            settings = Settings(max_new_tokens=request.max_new_tokens, temperature=request.temperature,
                                top_k=request.top_k, top_p=request.top_p, eos_token_ids=self._end_tokens)
            tokens = self._last_tokens(request.text) or list(self._end_tokens)
            reader.text = Text(tokens, settings, request.seed)
            self._batch.enter(reader.text)
            self._seated[reader.text] = reader
        except Exception as error:  # pylint: disable=broad-exception-caught  # elle n'appartient qu'à ce lecteur
            reader.events.put(error)

    def _last_tokens(self, text):
        """Renvoie les tokens de `text` ou, s'il est long, de sa fin : au moins ceux que le réseau pourra voir."""
        most = LONG_TOKEN * self.network.context
        cut = text.find(" ", len(text) - most) if len(text) > most else -1
        # Le tokenizer ne regarde pas au-delà d'un espace, s'il est entre deux mots.
        while cut > 0 and (text[cut - 1].isspace() or text[cut + 1:cut + 2].isspace()):
            cut = text.find(" ", cut + 1)
        if cut > 0:
            tokens = self.tokenizer.encode(text[cut:]).ids
            if len(tokens) >= self.network.context:
                return tokens
        return self.tokenizer.encode(text).ids

    def _write_one_token(self):
        writing = list(self._batch.texts)
        finished = self._batch.step()
        for text in {*writing, *finished}:
            reader = self._seated[text]
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
        written = UNREADABLE.sub("", reader.decoder.step(self.tokenizer, choice.token) or "")
        if not written:
            return None
        candidates = [(self.alone(int(token)), float(probability))
                      for token, probability in zip(choice.candidates[:CANDIDATES], choice.probabilities)]
        return Piece(written, choice.probability, candidates, choice.entropy)

    def alone(self, token: int) -> str:
        """Renvoie ce que `token` écrirait à lui seul : rien à la fin du texte, U+FFFD pour un morceau de signe."""
        return shown_alone(self.tokenizer.decode([token]))

    @property
    def _held(self) -> Counter[Visitor]:
        """Combien de places chacun occupe."""
        return Counter(reader.visitor for reader in self._seated.values())

    def _forget_those_who_left(self):
        """Les lecteurs partis rendent leur place ; à n'appeler que si l'on tient `_change`."""
        self._line.leave([reader for reader in self._line if reader.left])
        if threading.current_thread() is self._thread:  # lui seul touche au lot
            for text, reader in [item for item in self._seated.items() if item[1].left]:
                self._batch.leave(text)
                del self._seated[text]

    def _announce_places(self):
        """Dit sa place à chacun de ceux qui attendent vraiment, si elle a changé."""
        _, others = self._line.plan(self._held)
        waiting = [turn.reader for turn in others if turn.reader is not None]
        for place, reader in enumerate(waiting, start=1):
            if place != reader.place:
                reader.place = place
                reader.events.put(Place(place))

    def _empty_seats(self):
        self._seated.clear()
        self._batch.clear()


def shown_alone(text: str) -> str:
    """Renvoie `text`, un token décodé sans ses voisins, tel qu'il se montre : U+FFFD pour un morceau de signe."""
    return "\ufffd" if "\ufffd" in text else UNREADABLE.sub("", text)


def _open_tokenizer(folder):
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.encode_special_tokens = True  # « <|endoftext|> », tapé, n'est que du texte
        return tokenizer
    except Exception as error:  # pylint: disable=broad-exception-caught  # tokenizers n'a pas d'erreur à lui
        raise WorkshopError(f"Le tokenizer de {shown(folder)} ne se lit pas : tokenizer.json est incomplet ou n'est "
                            "pas celui attendu.") from error
