"""Les erreurs sont aussi des pages : en HTML pour qui lit, en JSON pour l'API."""

import contextlib
import math
import traceback
from typing import Iterable

from flask import Flask, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from jinja2 import TemplateError
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from workshop.page import form
from workshop.page.contract import ERRORS, EXPIRED, Malformed
from workshop.page.events import Full
from workshop.page.prompts import Refused

Headers = Iterable[tuple[str, str]]


def register(app: Flask) -> None:
    """Répond à toute erreur de `app` par une page ou par {"message": …}."""
    app.register_error_handler(HTTPException, _answer)
    app.register_error_handler(Full, lambda full: _answer(ServiceUnavailable(), retry_after=full.retry_after))
    app.register_error_handler(Refused, lambda refusal: _refuse(str(refusal)))
    app.register_error_handler(Malformed, lambda refusal: _refuse(str(refusal)))
    app.register_error_handler(CSRFError, lambda _: _refuse(EXPIRED))
    app.json.ensure_ascii = app.json.sort_keys = False  # type: ignore[attr-defined]  # un JSON que l'on peut lire
    app.log_exception = lambda error: app.logger.error("%s", described(error[1]))  # type: ignore


def _refuse(sentence: str) -> ResponseReturnValue:
    return message(400, sentence) if is_api() else form.show(400, problem=sentence)


def _answer(error: HTTPException, retry_after: float | None = None) -> ResponseReturnValue:
    code = error.code
    if code is None or code < 400:
        return error.get_response()  # une redirection
    title, sentence = ERRORS.get(code, ERRORS[500 if code >= 500 else 400])
    headers = [(name, value) for name, value in error.get_headers() if name == "Allow"]
    if isinstance(error, RateLimitExceeded):
        retry_after = error.limit.limit.get_expiry()  # la fenêtre : au plus tard, tout est permis ensuite
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
    return request.path.startswith("/api/")


def described(error: BaseException) -> str:
    """Renvoie où `error` s'est produite, sans son message, qui peut citer le texte d'un visiteur."""
    return f"{type(error).__name__}\n" + "".join(traceback.format_tb(error.__traceback__))


def message(code: int, sentence: str, headers: Headers = ()) -> Response:
    """Renvoie la réponse JSON d'une erreur de l'API."""
    response = jsonify(message=sentence)
    response.status_code = code
    response.headers.extend(headers)
    return response
