"""Une salle pleine, pour de vrai : boucles, longs textes et connexions qui traînent ne prennent pas la page.

Plusieurs adresses de la machine elle-même (127.0.0.2…) jouent plusieurs visiteurs : seul Linux les a toutes.
"""

import ctypes
import http.client
import json
import os
import signal
import socket
import statistics
import sys
import threading
import time
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from conftest import ROOT, Atelier
from web_servers import page_process

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="parle depuis plusieurs adresses de la machine")
OPENING = "Le soir, la meunière"
LONG_SUITE = " Elle regardait la rivière, et le vent chantait dans les saules." * 300


@pytest.fixture(scope="module", name="page")
def _page(tmp_path_factory):
    """Une page sur aurore, quels que soient les réseaux entraînés ici."""
    atelier = Atelier(tmp_path_factory.mktemp("salle"))
    with page_process(atelier.folder, atelier.environment()) as process:
        yield Page(process.port, process.pid)
        assert process.poll() is None


@pytest.fixture(name="port")
def _port(page):
    return page.port


class Page(NamedTuple):
    """Une étape 5 lancée pour de vrai."""

    port: int
    pid: int

    def processor_time(self):
        """Renvoie les secondes de processeur qu'elle a prises : que d'autres s'en servent aussi n'y change rien."""
        clock = ctypes.c_int()
        assert ctypes.CDLL(None).clock_getcpuclockid(self.pid, ctypes.byref(clock)) == 0
        return time.clock_gettime(clock.value)


class Client:
    """Un visiteur, à l'adresse `address` de cette machine, avec ou sans cookie."""

    def __init__(self, port, address="127.0.0.1", with_cookie=False):
        self.port, self.address = port, address
        self.cookie = {"Cookie": self.ask("GET", "/generate").headers["Set-Cookie"].split(";")[0]} \
            if with_cookie else {}

    def ask(self, method, path, **body):
        """Envoie une demande, et renvoie la réponse, que l'on n'a pas encore lue."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60, source_address=(self.address, 0))
        headers = {"Connection": "close", **getattr(self, "cookie", {})}
        if body:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, json.dumps({"amorce": OPENING, **body}) if body else None, headers)
        return connection.getresponse()

    def first_token(self, **body):
        """Redemande un texte, autant qu'on l'en prie, et renvoie les secondes passées jusqu'à son premier token."""
        asked = time.monotonic()
        while True:
            with self.ask("POST", "/api/generate", stream=True, **body) as answer:
                if answer.status == 200:
                    for line in answer:
                        if line == b"event: token\n":
                            return time.monotonic() - asked
            assert answer.status == 503, answer.status
            time.sleep(int(answer.headers["Retry-After"]))

    def gap(self, clock, count=60, **body):
        """Renvoie les secondes de `clock` qui séparent deux tokens d'un texte : la médiane des `count` premiers."""
        with self.ask("POST", "/api/generate", stream=True, **body) as answer:
            times = [clock() for line in answer if line == b"event: token\n"][:count]
        return statistics.median(after - before for before, after in zip(times, times[1:]))


@contextmanager
def looping(count, client, **body):
    """Fait redemander le même texte sans cesse par `count` fils, comme une boucle autour de l'exemple du README."""
    stop = threading.Event()

    def loop():
        while not stop.is_set():
            try:
                with client.ask("POST", "/api/generate", stream=True, **body) as answer:
                    while not stop.is_set() and answer.readline():
                        pass
            except OSError:
                time.sleep(0.1)
    threads = [threading.Thread(target=loop) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(8)   # que la salle soit pleine
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)


def test_a_loop_leaves_newcomers_their_turn(port):
    with looping(70, Client(port), longueur="long"):
        waits = {"une autre adresse": Client(port, "127.0.0.2").first_token(longueur="court"),
                 "un navigateur de la même": Client(port, with_cookie=True).first_token(longueur="court")}
        print(waits)
        assert waits["une autre adresse"] < 10 and waits["un navigateur de la même"] < 20


def test_a_long_text_costs_its_reader_and_not_the_neighbours(page):
    """Ce qui se compte est ce que la page calcule d'un token à l'autre : la montre, elle, compte aussi les voisins."""
    bystander = Client(page.port, "127.0.0.2")
    quiet = bystander.gap(page.processor_time, longueur="moyen")
    with looping(8, Client(page.port), longueur="court", suite=LONG_SUITE):
        crowded = bystander.gap(page.processor_time, longueur="moyen")
    assert crowded <= 3 * quiet


@pytest.mark.parametrize("said", [b"", b"POST /api/generate HTTP/1.1\r\nX: "])
def test_hundreds_of_trickling_connections_keep_nobody_waiting(port, said):
    stop, connections, waits = threading.Event(), [], []

    def trickle():
        while not stop.wait(1):
            for connection in connections:
                try:
                    connection.send(said[:1] and b"a")
                except OSError:
                    pass

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        for _ in range(850):
            connections.append(socket.create_connection(("127.0.0.1", port), timeout=20))
            connections[-1].send(said)
        for _ in range(6):
            asked = time.monotonic()
            assert Client(port, "127.0.0.2").ask("GET", "/health").status == 200
            waits.append(time.monotonic() - asked)
            time.sleep(0.5)
    finally:
        stop.set()
        thread.join()
        for connection in connections:
            connection.close()
    print(waits)
    assert max(waits) < 2


def open_stream(port, longueur="long"):
    """Demande un texte mot à mot, et n'en lit rien."""
    body = json.dumps({"amorce": OPENING, "longueur": longueur, "stream": True}).encode()
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.sendall(b"POST /api/v1/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                       + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return connection


def test_streams_that_nobody_reads_leave_the_page_to_others(port):
    unread = [open_stream(port) for _ in range(64)]
    try:
        time.sleep(2)
        assert Client(port, "127.0.0.2").ask("GET", "/health").status == 200
        assert Client(port, "127.0.0.2").first_token(longueur="court") < 10
    finally:
        for connection in unread:
            connection.close()


def test_a_stop_ends_sixty_streams():
    with page_process(ROOT, os.environ) as process:
        streams = [open_stream(process.port) for _ in range(60)]
        time.sleep(2)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        received = [b"".join(iter(lambda stream=stream: stream.recv(65536), b"")) for stream in streams]
        assert process.wait(timeout=30) == 0 and time.monotonic() - asked < 15
        assert all(b"event: fin" in text for text in received)
        for stream in streams:
            stream.close()
