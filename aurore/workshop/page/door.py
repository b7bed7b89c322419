"""Le code d'accès d'une salle : ACCESS_CODE, section [atelier] de aurore/credentials.ini.

Sans code, la porte est ouverte. Avec un code, chacun le donne une fois (/code) ; l'API le reçoit
dans l'en-tête X-Access-Code.
"""

import configparser
import hmac
from hashlib import sha256

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from workshop.credentials import PLACEHOLDER
from workshop.paths import CREDENTIALS

WRONG_TRIES = parse("30 per minute")   # par adresse : de quoi se tromper à plusieurs, pas de quoi deviner
OPEN_ENDPOINTS = ("static", "door.code", "health", "ready", "metrics.metrics")

WRONG_CODE = "Ce n'est pas le code de cette salle. Il est sans doute écrit au tableau."
EXPIRED = "La page était ouverte depuis longtemps. Donnez le code encore une fois."


def read_access_code(path=CREDENTIALS):
    """Renvoie le code d'accès, ou None si la porte est ouverte (fichier absent, XXXX, ligne vide)."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return None
    code = parser.get("atelier", "ACCESS_CODE", fallback="").strip().strip("\"'")
    return code if code not in ("", PLACEHOLDER) else None


def blueprint(access_code):
    """Renvoie le morceau d'application qui garde la porte, pour un code donné (None : elle est ouverte)."""
    page = Blueprint("door", __name__)
    wrong = FixedWindowRateLimiter(MemoryStorage())

    def is_right(tried):
        """Dit si `tried` est le code, en un temps qui n'apprend rien ; trop d'essais : 429."""
        if not wrong.test(WRONG_TRIES, request.remote_addr):
            abort(429)
        right = hmac.compare_digest(_digest(tried), _digest(access_code))
        if not right:
            wrong.hit(WRONG_TRIES, request.remote_addr)
        return right

    @page.before_app_request
    def keep():
        if access_code is None or request.endpoint in OPEN_ENDPOINTS or session.get("entered"):
            return None
        if not request.path.startswith("/api/"):
            return redirect(url_for("door.code"))
        tried = request.headers.get("X-Access-Code")
        if tried is None or not is_right(tried):
            abort(401)
        return None

    @page.route("/code", methods=["GET", "POST"])
    def code():
        if access_code is None or session.get("entered"):
            return redirect(url_for("home"))
        if request.method == "GET":
            return render_template("code.html", problem=None)
        if not is_right(request.form.get("code", "").strip()):
            return render_template("code.html", problem=WRONG_CODE), 400
        session["entered"] = True
        return redirect(url_for("home"))

    return page


def _digest(text):
    return sha256(text.encode("utf-8", "replace")).digest()
