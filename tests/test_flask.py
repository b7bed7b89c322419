"""La page : avec un réseau d'emprunt, puis pour de vrai, servie par waitress."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, assume, given, settings
from safetensors.numpy import load_file, save_file
from schemathesis import GenerationMode
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from conftest import CLOSED_PORT, ROOT
from fake_generator import FakeGenerator
from visitors import csrf_token, post, token_from
from web_servers import page_process, served
from workshop import paths
from workshop.artefacts import newest_model, trained_models
from workshop.errors import WorkshopError
from workshop.identity import ExamScore, Identity
from workshop.page import contract, door, prompts, service
from workshop.page.events import Full, Piece
from workshop.page.prompts import NOT_FRENCH, UNKIND
from workshop.page.readers import Request
from workshop.page.relay import Relay
from workshop.page.story import Story
from workshop.text.sentences import finished

OPENING = "Le soir, la meunière"
SUITE = " s'arrêta là. — Viens! dit-elle. Le cœur lui battait."
PARAGRAPHS = ["s’arrêta là.", "—\u00a0Viens\u202f! dit-elle. Le cœur lui battait."]


def ask(client, **body):
    """Demande une suite à l'API."""
    return client.post("/api/generate", json={"amorce": OPENING, **body})


# --- Les pages -----------------------------------------------------------------------------

def test_the_home_page_leads_to_the_form(client):
    page = client.get("/").get_data(as_text=True)
    assert 'href="/generate"' in page and 'lang="fr"' in page


def test_the_form_asks_for_an_opening_and_names_the_network(client):
    page = client.get("/generate").get_data(as_text=True)
    assert 'name="amorce"' in page and "Il était une fois" in page and ">Générer<" in page
    assert "un réseau d&#39;emprunt" in page


def test_the_whole_text_comes_without_javascript(client, generator):
    answer = post(client, amorce="  le soir, la meunière", longueur="long", audace="1.2")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200 and "Le soir, la meunière" in page
    assert all(paragraph in page for paragraph in PARAGRAPHS)
    prompt, suite, wish = generator.asked[0]
    assert (prompt, suite, wish.length, wish.boldness) == ("le soir, la meunière", "", "long", 1.2)


@pytest.mark.parametrize("longueur, audace, expected", [
    ("infini", "beaucoup", ("moyen", 0.8)), ("court", "99", ("court", 1.5)), ("court", "-1", ("court", 0.1)),
    ("court", "nan", ("court", 0.1)), ("court", "inf", ("court", 1.5))])
def test_a_form_made_by_hand_stays_within_bounds(client, generator, longueur, audace, expected):
    assert post(client, amorce=OPENING, longueur=longueur, audace=audace).status_code == 200
    wish = generator.asked[0].wish
    assert (wish.length, wish.boldness) == expected


@pytest.mark.parametrize("prompt", ["", "   ", "\u202e\x00", "a" * 501, "espèce de connard"])
def test_an_unusable_opening_is_explained_and_kept(client, generator, prompt):
    answer = post(client, amorce=prompt)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400 and 'role="alert"' in page and prompt.strip() in page and not generator.asked


def test_another_language_is_a_warning(client):
    page = post(client, amorce="The cat sat on the mat")
    assert page.status_code == 200 and "ressemble pas à du français" in page.get_data(as_text=True)
    assert ask(client, amorce="The cat sat on the mat").get_json()["avertissement"].startswith("Cela ne ressemble pas")


def test_an_expired_form_keeps_the_text(client, generator):
    for token in ({}, {"csrf_token": "périmé"}):
        answer = client.post("/generate", data={"amorce": OPENING, **token})
        page = answer.get_data(as_text=True)
        assert answer.status_code == 400 and OPENING in page and "encore une fois" in page and not generator.asked


@pytest.mark.parametrize("path, code, method", [
    ("/ailleurs", 404, "GET"), ("/generate", 405, "PUT"), ("/api/rien", 404, "GET"), ("/api/generate", 405, "GET")])
def test_an_error_is_a_page_or_json(client, path, code, method):
    answer = client.open(path, method=method)
    assert answer.status_code == code and ("Allow" in answer.headers) == (code == 405)
    if path.startswith("/api/"):
        assert answer.get_json()["message"].endswith(".")
    else:
        assert 'lang="fr"' in answer.get_data(as_text=True) and "Not Found" not in answer.get_data(as_text=True)


def test_the_body_is_bounded(client):
    page = client.post("/generate", data={"amorce": "a" * 400_000})
    assert page.status_code == 413 and 'lang="fr"' in page.get_data(as_text=True)
    assert ask(client, amorce="a" * 400_000).status_code == 413


def test_a_full_room_says_when_to_come_back(lesson):
    client = lesson("5_flask").create_app(FakeGenerator(fails=Full(7))).test_client()
    for answer in (post(client, amorce=OPENING), ask(client), ask(client, stream=True)):
        assert answer.status_code == 503 and answer.headers["Retry-After"] == "7"


@pytest.mark.parametrize("fails, code", [(Full(7), 503), (ValueError(), 500)])
def test_an_error_keeps_the_text_without_javascript(lesson, fails, code):
    client = lesson("5_flask").create_app(FakeGenerator(fails=fails)).test_client()
    answer = post(client, amorce=OPENING, longueur="long")
    page = answer.get_data(as_text=True)
    assert answer.status_code == code and f">{OPENING}</textarea>" in page and 'value="long" checked' in page
    assert "Réessayez dans un instant." in page


def test_one_person_is_slowed_down_but_not_the_room(client, app):
    token = token_from(client)
    codes = [client.post("/generate", data={"amorce": OPENING, "csrf_token": token}).status_code for _ in range(41)]
    assert codes == [200] * 40 + [429]
    answer = client.post("/generate", data={"amorce": OPENING, "csrf_token": token})
    assert f">{OPENING}</textarea>" in answer.get_data(as_text=True) and answer.headers["Retry-After"]
    answer = ask(client)
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) <= 60 and answer.get_json()["message"]
    assert post(app.test_client(), amorce=OPENING).status_code == 200


def test_a_failure_is_a_page_and_the_log_does_not_quote(lesson, caplog):
    client = lesson("5_flask").create_app(FakeGenerator(fails=ValueError("Le secret de Jeanne"))).test_client()
    page = post(client, amorce="Le secret de Jeanne")
    assert page.status_code == 500 and 'lang="fr"' in page.get_data(as_text=True)
    assert ask(client).status_code == 500
    stream = ask(client, stream=True)
    assert stream.status_code == 200 and "event: erreur" in stream.get_data(as_text=True)
    assert "ValueError" in caplog.text and "secret" not in caplog.text


def test_every_answer_carries_the_security_headers(client):
    for answer in (client.get("/"), client.get("/ailleurs"), client.get("/static/style.css"), ask(client)):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Referrer-Policy" in answer.headers and "Permissions-Policy" in answer.headers
    cookie = client.get("/generate").headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert client.get("/generate").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/generate", "/atelier/", "/health", "/api/model", "/api/openapi.json"])
def test_head_is_get_without_its_body(client, generator, path):
    answer = client.head(path)
    assert answer.status_code == client.get(path).status_code == 200 and not answer.data and not generator.asked


@pytest.mark.parametrize("words, ending, sentence", [
    ((" alla", "."), "longueur", "Le réseau pose la plume."),
    ((" alla", " au"), "longueur", "Le réseau s’arrête au milieu d’une phrase."),
    ((" alla", " au"), "texte", "Le réseau a mis le mot fin."),
    ((" alla", " au"), "arret", "Le serveur s’est arrêté\u00a0: voici ce qui était écrit.")])
def test_why_a_text_ended_is_said_without_javascript(lesson, words, ending, sentence):
    page = post(lesson("5_flask").create_app(FakeGenerator(words, ending=ending)).test_client(), amorce=OPENING)
    assert re.search(rf'id="state"[^>]*>\s*{sentence}\s*</p>', page.get_data(as_text=True))


def test_the_page_offers_what_the_contract_says(client):
    page = client.get("/generate").get_data(as_text=True)
    assert re.findall(r'name="longueur" value="(\w+)"', page) == list(contract.LENGTHS)
    slider = re.search(r'min="(\S+)" max="(\S+)" step="0.1" value="(\S+)"', page).groups()
    lowest, highest, usual = map(float, slider)
    assert contract.BOLDNESS.lowest <= lowest < usual == contract.BOLDNESS.usual < highest <= contract.BOLDNESS.highest
    described = client.get("/api/openapi.json").get_json()["components"]["schemas"]
    assert described["Demande"]["properties"]["longueur"]["enum"] == list(contract.LENGTHS)
    assert described["Histoire"]["properties"]["fin"]["enum"] == list(contract.ENDINGS)
    assert f'data-longest="{described["Demande"]["properties"]["amorce"]["maxLength"]}"' in page


# --- Derrière un relais ----------------------------------------------------------------------

PREFIX = {"X-Forwarded-Prefix": "/proxy/8080", "X-Forwarded-For": "10.1.2.3"}


def addresses(page):
    """Toutes les adresses d'une page : liens, formulaires, fichiers."""
    return re.findall(r'(?:href|src|action|data-api)="(/[^"]*)"', page)


def test_behind_a_proxy_every_address_keeps_its_prefix(lesson, monkeypatch):
    monkeypatch.setenv("AURORE_PROXY", "1")
    client = lesson("5_flask").create_app(FakeGenerator()).test_client()
    for path in ("/", "/generate", "/ailleurs", "/atelier/", "/atelier/5-page", "/atelier/neurone"):
        found = addresses(client.get(path, headers=PREFIX).get_data(as_text=True))
        assert len(found) > 4 and all(address.startswith("/proxy/8080/") for address in found), (path, found)
    assert client.get("/atelier", headers=PREFIX).location.endswith("/proxy/8080/atelier/")
    assert client.get("/api/openapi.json", headers=PREFIX).get_json()["servers"] == [{"url": "/proxy/8080/"}]
    assert all(not address.startswith("/proxy") for address in addresses(client.get("/").get_data(as_text=True)))


def test_the_door_keeps_the_prefix_too(lesson, monkeypatch):
    monkeypatch.setenv("AURORE_PROXY", "1")
    monkeypatch.setattr(door, "read_access_code", lambda: "nohant")
    client = lesson("5_flask").create_app(FakeGenerator()).test_client()
    assert client.get("/generate", headers=PREFIX).location == "/proxy/8080/code"
    page = client.get("/code", headers=PREFIX).get_data(as_text=True)
    assert 'action="/proxy/8080/code"' in page
    entered = client.post("/code", data={"code": "nohant", "csrf_token": csrf_token(page)}, headers=PREFIX)
    assert entered.location == "/proxy/8080/generate"   # là où l'on allait


def test_without_a_proxy_nobody_chooses_the_addresses(client):
    assert not [address for address in addresses(client.get("/", headers=PREFIX).get_data(as_text=True))
                if address.startswith("/proxy")]


def test_who_a_proxy_brings_does_not_see_the_metrics(client, lesson, monkeypatch):
    assert client.get("/metrics").status_code == 200
    for brought in ({"X-Forwarded-For": "127.0.0.1"}, {"X-Forwarded-Prefix": "/aurore"}, {"Via": "1.1 relais"},
                    {"X-Real-IP": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}):
        assert client.get("/metrics", headers=brought).status_code == 404
    monkeypatch.setenv("AURORE_PROXY", "1")
    client = lesson("5_flask").create_app(FakeGenerator()).test_client()
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404


def test_a_proxy_that_is_not_one_is_explained(lesson, monkeypatch):
    monkeypatch.setenv("AURORE_PROXY", "nginx")
    with pytest.raises(WorkshopError, match="AURORE_PROXY vaut « nginx » : écrivez 1"):
        lesson("5_flask").create_app(FakeGenerator())


# --- L'API ---------------------------------------------------------------------------------

def test_the_api_answers_with_the_whole_text(client, generator):
    answer = ask(client, suite=" qui", longueur="court", audace=1, graine=7)
    assert answer.get_json() == {
        "amorce": OPENING, "suite": " qui" + SUITE, "paragraphes": ["qui " + PARAGRAPHS[0], PARAGRAPHS[1]],
        "avertissement": None, "fin": "phrase",
        "reseau": {"id": "emprunt", "nom": "un réseau d'emprunt", "date": "le 25 novembre 2026 à 10 h 12",
                   "note": 1.398, "parent": "un aîné"},
        "reglages": {"longueur": "court", "audace": 1, "top_k": 50, "top_p": 1, "graine": 7}}
    assert generator.asked == [(OPENING, " qui", contract.Wish("emprunt", 7, "court", 1))]
    assert client.get("/api/model").get_json() == answer.get_json()["reseau"]


def events(answer):
    """Les événements d'une réponse « text/event-stream »."""
    blocks = answer.get_data(as_text=True).strip().split("\n\n")
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
            for name, data in (block.split("\n") for block in blocks)]


def test_the_api_streams_the_words(lesson):
    client = lesson("5_flask").create_app(FakeGenerator(places=(2, 1))).test_client()
    answer = ask(client, stream=True)
    assert answer.mimetype == "text/event-stream"
    received = events(answer)
    assert received[:2] == [("place", {"place": 2}), ("place", {"place": 1})]
    assert "".join(data["texte"] for name, data in received if name == "token") == SUITE
    assert received[2][1]["candidats"][0] == {"texte": " s'", "p": 0.5} and len(received[2][1]["candidats"]) == 5
    again = received[-1][1]["reglages"]
    assert received[-1] == ("fin", ask(client, graine=again["graine"]).get_json())
    english = ask(client, amorce="The cat sat on the mat", stream=True)
    assert events(english)[0] == ("avertissement", {"message": NOT_FRENCH})


def test_a_reader_who_leaves_stops_the_computation(lesson):
    generator = FakeGenerator(words=[" mot"] * 1000)
    client = lesson("5_flask").create_app(generator).test_client()
    answer = client.post("/api/generate", json={"amorce": OPENING, "stream": True}, buffered=False)
    next(answer.response)
    answer.close()
    assert generator.closed.is_set() and generator.written < 10

    generator.written = 0
    ask_gone = {"json": {"amorce": OPENING}, "environ_overrides": {"waitress.client_disconnected": lambda: True}}
    client.post("/api/generate", **ask_gone)
    assert generator.closed.is_set() and generator.written < 10


def test_several_continuations_come_together_each_with_its_seed(client, generator):
    received = events(ask(client, suites=3, graine=999_999, stream=True))
    for number in range(3):
        mine = [(name, data) for name, data in received if data["numero"] == number]
        assert "".join(data["texte"] for name, data in mine if name == "token") == SUITE
        assert mine[-1][0] == "fin" and mine[-1][1]["reglages"]["graine"] == (999_999, 0, 1)[number]
    assert [data["numero"] for _, data in received[:6]] == [0, 1, 2, 0, 1, 2]  # écrites ensemble
    assert [asked.wish.seed for asked in generator.asked] == [999_999, 0, 1]
    whole = ask(client, suites=2, graine=5).get_json()
    assert whole["suite"] == SUITE and [other["reglages"]["graine"] for other in whole["autres"]] == [6]
    assert "autres" not in ask(client).get_json()


def test_the_seed_is_drawn_and_told_when_none_is_given(client):
    seeds = [ask(client).get_json()["reglages"]["graine"] for _ in range(5)]
    assert len(set(seeds)) > 1 and all(0 <= seed < contract.SEEDS for seed in seeds)


def test_a_network_is_chosen_by_its_name_and_signs(client, generator):
    answer = ask(client, reseau="aine").get_json()
    assert answer["reseau"]["nom"] == "un aîné" and generator.asked[0].wish.network == "aine"
    page = post(client, amorce=OPENING, reseau="aine", top_k="7", top_p="0.5", graine="42").get_data(as_text=True)
    assert generator.asked[1].wish == contract.Wish("aine", 42, top_k=7, top_p=0.5) and "C’est <strong>un aîné" in page
    assert [network["id"] for network in client.get("/api/models").get_json()["reseaux"]] == ["emprunt", "aine"]
    refused = post(client, amorce=OPENING, reseau="balzac")
    assert refused.status_code == 400 and OPENING in refused.get_data(as_text=True) and len(generator.asked) == 2


def test_the_look_is_answered(client, generator):
    answer = client.post("/api/look", json={"amorce": "Le soir", "suite": " venu", "reseau": "aine"}).get_json()
    assert generator.looked == [("Le soir venu", "aine")] and answer["reseau"]["id"] == "aine"
    assert answer["tokens"] == [{"texte": "Le"}, *(
        {"texte": word, "p": 0.25, "candidats": [{"texte": " un", "p": 0.3}, {"texte": word, "p": 0.25}],
         "hesitation": 2.0} for word in (" soir", " venu"))]
    assert answer["ensuite"][0] == {"texte": " s'", "p": 0.5} and len(answer["ensuite"]) == 5


@pytest.mark.parametrize("closed_early", [False, True])
def test_a_reader_of_several_who_leaves_stops_them_all(lesson, closed_early):
    generator = FakeGenerator(words=[" mot"] * 1000)
    client = lesson("5_flask").create_app(generator).test_client()
    answer = client.post("/api/generate", json={"amorce": OPENING, "suites": 3, "stream": True}, buffered=False)
    if not closed_early:
        next(answer.response)
    answer.close()
    assert generator.closed.is_set() and generator.written < 20


@pytest.mark.parametrize("words, fin, shown", [
    ((" alla", "."), "phrase", ["alla."]), ((" alla", " au"), "longueur", ["alla…"]), ((), "longueur", ["…"])])
def test_an_unfinished_sentence_is_said_and_cut(lesson, words, fin, shown):
    answer = ask(lesson("5_flask").create_app(FakeGenerator(words)).test_client()).get_json()
    assert (answer["fin"], answer["paragraphes"], answer["suite"]) == (fin, shown, "".join(words))


@pytest.mark.parametrize("ending", ["arret", "texte", "longueur"])
def test_the_network_s_own_ending_is_said(lesson, ending):
    client = lesson("5_flask").create_app(FakeGenerator([" alla", " au"], ending=ending)).test_client()
    assert ask(client).get_json()["fin"] == ending
    assert ("Le serveur s’est arrêté" in post(client, amorce=OPENING).get_data(as_text=True)) == (ending == "arret")


def test_the_network_that_wrote_signs_even_if_another_takes_over(lesson):
    class Replaced(FakeGenerator):
        """Remplacé dès qu'il écrit."""

        def write(self, *asked):
            """La suite."""
            for event in super().write(*asked):
                self.network = self.network._replace(name="un autre")
                yield event

    for stream in (False, True):
        client = lesson("5_flask").create_app(Replaced()).test_client()
        assert "un réseau d'emprunt" in ask(client, stream=stream).get_data(as_text=True)
    client = lesson("5_flask").create_app(Replaced()).test_client()
    assert "un réseau d&#39;emprunt" in post(client, amorce=OPENING).get_data(as_text=True)


@pytest.mark.parametrize("body, word", [
    ([], "objet"), ("Le soir", "objet"), (None, "objet"), ({}, "amorce"), ({"amorce": 3}, "amorce"),
    ({"amorce": OPENING, "suite": None}, "suite"), ({"amorce": OPENING, "longueur": []}, "longueur"),
    ({"amorce": OPENING, "audace": "0.8"}, "audace"), ({"amorce": OPENING, "audace": True}, "audace"),
    ({"amorce": OPENING, "audace": float("nan")}, "audace"), ({"amorce": OPENING, "audace": 1.6}, "audace"),
    ({"amorce": OPENING, "stream": 1}, "stream"), ({"amorce": OPENING, "graine": -1}, "graine"),
    ({"amorce": OPENING, "graine": None}, "graine"), ({"amorce": OPENING, "top_k": 2.5}, "top_k"),
    ({"amorce": OPENING, "top_k": 0}, "top_k"), ({"amorce": OPENING, "top_p": 0}, "top_p"),
    ({"amorce": OPENING, "suites": 4}, "suites"), ({"amorce": OPENING, "reseau": None}, "reseau"),
    ({"amorce": OPENING, "reseau": "balzac"}, "pas dans la maison"), ({"amorce": " "}, "quelques mots"),
    ({"amorce": OPENING, "suite": "a" * 20_001}, "longue")])
def test_a_wrong_body_is_explained(client, body, word):
    answer = client.post("/api/generate", data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 400 and word in answer.get_json()["message"]


def test_a_body_that_is_not_json_is_explained(client):
    for body in ("{", "[" * 100_000):
        assert client.post("/api/generate", data=body, content_type="application/json").status_code == 400
    assert client.post("/api/generate", data="amorce=a").status_code == 415


@pytest.mark.parametrize("method, path, mode", [
    ("POST", "/api/v1/generate", GenerationMode.POSITIVE), ("POST", "/api/v1/generate", GenerationMode.NEGATIVE),
    ("GET", "/api/v1/stream", GenerationMode.POSITIVE), ("GET", "/api/v1/stream", GenerationMode.NEGATIVE),
    ("POST", "/v1/completions", GenerationMode.POSITIVE), ("POST", "/v1/completions", GenerationMode.NEGATIVE),
    ("GET", "/v1/models", GenerationMode.POSITIVE), ("GET", "/v1/models/{model}", GenerationMode.POSITIVE),
    ("GET", "/health", GenerationMode.POSITIVE), ("GET", "/ready", GenerationMode.POSITIVE),
    ("POST", "/api/v1/look", GenerationMode.POSITIVE), ("POST", "/api/v1/look", GenerationMode.NEGATIVE),
    ("POST", "/api/v1/attention", GenerationMode.POSITIVE), ("POST", "/api/v1/attention", GenerationMode.NEGATIVE),
    ("GET", "/api/v1/model", GenerationMode.POSITIVE), ("GET", "/api/v1/models", GenerationMode.POSITIVE)])
def test_the_api_does_what_its_description_says(app, method, path, mode):
    operation = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)[path][method]

    @settings(max_examples=25, deadline=None, database=None, derandomize=True,
              suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=mode))
    def answers_as_described(case):
        response = case.call()
        assume(UNKIND not in response.text)  # hypothesis lit les textes du projet : il connaît donc les insultes
        case.validate_response(response)

    answers_as_described()  # pylint: disable=no-value-for-parameter  # hypothesis donne les cas


# --- Ce qui tourne derrière ----------------------------------------------------------------

def test_health_and_readiness(client):
    assert client.get("/health").get_json() == {"status": "ok"}
    assert client.get("/ready").get_json() == {"status": "ok", "reseau": "un réseau d'emprunt"}


def test_metrics_count_and_stay_on_this_machine(client, monkeypatch):
    ask(client)
    metrics = client.get("/metrics")
    assert 'aurore_requests_total{code="200",page="api.generate"} 1.0' in metrics.get_data(as_text=True)
    assert f"aurore_tokens_total {len(FakeGenerator().words)}.0" in metrics.get_data(as_text=True)
    assert "aurore_first_token_seconds_count 1.0" in metrics.get_data(as_text=True)
    for name in ("aurore_active 0.0", "aurore_waiting 0.0"):
        assert name in metrics.get_data(as_text=True)
    elsewhere = {"REMOTE_ADDR": "192.168.0.7"}
    assert client.get("/metrics", environ_base=elsewhere).status_code == 404
    assert client.get("/metrics", environ_base=elsewhere, headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
    monkeypatch.setenv("AURORE_METRICS", "partout")
    assert client.get("/metrics", environ_base=elsewhere).status_code == 200


@pytest.mark.parametrize("text, code", [
    ("[atelier]\nACCESS_CODE=nohant", "nohant"), ("[atelier]\nACCESS_CODE = 'nohant'", "nohant"),
    ("[atelier]\nACCESS_CODE=XXXX", None), ("[atelier]\nACCESS_CODE=", None), ("[hugging_face]\nTOKEN=XXXX", None),
    ("n'importe quoi", None)])
def test_the_access_code_comes_from_the_credentials(tmp_path, text, code):
    (tmp_path / "credentials.ini").write_text(text, encoding="utf-8")
    assert door.read_access_code(tmp_path / "credentials.ini") == code
    assert door.read_access_code(tmp_path / "absent.ini") is None


def test_the_access_code_opens_the_room(lesson, monkeypatch):
    monkeypatch.setattr(door, "read_access_code", lambda: "Nohant été")
    app = lesson("5_flask").create_app(FakeGenerator())
    client = app.test_client()
    assert client.get("/").location == "/code" and client.get("/generate").location == "/code"
    assert client.get("/health").status_code == client.get("/static/style.css").status_code == 200
    assert ask(client).status_code == 401
    right, wrong = ({"X-Access-Code": code.encode().decode("latin-1")} for code in ("Nohant été", "Valençay"))
    assert client.get("/api/model", headers=right).status_code == 200
    assert client.get("/api/model", headers=wrong).status_code == 401
    token = token_from(client, "/code")
    refused = client.post("/code", data={"code": "Valençay", "csrf_token": token})
    assert refused.status_code == 400 and "pas le code" in refused.get_data(as_text=True)
    assert client.post("/code", data={"code": "Nohant été"}).status_code == 400
    assert client.post("/code", data={"code": " Nohant été ", "csrf_token": token}).location == "/generate"
    assert client.get("/generate").status_code == 200 and ask(client).status_code == 200


def test_looking_at_the_door_is_not_a_wrong_code(lesson, monkeypatch):
    monkeypatch.setattr(door, "read_access_code", lambda: "nohant")
    client = lesson("5_flask").create_app(FakeGenerator()).test_client()
    client.get("/code")
    assert [client.head("/code").status_code for _ in range(12)] == [200] * 12
    assert try_code(client, "nohant").status_code == 302


def try_code(client, code, **typed):
    """Donne un code à la porte."""
    return client.post("/code", data={"code": code, "csrf_token": token_from(client, "/code"), **typed})


@pytest.mark.parametrize("asked", ["/atelier/5-page", "/generate?reseau=aine&audace=1.2", "/"])
def test_the_code_leads_to_the_address_that_was_asked_for(lesson, monkeypatch, asked):
    monkeypatch.setattr(door, "read_access_code", lambda: "nohant")
    client = lesson("5_flask").create_app(FakeGenerator()).test_client()
    assert client.get(asked).location == "/code"
    assert try_code(client, "berry").status_code == 400
    assert try_code(client, "nohant").location == asked


def test_the_code_never_leads_elsewhere(lesson, monkeypatch):
    monkeypatch.setattr(door, "read_access_code", lambda: "nohant")
    for asked in ("//ailleurs.example/", "///ailleurs.example", "/\\ailleurs.example/", "//ailleurs.example/atelier"):
        client = lesson("5_flask").create_app(FakeGenerator()).test_client()
        client.get("/", environ_overrides={"PATH_INFO": asked, "REQUEST_URI": asked})
        location = try_code(client, "nohant").location
        assert re.match(r"/(?![/\\])", location), location


def test_who_guesses_the_code_only_closes_the_door_to_themselves(lesson, monkeypatch):
    monkeypatch.setattr(door, "read_access_code", lambda: "nohant")
    app = lesson("5_flask").create_app(FakeGenerator())
    guesser, entered, script = app.test_client(), app.test_client(), app.test_client()
    assert try_code(entered, "nohant").location == "/"
    assert [try_code(guesser, "berry").status_code for _ in range(11)] == [400] * 10 + [429]
    answer = try_code(guesser, "nohant")    # deviner ne sert plus à rien
    assert answer.status_code == 429 and answer.headers["Retry-After"] == "60"
    assert door.TOO_MANY in answer.get_data(as_text=True)
    assert try_code(app.test_client(), "nohant").location == "/"    # une autre personne, à la même adresse
    assert entered.get("/generate").status_code == 200
    codes = [try_code(app.test_client(), "berry").status_code for _ in range(120)]   # un cookie à chaque essai
    assert codes == [400] * 120
    codes = [script.get("/api/model", headers={"X-Access-Code": "berry"}) for _ in range(121)]   # aucun cookie
    assert codes[0].status_code == 401 and codes[-1].status_code == 429
    assert codes[-1].get_json() == {"code": "trop_de_demandes", "message": door.TOO_MANY}
    assert codes[-1].headers["Retry-After"] == "60"
    hurried = app.test_client()
    assert [try_code(hurried, "berry").status_code for _ in range(2)] == [400, 429]   # l'adresse se trompe beaucoup
    assert try_code(app.test_client(), "nohant").status_code == 302                   # et la salle entre toujours
    assert entered.get("/generate").status_code == 200


def test_the_code_asked_again_keeps_the_text(lesson, monkeypatch):
    monkeypatch.setattr(door, "read_access_code", lambda: "nohant")
    client = lesson("5_flask").create_app(FakeGenerator()).test_client()
    typed = {"amorce": OPENING, "longueur": "long", "audace": "0.5"}
    kept = f'name="amorce" value="{OPENING}"'
    asked = client.post("/generate", data={"csrf_token": token_from(client, "/code"), **typed})
    assert asked.status_code == 401 and kept in asked.get_data(as_text=True)
    assert kept in try_code(client, "berry", **typed).get_data(as_text=True)
    form = {"code": "nohant", "csrf_token": token_from(client, "/code"), **typed}
    entered = client.post("/code", data=form)
    assert (entered.status_code, entered.location) == (307, "/generate")  # le navigateur y renvoie le formulaire
    page = client.post("/generate", data=form).get_data(as_text=True)
    assert PARAGRAPHS[0] in page and f">{OPENING}</textarea>" in page and 'value="long" checked' in page


def test_the_api_without_the_code_says_to_reload_the_page(lesson, monkeypatch):
    monkeypatch.setattr(door, "read_access_code", lambda: "nohant")
    answer = ask(lesson("5_flask").create_app(FakeGenerator()).test_client())
    assert answer.status_code == 401 and "rechargez-la" in answer.get_json()["message"]


# --- Le réseau -----------------------------------------------------------------------------

def trained_model(folder, score=1.111, spoil=lambda folder: None):
    """Fait d'aurore-mini un réseau entraîné, comme l'étape 3 ; `spoil` l'abîme avant qu'il ne prenne son nom."""
    waiting = folder.with_name("en attente")
    shutil.copytree(paths.BASE_MODEL, waiting)
    Identity("aurore-mini spécialisé", "2026-07-01T09:05:00", "aurore-mini",
             score=ExamScore("un conte", 256, score, 20.0)).write(waiting)
    spoil(waiting)
    (waiting / "model.safetensors").touch()
    waiting.rename(folder)
    return folder


@pytest.mark.parametrize("trained", [None, Path("aurore/model/2026-07-01_09-05-00")])
def test_the_last_trained_network_writes_and_aurore_before_it(lesson, monkeypatch, trained):
    step = lesson("5_flask")
    monkeypatch.setattr(step, "newest_model", lambda: trained)
    assert step.choose_model() == (trained or paths.SAND_MODEL)


def test_a_network_is_chosen_by_its_name_and_looked_for_once(lesson, monkeypatch):
    from workshop.learning import hub  # pylint: disable=import-outside-toplevel  # ce test seul ouvre le catalogue
    step, asked = lesson("5_flask"), []
    monkeypatch.setattr(step, "MODEL_NAME", "quelqu-un/un-reseau")
    monkeypatch.setattr(hub, "local_copy", lambda name: asked.append(name) or paths.BASE_MODEL)
    assert [step.choose_model(), step.choose_model()] == [paths.BASE_MODEL] * 2 and asked == [step.MODEL_NAME]


def test_the_generator_writes_until_the_end_of_a_sentence(lesson):
    step = lesson("5_flask")
    generator = step.TextGenerator(lambda: paths.SAND_MODEL)
    assert generator.network.name == "aurore"
    prompt = prompts.check("Le  soir, la meunière")
    story = step.get_text(generator, prompt, contract.Wish(seed=1, length="court"))
    assert story.text.startswith(OPENING) and len(story.text) > len(OPENING) + 20 and story.text[-1] in ".!?»"
    story = Story(prompt, generator.network, contract.Wish(seed=1, length="court"))
    pieces = [event for event in story.follow(generator.write(OPENING, "", story.wish)) if isinstance(event, Piece)]
    assert 40 <= len(pieces) <= 100
    generator.stop(0)


def test_with_an_option_transformers_writes_the_same_page(lesson, monkeypatch):
    """« python aurore/5_flask.py --transformers », jusqu'au moment de servir la page."""
    apps = []
    monkeypatch.setattr(sys, "argv", ["5_flask.py", "--transformers"])
    monkeypatch.setattr(service, "serve", lambda app, *_: apps.append(app))
    step = lesson("5_flask")
    calls, call_pipe = [], step.call_pipe
    monkeypatch.setattr(step, "choose_model", lambda: paths.SAND_MODEL)
    monkeypatch.setattr(step, "call_pipe", lambda *asked: calls.append(asked) or call_pipe(*asked))
    step.main()
    client = apps[0].test_client()
    answer = ask(client, longueur="court", audace=0.7).get_json()
    assert answer["amorce"] == OPENING and len(answer["suite"]) > 40 and answer["reseau"]["nom"] == "aurore"
    assert calls[0][0].tokenizer and calls[0][1:3] == (OPENING, contract.LENGTHS["court"].tokens)
    assert calls[0][3].boldness == 0.7 and calls[0][3].seed == answer["reglages"]["graine"]
    tokens = [data for name, data in events(ask(client, longueur="court", stream=True)) if name == "token"]
    assert len(tokens) == 1 and set(tokens[0]) == {"texte"}  # d'un bloc, sans dire entre quoi il hésitait
    page = post(client, amorce=OPENING, longueur="court").get_data(as_text=True)
    assert f'<span class="opening">{OPENING}</span>' in page and 'id="prose"' in page and len(calls) == 3


def test_a_newer_network_takes_over_and_a_broken_one_does_not(tmp_path, monkeypatch):
    monkeypatch.setattr("workshop.page.relay.CHECK_EVERY_SECONDS", 0)
    chosen = [paths.BASE_MODEL]
    relay = Relay(lambda: chosen[-1])
    assert relay.network.name == "aurore-mini"
    chosen.append(trained_model(tmp_path / "2026-07-01_09-05-00"))
    assert relay.network.score == 1.111
    chosen.append(tmp_path / "2026-07-01_10-00-00")
    monkeypatch.setattr("workshop.page.relay.Readers", lambda folder: 1 / 0)
    assert relay.network.score == 1.111
    relay.stop(0)


def with_nan(folder):
    """Un apprentissage qui a divergé."""
    weights = load_file(folder / "model.safetensors")
    save_file({name: np.full_like(weight, np.nan) for name, weight in weights.items()}, folder / "model.safetensors")


def with_another_tokenizer(folder):
    """Un tokenizer de quelques mots, qui n'est pas celui du réseau."""
    tokenizer = Tokenizer(WordLevel({"<|endoftext|>": 0, "le": 1, "soir": 2, ",": 3}, unk_token="<|endoftext|>"))
    tokenizer.save(str(folder / "tokenizer.json"))


def with_a_larger_tokenizer(folder):
    """Un tokenizer dont bien des tokens n'ont pas de place dans le réseau."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.add_tokens(["Le soir,", "Le soir"])
    tokenizer.save(str(folder / "tokenizer.json"))


def with_truncated_weights(folder):
    """Une copie interrompue."""
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1_000_000])


def without_weights_that_go_together(folder):
    """La configuration d'un autre."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "n_head": 7}), encoding="utf-8")


SPOILT = [with_nan, with_another_tokenizer, with_a_larger_tokenizer, with_truncated_weights,
          without_weights_that_go_together]


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_a_newer_network_that_does_not_write_is_not_adopted_and_the_page_says_so(
        lesson, tmp_path, monkeypatch, caplog, spoil):
    monkeypatch.setattr("workshop.page.relay.CHECK_EVERY_SECONDS", 0)
    step = lesson("5_flask")
    generator = step.TextGenerator(lambda: newest_model(tmp_path) or paths.BASE_MODEL, lambda: trained_models(tmp_path))
    client = step.create_app(generator).test_client()
    said = "2026-07-01_10-00-00 n’écrit pas"
    assert said not in client.get("/generate").get_data(as_text=True)
    broken = trained_model(tmp_path / "2026-07-01_10-00-00", spoil=spoil)
    page = client.get("/generate").get_data(as_text=True)
    assert said in page and "C’est <strong>aurore-mini</strong> qui écrit" in page
    assert caplog.text.count("2026-07-01_10-00-00 n'écrit pas : aurore-mini écrit à sa place. Pourquoi : ") == 1
    answer = ask(client, longueur="court")
    assert answer.status_code == 200 and answer.get_json()["reseau"]["nom"] == "aurore-mini"
    assert caplog.text.count("Pourquoi : ") == 1  # une fois, pas à chaque page

    shutil.rmtree(broken)  # refait au même endroit, il est pris
    trained_model(broken)
    page = client.get("/generate").get_data(as_text=True)
    assert said not in page and "C’est <strong>aurore-mini spécialisé</strong> qui écrit" in page
    generator.stop(0)


def test_a_network_left_aside_on_purpose_is_not_said_to_be_spoilt(tmp_path, monkeypatch):
    """MODEL_NAME, en haut de la leçon, en choisit un autre : le dernier entraîné va bien, et il n'y a rien à dire."""
    monkeypatch.setattr("workshop.page.relay.CHECK_EVERY_SECONDS", 0)
    relay = Relay(lambda: paths.BASE_MODEL, lambda: trained_models(tmp_path))
    newest = trained_model(tmp_path / "2026-07-01_10-00-00")
    assert relay.network.name == "aurore-mini" and relay.refusal is None
    with_truncated_weights(newest)
    assert relay.network.name == "aurore-mini" and relay.refusal
    shutil.rmtree(newest)
    trained_model(newest)
    assert relay.network.name == "aurore-mini" and relay.refusal is None
    relay.stop(0)


def test_a_spoilt_network_that_is_removed_is_no_longer_spoken_of(tmp_path, monkeypatch):
    monkeypatch.setattr("workshop.page.relay.CHECK_EVERY_SECONDS", 0)
    relay = Relay(lambda: newest_model(tmp_path) or paths.BASE_MODEL, lambda: trained_models(tmp_path))
    broken = trained_model(tmp_path / "2026-07-01_10-00-00", spoil=with_nan)
    assert relay.network.name == "aurore-mini" and relay.refusal
    shutil.rmtree(broken)
    assert relay.network.name == "aurore-mini" and relay.refusal is None
    relay.stop(0)


@pytest.mark.parametrize("spoil", [with_nan, with_another_tokenizer])
def test_a_network_that_does_not_write_leaves_its_place_to_the_embedded_one(tmp_path, capsys, spoil):
    broken = trained_model(tmp_path / "2026-07-01_09-05-00", spoil=spoil)
    relay = Relay(lambda: broken)
    assert relay.network.name == "aurore" and "2026-07-01_09-05-00" in capsys.readouterr().out and relay.refusal
    assert next(relay.join(Request(OPENING))).text
    relay.stop(0)


def test_a_stop_reaches_the_texts_of_the_network_before(tmp_path, monkeypatch):
    monkeypatch.setattr("workshop.page.relay.CHECK_EVERY_SECONDS", 0)
    chosen = [paths.BASE_MODEL]
    relay = Relay(lambda: chosen[-1])
    before = relay.join(Request(OPENING, max_new_tokens=1_000_000))
    next(before)
    chosen.append(trained_model(tmp_path / "2026-07-01_09-05-00"))
    after = relay.join(Request(OPENING, max_new_tokens=1_000_000))
    next(after)
    assert relay.active == 2
    relay.stop(0)
    for reader in (before, after):
        list(reader)
        assert reader.ending == "stopped"


def test_a_text_cut_by_the_stop_says_so(lesson):
    step = lesson("5_flask")
    generator = step.TextGenerator(lambda: paths.SAND_MODEL)
    client = step.create_app(generator).test_client()
    answer = client.post("/api/generate", json={"amorce": OPENING, "longueur": "long", "stream": True}, buffered=False)
    next(answer.response)
    generator.stop(0)
    fin = json.loads(list(answer.response)[-1].decode().partition("data: ")[2])
    whole = OPENING + fin["suite"]
    assert fin["fin"] == ("phrase" if finished(whole, start=len(OPENING)) == whole else "arret")


# --- Pour de vrai --------------------------------------------------------------------------

@pytest.fixture(name="server")
def _server(atelier):
    """L'étape 5, lancée comme une personne le ferait, une fois qu'elle a donné son adresse."""
    with page_process(atelier.folder, atelier.environment()) as process:
        yield process


@pytest.fixture(name="port")
def _port(server):
    return server.port


def call(port, **body):
    """Demande une suite au serveur, comme le ferait un programme ; renvoie la réponse ouverte."""
    return urllib.request.urlopen(urllib.request.Request(
        f"http://127.0.0.1:{port}/api/generate", json.dumps({"amorce": OPENING, **body}).encode(),
        {"Content-Type": "application/json"}), timeout=60)


def test_the_real_page_writes_and_changes_network(atelier, server, port):
    assert f"http://127.0.0.1:{port}/generate" in server.said and "Réseau : aurore\n" in server.said
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    page = opener.open(f"http://127.0.0.1:{port}/generate", timeout=60).read().decode()
    token = csrf_token(page)
    form = urlencode({"amorce": OPENING, "longueur": "court", "csrf_token": token}).encode()
    page = opener.open(f"http://127.0.0.1:{port}/generate", form, timeout=200).read().decode()
    assert OPENING in page and len(page.partition(OPENING)[2]) > 40
    with call(port, longueur="court") as answer:
        assert json.load(answer)["reseau"]["nom"] == "aurore"

    (atelier.aurore / "model").mkdir()
    trained_model(atelier.aurore / "model" / "2026-07-01_09-05-00")
    deadline = time.monotonic() + 60
    while (model := json.load(opener.open(f"http://127.0.0.1:{port}/api/model", timeout=60)))["note"] != 1.111:
        assert time.monotonic() < deadline, model
        time.sleep(0.5)
    assert model["nom"] == "aurore-mini spécialisé" and model["date"] == "le 1er juillet 2026 à 9 h 05"
    with call(port, longueur="court") as answer:
        assert json.load(answer)["reseau"] == model

    busy = atelier.run("5_flask.py", AURORE_PORT=str(port))
    assert busy.returncode == 2 and f"port {port}" in busy.stderr and "Traceback" not in busy.stderr


def test_the_real_page_counts_its_readers(port):
    with call(port, longueur="long", stream=True) as answer:
        answer.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as metrics:
            assert "aurore_active 1.0" in metrics.read().decode()


@pytest.mark.skipif(sys.platform != "linux", reason="lit la mémoire dans /proc, que seul Linux a")
def test_the_real_page_fits_in_four_hundred_megabytes(server, port):
    readers = [threading.Thread(target=lambda: call(port, longueur="court").read()) for _ in range(8)]
    for reader in readers:  # tous pendant que la page se prépare encore
        reader.start()
    for reader in readers:
        reader.join()
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{server.pid}/status").read_text(encoding="ascii"))
    assert 1024 * int(peak[1]) < 400e6  # les poids d'aurore en font 119


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_the_running_text_end(server, port, stop):
    with call(port, longueur="long", stream=True) as answer:
        received = [answer.readline().decode()]
        server.send_signal(stop)
        received += answer.read().decode().splitlines()
    fin = json.loads(received[-2].removeprefix("data: ") if received[-1] == "" else received[-1].removeprefix("data: "))
    assert fin["suite"] and fin["fin"] in ("phrase", "longueur", "texte", "arret")
    assert "La page est fermée." in server.communicate(timeout=60)[0] and server.returncode == 0


def test_the_page_needs_neither_tensorflow_nor_transformers(atelier):
    code = ("import importlib, sys; sys.path.insert(0, 'aurore'); importlib.import_module('5_flask').create_app(); "
            "print([name for name in ('tensorflow', 'transformers', 'torch', 'py3langid') if name in sys.modules])")
    process = subprocess.run([sys.executable, "-c", code], cwd=atelier.folder, env=atelier.environment(),
                             capture_output=True, encoding="utf-8", check=True)
    assert process.stdout.strip() == "[]"


def test_the_health_check_of_the_image_asks_the_page_itself():
    """Même dans un conteneur à qui l'on a dit de sortir par un relais."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    command = json.loads(re.search(r"^HEALTHCHECK .*\\\n\s+CMD (\[.*\])$", dockerfile, re.M)[1])
    app = Flask("une page")
    app.add_url_rule("/health", "health", lambda: "oui")
    with served(app) as server:
        environment = {**os.environ, "HTTP_PROXY": CLOSED_PORT, "http_proxy": CLOSED_PORT,
                       "AURORE_PORT": str(server.effective_port)}
        for name in ("NO_PROXY", "no_proxy"):
            environment.pop(name, None)
        check = [sys.executable, *command[1:]]
        assert command[0] == "python" and subprocess.run(check, env=environment, check=False).returncode == 0
    assert subprocess.run(check, env=environment, check=False, capture_output=True).returncode != 0


def test_an_unknown_option_is_explained(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["5_flask.py", "--transformer"])
    with pytest.raises(WorkshopError, match="« --transformer » .* ne connaît que l'option --transformers"):
        service.has_option("--transformers")


def test_a_port_that_is_not_one_is_explained(atelier):
    process = atelier.run("5_flask.py", AURORE_PORT="http")
    assert process.returncode == 2 and "AURORE_PORT vaut « http »" in process.stderr


def test_a_story_whose_generator_says_nothing_of_its_end_still_ends():
    story = Story(prompts.check(OPENING), FakeGenerator.network)
    pieces = (event for event in FakeGenerator().write(OPENING, "", contract.Wish()) if isinstance(event, Piece))
    assert list(story.follow(pieces)) and story.ending == "phrase"
