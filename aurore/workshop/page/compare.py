"""Comparer : une amorce, un tirage, deux réseaux côte à côte ; d'abord celui d'avant et celui d'après."""

import contextlib
from typing import Callable, NamedTuple, Sequence

from flask import Blueprint, render_template, request
from werkzeug.exceptions import BadGateway

from workshop.page import form
from workshop.page.contract import ERRORS, Malformed
from workshop.page.events import Full, Look, Writer
from workshop.page.prompts import Prompt, Refused
from workshop.page.signature import Signature
from workshop.page.story import Story, to_the_end, together

MOST_WORDS = 6   # de chacun, dans le tableau du premier mot


class Row(NamedTuple):
    """Ce que chacun des deux réseaux donnait de chances à un même début."""

    word: str
    chances: tuple[float | None, ...]   # None : bien moins que les autres


def blueprint(generator: Writer, limit: Callable) -> Blueprint:
    """Renvoie la page /comparer ; `limit` borne ce que chacun peut demander à `generator`."""
    page = Blueprint("compare", __name__)

    @page.route("/comparer", methods=["GET", "POST"])
    @limit
    def comparer():
        if request.method != "POST":
            return show(generator)
        try:
            prompt, wish = form.read()
            chosen = [generator.find(key) for key in (request.form.get("premier", ""), request.form.get("second", ""))]
        except (Malformed, Refused) as refusal:
            return show(generator, 400, problem=str(refusal))
        stories = [Story(prompt, network, wish) for network in chosen]
        try:
            to_the_end(together([story.follow(generator.write(prompt.opening, prompt.suite, story.wish))
                                 for story in stories]))
        except Full:
            return show(generator, 503, problem=ERRORS[503][1])
        return show(generator, stories=stories, rows=first_words(look_of_each(generator, prompt, chosen)))

    return page


def show(generator: Writer, code: int = 200, **page) -> tuple[str, int]:
    """Renvoie la page et son code ; `page` : stories, rows, problem."""
    networks = generator.networks
    chosen = [asked if asked in [network.key for network in networks] else usual.key
              for asked, usual in zip(map(request.values.get, ("premier", "second")), pair(networks))]
    return render_template("comparer.html", chosen=chosen, typed=form.typed(), **page), code


def pair(networks: Sequence[Signature]) -> tuple[Signature, Signature]:
    """Renvoie les deux à comparer d'abord : celui d'avant l'entraînement et celui qui écrit, sinon un autre et lui."""
    after, *others = networks
    parents = [network for network in others if network.name == after.parent]
    return next(iter(parents or others[::-1] or [after])), after


def look_of_each(generator: Writer, prompt: Prompt, networks: Sequence[Signature]) -> list[Look]:
    """Renvoie ce que chacun attendait après l'amorce ; rien, si l'un d'eux ne sait pas le dire, ou ne le peut plus."""
    with contextlib.suppress(Malformed, Full, BadGateway):   # leurs textes, eux, sont écrits
        return [generator.look(prompt.opening, network.key) for network in networks]
    return []


def first_words(looks: Sequence[Look]) -> list[Row]:
    """Renvoie les mots que l'un ou l'autre trouvait les plus probables, et les chances que chacun leur donnait.

    `static/compare/words.js` fait de même quand la page sait JavaScript.
    """
    chances = [dict(look.following) for look in looks]
    words = {word for look in looks for word, _ in look.following[:MOST_WORDS] if word.strip()}
    rows = [Row(word, tuple(known.get(word) for known in chances)) for word in words]
    return sorted(rows, key=lambda row: (-max(chance or 0 for chance in row.chances), row.word))
