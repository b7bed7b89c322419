"""Plusieurs pages derrière un vrai nginx, leurs comptes dans un vrai Redis ; et une page dont le Redis se tait."""

import contextlib
import http.client
import json
import socket
import threading
import time
import urllib.request

import pytest
import yaml
from limits import parse

from conftest import ROOT
from nginx_server import wait_until
from replicas import redis_server, several_pages
from web_servers import free_port
from workshop.errors import WorkshopError
from workshop.page.replicas import REST, Counts, secret_key

ONCE = parse("1 per minute")
LONG = {"amorce": "Le soir, la meunière", "longueur": "long", "stream": True}


def write(address, asked, told):
    """Demande un texte, et range dans `told` ses événements, jusqu'à la fin ou jusqu'à ce que la connexion se rompe."""
    request = urllib.request.Request(f"{address}/api/v1/generate", json.dumps(asked).encode(),
                                     {"Content-Type": "application/json"})
    with (contextlib.suppress(OSError, http.client.HTTPException),
          urllib.request.urlopen(request, timeout=120) as answer):
        for line in answer:
            if line.startswith(b"event: "):
                told.append(line[7:].decode().strip())


@pytest.mark.fault("une page sur deux tuée")
def test_one_page_dies_and_the_other_goes_on(tmp_path):
    with several_pages(tmp_path, 2) as (port, pages):
        address = f"http://127.0.0.1:{port}"
        stories = [[] for _ in range(8)]
        threads = [threading.Thread(target=write, args=(address, LONG, told)) for told in stories]
        for thread in threads:
            thread.start()
        wait_until_all_begin(stories)
        pages[0].kill()
        for thread in threads:
            thread.join(timeout=120)
        ends = [told[-1] for told in stories]
        assert set(ends) == {"fin", "token"}, "un texte finit, ou la connexion se rompt après un mot"
        assert 3 <= ends.count("fin") <= 5, "nginx les avait partagés, et seuls ceux de la page morte s'arrêtent"
        for _ in range(4):  # et qui vient ensuite ne voit rien
            told = []
            write(address, {**LONG, "longueur": "court"}, told)
            assert told[-1] == "fin"


def wait_until_all_begin(stories):
    """Attend que chaque texte ait un mot."""
    deadline = time.monotonic() + 60
    while not all(stories) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert all(stories)


def test_the_counts_are_those_of_every_page(monkeypatch):
    port = free_port()
    monkeypatch.setenv("AURORE_REDIS", f"redis://127.0.0.1:{port}/0")
    with redis_server(port):
        wait_until(lambda: socket.create_connection(("127.0.0.1", port)).close())
        one, other = Counts(), Counts()
        assert one.hit(ONCE, "Jeanne") and not other.hit(ONCE, "Jeanne") and not other.test(ONCE, "Jeanne")
        assert other.test(ONCE, "Marie") and 0 < other.seconds_left(ONCE, "Jeanne") <= 60


def test_a_silent_redis_makes_nobody_wait(monkeypatch, caplog):
    monkeypatch.setenv("AURORE_REDIS", f"redis://127.0.0.1:{free_port()}/0")
    counts, start = Counts(), time.monotonic()
    assert counts.hit(ONCE, "Jeanne") and not counts.hit(ONCE, "Jeanne")
    assert time.monotonic() - start < REST / 2
    assert caplog.messages == ["Redis ne répond pas : cette page compte pour elle."]


@pytest.mark.parametrize("name, value", [("AURORE_REDIS", "un serveur"), ("AURORE_SECRET", "court")])
def test_a_wrong_setting_is_told(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(WorkshopError, match=name):
        (Counts if name == "AURORE_REDIS" else secret_key)()


def test_a_secret_is_the_same_everywhere_and_otherwise_drawn(monkeypatch):
    assert secret_key() != secret_key()
    monkeypatch.setenv("AURORE_SECRET", "un secret de seize signes")
    assert secret_key() == secret_key() and b"secret" not in secret_key()


def test_compose_gives_each_page_what_it_needs():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    settings = compose["services"]["page"]["environment"]
    assert set(settings) == {"AURORE_MOTEUR", "AURORE_MOTEUR_CLE", "AURORE_PROXY", "AURORE_REDIS", "AURORE_SECRET"}
    assert (ROOT / compose["configs"]["nginx"]["file"]).is_file()
