"""Les erreurs sont aussi des pages : en HTML pour qui lit, en JSON pour l'API."""

import contextlib
import math
import traceback

from flask import jsonify, render_template, request
from flask_limiter import RateLimitExceeded
from jinja2 import TemplateError
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from workshop.page.readers import Full

SENTENCES = {
    400: ("Demande incomprise", "La page n'a pas compris cette demande. Revenez au début et réessayez."),
    401: ("Code d'accès", "Cette page demande le code de la salle : rechargez-la pour le donner "
                          "(pour l'API, en-tête X-Access-Code)."),
    404: ("Page introuvable", "Il n'y a rien à cette adresse. L'histoire continue ailleurs."),
    405: ("Demande incomprise", "Cette adresse ne se visite pas de cette façon."),
    413: ("Texte trop long", "C'est beaucoup plus que ce que la page sait lire. Raccourcissez, puis réessayez."),
    415: ("Format inconnu", "L'API lit du JSON : envoyez l'en-tête Content-Type: application/json."),
    429: ("Un peu de patience", "Vous demandez beaucoup d'histoires. Reprenez votre souffle, puis réessayez."),
    500: ("La plume s'est cassée", "Quelque chose n'a pas marché, de notre côté. Réessayez dans un instant."),
    503: ("Salle comble", "Trop de lecteurs attendent déjà leur histoire. Réessayez dans un instant."),
}


def register(app, show):
    """Répond à toute erreur de `app` par une page ou par {"message": …}.

    `show(code, problem=…)` renvoie le formulaire rempli : qui l'a envoyé ne perd pas son texte.
    """
    def answer(error, retry_after=None):
        if error.code is None or error.code < 400:
            return error  # une redirection
        title, sentence = SENTENCES.get(error.code, SENTENCES[500 if error.code >= 500 else 400])
        headers = [(name, value) for name, value in error.get_headers() if name == "Allow"]
        if isinstance(error, RateLimitExceeded):
            retry_after = error.limit.limit.get_expiry()  # la fenêtre : au plus tard, tout est permis ensuite
        if retry_after is not None:
            headers.append(("Retry-After", str(math.ceil(retry_after))))
        if request.path.startswith("/api/"):
            return message(error.code, sentence, headers)
        # 413 : un texte trop long n'a pas été lu. TemplateError : quelqu'un est en train de modifier ce gabarit.
        if request.endpoint == "generate" and request.method == "POST" and error.code != 413:
            with contextlib.suppress(TemplateError):
                return *show(error.code, problem=sentence), headers
        return render_template("error.html", code=error.code, title=title, sentence=sentence), error.code, headers

    app.register_error_handler(HTTPException, answer)
    app.register_error_handler(Full, lambda full: answer(ServiceUnavailable(), retry_after=full.retry_after))
    app.json.ensure_ascii = app.json.sort_keys = False  # un JSON que l'on peut lire
    app.log_exception = lambda error: app.logger.error("%s", described(error[1]))


def described(error):
    """Renvoie où `error` s'est produite, sans son message, qui peut citer le texte d'un visiteur."""
    return f"{type(error).__name__}\n" + "".join(traceback.format_tb(error.__traceback__))


def message(code, sentence, headers=()):
    """Renvoie la réponse JSON d'une erreur de l'API."""
    response = jsonify(message=sentence)
    response.status_code = code
    response.headers.extend(headers)
    return response
