"""La page, dans la forme d'OpenAI : avec le client officiel là où il est installé, et sans lui."""

import json
import math

import pytest

from fake_generator import FakeGenerator
from web_servers import served
from workshop import paths
from workshop.page import door
from workshop.page.events import Full

OPENING = "Le soir, la meunière"
SUITE = "".join(FakeGenerator().words)


def ask(client, **body):
    """Demande une suite."""
    return client.post("/v1/completions", json={"model": "emprunt", "prompt": OPENING, "max_tokens": 100, **body})


def choice(client, **body):
    """La seule suite d'une réponse."""
    answer = ask(client, **body).get_json()
    return answer["choices"][0]


def chunks(answer):
    """Les morceaux d'une réponse qui vient mot à mot."""
    blocks = answer.get_data(as_text=True).split("\n\n")
    *sent, last = [block.removeprefix("data: ") for block in blocks if "data: " in block]
    assert last == "[DONE]"
    return [json.loads(chunk) for chunk in sent]


def test_a_text_is_completed(client, generator):
    answer = ask(client, temperature=0.5, top_p=0.9, seed=11, user="jeanne").get_json()
    assert answer["object"] == "text_completion" and answer["model"] == "emprunt" and answer["id"].startswith("cmpl-")
    assert answer["choices"] == [{"index": 0, "text": SUITE, "logprobs": None, "finish_reason": "length"}]
    words = len(OPENING.split())
    assert answer["usage"] == {"prompt_tokens": words, "completion_tokens": len(generator.words),
                               "total_tokens": words + len(generator.words)}
    asked = generator.asked[0]
    assert asked.prompt + asked.suite == OPENING
    assert (asked.wish.network, asked.wish.boldness, asked.wish.top_p, asked.wish.seed) == ("emprunt", 0.5, 0.9, 11)


def test_a_text_ends_where_it_was_asked_to(client, lesson):
    short = choice(client, max_tokens=3)
    assert short["text"] == " s'arrêta là" and short["finish_reason"] == "length"
    cut = choice(client, stop=["-elle"])
    assert cut["text"] == " s'arrêta là. — Viens! dit" and cut["finish_reason"] == "stop"
    assert choice(client, stop="arrêta là. —")["text"] == " s'"
    assert choice(client, stop=["jamais", "Le cœur"])["text"].endswith(". ")
    assert choice(client, stop="battait. Puis")["text"] == SUITE     # ce qui n'en était que le début est rendu
    ended = lesson("5_flask").create_app(FakeGenerator([" alla"], ending="texte")).test_client()
    assert choice(ended)["finish_reason"] == "stop"


def test_what_comes_word_by_word_is_the_same(client):
    for body in ({}, {"stop": ["-elle"]}, {"max_tokens": 3}, {"echo": True}, {"n": 2}):
        whole, received = ask(client, **body).get_json(), chunks(ask(client, stream=True, **body))
        for number, expected in enumerate(whole["choices"]):
            mine = [chunk["choices"][0] for chunk in received if chunk["choices"][0]["index"] == number]
            assert "".join(piece["text"] for piece in mine) == expected["text"]
            assert [piece["finish_reason"] for piece in mine] == [None] * (len(mine) - 1) + [expected["finish_reason"]]


def test_the_probabilities_are_logarithms(client):
    noted = choice(client, logprobs=2, max_tokens=2)["logprobs"]
    assert noted["tokens"] == [" s'", "arrêta"] and noted["text_offset"] == [len(OPENING), len(OPENING) + 3]
    assert noted["token_logprobs"] == [math.log(0.5)] * 2
    assert noted["top_logprobs"][0] == {" s'": math.log(0.5), " le": math.log(0.2)}
    streamed = [chunk["choices"][0]["logprobs"] for chunk in chunks(ask(client, logprobs=2, max_tokens=2, stream=True))]
    assert sum((piece["tokens"] for piece in streamed), []) == noted["tokens"]


def test_the_opening_again_comes_with_its_probabilities(client, generator):
    for body in ({}, {"stream": True}):
        answer = ask(client, echo=True, logprobs=2, max_tokens=1, **body)
        received = [chunk["choices"][0] for chunk in chunks(answer)] if body else answer.get_json()["choices"]
        noted = {name: sum((piece["logprobs"][name] for piece in received), []) for name in received[0]["logprobs"]}
        assert noted["tokens"] == ["Le", " soir,", " la", " meunière", " s'"]
        assert noted["token_logprobs"] == [None, *[math.log(0.25)] * 3, math.log(0.5)]
        assert noted["top_logprobs"][:2] == [None, {" un": math.log(0.3), " soir,": math.log(0.25)}]
        assert noted["text_offset"] == [0, 2, 8, 11, 20]
        assert "".join(piece["text"] for piece in received) == OPENING + " s'"
    assert generator.looked == [(OPENING, "emprunt")] * 2


def test_several_texts_and_the_opening_again(client, generator):
    answer = ask(client, n=3, echo=True, seed=5).get_json()
    assert [one["index"] for one in answer["choices"]] == [0, 1, 2]
    assert all(one["text"] == OPENING + SUITE for one in answer["choices"])
    assert [asked.wish.seed for asked in generator.asked] == [5, 6, 7]


def test_without_an_opening_the_network_finds_one(client):
    assert choice(client, prompt="")["text"] == choice(client, prompt=None)["text"] == SUITE


def test_null_is_the_same_as_absent_and_is_described(client):
    description = client.get("/api/v1/openapi.json").get_json()
    fields = description["components"]["schemas"]["CompletionRequest"]["properties"]
    assert all({"type": "null"} in schema["anyOf"] for schema in fields.values())
    assert ask(client, **dict.fromkeys(fields)).status_code == 200


@pytest.mark.parametrize("body, named", [
    ({"prompt": [1, 2]}, "prompt"), ({"prompt": ["a", "b"]}, "prompt"), ({"logit_bias": {"1": 2}}, "logit_bias"),
    ({"suffix": "fin"}, "suffix"), ({"n": 4}, "n"), ({"temperature": "chaud"}, "temperature"),
    ({"best_of": 2}, "best_of"),
    ({"presence_penalty": 1}, "presence_penalty"), ({"stop": [""]}, "stop"), ({"stop": list("abcde")}, "stop"),
    ({"logprobs": 6}, "logprobs"), ({"prompt": "a" * 20_001}, "prompt")])
def test_what_is_not_served_is_refused_by_its_name(client, generator, body, named):
    answer = ask(client, **body)
    assert answer.status_code == 400 and f"« {named} »" in answer.get_json()["error"]["message"] and not generator.asked
    assert answer.get_json()["error"]["type"] == "invalid_request_error"


def test_a_refusal_has_the_shape_of_openai(client, lesson, monkeypatch):
    answer = ask(client, model="gpt-4")
    assert answer.status_code == 404 and answer.get_json()["error"]["code"] == "model_not_found"
    assert client.get("/v1/models/gpt-4").status_code == 404
    full = lesson("5_flask").create_app(FakeGenerator(fails=Full(3))).test_client()
    for stream in (False, True):
        answer = ask(full, stream=stream)
        assert answer.status_code == 503 and answer.headers["Retry-After"] == "3"
        assert answer.get_json()["error"]["type"] == "overloaded_error"
    broken = lesson("5_flask").create_app(FakeGenerator(fails=ValueError())).test_client()
    assert ask(broken).get_json()["error"]["code"] == "panne"
    assert "panne" in ask(broken, stream=True).get_data(as_text=True)
    monkeypatch.setattr(door, "read_access_code", lambda: "nohant")
    closed = lesson("5_flask").create_app(FakeGenerator()).test_client()
    assert ask(closed).get_json()["error"]["type"] == "authentication_error"
    assert closed.get("/v1/models", headers={"Authorization": "Bearer nohant"}).status_code == 200


def test_who_leaves_stops_the_computation(lesson):
    generator = FakeGenerator([" mot"] * 1000)
    answer = lesson("5_flask").create_app(generator).test_client().post(
        "/v1/completions", json={"prompt": OPENING, "max_tokens": 200, "stream": True}, buffered=False)
    next(answer.response)
    answer.close()
    assert generator.closed.is_set() and generator.written < 10


def test_the_official_client_writes_with_our_network(lesson):
    openai = pytest.importorskip("openai", reason="le client officiel (pip install openai) n'est pas installé")
    step = lesson("5_flask")
    generator = step.TextGenerator(lambda: paths.BASE_MODEL)
    with served(step.create_app(generator)) as server:
        client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="sans code", max_retries=0)
        assert "aurore" in [model.id for model in client.models.list()]
        asked = {"model": "aurore-mini", "prompt": OPENING, "max_tokens": 12, "seed": 3}
        text = client.completions.create(**asked, logprobs=3).choices[0]
        assert len(text.text) > 10 and len(text.logprobs.tokens) == 12 and text.finish_reason == "length"
        streamed = client.completions.create(**asked, stream=True)
        assert "".join(chunk.choices[0].text for chunk in streamed) == text.text
        assert len(client.completions.create(**asked, n=2, echo=True, temperature=0, stop=["."]).choices) == 2
        with pytest.raises(openai.NotFoundError, match="n'est pas dans la maison"):
            client.completions.create(**{**asked, "model": "gpt-4"})
    generator.stop(0)
