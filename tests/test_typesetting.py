"""La belle typographie : les mêmes exemples que pour le JavaScript de la page."""

import json
from pathlib import Path

import pytest

from workshop.page.typesetting import capitalised, ends_a_sentence, typeset
from workshop.text.typography import normalise

SAMPLES = json.loads((Path(__file__).parent / "typesetting_samples.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["raw"][:20])
def test_each_sample_is_typeset_as_in_a_book(sample):
    assert typeset(sample["raw"]) == sample["paragraphs"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["raw"][:20])
def test_typesetting_only_changes_signs(sample):
    once = typeset(sample["raw"])
    assert typeset("\n".join(once)) == once
    assert normalise(" ".join(once)).replace(" ", "") == normalise(sample["raw"]).replace(" ", "")


def test_an_opening_gets_its_capital():
    assert capitalised(typeset("il était une fois")) == ["Il était une fois"]
    assert capitalised(typeset("— œuvre étrange! — Oui.")) == ["— Œuvre étrange\u202f!", "—\u00a0Oui."]
    assert capitalised(typeset("«où vas-tu?»")) == ["«\u00a0Où vas-tu\u202f?\u00a0»"]
    assert capitalised(typeset("30 moutons")) == ["30 moutons"]
    assert not capitalised([])


@pytest.mark.parametrize("text, expected", [
    ("Il pleuvait.", True), ("«Entrez!»", True), ("Elle dit...", True), ("Vraiment? ", True), ("Le soir, elle", False),
    ("", False), ("«Entrez»", False)])
def test_a_suite_after_a_sentence_starts_another(text, expected):
    assert ends_a_sentence(text) is expected
