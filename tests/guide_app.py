"""Le guide servi seul : une application Flask d'une poignée de lignes, sans réseau de neurones."""

from contextlib import contextmanager
from types import SimpleNamespace

from flask import Flask

from conftest import AURORE
from web_servers import served
from workshop.narration import decimal
from workshop.page.guide import guide

SAME_HOST_ONLY = "default-src 'self'"  # ni script ni style dans la page elle-même


def create_guide_app():
    """Renvoie l'application : le guide, et les trois pages où mène l'en-tête du site."""
    app = Flask("guide", template_folder=AURORE / "templates", static_folder=AURORE / "static")
    app.register_blueprint(guide)
    app.add_url_rule("/", "home", lambda: "L'accueil.")
    app.add_url_rule("/generate", "generate", lambda: "Le formulaire.")
    app.add_url_rule("/comparer", "compare.comparer", lambda: "Deux réseaux.")
    app.jinja_env.filters["decimal"] = decimal
    app.context_processor(lambda: {"network": SimpleNamespace(name="aurore-mini", date=None, score=None)})

    @app.after_request
    def protect(response):
        response.headers.setdefault("Content-Security-Policy", SAME_HOST_ONLY)
        return response

    return app


@contextmanager
def served_guide():
    """Donne l'adresse du guide, servi dans un fil à part."""
    with served(create_guide_app()) as server:
        yield f"{server.url}/atelier"
