"""Ce que fait la page, en chiffres, dans le format de Prometheus (/metrics).

Réservé à la machine elle-même ; AURORE_METRICS=partout l'ouvre à une machine de surveillance.
"""

import ipaddress
import os
import time

from flask import Blueprint, abort, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from workshop.page.story import tapped


class Metrics:
    """Les compteurs d'une application ; chacune a les siens."""

    def __init__(self, generator):
        self.registry = CollectorRegistry()
        self.requests = Counter("aurore_requests", "Réponses, par page et par code.", ("page", "code"),
                                registry=self.registry)
        self.tokens = Counter("aurore_tokens", "Tokens écrits.", registry=self.registry)
        self.first_token = Histogram("aurore_first_token_seconds", "Attente du premier token.",
                                     buckets=(.05, .1, .25, .5, 1, 2, 5, 10, 30, 60), registry=self.registry)
        self.latency = Histogram("aurore_answer_seconds", "Durée d'une réponse, jusqu'à ses en-têtes.",
                                 buckets=(.005, .025, .1, .5, 1, 2, 5, 10, 30, 60), registry=self.registry)
        for name, sentence in (("active", "Textes en train de s'écrire."), ("waiting", "Lecteurs dans la file.")):
            gauge = Gauge(f"aurore_{name}", sentence, registry=self.registry)
            gauge.set_function(lambda name=name: getattr(generator, name))

    def blueprint(self):
        """Renvoie le morceau d'application qui compte les réponses et sert /metrics."""
        page = Blueprint("metrics", __name__)

        @page.before_app_request
        def start():
            g.started = time.perf_counter()

        @page.after_app_request
        def count(response):
            self.requests.labels(request.endpoint or "inconnue", response.status_code).inc()
            self.latency.observe(time.perf_counter() - g.get("started", time.perf_counter()))
            return response

        @page.get("/metrics")
        def metrics():
            if os.environ.get("AURORE_METRICS") != "partout" and not _is_this_machine(request.remote_addr):
                abort(404)  # pour les autres, cette page n'existe pas
            return generate_latest(self.registry), {"Content-Type": CONTENT_TYPE_LATEST}

        return page

    def count(self, written):
        """Recopie `written`, événements et valeur finale, en comptant les tokens et l'attente du premier."""
        started, waiting = time.perf_counter(), True

        def seen(event):
            nonlocal waiting
            if hasattr(event, "probability"):
                self.tokens.inc()
                if waiting:
                    self.first_token.observe(time.perf_counter() - started)
                    waiting = False

        return tapped(written, seen)


def _is_this_machine(address):
    try:
        return ipaddress.ip_address(address).is_loopback
    except (TypeError, ValueError):
        return False
