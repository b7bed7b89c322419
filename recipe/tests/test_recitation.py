"""Compter ce qu'un réseau récite : les suites retrouvées, le modèle 5-grammes, le compte final."""

import numpy as np
import pytest

from recipe.ngrams import ORDER, WordSequences, words_of
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


@pytest.fixture(name="reader")
def fixture_reader(tmp_path):
    """Un livre lu, un autre gardé, et un réseau dont chaque position appelle un mot du livre lu."""
    torch = pytest.importorskip("torch", reason="faire écrire le réseau demande PyTorch")
    from tokenizers import ByteLevelBPETokenizer  # pylint: disable=import-outside-toplevel
    from transformers import GPT2Config, GPT2LMHeadModel, GPT2TokenizerFast  # pylint: disable=import-outside-toplevel
    torch.manual_seed(0)
    generator = np.random.default_rng(0)
    words = [a + b + c for a in "bdfglmnprst" for b in "aeiou" for c in ("", "n", "r")]
    (tmp_path / "livres").mkdir()
    for name in ("lu", "gardé"):
        (tmp_path / "livres" / f"{name}.txt").write_text(" ".join(generator.permutation(words)[:90]), encoding="utf-8")
    book = (tmp_path / "livres" / "lu.txt").read_text(encoding="utf-8")
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator([book], 400, special_tokens=["<fin>"])
    bpe.save_model(str(tmp_path))
    tokenizer = GPT2TokenizerFast(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt"),
                                  unk_token="<fin>", bos_token="<fin>", eos_token="<fin>")
    model = GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), n_positions=128, n_layer=1, n_embd=64, n_head=1))
    ids = tokenizer(book).input_ids[:128]

    def count_recited(by_heart):
        from recipe import recitation  # pylint: disable=import-outside-toplevel
        if by_heart:
            embeddings = torch.randn(len(tokenizer), 64)
            model.transformer.wte.weight.data = embeddings
            model.transformer.wpe.weight.data[:len(ids)] = 20 * embeddings[ids]
        model.save_pretrained(tmp_path / "modèle")
        tokenizer.save_pretrained(tmp_path / "modèle")
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (("TEXTS", 12), ("WORDS", 20), ("NEW_TOKENS", 90)):
                patch.setattr(recitation, name, value)
            return recitation.main([str(tmp_path / "modèle"), str(tmp_path / "livres"), "--validation", "gardé.txt"])
    return count_recited


def test_a_network_that_recites_its_book_is_caught(reader, capsys):
    assert reader(by_heart=False)["le réseau"] == 0
    capsys.readouterr()
    # Douze textes de vingt mots : neuf suites de douze mots chacun, moins un mot entamé par l'amorce.
    assert 12 * 8 <= reader(by_heart=True)["le réseau"] <= 12 * 9
    assert "12 sur 12" in capsys.readouterr().out


def test_a_kept_novel_that_is_not_there_is_named_before_any_work(tmp_path):
    pytest.importorskip("torch", reason="faire écrire le réseau demande PyTorch")
    from recipe import recitation  # pylint: disable=import-outside-toplevel
    (tmp_path / "lu.txt").write_text("Un livre.", encoding="utf-8")
    with pytest.raises(WorkshopError, match="absent.txt"):
        recitation.main([str(tmp_path / "modèle"), str(tmp_path), "--validation", "absent.txt"])
