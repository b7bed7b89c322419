"""Coupe le réseau d'un script lancé par un test : seule la machine elle-même est joignable.

Python importe ce module au démarrage quand son dossier est dans PYTHONPATH.
"""

import socket

_connect = socket.socket.connect
_getaddrinfo = socket.getaddrinfo
_LOCAL = ("127.0.0.1", "::1", "localhost", "0.0.0.0")


def _guarded_connect(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in _LOCAL:
        raise OSError(101, "réseau coupé pendant les tests")
    return _connect(self, address)


def _guarded_getaddrinfo(host, *args, **kwargs):
    name = host.decode() if isinstance(host, bytes) else host
    if name is not None and name not in _LOCAL:
        raise socket.gaierror(socket.EAI_NONAME, "réseau coupé pendant les tests")
    return _getaddrinfo(host, *args, **kwargs)


socket.socket.connect = _guarded_connect
socket.getaddrinfo = _guarded_getaddrinfo
