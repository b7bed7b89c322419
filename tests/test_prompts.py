"""Ce qu'un visiteur peut demander, et ce qui lui est répondu sinon."""

import re
import time
import unicodedata

import pytest

from workshop.page.contract import FORBIDDEN
from workshop.page.prompts import (
    EMPTY,
    NOT_FRENCH,
    RIGHT_TO_LEFT,
    SUITE_TOO_LONG,
    TOO_LONG,
    UNKIND,
    UNREADABLE,
    Refused,
    check,
    readable,
    seems_french,
)
from workshop.page.typesetting import capitalised, ends_a_sentence, typeset
from workshop.text.sentences import finished
from workshop.text.typography import normalise

INNOCENT = [
    "La chatte dormait près du feu", "Il avait conçu un projet", "Le meunier débite du bois",
    "Une salopette bleue", "Connaître son cœur", "Sa putative cousine", "Ils se disputent encore",
    "La députée parla", "Un bâtard de roi", "L'acculé se rendit", "La garce riait", "Nègrepelisse est un bourg",
    "Il recula, enculotté de velours", "Une sale affaire", "Le pédestre voyageur", "Le connétable entra",
    "Le trou du curé", "La catin du régent", "Elle réputa la chose bonne", "Un bicorne sur la tête",
    "Le négroni n'existait pas", "Va te faire voir !", "Ta gueule de loup, mon chien", "Un noir chagrin",
    "Les sales bêtes"]
UNKIND_WORDS = [
    "espèce de connard", "quelle SALOPE", "les enculés", "fils de pute", "d'enculé", "Pétasse!", "petasse",
    "sale pédé", "ferme ta gueule", "nique ta mère", "va te faire foutre", "sous-merde", "«bougnoule»",
    "Connasse,", "sale juif", "des salopards", "Cet enfoiré-là", "branleur", "une gouine", "trou du cul"]


@pytest.mark.parametrize("typed, sentence", [
    ("", EMPTY), (" \t\r\n\u00a0", EMPTY), ("\u200b\ufeff\u00ad\u200e", EMPTY),
    ("a" * 501, TOO_LONG), ("\u0301" * 501, TOO_LONG), ("Le soi" + "\u0301" * 31, UNREADABLE),
    ("Le soir\x00", UNREADABLE), ("Le soir\x1b[31m", UNREADABLE), ("\x7f Le soir", UNREADABLE),
    ("Le\x9bsoir", UNREADABLE), ("Le soir \ud800", UNREADABLE), ("\udfffLe soir", UNREADABLE),
    ("Le soir \ufffd", UNREADABLE),
    ("Le soir \u202etxet", RIGHT_TO_LEFT), ("\u2066Le soir\u2069", RIGHT_TO_LEFT)])
def test_an_unusable_opening_is_explained(typed, sentence):
    with pytest.raises(Refused, match="^" + sentence[:20]) as refusal:
        check(typed)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize("suite, sentence", [
    ("a" * 20_001, SUITE_TOO_LONG), (" l\u00e0" + "\u0315" * 15 + "\u0300" * 16, UNREADABLE),
    (" la\x00", UNREADABLE), (" la\ud800", UNREADABLE), (" la\u202e", RIGHT_TO_LEFT)])
def test_an_unusable_suite_is_explained(suite, sentence):
    with pytest.raises(Refused) as refusal:
        check("Le soir", suite)
    assert str(refusal.value) == sentence


def test_an_opening_is_normalised_and_kept_as_typed():
    prompt = check("  L’été,\r\nla soeur… ", " dormait.")
    assert prompt == ("  L’été,\r\nla soeur… ", "L'été, la sœur...", " dormait.", None)
    assert check("a" * 500).opening == "a" * 500
    assert check("a" * 498 + "\r\nb").opening.endswith("a b")   # le navigateur compte une fin de ligne pour un signe


@pytest.mark.parametrize("typed", INNOCENT)
def test_innocent_words_pass(typed):
    assert check(typed).opening


@pytest.mark.parametrize("typed", UNKIND_WORDS)
def test_an_insult_is_refused_kindly(typed):
    with pytest.raises(Refused) as refusal:
        check(f"Il cria : {typed}")
    assert str(refusal.value) == UNKIND


@pytest.mark.parametrize("typed", [
    "The cat sat on the mat", "Der Hund schläft im Garten", "Los gatos duermen en la casa"])
def test_another_language_is_a_warning(typed):
    assert check(typed).warning == NOT_FRENCH


@pytest.mark.parametrize("typed", [
    "Hello world", "Oh", "…", "12 345 678", "Il était une fois", "Le soir, la meunière",
    "— Vous ne me connaissez pas, dit l'inconnu", "Jeanne n'avait jamais quitté le village"])
def test_french_and_short_openings_get_no_warning(typed):
    assert seems_french(typed)


def test_half_characters_become_readable():
    assert readable("a\ud800b").encode() == "a\ufffdb".encode()


def test_what_is_refused_is_every_control_that_is_not_a_line_end():
    signs = {chr(number) for number in range(0x100) if unicodedata.category(chr(number)) == "Cc"}
    refused = {sign for sign in signs if re.match(f"[{FORBIDDEN}]", sign)}
    assert signs - refused == set("\t\n\r\v\f\x1c\x1d\x1e\x1f\x85")


@pytest.mark.parametrize("text", ["a" + "\u0315" * 60_000 + "\u0300" * 60_000, "\u0301" * 250_000])
def test_a_text_too_long_is_refused_at_once(text):
    started = time.thread_time()
    for typed, suite in ((text, ""), ("Le soir", text), ("Le soir", text[50_000:70_000])):
        with pytest.raises(Refused):
            check(typed, suite)
    assert time.thread_time() - started < 1


@pytest.mark.parametrize("run", [*".!?…,;:-–—'’\"«»“”()[] \n\u00a0\u202f", "! ", ". ", " .", "- ", " -", "« ",
                                 "? »", " »", " ;", " !", "—!", ".\u00a0", ".»", "oe", "M. "])
def test_no_rule_lingers_on_a_run_of_signs(run):
    """Vingt mille signes, au début, au milieu et à la fin d'un texte."""
    started = time.thread_time()
    for text in (run * (20_000 // len(run)) + "x", "Le soir" + run * (20_000 // len(run)) + "x",
                 "Le soir." + run * (20_000 // len(run))):
        for rule in (normalise, typeset, finished, ends_a_sentence, lambda text: capitalised([text])):
            rule(text)
        check("Le soir", text[:20_000])
    assert time.thread_time() - started < 1
