"""La page : avec un réseau d'emprunt, puis pour de vrai, servie par waitress."""

import signal
import socket
import subprocess
import sys
import urllib.request
from urllib.parse import urlencode

import pytest


class FakeGenerator:
    """Écrit toujours la même suite."""

    name = "un réseau d'emprunt"

    def get_text(self, prompt):
        """Renvoie l'amorce et une suite qui contient du HTML."""
        return f"{prompt} <b>et</b> la suite."


@pytest.fixture(name="client")
def _client(lesson):
    return lesson("5_flask").create_app(FakeGenerator()).test_client()


def test_the_home_page_leads_to_the_form(client):
    page = client.get("/").get_data(as_text=True)
    assert 'href="/generate"' in page and 'lang="fr"' in page


def test_the_form_asks_for_an_opening(client):
    page = client.get("/generate").get_data(as_text=True)
    assert 'name="amorce"' in page and "Il était une fois" in page and ">Générer<" in page


def test_the_text_is_shown_and_escaped(client):
    answer = client.post("/generate", data={"amorce": "Elle dit <script>"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "Elle dit &lt;script&gt; &lt;b&gt;et&lt;/b&gt; la suite." in page and "<script>" not in page


@pytest.mark.parametrize("prompt", ["", "   ", "\u202e\x00", "a" * 501])
def test_an_unusable_opening_is_explained_and_kept(client, prompt):
    answer = client.post("/generate", data={"amorce": prompt})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400 and 'role="alert"' in page and prompt.strip() in page


def test_the_body_is_bounded(client):
    assert client.post("/generate", data={"amorce": "a" * 200_000}).status_code == 413


def test_an_absent_field_and_unknown_pages(client):
    assert client.post("/generate").status_code == 400
    assert client.get("/ailleurs").status_code == 404
    assert client.get("/health").get_json() == {"status": "ok"}


@pytest.fixture(name="port")
def _port():
    """Un port libre de cette machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(name="server")
def _server(finished_atelier, port):
    """L'étape 5, lancée comme une personne le ferait, une fois qu'elle a donné son adresse."""
    with subprocess.Popen([sys.executable, "aurore/5_flask.py"], cwd=finished_atelier.folder, encoding="utf-8",
                          env=finished_atelier.environment(AURORE_PORT=str(port)), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        process.said = ""
        while "/generate" not in process.said:
            line = process.stdout.readline()
            assert line, process.said
            process.said += line
        yield process
        process.kill()


def test_the_real_page_writes_with_the_trained_network(finished_atelier, server, port):
    assert f"http://127.0.0.1:{port}/generate" in server.said and "aurore/model/" in server.said
    form = urlencode({"amorce": "Le soir, la meunière"}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/generate", form, timeout=200) as answer:
        page = answer.read().decode()
    story = page.partition('class="story">')[2].partition("</p>")[0]
    assert story.startswith("Le soir, la meunière") and len(story) > 40

    busy = finished_atelier.run("5_flask.py", AURORE_PORT=str(port))
    assert busy.returncode == 2 and f"port {port}" in busy.stderr and "Traceback" not in busy.stderr

    server.send_signal(signal.SIGTERM)
    assert "La page est fermée." in server.communicate(timeout=60)[0] and server.returncode == 0
