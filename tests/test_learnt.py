"""Ce qu'un entraînement a appris : les mots mieux attendus, les phrases moins surprenantes, les livres déjà lus."""

import math

import numpy as np
import pytest

from tiny_networks import TEXT, tiny_model
from workshop.learning.evaluation import score, token_losses
from workshop.learning.learnt import by_sentence, easier_sentences, in_bits, learnt_words, token_starts
from workshop.learning.readings import Reading, already_read, read_here, read_list, write_list
from workshop.paths import BASE_MODEL, SAND_MODEL
from workshop.text.fingerprints import SIZE, fingerprint, recognised, sequences

STORY = " ".join(f"Ce jour-là, la meunière compta {number} sacs, et le vent tourna {number + 3} fois vers l'ouest."
                 for number in range(60))


# --- Les mots -----------------------------------------------------------------------------

def rows(texts, gain_of):
    """Une liste de (début, bits gagnés) par texte, un token par mot."""
    found = []
    for text in texts:
        start, row = 0, []
        for word in text.split(" "):
            row.append((start, gain_of(word.strip(".,!").lower())))
            start += len(word) + 1
        found.append(row)
    return found


def test_the_words_that_gained_most_come_first():
    texts = ["Le meunier dort.", "Un meunier rit, un loup aussi.", "Le loup, le meunier!", "Un loup passe."]
    gains = {"meunier": 2.0, "loup": 3.0, "dort": 9.0, "un": -1.0}
    words = learnt_words(texts, ["A"] * 4, rows(texts, lambda word: gains.get(word, 0.5)))
    assert [(learnt.word, learnt.gain, learnt.occurrences) for learnt in words] == [
        ("loup", 3.0, 3), ("meunier", 2.0, 3), ("le", 0.5, 3)], "« dort » n'y est qu'une fois, « un » a perdu"


def test_a_word_costs_all_its_tokens():
    text = "meunière, meunière, meunière"
    tokens = [(0, 1.0), (4, 0.5), (8, 7.0), (10, 1.0), (14, 0.5), (18, 7.0), (20, 1.0), (24, 0.5)]
    (learnt,) = learnt_words([text], ["A"], [tokens])
    assert learnt == ("meunière", 1.5, 3), "et non ceux de la virgule"


def test_a_name_of_one_book_leaves_its_place_to_a_word():
    texts = ["Consuelo chante.", "Consuelo chante.", "Consuelo chante.", "Nohant chante."] + ["Nohant dort."] * 2
    books = ["A", "A", "A", "B", "C", "C"]
    gains = rows(texts, lambda word: {"consuelo": 9.0, "nohant": 2.0}.get(word, 1.0))
    assert [learnt.word for learnt in learnt_words(texts, books, gains, most=2)] == ["nohant", "chante"]
    assert learnt_words(texts, books, gains)[-1].word == "consuelo", "à défaut d'autres"


def test_the_sentences_whose_cost_fell_most():
    texts = ["Un.", "Deux.", "Trois.", "x" * 300]
    found = easier_sentences(texts, [10.0, 20.0, 5.0, 900.0], [9.0, 12.0, 6.0, 1.0])
    assert [(sentence.text, sentence.before - sentence.after) for sentence in found] == [("Deux.", 8.0), ("Un.", 1.0)]


def test_each_token_goes_to_its_sentence(tokenizer):
    texts = ["Il pleut.", "Élise chante, « enfin » !", "Ah!"]
    whole, starts, ranks = token_starts(tokenizer, texts)
    tokens = tokenizer(whole).input_ids
    assert len(tokens) == len(starts) == len(ranks)
    sentences = by_sentence(starts, ranks, np.ones(len(tokens)), len(texts))
    assert sum(map(len, sentences)) == len(tokens) and all(row[0][0] == 0 for row in sentences)
    for text, row in zip(texts, sentences):
        assert all(text[start] != " " for start, _ in row)


def test_the_losses_of_the_tokens_make_the_score(tokenizer):
    model = tiny_model()
    losses = token_losses(model, tokenizer, TEXT, window=16, stride=8)
    assert losses.shape == (len(tokenizer(TEXT).input_ids),)
    assert score(model, tokenizer, TEXT, window=16, stride=8).bits_per_character == pytest.approx(
        in_bits(losses).sum() / len(TEXT), rel=1e-6)
    blank = score(tiny_model(zeros=True), tokenizer, TEXT, window=16, stride=8)
    assert blank.perplexity == pytest.approx(8192, rel=1e-4)
    assert math.isfinite(losses.sum())


# --- Les livres lus -----------------------------------------------------------------------

def test_a_book_is_recognised_in_another_edition():
    edited = STORY.replace(", ", " — ").replace("meunière", "MEUNIÈRE").replace("compta 7", "compta sept")
    assert recognised(fingerprint(STORY), sequences(edited))
    assert recognised(fingerprint(STORY), sequences("Préface. " * 500 + STORY))
    assert not recognised(fingerprint(STORY), sequences(STORY.replace("jour", "soir").replace("vent", "ruisseau")))
    assert len(fingerprint(STORY)) == 8 * SIZE


def test_the_exam_book_is_looked_for_by_title_and_by_text(tmp_path):
    readings = [Reading("Sand, George", "La Mare au Diable", "1846", "ELTeC", ""), *read_here({"Sacs": STORY})]
    write_list(tmp_path / "readings.tsv", readings)
    assert read_list(tmp_path) == readings
    assert already_read(readings, "la mare au diable !", "Un autre texte.") == readings[0]
    assert already_read(readings, "Un titre changé", STORY) == readings[1]
    assert already_read(readings, "François le Champi", TEXT) is None
    assert read_list(tmp_path / "nulle part") is None


def test_the_embedded_networks_have_never_read_the_exam_books():
    mini, aurore = map(read_list, (BASE_MODEL, SAND_MODEL))
    assert len(mini) > 700 and not [reading for reading in mini if reading.author == "Sand, George"]
    by_sand = [reading for reading in aurore if reading.author == "Sand, George"]
    assert len(by_sand) > 40 and len(aurore) == len(mini) + len(set(aurore) - set(mini))
    for title in ("La Mare au Diable", "Valentine", "Consuelo"):
        assert already_read(aurore, title, "") is None
    assert already_read(aurore, "La petite Fadette", "").author == "Sand, George"
    assert already_read(mini, "Germinal", "")
    assert all(len(reading.fingerprint) == 8 * SIZE for reading in aurore)
