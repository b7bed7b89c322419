"""Ce que fait la page, en chiffres, dans le format de Prometheus (/metrics).

Réservé à la machine elle-même ; AURORE_METRICS=partout l'ouvre à une machine de surveillance.
"""

import ipaddress
import os
import time
from contextlib import closing
from typing import Any

from flask import Blueprint, abort, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from workshop.page.events import Piece, Stream, Writer

# Ce qu'ajoute un relais, quel qu'il soit, à ce qu'il transmet.
BROUGHT = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host", "X-Forwarded-Prefix",
           "X-Forwarded-Proto")


class Metrics:
    """Les compteurs d'une application ; chacune a les siens."""

    def __init__(self, generator: Writer):
        self.registry = CollectorRegistry()
        self.requests = Counter("aurore_requests", "Réponses, par page et par code.", ("page", "code"),
                                registry=self.registry)
        self.tokens = Counter("aurore_tokens", "Tokens écrits.", registry=self.registry)
        self.first_token = Histogram("aurore_first_token_seconds", "Attente du premier token.",
                                     buckets=(.05, .1, .25, .5, 1, 2, 5, 10, 30, 60), registry=self.registry)
        self.latency = Histogram("aurore_answer_seconds", "Durée d'une réponse, jusqu'à ses en-têtes.",
                                 buckets=(.005, .025, .1, .5, 1, 2, 5, 10, 30, 60), registry=self.registry)
        active = Gauge("aurore_active", "Textes en train de s'écrire.", registry=self.registry)
        active.set_function(lambda: generator.active)
        waiting = Gauge("aurore_waiting", "Lecteurs dans la file.", registry=self.registry)
        waiting.set_function(lambda: generator.waiting)

    def blueprint(self) -> Blueprint:
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
            if os.environ.get("AURORE_METRICS") != "partout" and not _is_this_machine():
                abort(404)  # pour les autres, cette page n'existe pas
            return generate_latest(self.registry), {"Content-Type": CONTENT_TYPE_LATEST}

        return page


class Counted:
    """`generator`, dont `metrics` compte les tokens."""

    def __init__(self, generator: Writer, metrics: Metrics):
        self._generator, self._metrics = generator, metrics

    def __getattr__(self, name: str) -> Any:
        return getattr(self._generator, name)

    def write(self, *asked: Any) -> Stream:
        """Recopie ce qu'écrit `generator`, en comptant les tokens et l'attente du premier."""
        started, waiting = time.perf_counter(), True
        with closing(self._generator.write(*asked)) as events:
            for event in events:
                if isinstance(event, Piece):
                    self._metrics.tokens.inc()
                    if waiting:
                        self._metrics.first_token.observe(time.perf_counter() - started)
                        waiting = False
                yield event


def _is_this_machine() -> bool:
    """Dit si la demande vient de cette machine, et non de quelqu'un qu'un relais y amène."""
    try:
        near = ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
    return near and not any(name in request.headers for name in BROUGHT)
