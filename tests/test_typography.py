"""Une seule façon d'écrire chaque signe."""

import random

import pytest

from workshop.text.typography import normalise


@pytest.mark.parametrize("written, expected", [
    ("L’oiseau", "L'oiseau"),
    ("«  Oh ! dit-il ; — non… »", "«Oh! dit-il; — non...»"),
    ("Marseille.--Le bruit", "Marseille. — Le bruit"),
    ("–Venez !", "— Venez!"),
    ("le coeur, l'oeil, OEUVRES, Oeuvre", "le cœur, l'œil, ŒUVRES, Œuvre"),
    ("coexister, poète, moelle", "coexister, poète, moelle"),
    ("e\u0301te\u0301", "été"),
    ("deux\u00a0mots\n et un troisième", "deux mots et un troisième"),
    ("“ Bonjour ”", "«Bonjour»"),
    ("Mais . . . . quoi", "Mais... quoi"),
    ("a\u202eb\x00c\u200bd", "abcd"),
    ("12, rue de la Paix , Paris .", "12, rue de la Paix, Paris."),
    ("", ""),
])
def test_each_sign_has_one_form(written, expected):
    assert normalise(written) == expected


def test_normalising_any_text_twice_changes_nothing():
    draw = random.Random(0)
    for _ in range(20_000):
        once = normalise("".join(draw.choices("aoeuil .'’—-–?!,;:«»“”… \n\u00a0O", k=draw.randint(0, 12))))
        assert normalise(once) == once, once


def test_normalising_twice_changes_nothing(gutenberg):
    for path in gutenberg.rglob("*.txt"):
        once = normalise(path.read_text(encoding="utf-8-sig"))
        assert normalise(once) == once
