"""Qui demande : une adresse, et la personne derrière elle.

Une salle entière sort souvent par une seule adresse : une personne s'y reconnaît au cookie de son formulaire. Les
programmes d'une adresse, qui n'ont pas de cookie, n'y font ensemble qu'une personne.
"""

from typing import NamedTuple

from flask import has_request_context, request, session


class Visitor(NamedTuple):
    """Qui demande un texte."""

    address: str = ""
    person: str = ""   # vide : sans cookie


def current() -> Visitor:
    """Renvoie qui a envoyé la demande en cours ; hors de toute demande, personne."""
    if not has_request_context():
        return Visitor()
    return Visitor(request.remote_addr or "inconnue", session.get("csrf_token", ""))
