"""La file : qui s'assied, qui attend ici, et qui est prié de revenir sans perdre sa place.

Deux règles la rendent juste.

- Chaque adresse a son tour, et, à une adresse, chaque personne : qui a déjà des places assises, ou du monde devant
  lui dans la file, passe après qui n'a rien (« fair queuing » : Nagle, RFC 970, 1985).
- Les dernières places ne vont qu'à qui n'en a aucune. Une boucle qui a pris toutes les autres n'empêche donc pas un
  nouveau venu de s'asseoir aussitôt.

Qui ne peut pas attendre ici reçoit l'heure de revenir. Jusque-là sa place est gardée : il passe avant ceux qui sont
arrivés après lui.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from workshop.page.visitor import Visitor

COME_BACK_SECONDS = 5    # ce que dure un texte quand la salle est pleine : de quoi dire quand revenir
CLOSE = 8                # qui n'a que tant de monde de trop devant lui revient dans une seconde
LATE_SECONDS = 15        # le retard que l'on pardonne à qui revient
EARLY_SECONDS = 0.2
MOST_AWAY = 500          # places gardées à la fois ; les suivants reviennent au hasard

R = TypeVar("R")


class Room(NamedTuple):
    """Des places, dont les dernières sont pour qui n'en a aucune."""

    places: int
    for_persons: int = 0     # en plus, pour les personnes qui n'en ont pas
    for_addresses: int = 0   # et pour les adresses qui n'en ont pas

    @property
    def size(self) -> int:
        """Combien de places en tout."""
        return self.places + self.for_persons + self.for_addresses

    def accepts(self, visitor: Visitor, held: Counter[Visitor]) -> bool:
        """Dit si `visitor` peut prendre une place de plus, sachant celles que tous ont déjà."""
        taken = held.total()
        if taken < self.places:
            return True
        if taken < self.places + self.for_persons:
            return not held[visitor]
        return taken < self.size and all(other.address != visitor.address for other in +held)


@dataclass(eq=False)
class Turn(Generic[R]):
    """Un tour dans la file. `reader` : qui attend ici ; None : il est prié de revenir à `due`."""

    visitor: Visitor
    number: int
    reader: R | None
    due: float = 0


class Line(Generic[R]):
    """La file d'une salle où l'on s'assied dans `seats` et où l'on attend dans `benches`. À n'appeler que d'un fil à
    la fois."""

    def __init__(self, seats: Room, benches: Room, clock: Callable[[], float] = time.monotonic):
        self.seats, self.benches = seats, benches
        self._clock = clock
        self._turns: list[Turn[R]] = []
        self._numbers = 0

    def __len__(self) -> int:
        return sum(turn.reader is not None for turn in self._turns)

    def __iter__(self):
        return iter([turn.reader for turn in self._turns if turn.reader is not None])

    def join(self, reader: R, visitor: Visitor, seated: Counter[Visitor]) -> float | None:
        """Fait entrer `reader` dans la file. Si elle est pleine, lui garde sa place et renvoie dans combien de secondes
        revenir ; sinon, renvoie None."""
        now = self._clock()
        self._turns = [turn for turn in self._turns if turn.reader is not None or now < turn.due + LATE_SECONDS]
        waiting = Counter(turn.visitor for turn in self._turns if turn.reader is not None)
        turn = self._kept(visitor, now) or self._new(visitor)
        turn.reader = reader
        to_seat, others = self.plan(seated)
        if turn in to_seat or (turn in others[:self.benches.size] and self.benches.accepts(visitor, waiting)):
            return None
        # Qui est presque au bout revient bientôt : les bancs ne doivent pas se vider sans lui.
        too_many = max(0, others.index(turn) - self.benches.size)
        retry_after = min(COME_BACK_SECONDS, 1 + too_many // CLOSE)
        turn.reader, turn.due = None, now + retry_after
        if len(self._turns) - waiting.total() > MOST_AWAY:
            self._turns.remove(turn)
        return retry_after

    def _kept(self, visitor: Visitor, now: float) -> Turn[R] | None:
        """Renvoie la plus ancienne place gardée pour `visitor` ; ceux qui n'ont pas de cookie ne se distinguent que par
        l'heure : avant la sienne, c'est quelqu'un d'autre."""
        return next((turn for turn in self._turns if turn.reader is None and turn.visitor == visitor
                     and (visitor.person or turn.due - EARLY_SECONDS <= now)), None)

    def _new(self, visitor: Visitor) -> Turn[R]:
        self._numbers += 1
        turn: Turn[R] = Turn(visitor, self._numbers, None)
        self._turns.append(turn)
        return turn

    def leave(self, readers: Iterable[R]) -> None:
        """Retire `readers` de la file : ils s'asseyent, ou s'en vont."""
        gone = set(readers)
        self._turns = [turn for turn in self._turns if turn.reader is None or turn.reader not in gone]

    def plan(self, seated: Counter[Visitor]) -> tuple[list[Turn[R]], list[Turn[R]]]:
        """Renvoie qui peut s'asseoir tout de suite, et les autres, présents ou non, dans l'ordre de la file."""
        held = seated.copy()
        to_seat, others = [], []
        for turn in self._in_order(seated):
            if turn.reader is not None and self.seats.accepts(turn.visitor, held):
                held[turn.visitor] += 1
                to_seat.append(turn)
            else:
                others.append(turn)
        return to_seat, others

    def _in_order(self, seated: Counter[Visitor]) -> list[Turn[R]]:
        """Renvoie les tours, dans l'ordre où ils viendront : une adresse après l'autre, et à chacune une personne après
        l'autre."""
        persons = seated.copy()
        in_address = []
        for turn in sorted(self._turns, key=lambda turn: turn.number):
            in_address.append((persons[turn.visitor], turn.number, turn))
            persons[turn.visitor] += 1
        addresses: Counter[str] = Counter()
        for visitor, count in seated.items():
            addresses[visitor.address] += count
        in_room = []
        for _, number, turn in sorted(in_address, key=lambda item: item[:2]):
            in_room.append((addresses[turn.visitor.address], number, turn))
            addresses[turn.visitor.address] += 1
        return [turn for _, _, turn in sorted(in_room, key=lambda item: item[:2])]
