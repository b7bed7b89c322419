"""Le formulaire de la page : ce qu'il envoie, et la page, rendue telle que le visiteur l'avait remplie."""

from typing import Any, NamedTuple

from flask import render_template, request

from workshop.page.contract import BOLDNESS, DEFAULTS, LENGTHS, SEEDS, TOP_K, TOP_P, USUAL_LENGTH, Wish, wish
from workshop.page.prompts import Prompt, check, readable

SETTINGS = ("reseau", "longueur", "audace", "top_k", "top_p", "graine")


class Asked(NamedTuple):
    """Ce que demande un formulaire."""

    prompt: Prompt
    wish: Wish


def read() -> Asked:
    """Renvoie ce que demande le formulaire reçu ; lève `prompts.Refused` si l'amorce ne peut pas être continuée.

    Un formulaire fait à la main ne sort pas des bornes : ses réglages y sont ramenés.
    """
    sent = request.form
    length, seed = sent.get("longueur", USUAL_LENGTH), sent.get("graine", type=int)
    return Asked(check(sent.get("amorce", ""), sent.get("suite", "")), wish({
        "reseau": sent.get("reseau", DEFAULTS["reseau"]),
        "longueur": length if length in LENGTHS else USUAL_LENGTH,
        "audace": BOLDNESS.nearest(sent.get("audace", BOLDNESS.usual, type=float)),
        "top_k": int(TOP_K.nearest(sent.get("top_k", int(TOP_K.usual), type=int))),
        "top_p": TOP_P.nearest(sent.get("top_p", TOP_P.usual, type=float)),
        "graine": None if seed is None else min(max(seed, 0), SEEDS - 1)}))


def typed() -> dict[str, Any]:
    """Renvoie ce qui est écrit dans chaque champ : envoyé, ou dans l'adresse (/generate?audace=1.2), ou d'usage."""
    written = {name: readable(request.values.get(name, "")) or DEFAULTS.get(name, "") for name in SETTINGS}
    return {**written, "amorce": readable(request.values.get("amorce", ""))}


def show(code: int = 200, **page: Any) -> tuple[str, int]:
    """Renvoie la page du formulaire et son code ; `page` : story, warning, problem, network."""
    return render_template("generate.html", typed=typed(), **page), code
