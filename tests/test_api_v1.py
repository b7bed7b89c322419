"""La v1 de l'API : ses erreurs, ses champs, le flux pour EventSource, et sa description."""

import json
import re

import pytest

from fake_generator import FakeGenerator
from workshop import paths
from workshop.page import door, guards
from workshop.page.error_codes import EVERY
from workshop.page.events import Full
from workshop.page.generator import WholeTexts
from workshop.page.line import Room

OPENING = "Le soir, la meunière"


def ask(client, **body):
    """Demande une suite à la v1."""
    return client.post("/api/v1/generate", json={"amorce": OPENING, **body})


def events(text):
    """Les événements d'un flux : [(nom, contenu, id)], sans les battements de cœur."""
    found = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"]), fields.get("id")))
    return found


def test_the_first_addresses_still_answer_the_same(client):
    asked = {"amorce": OPENING, "graine": 7}
    assert client.post("/api/generate", json=asked).get_json() == ask(client, graine=7).get_json()
    for name in ("model", "models", "openapi.json"):
        assert client.get(f"/api/{name}").get_json() == client.get(f"/api/v1/{name}").get_json()
    assert client.post("/api/generate", json={**asked, "couleur": "bleu"}).status_code == 200


def test_an_unknown_field_is_refused_by_its_name(client):
    for path in ("/api/v1/generate", "/api/v1/look", "/api/v1/attention"):
        answer = client.post(path, json={"amorce": OPENING, "couleur": "bleu"})
        assert answer.status_code == 400 and answer.get_json()["code"] == "champ_inconnu"
        assert "« couleur »" in answer.get_json()["message"] and "amorce" in answer.get_json()["message"]
    answer = client.get(f"/api/v1/stream?amorce={OPENING}&suites=2")
    assert answer.get_json()["code"] == "champ_inconnu" and "« suites »" in answer.get_json()["message"]


@pytest.mark.parametrize("body, code, status", [
    ({"audace": 9}, "champ_refuse", 400), ({"tokens": 1}, "champ_refuse", 400),
    ({"amorce": "connard"}, "texte_refuse", 400),
    ({"amorce": "a" * 400_000}, "trop_long", 413)])
def test_a_refusal_carries_a_code(client, body, code, status):
    answer = ask(client, **body)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code) and code in EVERY
    assert answer.get_json()["message"].endswith((".", "?"))


def test_what_is_not_asked_rightly_carries_a_code_too(client, lesson, monkeypatch):
    assert client.get("/api/v1/rien").get_json()["code"] == "introuvable"
    assert client.get("/api/v1/generate").get_json()["code"] == "methode_refusee"
    assert client.post("/api/v1/generate", data="a").get_json()["code"] == "format_inconnu"
    full = lesson("5_flask").create_app(FakeGenerator(fails=Full(3))).test_client()
    assert ask(full).get_json()["code"] == "salle_comble" and ask(full).headers["Retry-After"] == "3"
    broken = lesson("5_flask").create_app(FakeGenerator(fails=ValueError())).test_client()
    assert ask(broken).get_json()["code"] == "panne"
    assert events(ask(broken, stream=True).get_data(as_text=True))[-1][1]["code"] == "panne"
    monkeypatch.setattr(door, "read_access_code", lambda: "nohant")
    assert ask(lesson("5_flask").create_app(FakeGenerator()).test_client()).get_json()["code"] == "code_de_la_salle"


def test_a_full_room_never_closes_the_address(lesson):
    client = lesson("5_flask").create_app(FakeGenerator(fails=Full(3))).test_client()
    assert {ask(client).status_code for _ in range(1300)} == {503}


def test_one_address_does_not_hold_every_place(lesson, monkeypatch):
    """Même un réseau ouvert à part ne donne pas tous les fils du serveur à la même adresse."""
    monkeypatch.setattr(guards, "CROWD", Room(1, for_addresses=1))
    client = lesson("5_flask").create_app(FakeGenerator()).test_client()

    def stream(address):
        return client.post("/api/v1/generate", json={"amorce": OPENING, "stream": True}, buffered=False,
                           environ_base={"REMOTE_ADDR": address})
    reading = stream("10.0.0.1")
    assert (reading.status_code, stream("10.0.0.1").status_code) == (200, 503)
    assert stream("10.0.0.2").status_code == 200
    reading.close()
    assert client.get("/health", environ_base={"REMOTE_ADDR": "10.0.0.1"}).status_code == 200
    assert (ask(client).status_code, ask(client).status_code) == (200, 200)   # fini, un texte ne tient plus rien


def test_the_tokens_come_with_the_whole_text_when_asked(client):
    answer = ask(client, tokens=True, suites=2).get_json()
    words = FakeGenerator().words
    assert [token["texte"] for token in answer["tokens"]] == list(words)
    assert answer["tokens"][0]["candidats"][1] == {"texte": " le", "p": 0.2}
    assert [token["texte"] for token in answer["autres"][0]["tokens"]] == list(words)
    assert "tokens" not in ask(client).get_json()


# --- Ce que le réseau regarde ----------------------------------------------------------------

def test_what_the_network_looks_at_is_answered_head_by_head(client, generator):
    asked = {"amorce": OPENING, "suite": " s'en alla", "reseau": "aine"}
    answer = client.post("/api/v1/attention", json=asked).get_json()
    assert generator.attended == [(f"{OPENING} s'en alla", "aine")] and not generator.asked
    assert answer["reseau"]["id"] == "aine" and answer["avant"] == ""
    assert "".join(token["texte"] for token in answer["tokens"]) == f"{OPENING} s'en alla"
    assert {sum(head) for layer in answer["couches"] for head in layer} == {1000}
    assert [len(layer) for layer in answer["couches"]] == [2, 2]
    assert client.post("/api/attention", json=asked).status_code == 404, "née avec la v1"


@pytest.mark.parametrize("body, code, status", [
    ({}, "champ_refuse", 400), ({"amorce": ""}, "texte_refuse", 400), ({"amorce": 3}, "champ_refuse", 400),
    ({"amorce": OPENING, "suite": "a" * 20_001}, "texte_refuse", 400),
    ({"amorce": OPENING, "reseau": "balzac"}, "champ_refuse", 400),
    ({"amorce": "a" * 400_000}, "trop_long", 413)])
def test_a_text_one_cannot_look_at_is_refused_by_a_code(client, generator, body, code, status):
    answer = client.post("/api/v1/attention", json=body)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code) and not generator.attended


def test_looking_counts_as_asking(client):
    client.get("/generate")
    codes = [client.post("/api/v1/attention", json={"amorce": OPENING}).status_code for _ in range(41)]
    assert codes == [200] * 40 + [429]


def test_where_it_is_not_known_the_page_does_not_offer_it(lesson, client):
    assert 'id="attention"' in client.get("/generate").get_data(as_text=True)
    whole_texts = WholeTexts(paths.BASE_MODEL, str, lambda *_: " Fin.")
    blind = lesson("5_flask").create_app(whole_texts).test_client()
    page = blind.get("/generate")
    assert page.status_code == 200 and 'id="attention"' not in page.get_data(as_text=True)
    answer = blind.post("/api/v1/attention", json={"amorce": OPENING})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "champ_refuse")


# --- Pour EventSource ------------------------------------------------------------------------

def test_an_address_is_enough_to_stream(client, generator):
    answer = client.get(f"/api/v1/stream?amorce={OPENING}&longueur=court&audace=1.2&graine=5&top_k=10&reseau=aine")
    assert answer.mimetype == "text/event-stream"
    received = events(answer.get_data(as_text=True))
    assert [name for name, _, _ in received] == ["token"] * len(generator.words) + ["fin"]
    assert received[0][2] == "5.1" and received[-1][2] == "5.fin"
    wish = generator.asked[0].wish
    assert (wish.network, wish.length, wish.boldness, wish.seed, wish.top_k) == ("aine", "court", 1.2, 5, 10)


def test_a_cut_stream_goes_on_where_it_was(client, generator):
    whole = events(client.get(f"/api/v1/stream?amorce={OPENING}").get_data(as_text=True))
    seed = whole[0][2].split(".")[0]
    rest = events(client.get(f"/api/v1/stream?amorce={OPENING}", headers={"Last-Event-ID": f"{seed}.6"})
                  .get_data(as_text=True))
    assert rest == whole[6:] and generator.asked[1].wish.seed == int(seed)
    over = client.get(f"/api/v1/stream?amorce={OPENING}", headers={"Last-Event-ID": whole[-1][2]})
    assert over.status_code == 204 and len(generator.asked) == 2


def test_who_waits_hears_a_heart_beat(lesson):
    client = lesson("5_flask").create_app(FakeGenerator(places=(2, 2, 1))).test_client()
    text = client.get(f"/api/v1/stream?amorce={OPENING}").get_data(as_text=True)
    assert [data for name, data, _ in events(text) if name == "place"] == [{"place": 2}, {"place": 1}]
    assert text.count(": toujours là\n\n") == 1


@pytest.mark.parametrize("method, address, body", [
    ("GET", f"/api/v1/stream?amorce={OPENING}", None),
    ("POST", "/api/v1/generate", {"amorce": OPENING, "stream": True}),
    ("POST", "/v1/completions", {"prompt": OPENING, "stream": True})])
def test_a_slow_text_keeps_its_connection_open(lesson, method, address, body):
    client = lesson("5_flask").create_app(FakeGenerator(words=(" le", None, None, " soir."))).test_client()
    text = client.open(address, method=method, json=body).get_data(as_text=True)
    before, between, after = text.split(": toujours là\n\n")[:3]
    assert " le" in before and not between and " soir." in after


@pytest.mark.parametrize("address", ["", "?amorce=", "?amorce=Le+soir&audace=beaucoup", "?amorce=Le+soir&graine=1e400"])
def test_a_wrong_address_is_explained(client, generator, address):
    answer = client.get(f"/api/v1/stream{address}")
    assert answer.status_code == 400 and answer.get_json()["message"] and not generator.asked


def test_another_site_does_not_make_the_page_write(client, generator):
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert client.get(f"/api/v1/stream?amorce={OPENING}", headers=headers).status_code == 400 and not generator.asked


def test_streaming_by_address_counts_as_asking(client):
    client.get("/generate")
    codes = [client.get(f"/api/v1/stream?amorce={OPENING}").status_code for _ in range(41)]
    assert codes == [200] * 40 + [429]


# --- La description ----------------------------------------------------------------------------

def test_the_description_is_openapi(client):
    validator = pytest.importorskip("openapi_spec_validator", reason="openapi-spec-validator n'est pas installé.")
    validator.validate(client.get("/api/v1/openapi.json").get_json())


def test_every_address_described_exists_and_the_other_way_round(app, client):
    described = client.get("/api/v1/openapi.json").get_json()["paths"]
    served_paths = {re.sub(r"<(?:\w+:)?(\w+)>", "{model}", rule.rule) for rule in app.url_map.iter_rules()
                    if rule.rule.startswith(("/api/v1/", "/v1/", "/health", "/ready"))}
    assert set(described) == served_paths - {"/api/v1/openapi.json"}


# --- La réponse du serveur lui-même --------------------------------------------------------------

def test_a_redirection_stays_on_the_page_and_speaks_french(client):
    for host in ("127.0.0.1", "ailleurs.example", "<script>"):
        answer = client.get("/atelier", headers={"Host": host})
        assert answer.status_code in (301, 308) and answer.location == "/atelier/"
        assert host not in answer.get_data(as_text=True) and "à une autre adresse" in answer.get_data(as_text=True)
