"""Compter ce qu'un réseau récite : les suites retrouvées, le modèle 5-grammes, le compte final."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from recipe import recitation
from recipe.ngrams import ORDER, WordSequences, words_of
from recipe.novels import BASE, SECOND, prepare_library
from recipe.tests.invented import small_tokenizer
from workshop.errors import WorkshopError

BOOKS = ["— Viens! dit-il. Le chat de la voisine dort sur le toit, et le chien ronfle.",
         "Le chat de la voisine mange. Il dort sur le toit de l'église.",
         "Fin du livre, le chat"]


def windows(words, length):
    """Les suites de `length` mots, autant de fois qu'elles reviennent."""
    return [tuple(words[i:i + length]) for i in range(len(words) - length + 1)]


def random_books(seed, number=30, length=200):
    """Des livres d'une langue de quarante mots, où des suites reviennent d'un livre à l'autre."""
    generator = np.random.default_rng(seed)
    return [" ".join(f"m{word}" for word in generator.zipf(1.3, length) % 40) for _ in range(number)]


def test_words_are_compared_without_case_or_punctuation():
    assert words_of("— L'été... «Là-bas», DIT-il: 12 _fois_!") == ["l'été", "là-bas", "dit-il", "12", "fois"]


def test_the_longest_common_sequence_is_found_in_any_typography():
    sequences = WordSequences(BOOKS)
    text = sequences.number("Un LE CHAT de la voisine\ndort sur le toit de l’église")
    #                        un le chat de la voisine dort sur le toit de l'église
    assert sequences.longest_sequences(text) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 5, 6]


def test_a_sequence_never_spans_two_books():
    sequences = WordSequences(BOOKS)
    assert sequences.longest_sequences(sequences.number("chien ronfle le chat de"))[:4] == [1, 2, 1, 2]
    assert sequences.longest_sequences(sequences.number("le chat viens")) == [1, 2, 1]


@pytest.mark.parametrize("length", [1, 3, 4, 5, 6, 9])
def test_a_sequence_is_found_as_often_as_reading_everything_finds_it(length):
    books = random_books(0)
    sequences = WordSequences(books)
    everywhere = [window for book in books for window in windows(book.split(), length)]
    for text in (*random_books(1, number=3, length=60), books[7]):
        for window in windows(text.split(), length):
            assert sequences.after(sequences.number(" ".join(window))).size == everywhere.count(window)


def test_the_5_gram_model_writes_seen_5_grams_whenever_it_can():
    books = random_books(2)
    sequences = WordSequences(books)
    seen = {window for book in books for window in windows(book.split(), ORDER)}
    continued = {window[:-1] for window in seen}
    opening = sequences.number(" ".join(books[0].split()[:ORDER - 1]))
    text = opening + sequences.write(opening, 400, np.random.default_rng(0))
    words = [sequences.vocabulary[number] for number in text]
    possible = [window for window in windows(words, ORDER) if window[:-1] in continued]
    assert len(possible) > 100 and set(possible) <= seen


def test_the_smoothed_model_recites_less():
    sequences = WordSequences(random_books(3))
    opening = sequences.number("m1 m1 m1 m1")
    plain, smoothed = (np.mean(sequences.longest_sequences(
        sequences.write(opening, 400, np.random.default_rng(0), smoothed=flag))) for flag in (False, True))
    assert smoothed < 0.8 * plain


def test_a_sequence_is_traced_to_its_book():
    sequences = WordSequences(BOOKS)
    [place] = sequences.after(sequences.number("il dort sur le toit de l'église"))
    assert sequences.book(place) == 1
    assert {sequences.book(place) for place in sequences.after(sequences.number("le chat"))} == {0, 1, 2}


@pytest.fixture(name="reader")
def fixture_reader(tmp_path):
    """Fait écrire un réseau au hasard, ou dont chaque position appelle un mot du livre lu."""
    generator = np.random.default_rng(0)
    words = [a + b + c for a in "bdfglmnprst" for b in "aeiou" for c in ("", "n", "r")]
    texts = {name: " ".join(generator.permutation(words)[:90]) for name in ("lu", "sand")}
    tokenizer = small_tokenizer([texts["lu"]], vocabulary=400)
    prepare_library(texts, {"lu": BASE, "sand": SECOND}, tokenizer, tmp_path / "bibliothèque")
    size, width, context = tokenizer.get_vocab_size(), 64, 128
    ids = tokenizer.encode(texts["lu"]).ids[:context]

    def write_network(by_heart):
        tensors = {"wte.weight": generator.normal(size=(size, width)), "wpe.weight": np.zeros((context, width))}
        if by_heart:
            tensors["wpe.weight"][:len(ids)] = 20 * tensors["wte.weight"][ids]
        for name, inputs, outputs in (("attn.c_attn", width, 3 * width), ("attn.c_proj", width, width),
                                      ("mlp.c_fc", width, 4 * width), ("mlp.c_proj", 4 * width, width)):
            tensors[f"h.0.{name}.weight"], tensors[f"h.0.{name}.bias"] = np.zeros((inputs, outputs)), np.zeros(outputs)
        for name in ("h.0.ln_1", "h.0.ln_2", "ln_f"):
            tensors[f"{name}.weight"], tensors[f"{name}.bias"] = np.ones(width), np.zeros(width)
        folder = tmp_path / "réseau"
        folder.mkdir(exist_ok=True)
        save_file({name: tensor.astype(np.float32) for name, tensor in tensors.items()}, folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps(
            {"n_layer": 1, "n_head": 1, "n_embd": width, "n_positions": context, "vocab_size": size}), encoding="utf-8")
        tokenizer.save(str(folder / "tokenizer.json"))
        return folder

    def count_recited(by_heart, *options):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (("TEXTS", 12), ("WORDS", 20), ("NEW_TOKENS", 90)):
                patch.setattr(recitation, name, value)
            return recitation.main([str(write_network(by_heart)), str(tmp_path / "bibliothèque"), *options])
    return count_recited


def test_a_network_that_recites_its_book_is_caught_at_either_temperature(reader, capsys):
    counts = reader(by_heart=False)
    assert counts["le réseau, à 1,0"][:2] == counts["le réseau, à 0,8"][:2] == (0, 0)
    capsys.readouterr()
    counts = reader(by_heart=True)
    for temperature in ("1,0", "0,8"):
        # Douze textes de vingt mots : neuf suites de douze mots chacun, moins un mot entamé par l'amorce.
        sequences, texts, longest = counts[f"le réseau, à {temperature}"]
        assert 12 * 8 <= sequences <= 12 * 9 and texts == 12 and longest >= 19
    said = capsys.readouterr().out
    assert "12 sur 12" in said and "(lu, 1 fois)" in said and "Œuvres lues : 1 ; mots : 90." in said


def test_the_second_corpus_counts_when_the_network_has_read_it(reader, capsys):
    reader(False, "--second")
    assert "Œuvres lues : 2 ; mots : 180." in capsys.readouterr().out


def test_a_folder_that_is_no_library_is_refused_in_a_sentence(reader, tmp_path):
    reader(by_heart=False)
    with pytest.raises(WorkshopError, match="n'est pas une bibliothèque"):
        recitation.main([str(tmp_path / "réseau"), str(tmp_path)])
