"""Waitress, qui ne se laisse pas tenir par des visiteurs qui n'ont rien à dire.

Waitress ne ferme que les connexions où plus rien n'arrive : un octet de temps en temps les garde ouvertes, et quand
elles le sont toutes, plus personne n'entre. Ici, une demande a un délai pour arriver entière ; et quand il ne reste
pas de place, la plus ancienne de celles qui attendent encore la leur s'en va. Une demande arrivée n'est jamais coupée.

Pourquoi waitress malgré cela : il sert aussi Windows, donne chaque morceau aussitôt, dit quand le visiteur est parti,
et ces deux règles tiennent dans les méthodes qu'il laisse redéfinir.
"""

import time
from collections import Counter

from flask import Flask
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, MultiSocketServer, TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from workshop.page.server_errors import OurErrorTask

RECEIVE_SECONDS = 20    # pour envoyer une demande entière : 256 Ko, même par un mauvais Wi-Fi
MOST_CLOSED = 32        # à la fois, pour faire de la place


class Connection(HTTPChannel):
    """Une connexion, qui sait depuis quand l'on attend sa demande."""

    error_task_class = OurErrorTask
    waiting_since = 0.0     # instant où a commencé d'arriver la demande que l'on n'a pas encore toute
    has_asked = False       # au moins une fois

    def received(self, data: bytes) -> bool:
        """Reçoit un morceau de demande."""
        if self.request is None:
            self.waiting_since = time.time()
        received = super().received(data)
        self.has_asked = self.has_asked or self.request is None
        return received

    @property
    def is_waiting(self) -> bool:
        """Dit si l'on n'a rien à faire pour elle, que l'attendre."""
        return not (self.requests or self.total_outbufs_len or self.will_close)

    @property
    def is_late(self) -> bool:
        """Dit si sa demande aurait dû être là ; entre deux demandes, c'est `channel_timeout` qui compte."""
        since = self.waiting_since if self.request is not None else self.creation_time
        is_arriving = self.request is not None or not self.has_asked
        return is_arriving and self.is_waiting and time.time() - since > RECEIVE_SECONDS


class Listener(TcpWSGIServer):
    """Le serveur d'une adresse."""

    channel_class = Connection

    def maintenance(self, now: float) -> None:
        """Ferme ce qui a trop attendu."""
        super().maintenance(now)
        for connection in self.active_channels.values():
            if connection.is_late:
                connection.will_close = True

    def handle_accept(self) -> None:
        """Accepte tous ceux qui attendent, et non un seul par tour : chaque tour regarde toutes les connexions."""
        count = -1
        while count < len(self._map) < self.adj.connection_limit:
            count = len(self._map)
            super().handle_accept()

    def readable(self) -> bool:
        """Dit si l'on accepte quelqu'un de plus ; sinon, fait de la place pour le tour suivant."""
        if len(self._map) >= self.adj.connection_limit:
            self._make_room()
        return super().readable()

    def _make_room(self) -> None:
        """Ferme les plus anciennes des connexions sans demande, chez qui en a le plus."""
        waiting = [connection for connection in self.active_channels.values() if connection.is_waiting]
        counts = Counter(connection.addr[0] for connection in waiting)
        waiting.sort(key=lambda connection: (-counts[connection.addr[0]], connection.last_activity))
        for connection in waiting[:MOST_CLOSED]:
            connection.will_close = True


def open_listeners(app: Flask, **adjustments: object) -> BaseWSGIServer | MultiSocketServer:
    """Fait ce que fait `waitress.create_server`, avec des `Listener`."""
    adj = Adjustments(**adjustments)
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(adj.threads)
    sockets: dict[int, object] = {}
    listeners = [Listener(app, sockets, dispatcher=dispatcher, adj=adj, sockinfo=sockinfo) for sockinfo in adj.listen]
    if len(listeners) == 1:
        return listeners[0]
    addresses = [(listener.effective_host, listener.effective_port) for listener in listeners]
    return MultiSocketServer(sockets, adj, addresses, dispatcher)
