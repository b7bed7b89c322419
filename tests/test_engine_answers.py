"""Ce que répondent les moteurs, chacun à sa façon ou de travers : de petits serveurs, et ce que la page en lit."""

import json
import math
import threading
import time

import pytest

from visitors import token_from
from web_servers import EngineServer, wait_until
from workshop import paths
from workshop.errors import WorkshopError
from workshop.page import engine_elsewhere
from workshop.page.contract import Malformed, Wish
from workshop.page.engine_elsewhere import EngineElsewhere, Lost
from workshop.page.events import End, Full, Piece, Place, Silence
from workshop.page.generator import open_generator

OPENING = "Le soir, la meunière"


@pytest.fixture(autouse=True)
def _once(monkeypatch):
    """Un moteur dit ses réseaux une fois : il n'est plus là pour les redire."""
    monkeypatch.setattr(engine_elsewhere, "CHECK_EVERY_SECONDS", 3600)


def sent(**choice):
    """Un objet du flux."""
    return f"data: {json.dumps({'choices': [choice]}, ensure_ascii=False)}\n\n".encode()


def tokens(*noted):
    """Des probabilités, dans la forme d'OpenAI : (token, probabilité, {autre: probabilité})."""
    return {"tokens": [token for token, _, _ in noted], "token_logprobs": [math.log(p) for _, p, _ in noted],
            "top_logprobs": [{other: math.log(q) for other, q in others.items()} for _, _, others in noted]}


DONE = b"data: [DONE]\n\n"
END = sent(text="", finish_reason="length")


def write(server, wish=Wish(), prompt=OPENING):
    """Tout ce qu'un moteur neuf donne d'un texte."""
    return list(EngineElsewhere(server.url).write(prompt, "", wish))


@pytest.mark.parametrize("said, expected", [
    # vLLM donne parfois plusieurs tokens à la fois.
    (sent(text=" la nuit", logprobs=tokens((" la", 0.5, {" la": 0.5}), (" nuit", 0.25, {" nuit": 0.25}))),
     [(" la", 0.5), (" nuit", 0.25)]),
    # TGI ne donne pas de probabilités, ou une liste vide.
    (sent(text=" la", index=0), [(" la", None)]),
    (sent(text=" la", logprobs=None), [(" la", None)]),
    (sent(text=" la", logprobs=[]), [(" la", None)]),
    # llama.cpp les donne comme pour une conversation.
    (sent(text=" la", logprobs={"content": [{"token": " la", "logprob": math.log(0.5), "top_logprobs": [
        {"token": " la", "logprob": math.log(0.5)}]}]}), [(" la", 0.5)]),
    # Ce que le token ajoute n'est pas ce qu'il est à lui seul.
    (sent(text=" la", logprobs=tokens(("la", 0.5, {"la": 0.5}))), [(" la", 0.5)]),
    (sent(text=" là-bas", logprobs=tokens(("là", 0.5, {}), ("bas", 0.5, {}))), [(" là-bas", None)]),
    (sent(text="", logprobs=tokens(("\ufffd", 0.5, {}))) + sent(text="é", logprobs=tokens(("\ufffd", 0.4, {}))),
     [("é", 0.4)]),
    # Des probabilités qui n'en sont pas : le texte reste.
    *((sent(text=" la", logprobs={"tokens": [" la"], "token_logprobs": odd, "top_logprobs": likely}), [(" la", read)])
      for odd, likely, read in (([math.nan], [{}], None), (["forte"], [{}], None), ([], None, None),
                                ([-1], [{" la": True, "": "non"}], None), ([1e-9], [None], 1))),
    # Ce qui ne doit pas arriver jusqu'à la page, et ce qui n'y coupe pas une ligne.
    (sent(text=" la\x00\u202e nuit\ufffd"), [(" la nuit", None)]),
    (sent(text=" la\u2028nuit"), [(" la\u2028nuit", None)]),
    (b": toujours l\xc3\xa0\r\n\r\ndata:{\"choices\": [], \"usage\": {}}\r\n\r\n" + sent(text=" la"), [(" la", None)]),
    (sent(text=" été")[:30] + sent(text=" été")[30:], [(" été", None)])])
def test_each_engine_has_its_ways(said, expected):
    cut = said.find("é".encode()) + 1   # au milieu d'un signe, s'il y en a un
    with EngineServer(said[:cut], 0.01, said[cut:], END, DONE) as server:
        *pieces, end = write(server)
    assert end == End("longueur") and [piece.text for piece in pieces] == [text for text, _ in expected]
    assert [piece.probability for piece in pieces] == [p and pytest.approx(p) for _, p in expected]


def test_the_hesitation_is_the_least_that_the_candidates_allow():
    likely = {f" {number}": 0.1 for number in range(5)}
    with EngineServer(sent(text=" 0", logprobs=tokens((" 0", 0.1, {**likely, "\ufffd\ufffd": 0.02}))), END) as server:
        piece, _ = write(server)
    assert piece.candidates == [(text, pytest.approx(0.1)) for text in likely]
    assert piece.entropy == pytest.approx(math.log2(10)), "les autres, dix au moins, se partagent la moitié qui reste"


@pytest.mark.parametrize("reason, ending", [
    ("stop", "texte"), ("eos_token", "texte"), ("length", "longueur"), ("abort", "arret")])
def test_the_end_is_told_in_our_words(reason, ending):
    with EngineServer(sent(text=" fin", finish_reason=reason)) as server:
        assert write(server) == [Piece(" fin"), End(ending)]


@pytest.mark.parametrize("said", [
    b"data: {\"choices\"", b"data: pas du JSON\n\n", b"data: []\n\n", b"data: 7\n\n", b"data: {\"choices\": 7}\n\n",
    b"data: {\"choices\": [{}]}\n\n", sent(text=7), sent(text=None), b"data: {\"error\": {\"message\": \"CUDA\"}}\n\n",
    b"<!doctype html>", b"", DONE, b"data: \xff\xff\n\n"])
def test_an_engine_that_says_nothing_readable_is_lost(said):
    with EngineServer(sent(text=" la"), said) as server:
        stream = EngineElsewhere(server.url).write(OPENING, "", Wish())
        assert next(stream) == Piece(" la")
        with pytest.raises(Lost):
            next(stream)


@pytest.mark.parametrize("status, headers, error", [
    (429, {"Retry-After": "7"}, Full), (503, {}, Full), (503, {"Retry-After": "Fri, 27 Nov 2026 08:00:00 GMT"}, Full),
    (400, {}, Malformed), (404, {}, Malformed), (413, {}, Malformed), (401, {}, Lost), (500, {}, Lost),
    (302, {}, Lost)])
def test_a_refusal_is_told_in_our_words(status, headers, error):
    with EngineServer() as server:
        server.refusals.append((status, "{}", headers))
        with pytest.raises(error) as raised:
            write(server)
    assert error is not Full or raised.value.retry_after == (7 if status == 429 else 5)


def test_what_an_engine_does_not_know_is_not_asked_again():
    with EngineServer(END) as server:
        engine = EngineElsewhere(server.url)
        server.refusals += [(400, '{"error": {"message": "Unrecognized request argument: top_k"}}', {}),
                            (422, "unknown field `seed`", {})]
        for _ in range(2):
            assert list(engine.write(OPENING, "", Wish(seed=4, top_k=7))) == [End("longueur")]
        assert [("top_k" in asked, "seed" in asked) for asked in server.asked] == [
            (True, True), (False, True), (False, False), (False, False)]
        first, *_, last = server.asked
        assert first["top_k"] == 7 and first["logprobs"] == last["logprobs"] == 5 and last["model"] == "petit"


def test_a_text_too_long_for_a_network_is_continued_from_its_end():
    too_long = (400, "This model's maximum context length is 1024 tokens.", {})
    with EngineServer(END) as server:
        engine = EngineElsewhere(server.url)
        server.refusals += [too_long, too_long]
        for name in ("petit", "petit", "grand"):
            list(engine.write(OPENING, " et le meunier" * 100, Wish(name)))
        prompts = [asked["prompt"] for asked in server.asked]
        assert all(f" {prompts[0]}".endswith(f" {prompt}") for prompt in prompts), "à partir d'un mot"
        assert len(prompts[1]) <= len(prompts[0]) // 2 and prompts[2] == prompts[3] and prompts[4] == prompts[0]
        server.refusals += [too_long]
        with pytest.raises(Malformed):   # trois mots : ce n'est pas leur longueur
            list(engine.write(OPENING, "", Wish()))
        server.refusals += [too_long] * 4
        with pytest.raises(Malformed):   # ni raccourci, ni retenu, si cela n'y fait rien
            list(engine.write(OPENING, " et le meunier" * 100, Wish("grand")))
        assert list(engine.write(OPENING, " et le meunier" * 100, Wish("grand"))) == [End("longueur")]
        assert server.asked[-1]["prompt"] == prompts[0]


def test_the_key_is_shown_to_the_engine_and_to_nobody_else(caplog, capsys, monkeypatch):
    monkeypatch.setenv("AURORE_MOTEUR_CLE", "clé très secrète")
    with EngineServer(b"", models=["vôtre/réseau"]) as server:
        monkeypatch.setenv("AURORE_MOTEUR", server.url)
        engine = open_generator(lambda: paths.BASE_MODEL)
        assert engine.network.name == engine.find("vôtre/réseau").key == "vôtre/réseau"
        with pytest.raises(Lost) as lost:
            list(engine.write(OPENING, "", Wish()))
        assert {key.encode("latin-1").decode() for key in server.keys} == {"Bearer clé très secrète"}
    assert "secrète" not in caplog.text + "".join(capsys.readouterr()) + str(lost.value)


def test_who_waits_is_told_their_place_and_who_leaves_is_forgotten(monkeypatch):
    monkeypatch.setattr(engine_elsewhere, "REMINDER_SECONDS", 0.05)
    with EngineServer(1.5, *[sent(text=" mot"), 0.02] * 500) as server:
        engine = EngineElsewhere(server.url)
        first, second = (engine.write(OPENING, "", Wish()) for _ in range(2))
        assert next(first) == Place(1) and next(second) == Place(2) and (engine.active, engine.waiting) == (0, 2)
        first.close()
        assert next(second) == Place(1)
        while next(second) != Piece(" mot"):
            pass
        assert (engine.active, engine.waiting) == (1, 0) and server.left.wait(5)
        server.left.clear()
        second.close()
        assert (engine.active, engine.waiting) == (0, 0) and server.left.wait(5)


def test_no_more_texts_at_once_than_files_to_open(monkeypatch):
    monkeypatch.setattr(engine_elsewhere, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(engine_elsewhere, "REMINDER_SECONDS", 0.05)
    with EngineServer(*[sent(text=" mot"), 0.02] * 500) as server:
        engine = EngineElsewhere(server.url)
        first, second = (engine.write(OPENING, "", Wish()) for _ in range(2))
        assert next(first) == Piece(" mot") and next(second) == Place(1) and len(server.asked) == 1
        first.close()
        assert next(event for event in second if event != Place(1)) == Piece(" mot") and len(server.asked) == 2
        second.close()


def test_a_page_that_stops_ends_its_texts(monkeypatch):
    monkeypatch.setattr(engine_elsewhere, "REMINDER_SECONDS", 0.05)
    with EngineServer(sent(text=" mot"), 30) as server:
        engine = EngineElsewhere(server.url)
        begun = engine.write(OPENING, "", Wish())
        assert next(begun) == Piece(" mot")
        stopping = threading.Thread(target=engine.stop, args=(0.2,))
        stopping.start()
        told = [event for event in begun if event != Silence()]
        assert told == [End("arret")] == list(engine.write(OPENING, "", Wish()))
        stopping.join()


def test_the_networks_are_those_of_the_moment(monkeypatch, caplog):
    monkeypatch.setattr(engine_elsewhere, "CHECK_EVERY_SECONDS", 0.05)
    with EngineServer(END) as server:
        engine = EngineElsewhere(server.url)
        assert engine.find("grand").key == "grand" and engine.find("") == engine.network == engine.networks[0]
        server.models = ("neuf",)
        wait_until(lambda: engine.network.key == "neuf")
        with pytest.raises(Malformed, match="Choisissez-en un autre"):
            engine.find("grand")
        server.models = ()
        wait_until(lambda: engine.refusal)
        with pytest.raises(Lost):
            list(engine.write(OPENING, "", Wish()))
        assert engine.network.key == "neuf" and len(caplog.messages) == 1 and "pas comme un moteur" in caplog.text
        server.models = ("revenu",)
        wait_until(lambda: not engine.refusal)
        assert list(engine.write(OPENING, "", Wish()))[0] == End("longueur")
        engine.stop(0)


@pytest.mark.parametrize("status, said", [
    (200, {"text": "une chanson"}), (200, {"text": OPENING, "logprobs": None}), (400, {}), (500, {}),
    (200, {"text": OPENING + " un", "logprobs": tokens(("Le", 1, {}), (" soir", 1, {}))})])
def test_an_engine_that_does_not_repeat_the_opening_shows_nothing_of_it(status, said):
    with EngineServer() as server:
        engine = EngineElsewhere(server.url)
        server.refusals.append((status, json.dumps({"choices": [said]}), {}))
        with pytest.raises(Malformed, match="ne dit pas"):
            engine.look(OPENING, "")


@pytest.mark.parametrize("start", [(), (("<s>", 1, {}),)])
def test_what_a_network_thinks_of_a_text_comes_with_the_text(start):
    noted = tokens(*start, ("Le", 0.5, {}), (" soir", 0.25, {" soir": 0.25, " roi": 0.5}), (",", 0.5, {",": 0.5}))
    noted["token_logprobs"][0] = noted["top_logprobs"][0] = None
    with EngineServer() as server:
        server.refusals.append((200, json.dumps({"choices": [
            {"text": "Le soir,", "logprobs": noted, "finish_reason": "length"}]}), {}))
        seen = EngineElsewhere(server.url).look("Le  soir", "grand")
        assert server.asked[0]["model"] == "grand" and server.asked[0]["echo"] and "stream" not in server.asked[0]
    assert [piece.text for piece in seen.pieces] == ["Le", " soir"] and seen.following == [(",", pytest.approx(0.5))]
    assert seen.pieces[1].candidates == [(" roi", pytest.approx(0.5)), (" soir", pytest.approx(0.25))]


def test_an_engine_too_slow_is_lost(monkeypatch):
    monkeypatch.setattr(engine_elsewhere, "SILENCE", 0.3)
    monkeypatch.setattr(engine_elsewhere, "CHECK", 0.3)
    with EngineServer(sent(text=" la"), 2, END) as server:
        stream = EngineElsewhere(server.url).write(OPENING, "", Wish())
        assert next(stream) == Piece(" la")
        with pytest.raises(Lost):
            next(stream)
        server.answer = lambda handler: time.sleep(2)
        with pytest.raises(WorkshopError, match="ne répond pas"):
            EngineElsewhere(server.url)


def test_two_texts_compared_are_shown_even_if_the_engine_is_lost_after_them(monkeypatch, lesson):
    with EngineServer(sent(text=" entra."), END) as server:
        engine = EngineElsewhere(server.url)

        def look(*_):
            raise Lost("ne répond pas")
        monkeypatch.setattr(engine, "look", look)
        client = lesson("5_flask").create_app(engine).test_client()
        shown = client.post("/comparer", data={"csrf_token": token_from(client, "/comparer"), "amorce": OPENING,
                                               "premier": "petit", "second": "grand"})
    assert shown.status_code == 200 and shown.get_data(as_text=True).count("entra.") == 2


def test_a_server_that_is_no_engine_is_refused():
    for models in ((), (None,)):
        with EngineServer(models=models) as server:
            if models:
                server.models = ("x",)
                server.answer = lambda handler, server=server: server.send(handler, b"<html>", 200)
            with pytest.raises(WorkshopError, match="mais pas comme un moteur"):
                EngineElsewhere(server.url)


def test_a_cut_connection_is_a_lost_engine():
    with EngineServer() as server:
        engine = EngineElsewhere(server.url)

        def cut(handler):
            handler.rfile.read(int(handler.headers["Content-Length"]))
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            piece = sent(text=" la")
            handler.wfile.write(b"%x\r\n%s\r\n40\r\n" % (len(piece), piece))
        server.answer = cut
        stream = engine.write(OPENING, "", Wish())
        assert next(stream) == Piece(" la")
        with pytest.raises(Lost):
            next(stream)
