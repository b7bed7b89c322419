"""Beaucoup de lecteurs, un seul réseau : places, file, départs, erreurs."""

import copy
import ctypes
import threading
import time

import numpy as np
import pytest

from workshop.page.events import Full, Piece, Place, Silence
from workshop.page.line import Room
from workshop.page.prompts import check
from workshop.page.readers import Readers, Request, _open_tokenizer
from workshop.paths import BASE_MODEL
from workshop.writing import generation
from workshop.writing.engine import Network
from workshop.writing.generation import write_texts
from workshop.writing.prefill import SharedBatch
from workshop.writing.sampling import Choice, Settings

OPENINGS = ["Il était une fois", "Le soir,", "La meunière chantait au bord de la rivière, et", "Ah! mon père, "]


@pytest.fixture(name="readers")
def _readers():
    opened = []

    def build(seats=32, places=32):
        opened.append(Readers(BASE_MODEL, Room(seats), Room(places)))
        return opened[-1]
    yield build
    for readers in opened:
        readers.stop(grace=0)


class OddDecoder:
    """Un décodeur qui ne rend que des signes interdits, ou presque."""

    def step(self, *_):
        """Le morceau suivant."""
        return "a\u202eb\x9fc\x00\ufffd"


def written(events):
    """Le texte de ce qui a été écrit."""
    return "".join(event.text for event in events if isinstance(event, Piece))


def wait_until(condition):
    """Attend qu'une condition soit remplie ; échoue après vingt secondes."""
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.01)
    assert condition()


def test_a_special_token_that_is_typed_is_ordinary_text(tokenizer, tmp_path):
    """Celui de l'atelier, et tous ceux qu'un autre tokenizer du catalogue peut avoir."""
    others = copy.deepcopy(tokenizer)
    others.add_special_tokens({"pad_token": "<pad>", "additional_special_tokens": ["[MASK]", "</s>"]})
    others.save_pretrained(tmp_path)
    for folder, known in ((BASE_MODEL, tokenizer), (tmp_path, others)):
        opened = _open_tokenizer(folder)
        for token in known.all_special_tokens:
            ids = opened.encode(f"Le soir{token} la mer").ids
            assert opened.decode(ids, skip_special_tokens=False) == f"Le soir{token} la mer"
            assert not set(ids) & set(known.all_special_ids), token


def test_together_each_reads_what_they_would_have_read_alone(readers, tokenizer):
    """Quatre lecteurs ensemble, puis la bibliothèque, un par un : mêmes textes."""
    room = readers(seats=4)
    seated = [room.join(Request(opening, max_new_tokens=30, temperature=0.7, seed=[number]))
              for number, opening in enumerate(OPENINGS)]
    together = [written(reader) for reader in seated]
    network = Network.open(BASE_MODEL)
    settings = Settings(max_new_tokens=30, temperature=0.7, top_k=50, eos_token_ids=(tokenizer.eos_token_id,))
    for number, opening in enumerate(OPENINGS):
        text = generation.Text(tokenizer(opening).input_ids, settings, [number])
        batch = generation.Batch(network, 1)
        batch.join([text])
        while batch.texts:
            batch.step()
        assert tokenizer.decode(text.tokens) == opening + together[number]
    assert [reader.ending for reader in seated] == ["length"] * 4


def test_each_piece_shows_between_what_the_network_hesitated(readers):
    for piece in readers().join(Request("Il était une", max_new_tokens=20, seed=1)):
        probabilities = [probability for _, probability in piece.candidates]
        assert len(probabilities) == 5 and probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) <= 1.000001 and 0 < piece.probability <= probabilities[0]
        assert dict(piece.candidates).get(piece.text, piece.probability) == piece.probability


def test_signs_of_several_tokens_come_whole(readers, tokenizer, monkeypatch):
    """« 𝄞 » demande plusieurs tokens, et un octet seul n'est rien : ni moitié de signe, ni signe illisible."""
    tokens = tokenizer("é 𝄞").input_ids + tokenizer("𝄞").input_ids[:1] + tokenizer(" fin\x1e.").input_ids
    assert len(tokens) > 8
    room, script = readers(), iter(tokens)
    monkeypatch.setattr(generation, "choose",
                        lambda *_: Choice(next(script), 0.5, np.array(tokens[:5]), np.full(5, 0.1)))
    pieces = list(room.join(Request("Il", max_new_tokens=len(tokens))))
    assert written(pieces) == "é 𝄞 fin." and len(pieces) < len(tokens)


def test_a_line_forms_and_moves(readers):
    room = readers(seats=1, places=2)
    first = room.join(Request("Il était", max_new_tokens=10_000))
    next(first)
    second, third = (room.join(Request("Le soir", max_new_tokens=5)) for _ in range(2))
    assert next(second) == Place(1) and next(third) == Place(2)
    with pytest.raises(Full) as refusal:
        room.join(Request("Et moi"))
    assert refusal.value.retry_after > 0
    first.close()
    assert len(written(second)) > 5 and next(third) == Place(1) and len(written(third)) > 5
    wait_until(lambda: (room.active, room.waiting) == (0, 0))
    assert first.ending == "closed" and not list(first)


def test_who_leaves_costs_nothing_more(readers):
    room = readers(seats=4)
    one = room.join(Request("Il était", max_new_tokens=10_000))
    next(one)
    one.close()
    wait_until(lambda: room.active == 0)
    read_so_far = one.text.written
    time.sleep(0.2)
    assert one.text.written == read_so_far
    impatient = [room.join(Request("Il était", max_new_tokens=10_000)) for _ in range(6)]
    for reader in impatient:
        reader.close()
    assert written(room.join(Request("Il était", max_new_tokens=5)))


def test_one_reader_s_error_stays_theirs(readers):
    room = readers(seats=4)
    quiet = room.join(Request("Il était une fois", max_new_tokens=40, seed=5))
    next(quiet)
    for broken in (Request("Bonjour", temperature="chaud"), Request(3), Request("Bonjour", seed="graine")):
        with pytest.raises(Exception, match=".") as error:
            list(room.join(broken))
        assert not isinstance(error.value, AssertionError)
    assert len(written(quiet)) > 20 and quiet.ending == "length"


def test_a_piece_that_fails_is_only_its_reader_s(readers, monkeypatch):
    room, piece = readers(seats=4), Readers._piece  # pylint: disable=protected-access  # c'est elle qui échoue
    monkeypatch.setattr(Readers, "_piece", lambda self, reader: 1 / (reader.request.seed or 0) and piece(self, reader))
    quiet = room.join(Request("Il était une fois", max_new_tokens=20, seed=5))
    next(quiet)
    with pytest.raises(ZeroDivisionError):
        list(room.join(Request("Bonjour", max_new_tokens=20)))
    assert written(quiet) and quiet.ending == "length"
    wait_until(lambda: room.active == 0)


def test_what_a_visitor_may_not_type_is_not_written(readers, monkeypatch):
    """« Continuer » renvoie ce que le réseau a écrit : il ne doit pas être refusé."""
    room = readers()
    monkeypatch.setattr("workshop.page.reader.DecodeStream", lambda **_: OddDecoder())
    text = written(room.join(Request("Il", max_new_tokens=3, seed=0)))
    assert text == "abc" * 3 and check("Il", text).suite == text


def test_who_waits_is_told_their_place_again(readers, monkeypatch):
    monkeypatch.setattr("workshop.page.reader.REMINDER_SECONDS", 0.05)
    room = readers(seats=1)
    first = room.join(Request("Il était", max_new_tokens=10_000, seed=0))
    next(first)
    second = room.join(Request("Le soir", max_new_tokens=5))
    assert [next(second) for _ in range(3)] == [Place(1)] * 3
    first.close()
    assert len(written(second)) > 5


def test_who_is_being_written_to_hears_that_a_slow_network_goes_on(readers, monkeypatch):
    monkeypatch.setattr("workshop.page.reader.REMINDER_SECONDS", 0.05)
    read = Network.read
    monkeypatch.setattr(Network, "read", lambda *asked: (time.sleep(0.3), read(*asked))[1])
    events = list(readers().join(Request("Il était", max_new_tokens=2, seed=0)))
    assert Silence() in events and len([event for event in events if isinstance(event, Piece)]) == 2


def test_a_failing_network_is_said_to_all_and_the_room_stays_open(readers, monkeypatch):
    room = readers(seats=4)
    with monkeypatch.context() as broken:
        broken.setattr(Network, "read", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            list(room.join(Request("Il était")))
    assert written(room.join(Request("Il était", max_new_tokens=5)))


@pytest.mark.fault("le fil qui écrit, tué")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_lost_thread_is_replaced(readers):
    room = readers()
    reader = room.join(Request("Le soir,", max_new_tokens=100))
    next(reader)
    writing = room._thread  # pylint: disable=protected-access  # celui que l'on tue
    assert ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(writing.ident), ctypes.py_object(SystemExit)) == 1
    with pytest.raises(RuntimeError, match="s'est arrêté"):
        list(reader)
    assert len(list(room.join(Request("Le soir,", max_new_tokens=3)))) == 3


def test_the_room_closes_gracefully(readers):
    room = readers(seats=1)
    short, endless = room.join(Request("Il", max_new_tokens=3)), None
    assert written(short)
    endless = room.join(Request("Il était", max_new_tokens=10_000_000))
    late = room.join(Request("Il était"))
    next(endless)
    closing = threading.Thread(target=room.stop, args=(0.3,))
    closing.start()
    assert written(endless) and endless.ending == "stopped"
    list(late)
    closing.join()
    assert late.ending == "stopped" and not list(room.join(Request("Trop tard")))


def test_an_opening_longer_than_the_context_and_past_its_end(readers):
    long = "La meunière chantait au bord de la rivière. " * 60
    reader = readers().join(Request(long, max_new_tokens=300, seed=2))
    assert len(written(reader)) > 300 and reader.text.written == 300


def test_of_a_long_text_only_the_end_is_cut_into_tokens(readers, tokenizer):
    """Et elle se coupe comme le texte entier."""
    room, context = readers(), Network.open(BASE_MODEL).context
    for text in ("La meunière, qu'il aimait, chantait; «ah!» dit-elle. " * 300, "a  b   c    " * 900, "é" * 9000,
                 "Il\n\n était " * 700, "Court."):
        tokens = room._last_tokens(text)  # pylint: disable=protected-access  # c'est elle qui coupe
        whole = tokenizer(text).input_ids
        assert tokens[-context:] == whole[-context:] and len(tokens) <= len(whole)
    assert len(room._last_tokens("Ah! mon père, dit la fille. " * 700)) < 1500  # pylint: disable=protected-access


def test_an_opening_read_by_slices_is_read_as_a_whole(tokenizer):
    """Un texte s'écrit ; un autre, long, arrive, puis un troisième : les mêmes tokens que s'il avait été seul."""
    network = Network.open(BASE_MODEL)
    settings = Settings(max_new_tokens=60, do_sample=False)
    openings = [tokenizer(text).input_ids for text in ("Le soir,", "La rivière coulait entre les saules. " * 17, "Un")]
    alone = [write_texts(network, [opening], settings)[0] for opening in openings]
    batch, texts = SharedBatch(network, 3), [generation.Text(opening, settings) for opening in openings]
    batch.enter(texts[0])
    batch.step()
    for text in texts[1:]:
        batch.enter(text)
    steps = 0
    while batch.texts or batch.reading:
        batch.step()
        steps += 1
    assert [text.tokens[text.opening:] for text in texts] == alone
    assert steps < 200 and texts[0].ending == "length"


def test_reading_a_long_opening_lets_the_others_write(tokenizer):
    network = Network.open(BASE_MODEL)
    batch = SharedBatch(network, 2)
    writing = generation.Text(tokenizer("Le soir,").input_ids, Settings(max_new_tokens=1000))
    batch.enter(writing)
    batch.step()
    batch.enter(generation.Text(tokenizer("La rivière coulait. " * 50).input_ids, Settings(max_new_tokens=10)))
    while batch.reading:
        batch.step()
    assert writing.written > 20


def test_who_leaves_while_being_read_leaves_no_trace(tokenizer):
    network = Network.open(BASE_MODEL)
    batch, settings = SharedBatch(network, 3), Settings(max_new_tokens=40, do_sample=False)
    first, leaving, last = (generation.Text(tokenizer(text).input_ids, settings)
                            for text in ("Le soir,", "La rivière coulait. " * 40, "Il était une"))
    for text in (first, leaving, last):
        batch.enter(text)
        batch.step()
    batch.leave(leaving)
    while batch.texts or batch.reading:
        batch.step()
    assert last.tokens[last.opening:] == write_texts(network, [last.tokens[:last.opening]], settings)[0]


def test_a_text_past_the_context_is_read_again_by_slices(tokenizer):
    network = Network.open(BASE_MODEL)
    batch = SharedBatch(network, 2)
    texts = [generation.Text(tokenizer(opening).input_ids, Settings(max_new_tokens=400)) for opening in OPENINGS[:2]]
    for text in texts:
        batch.enter(text)
    while batch.texts or batch.reading:
        batch.step()
    assert [text.written for text in texts] == [400, 400]


def test_without_an_opening_the_network_finds_one(readers):
    events = list(readers().join(Request("", max_new_tokens=10, seed=0)))
    assert np.all([isinstance(event, Piece) for event in events]) and written(events)


def test_many_come_and_go_at_once(readers):
    """Trente lecteurs dans huit places : chacun a son texte, entier."""
    room = readers(seats=8, places=32)
    texts = {}

    def read(number):
        texts[number] = written(room.join(Request("Le soir", max_new_tokens=5 + number % 7, seed=number % 3)))
    threads = [threading.Thread(target=read, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(texts) == 30
    for number, text in texts.items():
        longest = next(texts[other] for other in range(30) if other % 7 == 6 and other % 3 == number % 3)
        assert text and longest.startswith(text)


def test_write_texts_is_the_same_engine(tokenizer):
    network = Network.open(BASE_MODEL)
    settings = Settings(max_new_tokens=8, do_sample=False)
    prompts = [tokenizer(opening).input_ids for opening in OPENINGS]
    one_by_one = [write_texts(network, [prompt], settings)[0] for prompt in prompts]
    assert write_texts(network, prompts, settings) == one_by_one


def test_write_texts_ends_the_stream_even_when_it_fails(monkeypatch):
    class Streamer:
        """Se souvient d'avoir été fermé."""

        ended = False

        def end(self):
            """Plus rien ne viendra."""
            self.ended = True

    monkeypatch.setattr(Network, "read", lambda *_: 1 / 0)
    streamer = Streamer()
    with pytest.raises(ZeroDivisionError):
        write_texts(Network.open(BASE_MODEL), [[1, 2]], Settings(max_new_tokens=3), streamer=streamer)
    assert streamer.ended
