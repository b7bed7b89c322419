"""La page qui écrit par un moteur ailleurs : ici, une autre page, dans un autre processus."""

import contextlib
import http.cookiejar
import json
import os
import re
import signal
import urllib.error
import urllib.parse
import urllib.request

import pytest

from conftest import CLOSED_PORT, ROOT
from visitors import csrf_token
from web_servers import page_process, wait_until

OPENING = "Le soir, la meunière"
TEXT = {"amorce": OPENING, "longueur": "court", "graine": 7}


@contextlib.contextmanager
def two_pages():
    """Une page qui sert de moteur, et celle qui écrit par elle."""
    with (page_process(ROOT, os.environ) as engine,
          page_process(ROOT, {**os.environ, "AURORE_MOTEUR": f"127.0.0.1:{engine.port}/v1"}) as page):
        yield engine, page


@pytest.fixture(name="pages", scope="module")
def _pages():
    with two_pages() as pages:
        yield pages


def ask(page, path, asked=None):
    """Ce que répond une page, en JSON ou en texte, à une demande en JSON ou, sans elle, à GET."""
    request = urllib.request.Request(f"http://127.0.0.1:{page.port}{path}", asked and json.dumps(asked).encode(),
                                     {"Content-Type": "application/json"})
    return urllib.request.urlopen(request, timeout=120)


def answer(page, path, asked=None):
    """La réponse, entière."""
    with ask(page, path, asked) as received:
        return json.load(received)


def events(received):
    """Les événements d'un flux : (nom, contenu)."""
    name = ""
    for line in received:
        kind, _, value = line.decode().strip().partition(": ")
        if kind == "event":
            name = value
        elif kind == "data":
            yield name, json.loads(value)


def count(page, name):
    """Un des chiffres de /metrics."""
    with ask(page, "/metrics") as metrics:
        return float(re.search(rf"^{name} (\S+)$", metrics.read().decode(), re.M)[1])


def code(page, path, asked=None):
    """Le code HTTP d'une réponse."""
    try:
        with ask(page, path, asked) as received:
            return received.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("settings", [
    {}, {"audace": 1.3, "top_k": 7, "top_p": 0.7, "suites": 3, "graine": 999_999},
    {"reseau": "aurore-mini", "suite": " entra. " + "Puis il se tut. " * 150}])
def test_the_same_seed_gives_the_words_and_the_tiles_of_the_engine(pages, settings):
    asked = {**TEXT, "tokens": True, **settings}
    direct, elsewhere = (answer(page, "/api/v1/generate", asked) for page in pages)
    assert elsewhere["suite"] == direct["suite"] and elsewhere["fin"] == direct["fin"]
    assert [suite["suite"] for suite in elsewhere.get("autres", [])] == [
        suite["suite"] for suite in direct.get("autres", [])]
    assert elsewhere["reseau"]["id"] == direct["reseau"]["id"] and elsewhere["reglages"] == direct["reglages"]
    assert len(elsewhere["tokens"]) == len(direct["tokens"]) > 30
    for mine, its in zip(elsewhere["tokens"], direct["tokens"]):
        assert mine["texte"] == its["texte"] and mine["p"] == pytest.approx(its["p"], rel=1e-3)
        assert {one["texte"]: one["p"] for one in mine["candidats"]} == {
            one["texte"]: pytest.approx(one["p"], rel=1e-3) for one in its["candidats"]}
        assert mine["hesitation"] <= its["hesitation"] + 1e-3, "les cinq connus en disent la moindre"


def test_words_come_one_by_one(pages):
    engine, page = pages
    with ask(page, "/api/v1/generate", {**TEXT, "stream": True}) as received:
        told = list(events(received))
    assert told[0][0] == "token" and told[-1][0] == "fin" and len(told[0][1]["candidats"]) == 5
    assert told[-1][1]["suite"] == answer(engine, "/api/v1/generate", TEXT)["suite"]
    assert "".join(data["texte"] for name, data in told if name == "token") == told[-1][1]["suite"]


def test_the_clients_of_openai_write_through_the_page_too(pages):
    asked = {"model": "aurore-mini", "prompt": OPENING, "max_tokens": 60, "stop": ["."], "logprobs": 2, "seed": 3,
             "n": 2}
    direct, elsewhere = (answer(page, "/v1/completions", asked)["choices"] for page in pages)
    assert [choice["text"] for choice in elsewhere] == [choice["text"] for choice in direct]
    assert {choice["finish_reason"] for choice in elsewhere} == {"stop"} and "." not in elsewhere[0]["text"]
    assert [len(likely) for likely in elsewhere[0]["logprobs"]["top_logprobs"]][0] == 2
    assert answer(pages[1], "/v1/models") == answer(pages[0], "/v1/models")


@pytest.fixture(name="visitor")
def _visitor():
    """Un visiteur sans JavaScript, avec ses cookies."""
    return urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))


def send_form(visitor, page, path, **fields):
    """Envoie le formulaire de `path`, et renvoie la page qui répond."""
    address = f"http://127.0.0.1:{page.port}{path}"
    with visitor.open(address) as form:
        token = csrf_token(form.read().decode())
    with visitor.open(address, urllib.parse.urlencode({"csrf_token": token, **fields}).encode()) as received:
        return received.read().decode()


def test_a_form_is_enough(pages, visitor):
    shown = send_form(visitor, pages[1], "/generate", **TEXT)
    said = answer(pages[0], "/api/v1/generate", TEXT)["paragraphes"][0]
    writer = answer(pages[1], "/api/v1/model")["nom"]
    assert said.split("\N{NO-BREAK SPACE}")[0].split("’")[0][:30] in shown and f"Écrit par {writer}" in shown


def test_two_networks_of_the_engine_are_compared(pages, visitor):
    shown = send_form(visitor, pages[1], "/comparer", premier="aurore-mini", second="aurore", **TEXT)
    for network in ("aurore-mini", "aurore"):
        words = answer(pages[0], "/api/v1/generate", {**TEXT, "reseau": network})["suite"].split()[:4]
        assert all(word.split("'")[-1] in shown for word in words), network
    assert shown.count('<th scope="row">') >= 5, "les premiers mots que chacun attendait"


def test_what_the_network_thinks_of_a_text_is_what_the_engine_says(pages):
    direct, elsewhere = (answer(page, "/api/v1/look", {"amorce": OPENING}) for page in pages)
    assert [token["texte"] for token in elsewhere["tokens"]] == [token["texte"] for token in direct["tokens"]]
    for mine, its in zip(elsewhere["tokens"][1:], direct["tokens"][1:]):
        assert mine["p"] == pytest.approx(its["p"], rel=1e-3)
    assert [one["texte"] for one in elsewhere["ensuite"]] == [one["texte"] for one in direct["ensuite"][:5]]


def test_what_it_looks_at_is_not_offered_where_the_engine_does_not_say_it(pages):
    direct, elsewhere = (ask(page, "/generate").read().decode() for page in pages)
    assert 'id="attention"' in direct and 'id="attention"' not in elsewhere
    assert code(pages[1], "/api/v1/attention", {"amorce": OPENING}) == 400


def test_who_leaves_frees_the_place_of_the_engine(pages):
    engine, page = pages
    before = count(engine, "aurore_tokens_total")
    with ask(page, "/api/v1/generate", {**TEXT, "longueur": "long", "suites": 3, "stream": True}) as received:
        told = events(received)
        for _ in range(4):
            next(told)
        assert count(engine, "aurore_active") == 3 == count(page, "aurore_active")
    wait_until(lambda: count(engine, "aurore_active") == 0 == count(page, "aurore_active"))
    assert count(engine, "aurore_tokens_total") - before < 400, "600 l'auraient été"


def test_a_page_that_stops_says_so_to_its_readers():
    with two_pages() as (engine, page):
        with ask(page, "/api/v1/generate", {**TEXT, "longueur": "long", "suites": 3, "stream": True}) as received:
            told = events(received)
            next(told)
            page.send_signal(signal.SIGTERM)
            ends = {data["fin"] for name, data in told if name == "fin"}
        assert ends <= {"arret", "phrase", "longueur"} and ends and page.wait(timeout=20) == 0
        wait_until(lambda: count(engine, "aurore_active") == 0)


def test_an_engine_that_dies_takes_only_its_texts():
    with two_pages() as (engine, page):
        asked = {**TEXT, "longueur": "long", "stream": True}
        streams = [ask(page, "/api/v1/generate", {**asked, "graine": number}) for number in range(6)]
        told = [events(received) for received in streams]
        assert {next(one)[0] for one in told} == {"token"}
        engine.kill()
        for one in told:
            *_, (name, data) = one
            assert name == "erreur" and data == {
                "code": "panne", "message": "Quelque chose n'a pas marché, de notre côté. Réessayez dans un instant."}
        for received in streams:
            received.close()
        wait_until(lambda: code(page, "/ready") == 502)
        assert code(page, "/health") == 200 and code(page, "/api/v1/generate", TEXT) == 502
        assert count(page, "aurore_active") == count(page, "aurore_waiting") == 0
        with ask(page, "/generate") as shown:
            assert "ne répond plus" in shown.read().decode()


@pytest.mark.parametrize("settings, said", [
    ({"AURORE_MOTEUR": CLOSED_PORT}, "Le moteur de 127.0.0.1:9 ne répond pas."),
    ({"AURORE_MOTEUR": "http://jeanne:secret@127.0.0.1"}, "AURORE_MOTEUR_CLE"),
    ({"AURORE_MOTEUR": "ftp://127.0.0.1"}, "n'est pas l'adresse d'un moteur"),
    ({"AURORE_MOTEUR": "127.0.0.1:beaucoup"}, "n'est pas l'adresse d'un moteur"),
    ({"AURORE_MOTEUR": CLOSED_PORT, "AURORE_SOURCE": "embedded"}, "AURORE_SOURCE=embedded interdit")])
def test_no_engine_no_page(atelier, settings, said):
    process = atelier.run("5_flask.py", **{"AURORE_SOURCE": "", **settings})
    shown = process.stdout + process.stderr
    assert process.returncode == 2 and said in shown and "Traceback" not in shown and "secret" not in shown
