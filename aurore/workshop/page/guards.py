"""Ce qui protège la page : un jeton dans le formulaire, des limites, des en-têtes.

Une salle entière sort souvent par une seule adresse : une personne est donc reconnue au cookie de
son formulaire, et l'adresse n'a qu'une limite très large. Être prié de revenir n'y compte pas.
"""

import functools
import secrets
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Callable

from flask import Flask, Response, make_response, request, session
from flask_limiter import Limiter
from flask_wtf.csrf import CSRFProtect

from workshop.page.contract import LARGEST_BODY, PER_ADDRESS, PER_PERSON
from workshop.page.events import Full
from workshop.page.line import COME_BACK_SECONDS, Room
from workshop.page.visitor import Visitor, current

# Chaque texte demandé tient un fil du serveur, qu'il s'écrive ou attende, quel que soit son réseau.
CROWD = Room(240, for_persons=10, for_addresses=10)
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
        SECRET_KEY=secrets.token_bytes(32),  # les cookies ne survivent pas au serveur : il ne garde rien
        SESSION_COOKIE_NAME="aurore", SESSION_COOKIE_SAMESITE="Lax", WTF_CSRF_TIME_LIMIT=FORM_LIFETIME,
        MAX_CONTENT_LENGTH=LARGEST_BODY, MAX_FORM_MEMORY_SIZE=LARGEST_BODY, MAX_FORM_PARTS=20)
    csrf = CSRFProtect(app)
    limiter = Limiter(lambda: request.remote_addr or "inconnue", app=app, storage_uri="memory://")

    @app.after_request
    def harden(response):
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")  # une histoire n'est qu'à qui l'a demandée
        return response

    crowd = Crowd(CROWD)

    def limit(view, methods=("POST",)):
        view = crowd.bounds(view, methods)
        view = limiter.shared_limit(f"{PER_ADDRESS} per minute", scope="histoires", methods=methods,
                                    deduct_when=_is_not_a_full_room)(view)
        return limiter.shared_limit(f"{PER_PERSON} per minute", scope="histoires d'une personne", methods=methods,
                                    key_func=lambda: session["csrf_token"], deduct_when=_is_not_a_full_room,
                                    exempt_when=lambda: "csrf_token" not in session)(view)

    return csrf, limit


def _is_not_a_full_room(response: Response) -> bool:
    return response.status_code != 503


class Crowd:
    """Ceux à qui l'on répond : un texte, tant qu'il n'est pas tout envoyé, occupe une place de `room`."""

    def __init__(self, room: Room):
        self._room = room
        self._inside: Counter[Visitor] = Counter()
        self._changing = threading.Lock()

    def bounds(self, view: Callable, methods: Sequence[str]) -> Callable:
        """Renvoie `view`, qui lève Full si son visiteur n'a pas de place ; les autres `methods` n'en demandent pas."""
        @functools.wraps(view)
        def bounded(*args, **kwargs):
            if request.method not in methods:
                return view(*args, **kwargs)
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
            response.call_on_close(functools.partial(self._leave, visitor))
            return response
        return bounded

    def _leave(self, visitor: Visitor) -> None:
        with self._changing:
            self._inside[visitor] -= 1
            self._inside = +self._inside
