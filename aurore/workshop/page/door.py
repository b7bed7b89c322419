"""Le code d'accès d'une salle : ACCESS_CODE, section [atelier] de aurore/credentials.ini.

Sans code, la porte est ouverte. Avec un code, chacun le donne une fois (/code) ; l'API le reçoit
dans l'en-tête X-Access-Code, ou, comme les clients d'OpenAI donnent leur clé, dans Authorization: Bearer.
"""

import configparser
import hmac
import logging
from hashlib import sha256
from pathlib import Path

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from flask_wtf.csrf import CSRFError
from limits import parse

from workshop.credentials import PLACEHOLDER
from workshop.page.errors import is_api, message
from workshop.page.replicas import Counts
from workshop.page.visitor import current
from workshop.paths import CREDENTIALS

# Une salle sort souvent par une seule adresse : qui se trompe trop ne ferme la porte qu'à lui, jamais à elle. On change
# de cookie comme on veut : quand une adresse se trompe beaucoup, chacun n'y a plus qu'un essai, et le journal le dit.
PER_PERSON = parse("10 per minute")
PER_ADDRESS = parse("120 per minute")
HURRIED = parse("1 per minute")
OPEN_ENDPOINTS = ("static", "door.code", "health", "ready", "metrics.metrics")

WRONG_CODE = "Ce n'est pas le code de cette salle. Il est sans doute écrit au tableau."
TOO_MANY = "Trop de codes essayés. Attendez une minute, puis donnez celui qui est écrit au tableau."
EXPIRED = "La page était ouverte depuis longtemps. Donnez le code encore une fois."


class TooManyTries(Exception):
    """Quelqu'un essaie des codes au hasard."""


def read_access_code(path: Path = CREDENTIALS) -> str | None:
    """Renvoie le code d'accès, ou None si la porte est ouverte (fichier absent, XXXX, ligne vide)."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return None
    code = parser.get("atelier", "ACCESS_CODE", fallback="").strip().strip("\"'")
    return code if code not in ("", PLACEHOLDER) else None


class Lock:
    """Un code, et ceux qui se trompent."""

    def __init__(self, code: str):
        self._code = code
        self._wrong = Counts()

    def opens(self, tried: str) -> bool:
        """Dit si `tried` est le code, en un temps qui n'apprend rien ; lève TooManyTries après trop d'erreurs."""
        address, person = current()
        wrong = self._wrong
        # Les programmes d'une adresse, qui n'ont pas de cookie, s'y partagent la sienne.
        limit = (PER_PERSON if wrong.test(PER_ADDRESS, address) else HURRIED, person) if person else (
            PER_ADDRESS, address, "programmes")
        if not wrong.test(*limit):
            raise TooManyTries
        right = hmac.compare_digest(_digest(tried), _digest(self._code))
        if not right:
            for counted in {(PER_PERSON, person), (HURRIED, person), (PER_ADDRESS, address)} if person else {limit}:
                wrong.hit(*counted)
            if not wrong.test(PER_ADDRESS, address) and wrong.hit(HURRIED, address, "journal"):
                logging.getLogger(__name__).warning("Quelqu'un essaie beaucoup de codes depuis %s.", address)
        return right


def blueprint(access_code: str | None) -> Blueprint:
    """Renvoie le morceau d'application qui garde la porte, pour un code donné (None : elle est ouverte)."""
    page, lock = Blueprint("door", __name__), Lock(access_code or "")

    @page.before_app_request
    def keep():
        if access_code is None or request.endpoint in OPEN_ENDPOINTS or session.get("entered") or (
                request.blueprint == "board"):  # le tableau de qui anime a son propre code
            return None
        if not is_api():
            if request.method == "POST":  # la page des codes garde le texte, et le renvoie ensuite
                return render_template("code.html", problem=None), 401
            session["asked_for"] = request.full_path.rstrip("?")
            return redirect(url_for("door.code"))
        key = request.authorization
        tried = request.headers.get("X-Access-Code") or (key.token if key and key.type == "bearer" else None)
        # WSGI lit un en-tête comme du Latin-1 ; un code accentué arrive en UTF-8.
        if tried is None or not lock.opens(tried.encode("latin-1").decode("utf-8", "replace")):
            abort(401)
        return None

    @page.route("/code", methods=["GET", "POST"])
    def code():
        if access_code is None or session.get("entered"):
            return enter()
        if request.method != "POST":  # HEAD demande la même page que GET
            return render_template("code.html", problem=None)
        if not lock.opens(request.form.get("code", "").strip()):
            return render_template("code.html", problem=WRONG_CODE), 400
        session["entered"] = True
        return enter()

    def enter():
        """Mène à l'adresse demandée ou, s'il y avait une histoire à écrire, à sa suite."""
        if "amorce" in request.form:
            return redirect(url_for("generate"), 307)  # le navigateur y renvoie le même formulaire
        return redirect(request.script_root + session.pop("asked_for", "/"))

    @page.errorhandler(CSRFError)
    def expired(_):
        return render_template("code.html", problem=EXPIRED), 400

    @page.app_errorhandler(TooManyTries)
    def wait(_):
        headers = [("Retry-After", str(PER_PERSON.get_expiry()))]
        if is_api():
            return message(429, TOO_MANY, headers)
        return render_template("code.html", problem=TOO_MANY), 429, headers

    return page


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "replace")).digest()
