"""Partager : le code QR de l'adresse d'un texte. Rien n'en est gardé ici."""

import re
from typing import Callable

import segno
from flask import Blueprint, Response, request

from workshop.page.contract import LONGEST_ADDRESS, Malformed


def blueprint(limit: Callable) -> Blueprint:
    """Renvoie le morceau d'application qui dessine les codes QR ; `limit` borne ce que chacun peut en demander."""
    page = Blueprint("qr", __name__)

    @page.post("/api/qr")
    @limit
    def draw():
        address = request.get_data(as_text=True)
        if not re.fullmatch(f"[!-~]{{1,{LONGEST_ADDRESS}}}", address):
            raise Malformed(f"Un code QR contient une adresse, en texte : {LONGEST_ADDRESS} caractères au plus.")
        drawing = segno.make(address, error="l", micro=False).svg_inline(omitsize=True, border=2)
        return Response(drawing, mimetype="image/svg+xml")

    return page
