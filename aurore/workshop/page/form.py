"""Le formulaire de la page : ce qu'il envoie, et la page, rendue telle que le visiteur l'avait remplie."""

from typing import Any, NamedTuple

from flask import render_template, request

from workshop.page.contract import BOLDNESS, LENGTHS, USUAL_LENGTH
from workshop.page.prompts import Prompt, check, readable


class Asked(NamedTuple):
    """Ce que demande un formulaire."""

    prompt: Prompt
    length: str
    boldness: float


def read() -> Asked:
    """Renvoie ce que demande le formulaire reçu ; lève `prompts.Refused` si l'amorce ne peut pas être continuée.

    Un formulaire fait à la main ne sort pas des bornes : ses réglages y sont ramenés.
    """
    prompt = check(request.form.get("amorce", ""))
    length = request.form.get("longueur", USUAL_LENGTH)
    boldness = request.form.get("audace", BOLDNESS.usual, type=float)
    return Asked(prompt, length if length in LENGTHS else USUAL_LENGTH, BOLDNESS.nearest(boldness))


def show(code: int = 200, **page: Any) -> tuple[str, int]:
    """Renvoie la page du formulaire et son code ; `page` : story, warning, problem, network."""
    typed = {"prompt": readable(request.form.get("amorce", "")), "length": request.form.get("longueur", USUAL_LENGTH),
             "boldness": request.form.get("audace", BOLDNESS.usual)}
    return render_template("generate.html", **typed, **page), code
