"""Ce qui entoure le formulaire : l'accueil, la porte, les limites, l'API, le guide, les chiffres, les erreurs."""

import os
from typing import Callable

from flask import Flask, render_template
from werkzeug.middleware.proxy_fix import ProxyFix

from workshop.errors import WorkshopError
from workshop.narration import decimal, short
from workshop.page import api, board, compare, completions, contract, door, errors, guards, qr
from workshop.page.events import Writer
from workshop.page.guide import guide
from workshop.page.metrics import Counted, Metrics


def surround(app: Flask, generator: Writer) -> tuple[Writer, Callable]:
    """Ajoute à `app` tout ce qui n'est pas le formulaire, et renvoie (generator, limit).

    Le premier est `generator`, dont les tokens sont comptés ; le second, le décorateur d'une vue qui fait écrire.
    """
    csrf, limit = guards.protect(app)
    metrics = Metrics(generator)
    counted = Counted(generator, metrics)
    writing = (api.blueprint(counted, limit), api.blueprint(counted, limit, "/v1"),
               completions.blueprint(counted, limit), qr.blueprint(limit))
    for blueprint in writing:
        csrf.exempt(blueprint)  # un autre site ne peut pas envoyer de JSON sans la permission du navigateur
    for blueprint in (metrics.blueprint(), door.blueprint(door.read_access_code()), guide, *writing,
                      compare.blueprint(counted, limit)):
        app.register_blueprint(blueprint)
    board.install(app, csrf)
    errors.register(app)
    app.config["TEMPLATES_AUTO_RELOAD"] = True  # on change une phrase d'un gabarit, on recharge : elle y est
    app.jinja_env.filters.update(decimal=decimal, short=short)
    app.context_processor(lambda: {"network": generator.network, "refusal": generator.refusal,
                                   "networks": lambda: generator.networks,
                                   "shows_attention": generator.shows_attention, "contract": contract})
    if _is_behind_a_proxy():
        app.wsgi_app = ProxyFix(app.wsgi_app, x_host=1, x_prefix=1)  # type: ignore[method-assign]

    @app.get("/")
    def home():
        return render_template("home.html")

    @app.get("/health")
    def health():
        return {"status": "ok"}

    @app.get("/ready")
    def ready():
        return {"status": "ok", "reseau": generator.find(contract.THE_ONE_WHO_WRITES).name}

    return counted, limit


def _is_behind_a_proxy() -> bool:
    """Dit s'il faut croire, d'un seul relais, qui demande et sous quelle adresse (X-Forwarded-For, -Prefix…).

    Sans relais, n'importe qui écrirait ces en-têtes : il faut le demander, par AURORE_PROXY=1.
    """
    hops = os.environ.get("AURORE_PROXY", "0")
    if hops not in ("", "0", "1"):
        raise WorkshopError(f"AURORE_PROXY vaut « {hops} » : écrivez 1 s'il y a un relais (nginx, Jupyter) devant la "
                            "page, et rien sinon.")
    return hops == "1"
