"""Les erreurs sont aussi des pages : en HTML pour qui lit, en JSON pour l'API."""

import contextlib
import math
import traceback
from typing import Iterable
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from jinja2 import TemplateError
from markupsafe import escape
from werkzeug.exceptions import HTTPException, ServiceUnavailable, TooManyRequests

from workshop.page import error_codes, form
from workshop.page.contract import ERRORS, EXPIRED, Malformed
from workshop.page.events import Full
from workshop.page.guards import TooMany
from workshop.page.prompts import Refused, readable

Headers = Iterable[tuple[str, str]]


def register(app: Flask) -> None:
    """Répond à toute erreur de `app` par une page, ou par {"code": …, "message": …}."""
    app.register_error_handler(HTTPException, _answer)
    app.register_error_handler(Full, lambda full: _answer(ServiceUnavailable(), retry_after=full.retry_after))
    app.register_error_handler(TooMany, lambda many: _answer(TooManyRequests(), retry_after=many.retry_after))
    app.register_error_handler(Refused, lambda refusal: _refuse(str(refusal), error_codes.REFUSED_TEXT))
    app.register_error_handler(UnknownField, lambda refusal: _refuse(str(refusal), error_codes.UNKNOWN_FIELD))
    app.register_error_handler(Malformed, lambda refusal: _refuse(str(refusal), error_codes.WRONG_FIELD))
    app.after_request(_say_where)
    app.register_error_handler(CSRFError, lambda _: _refuse(EXPIRED))
    app.json.ensure_ascii = app.json.sort_keys = False  # type: ignore[attr-defined]  # un JSON que l'on peut lire
    app.log_exception = lambda error: app.logger.error("%s", described(error[1]))  # type: ignore


class UnknownField(Malformed):
    """La demande a un champ que l'on ne connaît pas."""


def refuse_unknown(sent: Iterable[str], names: Iterable[str], of_what: str) -> None:
    """Lève UnknownField si `sent` a un champ qui n'est pas de `names` ; `of_what` dit de quoi ils sont les champs."""
    known = list(names)
    for name in sent:
        if name not in known:
            raise UnknownField(f"« {readable(name[:40])} » n'est pas un champ {of_what}. Les voici : "
                               f"{', '.join(known)}.")


def _refuse(sentence: str, code: str = error_codes.CODES[400]) -> ResponseReturnValue:
    return message(400, sentence, code=code) if is_api() else form.show(400, problem=sentence)


def _say_where(response: Response) -> Response:
    """Une redirection reste sur cette page, quel que soit l'hôte qu'on lui a dit, et se lit là où elle ne se suit
    pas."""
    if 300 <= response.status_code < 400 and response.location:
        _, _, path, *rest = urlsplit(response.location)
        response.location = urlunsplit(("", "", "/" + path.lstrip("/"), *rest))   # « //ailleurs » serait un autre hôte
        response.set_data('<!doctype html><html lang="fr"><title>Par ici – Aurore</title>'
                          f'<p>Cette page est <a href="{escape(response.location)}">à une autre adresse</a>.</p>')
    return response


def _answer(error: HTTPException, retry_after: float | None = None) -> ResponseReturnValue:
    code = error.code
    if code is None or code < 400:
        return error.get_response()  # une redirection
    title, sentence = ERRORS.get(code, ERRORS[500 if code >= 500 else 400])
    headers = [(name, value) for name, value in error.get_headers() if name == "Allow"]
    if retry_after is not None:
        headers.append(("Retry-After", str(math.ceil(retry_after))))
    if is_api():
        return message(code, sentence, headers)
    # 413 : un texte trop long n'a pas été lu. TemplateError : quelqu'un est en train de modifier ce gabarit.
    # Sinon, qui a envoyé le formulaire ne perd pas son texte.
    if request.endpoint == "generate" and request.method == "POST" and code != 413:
        with contextlib.suppress(TemplateError):
            return *form.show(code, problem=sentence), headers
    return render_template("error.html", code=code, title=title, sentence=sentence), code, headers


def is_api() -> bool:
    """Dit si la demande attend du JSON."""
    return request.path.startswith((error_codes.API, error_codes.OPENAI))


def described(error: BaseException) -> str:
    """Renvoie où `error` s'est produite, sans son message, qui peut citer le texte d'un visiteur."""
    return f"{type(error).__name__}\n" + "".join(traceback.format_tb(error.__traceback__))


def message(status: int, sentence: str, headers: Headers = (), code: str | None = None) -> Response:
    """Renvoie la réponse JSON d'une erreur de l'API ; `code` est celui que lira un programme."""
    code = code or error_codes.of_status(status)
    response = jsonify(error_codes.as_json(request.path, status, code, sentence))
    response.status_code = status
    response.headers.extend(headers)
    return response
