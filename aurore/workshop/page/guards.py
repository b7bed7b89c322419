"""Ce qui protège la page : un jeton dans le formulaire, des limites, des en-têtes.

Une salle entière sort souvent par une seule adresse : une personne est donc reconnue au cookie de
son formulaire, et l'adresse n'a qu'une limite très large. Être prié de revenir n'y compte pas.
"""

import functools
import threading
from collections import Counter
from typing import Callable

from flask import Flask, make_response, request
from flask_wtf.csrf import CSRFProtect
from limits import parse

from workshop.page.contract import LARGEST_BODY, PER_ADDRESS, PER_PERSON
from workshop.page.events import Full
from workshop.page.line import COME_BACK_SECONDS, Room
from workshop.page.replicas import Counts, secret_key
from workshop.page.visitor import Visitor, current

# Chaque texte demandé tient un fil du serveur, qu'il s'écrive ou attende, quel que soit son réseau.
CROWD = Room(240, for_persons=10, for_addresses=10)
_PER_ADDRESS, _PER_PERSON = parse(f"{PER_ADDRESS} per minute"), parse(f"{PER_PERSON} per minute")
FORM_LIFETIME = 12 * 3600   # secondes : une journée d'atelier sans recharger la page

HEADERS = {
    # Rien d'un autre site, aucun script ni style écrit dans la page : un texte ne peut rien exécuter.
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; "
                               "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def protect(app: Flask) -> tuple[CSRFProtect, Callable]:
    """Règle `app` et renvoie (csrf, limit) : le gardien du formulaire, et le décorateur qui borne une vue."""
    app.config.update(
        SECRET_KEY=secret_key(),
        SESSION_COOKIE_NAME="aurore", SESSION_COOKIE_SAMESITE="Lax", WTF_CSRF_TIME_LIMIT=FORM_LIFETIME,
        MAX_CONTENT_LENGTH=LARGEST_BODY, MAX_FORM_MEMORY_SIZE=LARGEST_BODY, MAX_FORM_PARTS=20)
    csrf = CSRFProtect(app)
    @app.after_request
    def harden(response):
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")  # une histoire n'est qu'à qui l'a demandée
        return response

    crowd, pace = Crowd(CROWD), Pace()

    def limit(view, methods=("POST",)):
        bounded = pace.bounds(crowd.bounds(view))

        @functools.wraps(view)
        def limited(*args, **kwargs):
            return (bounded if request.method in methods else view)(*args, **kwargs)
        return limited

    return csrf, limit


class TooMany(Exception):
    """Quelqu'un demande trop de textes ; `retry_after` dit dans combien de secondes revenir."""

    def __init__(self, retry_after: float):
        super().__init__("Trop de demandes.")
        self.retry_after = retry_after


class Pace:
    """Combien de textes chacun demande en une minute."""

    def __init__(self):
        self._asked = Counts()

    def bounds(self, view: Callable) -> Callable:
        """Renvoie `view`, qui lève TooMany ; une demande à qui la salle était pleine ne compte pas."""
        def bounded(*args, **kwargs):
            address, person = current()
            limits = [(_PER_ADDRESS, address), *([(_PER_PERSON, person)] if person else [])]
            for limit in limits:
                if not self._asked.test(*limit):
                    raise TooMany(self._asked.seconds_left(*limit))
            try:
                response = view(*args, **kwargs)
            except Full:
                raise
            except Exception:
                self._count(limits)
                raise
            if response.status_code != 503:
                self._count(limits)
            return response
        return bounded

    def _count(self, limits):
        for limit in limits:
            self._asked.hit(*limit)


class Crowd:
    """Ceux à qui l'on répond : un texte, tant qu'il n'est pas tout envoyé, occupe une place de `room`."""

    def __init__(self, room: Room):
        self._room = room
        self._inside: Counter[Visitor] = Counter()
        self._changing = threading.Lock()

    def bounds(self, view: Callable) -> Callable:
        """Renvoie `view`, qui lève Full si son visiteur n'a pas de place."""
        def bounded(*args, **kwargs):
            visitor = current()
            with self._changing:
                if not self._room.accepts(visitor, self._inside):
                    raise Full(COME_BACK_SECONDS)
                self._inside[visitor] += 1
            try:
                response = make_response(view(*args, **kwargs))
            except BaseException:
                self._leave(visitor)
                raise
            if response.is_streamed:
                response.call_on_close(functools.partial(self._leave, visitor))
            else:
                self._leave(visitor)   # tout est écrit
            return response
        return bounded

    def _leave(self, visitor: Visitor) -> None:
        with self._changing:
            self._inside[visitor] -= 1
            self._inside = +self._inside
