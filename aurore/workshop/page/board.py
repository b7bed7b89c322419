"""Le tableau de la salle, pour qui anime : /salle, derrière AURORE_CODE_SALLE. Sans cette variable, il n'existe pas.

verify.py y dit, chez qui a posé AURORE_SALLE, quels TODO sont faits et lesquels résistent ; rien du code. Tout est
gardé dans aurore/data/salle.sqlite, effacé par un bouton, et au plus tard un jour après.
"""

import contextlib
import os
import re
import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import Any, Iterator, NamedTuple

from flask import Blueprint, Flask, abort, redirect, render_template, request, session, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from limits import parse
from werkzeug.exceptions import TooManyRequests

from workshop.exercises import LESSONS, find_todos
from workshop.page.contract import CONTROLS
from workshop.page.door import EXPIRED, Lock
from workshop.page.replicas import Counts
from workshop.page.visitor import current
from workshop.paths import AURORE, DATA

FILE = DATA / "salle.sqlite"
KEPT_SECONDS = 24 * 3600
DONE, WAITING, WRONG = "fait", "pas encore", "à revoir"   # les mots de verify.py
LARGEST_REPORT = 32 * 1024   # octets : quatre exercices, une phrase par TODO, en font 6 000
LONGEST_NAME, LONGEST_SENTENCE, MOST_PEOPLE = 30, 200, 200
WRONG_CODE = "Ce n'est pas le code de qui anime."
PER_ADDRESS = parse("600 per minute")   # toute une salle, qui enregistre sans cesse
_NUMBER = re.compile(r"[1-4]\.(?:\d{1,2}|\*)")   # « 3.* » : le fichier entier, qui ne s'ouvre pas


class Person(NamedTuple):
    """Où en est quelqu'un."""

    name: str
    done: int           # TODO faits, facultatifs compris
    todo: str | None    # celui où il est ; None : l'exercice est fait
    exercise: int
    state: str
    sentence: str       # sa faute, nommée
    minutes: int        # depuis qu'il y est


class Step(NamedTuple):
    """Où en est la salle d'un TODO."""

    number: str
    optional: bool
    done: int
    wrong: int
    here: int           # combien en sont là


def todos() -> dict[str, bool]:
    """Renvoie {numéro: facultatif} de tous les TODO, dans l'ordre de l'après-midi : de l'exercice 4 au premier."""
    solutions = [AURORE / f"{lesson}_solution.py" for lesson in reversed(LESSONS)]
    return {todo.number: todo.optional for path in solutions
            for todo in find_todos(path.read_text(encoding="utf-8").splitlines())}


class Notebook:
    """Ce que verify.py a dit de chacun, dans un fichier SQLite."""

    def __init__(self, path: Path = FILE):
        self.path = path

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Donne la base, sans ce qui a plus d'un jour ; ce qu'on y écrit est gardé en sortant."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(self.path, timeout=5)) as database:
            database.execute("PRAGMA secure_delete = ON")   # ce qui est effacé l'est aussi du fichier
            with database:
                database.execute("CREATE TABLE IF NOT EXISTS todo (name TEXT, number TEXT, state TEXT, sentence TEXT, "
                                 "since REAL, seen REAL, PRIMARY KEY (name, number))")
                database.execute("DELETE FROM todo WHERE seen < ?", (time.time() - KEPT_SECONDS,))
                yield database

    def write(self, name: str, verdicts: dict[str, tuple[str, str]]) -> None:
        """Range {numéro: (état, phrase)} de `name` ; lève TooManyRequests si la salle est déjà pleine."""
        now = time.time()
        with self._open() as database:
            names = {row[0] for row in database.execute("SELECT DISTINCT name FROM todo")}
            if name not in names and len(names) >= MOST_PEOPLE:
                raise TooManyRequests
            exercises = {number[0] for number in verdicts}
            for exercise in exercises:   # le fichier s'ouvre de nouveau, ou ne s'ouvre plus
                if f"{exercise}.*" not in verdicts:
                    database.execute("DELETE FROM todo WHERE name = ? AND number = ?", (name, f"{exercise}.*"))
            for number, (state, sentence) in verdicts.items():
                database.execute(
                    "INSERT INTO todo VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name, number) DO UPDATE SET "
                    "since = CASE WHEN state = excluded.state THEN since ELSE excluded.since END, "
                    "state = excluded.state, sentence = excluded.sentence, seen = excluded.seen",
                    (name, number, state, sentence, now, now))

    def read(self) -> dict[str, dict[str, tuple[str, str, float]]]:
        """Renvoie {prénom: {numéro: (état, phrase, depuis)}}."""
        if not self.path.is_file():
            return {}
        people: dict[str, dict[str, tuple[str, str, float]]] = {}
        with self._open() as database:
            for name, *row in database.execute("SELECT name, number, state, sentence, since FROM todo ORDER BY name"):
                people.setdefault(name, {})[row[0]] = (row[1], row[2], row[3])
        return people

    def erase(self) -> None:
        """Efface tout."""
        self.path.unlink(missing_ok=True)


def where(name: str, verdicts: dict[str, tuple[str, str, float]], optional: dict[str, bool]) -> Person:
    """Renvoie où en est une personne : dans l'exercice où quelque chose vient de changer, au premier TODO qui reste."""
    done = sum(state == DONE for state, _, _ in verdicts.values())
    begun = {number: row for number, row in verdicts.items() if row[0] != WAITING}
    # De deux changements vus ensemble, le dernier est celui de l'exercice le plus avancé : le plus petit numéro.
    exercise = int(max(begun, key=lambda number: (begun[number][2], -int(number[0])), default="4")[0])
    order = [f"{exercise}.*", *(one for one in optional if one[0] == str(exercise) and not optional[one])]
    todo = next((number for number in order if number in verdicts and verdicts[number][0] != DONE), None)
    state, sentence, since = verdicts[todo] if todo else (DONE, "", max((row[2] for row in begun.values()),
                                                                        default=time.time()))
    if state == WAITING:   # il y est depuis qu'il a fini le précédent
        since = max((row[2] for row in begun.values()), default=since)
    return Person(name, done, todo, exercise, state, sentence if state == WRONG else "",
                  max(0, round((time.time() - since) / 60)))


def summary(notebook: Notebook) -> dict[str, Any]:
    """Renvoie ce que montre le tableau : `people`, `steps`, et `block`, le TODO qui arrête le plus de monde."""
    optional, told = todos(), notebook.read()
    people = [where(name, verdicts, optional) for name, verdicts in told.items()]
    here = Counter(person.todo for person in people if person.todo and (person.done or person.state == WRONG))
    states = Counter((number, state) for verdicts in told.values() for number, (state, _, _) in verdicts.items())
    steps = [Step(number, optional[number], states[number, DONE], states[number, WRONG], here[number])
             for number in optional]
    stuck = Counter(person.todo for person in people if person.state == WRONG)
    block = stuck.most_common(1)[0] if stuck and stuck.most_common(1)[0][1] > 1 else None
    sentences = Counter(person.sentence for person in people if block and person.todo == block[0] and person.sentence)
    return {"people": sorted(people, key=lambda person: (person.state != WRONG, -person.minutes, person.name)),
            "steps": steps, "block": block, "mistake": sentences.most_common(1)[0][0] if sentences else "",
            "every": len(optional)}


def _text(value: object, longest: int) -> str:
    """Renvoie `value`, si c'est un texte, sur une ligne et sans signe invisible, raccourci à `longest` signes."""
    if not isinstance(value, str):
        abort(400)
    return " ".join(re.sub(f"[{CONTROLS}\u200b-\u200f\u202a-\u202e\u2066-\u2069]", "", value).split())[:longest]


def read_report(body: object) -> tuple[str, dict[str, tuple[str, str]]]:
    """Renvoie (prénom, {numéro: (état, phrase)}) d'un envoi de verify.py ; abandonne (400) ce qui n'en est pas un."""
    if not isinstance(body, dict) or not isinstance(body.get("todos"), list) or len(body["todos"]) > 60:
        abort(400)
    name = _text(body.get("prenom"), LONGEST_NAME)
    verdicts = {}
    for row in body["todos"]:
        if not isinstance(row, list) or len(row) != 3 or row[1] not in (DONE, WAITING, WRONG):
            abort(400)
        number = _text(row[0], 5)
        if not _NUMBER.fullmatch(number):
            abort(400)
        verdicts[number] = (row[1], _text(row[2], LONGEST_SENTENCE) if row[1] == WRONG else "")
    if not name or not verdicts:
        abort(400)
    return name, verdicts


def blueprint(code: str, csrf: CSRFProtect, notebook: Notebook) -> Blueprint:
    """Renvoie le morceau d'application du tableau, derrière le code de qui anime."""
    page, lock = Blueprint("board", __name__, url_prefix="/salle"), Lock(code)
    received = Counts()

    @page.post("/avis")
    @csrf.exempt   # un autre site ne peut pas envoyer de JSON sans la permission du navigateur
    def tell():
        if not received.hit(PER_ADDRESS, current().address):
            raise TooManyRequests
        if (request.content_length or 0) > LARGEST_REPORT:
            abort(413)
        notebook.write(*read_report(request.get_json()))
        return "", 204

    @page.route("", methods=["GET", "POST"])
    def show():
        problem = None
        if request.method == "POST" and "code" in request.form:
            if lock.opens(request.form["code"].strip()):
                session["instructor"] = True
                return redirect(url_for("board.show"))
            problem = WRONG_CODE
        if not session.get("instructor"):
            return render_template("salle/code.html", problem=problem), 400 if problem else 200
        return render_template("salle/board.html", **_shown())

    @page.get("/tableau")
    def table():
        if not session.get("instructor"):
            abort(401)
        return render_template("salle/_table.html", **_shown())

    @page.post("/effacer")
    def erase():
        if not session.get("instructor"):
            abort(401)
        notebook.erase()
        return redirect(url_for("board.show"))

    @page.errorhandler(CSRFError)
    def expired(_):
        return render_template("salle/code.html", problem=EXPIRED), 400

    def _shown() -> dict[str, Any]:
        return {**summary(notebook), "named": request.args.get("noms") != "non"}

    return page


def install(app: Flask, csrf: CSRFProtect, path: Path | None = None) -> None:
    """Ajoute le tableau à `app`, si AURORE_CODE_SALLE est posée."""
    code = os.environ.get("AURORE_CODE_SALLE", "").strip()
    if code:
        app.register_blueprint(blueprint(code, csrf, Notebook(path or FILE)))
