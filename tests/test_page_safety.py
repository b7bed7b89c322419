"""Des visiteurs maladroits ou malveillants : la page répond, reste debout, et ne mélange pas les lecteurs."""

import json
import os
import random
import re
import socket
import threading
import time
import urllib.error
import urllib.request

import pytest

from conftest import ROOT
from fake_generator import FakeGenerator
from visitors import token_from
from web_servers import page_process
from workshop.page.events import Piece

SCRIPT = "<script>alert('traces-ici')</script>"
TRACE = "traces-ici"
ODD_SIGNS = ["\x00", "\x1b", "\ud800", "\udfff", "\u202e", "\u2066", "\u200b", "\ufeff", "\ufffd", "\uffff",
             "é", "œ", "«", "»", "—", "'", '"', "<", ">", "&", "{{", "}}", "{%", "\\", "%", "/",
             "\r", "\n", "\t", " ", "a", "\U0010ffff", "Le", "soir",
             "の", "🌹", "e\u0301", "\u0301" * 50, "\x85", "\u2028", "-->", "]]>", "\u00ad"]


@pytest.fixture(name="app")
def _app(lesson):
    return lesson("5_flask").create_app(FakeGenerator([" dit", SCRIPT, " et", "{{ 7*1001001 }}", "."]))


def visitor(app, number=1):
    """Un visiteur qui a sa propre adresse, son cookie et son formulaire."""
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = f"10.0.{number // 250}.{number % 250}"
    return client, token_from(client)


def test_a_script_is_only_text(app):
    client, token = visitor(app)
    headers = {"User-Agent": SCRIPT, "Referer": SCRIPT, "X-Forwarded-For": SCRIPT, "Accept-Language": SCRIPT,
               "Cookie": f"aurore={SCRIPT}"}
    answers = [client.post("/generate", data={"amorce": SCRIPT, "csrf_token": token}),
               client.post("/generate", data={"amorce": SCRIPT, "longueur": SCRIPT, "audace": SCRIPT}),
               client.get(f"/{SCRIPT}"), client.get(f"/generate?amorce={SCRIPT}"),
               client.get("/generate", headers=headers), client.get("/", headers={"Host": "exemple.fr<script>"})]
    assert [answer.status_code for answer in answers][:5] == [200, 400, 404, 200, 200]
    for answer in answers:
        page = answer.get_data(as_text=True)
        assert answer.status_code < 500 and "<script>" not in page and "7007007" not in page
    assert "&lt;script&gt;" in answers[0].get_data(as_text=True)
    api = client.post("/api/generate", json={"amorce": SCRIPT})
    assert api.mimetype == "application/json" and api.headers["X-Content-Type-Options"] == "nosniff"


def random_text(chance):
    """Un texte sans queue ni tête, de quelques signes à trop de signes."""
    signs = [chance.choice(ODD_SIGNS) if chance.random() < 0.8 else chr(chance.randrange(0x110000))
             for _ in range(chance.choice((0, 1, 5, 30, 200, 700)))]
    return "".join(signs) + TRACE


def random_request(chance, number, token):
    """Une demande au hasard : un formulaire, du JSON, ou ce qui n'en est plus."""
    text = random_text(chance)
    if number % 2:
        form = f"csrf_token={token}&amorce=".encode() + b"".join(
            f"%{byte:02x}".encode() for byte in text.encode("utf-8", "surrogatepass"))
        return "/generate", {"data": form, "content_type": "application/x-www-form-urlencoded"}
    body = {"amorce": text, "suite": random_text(chance), "longueur": chance.choice(("court", "long", text, 3)),
            "audace": chance.choice((0.8, 1e400, -1, text, None)), "stream": chance.choice((True, False, text))}
    for name in chance.sample(sorted(body), chance.randrange(5)):
        del body[name]
    data = json.dumps(body, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    if chance.random() < 0.3:
        data = data[:chance.randrange(len(data))] + bytes(chance.randrange(256) for _ in range(chance.randrange(4)))
    return "/api/generate", {"data": data, "content_type": "application/json"}


def test_two_thousand_random_requests_are_answered(app, caplog, capfd):
    chance = random.Random(20)
    codes, client, token = set(), None, None
    for number in range(2000):
        if number % 40 == 0:  # au-delà, une même personne serait priée d'attendre
            client, token = visitor(app, number)
        path, sent = random_request(chance, number, token)
        answer = client.post(path, **sent)
        answer.get_data().decode("utf-8")
        assert answer.status_code < 500, sent
        codes.add(answer.status_code)
    assert codes == {200, 400}

    other, _ = visitor(app, 3000)
    for path in ("/", "/generate", "/api/model", "/metrics", "/ailleurs"):
        assert TRACE not in other.get(path, environ_base={"REMOTE_ADDR": "127.0.0.1"}).get_data(as_text=True)
    assert TRACE not in caplog.text + "".join(capfd.readouterr())


def test_readers_at_the_same_time_get_their_own_text(lesson):
    class Echo(FakeGenerator):
        """Répète l'amorce, lentement."""

        def write(self, prompt, *settings):
            for event in super().write(prompt, *settings):
                time.sleep(0.001)
                yield event._replace(text=f" lecteur {prompt[-3:]}") if isinstance(event, Piece) else event

    app, wrong = lesson("5_flask").create_app(Echo()), []

    def read(number):
        client, token = visitor(app, number)
        for _ in range(10):
            form = client.post("/generate", data={"amorce": f"Lecteur {number}", "csrf_token": token})
            api = client.post("/api/generate", json={"amorce": f"Lecteur {number}", "stream": True})
            found = set(re.findall(r"lecteur (1\d\d)", form.get_data(as_text=True) + api.get_data(as_text=True)))
            if found != {str(number)}:
                wrong.append((number, found))

    threads = [threading.Thread(target=read, args=(number,)) for number in range(100, 116)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# --- Le vrai serveur -----------------------------------------------------------------------

@pytest.fixture(scope="module", name="port")
def _port():
    """Le port d'une étape 5 lancée pour de vrai, avec aurore-mini."""
    with page_process(ROOT, os.environ) as process:
        yield process.port
        assert process.poll() is None
        process.terminate()
        assert TRACE not in process.communicate(timeout=60)[0]


def is_alive(port):
    """La page répond, et le réseau aussi."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=20) as answer:
        return answer.status == 200


def raw(port, sent, timeout=20):
    """Envoie des octets et renvoie le code de la réponse ; None si le serveur a raccroché sans rien dire."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        try:
            connection.sendall(sent)
        except OSError:
            pass  # le serveur a déjà répondu qu'il n'en lirait pas plus
        try:
            answer = connection.recv(4096)
        except OSError:
            return None
    return int(answer.split(b" ", 2)[1]) if answer else None


def head(path, *headers):
    """Les premières lignes d'une requête."""
    return "\r\n".join((f"POST {path} HTTP/1.1", "Host: localhost", *headers, "", "")).encode()


def answered(port, sent):
    """Envoie des octets et renvoie toute la réponse, en texte."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(4096), b"")).decode()


def test_the_server_below_speaks_as_the_page_does(port):
    for sent, said in ((b"GET\r\n\r\n", "compris"),
                       (b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", "Raccourcissez"),
                       (head("/generate", "Transfer-Encoding: gzip"), "ne se visite pas")):
        answer = answered(port, sent)
        assert said in answer and 'lang="fr"' in answer and "Content-Security-Policy" in answer, answer
        assert "generated by" not in answer and "Bad Request\r\n\r\n" not in answer
    api = answered(port, head("/api/v1/generate", "Content-Length: 9000000"))
    assert json.loads(api.partition("\r\n\r\n")[2])["code"] == "trop_long"
    openai = answered(port, head("/v1/completions", "Content-Length: 9000000"))
    assert json.loads(openai.partition("\r\n\r\n")[2])["error"]["code"] == "trop_long"


@pytest.mark.parametrize("path", ["/generate", "/api/generate"])
def test_ten_megabytes_are_refused(port, path):
    body = b"a" * 10_000_000
    assert raw(port, head(path, f"Content-Length: {len(body)}", "Content-Type: application/json") + body) == 413
    chunks = b"100000\r\n" + b"a" * 0x100000 + b"\r\n"
    assert raw(port, head(path, "Transfer-Encoding: chunked") + chunks * 10 + b"0\r\n\r\n") == 413
    assert is_alive(port)


@pytest.mark.parametrize("sent", [
    b"\x00\x01\x02\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET\r\n\r\n", b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", b"GET /%00%ff%ed%a0%80 HTTP/1.1\r\n\r\n",
    b"POST /generate HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    b"GET /" + SCRIPT.encode() + b" HTTP/1.1\r\nHost: <script>\r\n\r\n",
    b"GET / HTTP/1.1\r\nCookie: aurore=\xff\xfe; session=\x01\r\n\r\n", b"TRACE / HTTP/1.1\r\n\r\n"])
def test_what_is_not_quite_http_is_answered(port, sent):
    code = raw(port, sent)
    assert code is None or code < 500 or code == 501
    assert is_alive(port)


def test_five_hundred_open_connections_leave_room(port):
    connections = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(500)]
    try:
        for connection in connections[::2]:
            connection.sendall(b"POST /api/generate HTTP/1.1\r\n")  # et jamais la suite
        assert is_alive(port)
        body = json.dumps({"amorce": SCRIPT, "longueur": "court"}).encode()
        assert raw(port, head("/api/generate", f"Content-Length: {len(body)}", "Content-Type: application/json") + body,
                   timeout=60) == 200
    finally:
        for connection in connections:
            connection.close()
    assert is_alive(port)


def test_a_slow_sender_holds_nobody_back(port):
    body = json.dumps({"amorce": "Le soir", "longueur": "court"}).encode()
    slow = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(100)]
    try:
        for connection in slow:
            connection.sendall(head("/api/generate", f"Content-Length: {len(body)}", "Content-Type: application/json"))
        for byte in range(5):
            for connection in slow:
                connection.sendall(body[byte:byte + 1])
            assert is_alive(port)
        slow[0].sendall(body[5:])
        assert slow[0].recv(4096).startswith(b"HTTP/1.1 200")
    finally:
        for connection in slow:
            connection.close()


def test_a_room_that_asks_all_at_once_is_served_or_told_to_wait(port):
    codes = []

    def ask():
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/generate", json.dumps({"amorce": "Le soir", "longueur": "court"}).encode(),
            {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                codes.append(answer.status)
        except urllib.error.HTTPError as error:
            assert error.headers["Retry-After"]
            codes.append(error.code)

    threads = [threading.Thread(target=ask) for _ in range(80)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(codes) == 80 and set(codes) <= {200, 503} and codes.count(200) >= 64
    assert is_alive(port)
