"""Tous les réseaux de la maison : les deux embarqués, et ceux que l'on a entraînés ici.

Celui qui écrit d'ordinaire est toujours ouvert (`Relay`). Un autre s'ouvre quand on le demande et le reste, tant
qu'un troisième n'a pas besoin de sa place : une page qui compare deux réseaux ne garde pas toute la collection en
mémoire. Chacun a ses lecteurs et son fil : l'ouvrir ne fait pas attendre ceux qui écrivent avec un autre.
"""

import threading
from collections import OrderedDict
from functools import cache
from pathlib import Path
from typing import Callable, Sequence

from workshop.artefacts import is_complete_model, trained_models
from workshop.page.contract import Malformed
from workshop.page.events import Full
from workshop.page.readers import TYPICAL_SECONDS, Reader, Readers, Request
from workshop.page.relay import Relay, open_network, stop_together
from workshop.page.signature import Signature, read_signature
from workshop.paths import BASE_MODEL, SAND_MODEL

MOST_OPEN = 2   # en plus de celui qui écrit d'ordinaire : de quoi en comparer deux

UNKNOWN = "Ce réseau n'est pas, ou n'est plus, dans la maison. Choisissez-en un autre."
BROKEN = "Ce réseau n'arrive pas à écrire. Choisissez-en un autre."


@cache
def open_by_name(name: str) -> Path:
    """Renvoie le dossier du réseau `name` du catalogue : téléchargé une fois, la page n'appelle plus le catalogue.

    Lève une WorkshopError s'il n'existe pas, est privé, ou n'est pas un GPT-2.
    """
    from workshop.learning import hub  # pylint: disable=import-outside-toplevel  # la page s'ouvre sans l'attendre
    return hub.local_copy(name)


class Networks:
    """Les réseaux, par leur clé ; `trained` renvoie les dossiers de ceux qui ont été entraînés ici."""

    def __init__(self, relay: Relay, trained: Callable[[], Sequence[Path]] = trained_models):
        self._relay, self._trained = relay, trained
        self._opened: OrderedDict[str, Readers] = OrderedDict()   # celui qui a servi le plus récemment, à la fin
        self._opening = threading.Lock()    # un seul s'ouvre à la fois
        self._changing = threading.Lock()   # garde `_opened`

    @property
    def all(self) -> list[Signature]:
        """Celui qui écrit d'ordinaire, les autres entraînés ici, le plus récent d'abord, puis les embarqués."""
        usual = self._relay.network
        return [usual, *(signature for key, signature in self._others().items() if key != usual.key)]

    def find(self, key: str) -> Signature:
        """Renvoie le réseau `key`, ou celui qui écrit d'ordinaire si elle est vide ; lève Malformed."""
        usual = self._relay.network
        if key in ("", usual.key):
            return usual
        try:
            return self._others()[key]
        except KeyError:
            raise Malformed(UNKNOWN) from None

    def join(self, request: Request, key: str) -> Reader:
        """Renvoie le lecteur de `request` ; lève Full si la file, ou la maison, est pleine, et Malformed."""
        reader = self._relay.join(request, key)
        while reader is None:
            self._open(key)
            with self._changing:  # il ne se ferme pas entre le choix et l'entrée
                reader = self._opened[key].join(request) if key in self._opened else None
        return reader

    def readers(self, key: str) -> Readers:
        """Renvoie les lecteurs du réseau `key`, ouvert s'il le faut."""
        return self._relay.serving(key) or self._open(key)

    @property
    def everyone(self) -> list[Relay | Readers]:
        """Tous ceux qui écrivent."""
        with self._changing:
            return [self._relay, *self._opened.values()]

    def stop(self, grace: float) -> None:
        """Laisse `grace` secondes aux textes commencés, quel que soit leur réseau, puis les arrête."""
        stop_together(self.everyone, grace)

    def _others(self) -> dict[str, Signature]:
        return {signature.key: signature for signature in map(read_signature, self._folders())}

    def _folders(self) -> list[Path]:
        return [*filter(is_complete_model, self._trained()), SAND_MODEL, BASE_MODEL]

    def _open(self, key: str) -> Readers:
        """Ouvre le réseau `key`, s'il ne l'est pas."""
        with self._opening:
            with self._changing:
                if key in self._opened:
                    self._opened.move_to_end(key)
                    return self._opened[key]
            folder = next((folder for folder in self._folders() if read_signature(folder).key == key), None)
            if folder is None:
                raise Malformed(UNKNOWN)
            self._make_room()
            try:
                readers, _ = open_network(folder)
            except Exception as error:  # pylint: disable=broad-exception-caught  # quel que soit son défaut
                raise Malformed(BROKEN) from error
            with self._changing:
                self._opened[key] = readers
            return readers

    def _make_room(self) -> None:
        """Ferme celui qui sert le moins, s'il faut sa place et qu'il n'écrit pas ; lève Full si tous écrivent."""
        with self._changing:
            if len(self._opened) < MOST_OPEN:
                return
            idle = next((key for key, readers in self._opened.items() if not readers.active + readers.waiting), None)
            if idle is None:
                raise Full(TYPICAL_SECONDS)
            closed = self._opened.pop(idle)
        closed.stop(0)
