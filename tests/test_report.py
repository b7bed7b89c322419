"""Ce que l'étape 3 dit de ce qui a changé."""

import re
from types import SimpleNamespace

import pytest

from workshop.learning import report
from workshop.learning.evaluation import Score
from workshop.learning.learnt import EasierSentence, LearntWord
from workshop.learning.readings import Reading


@pytest.fixture(name="session")
def _session():
    """Une séance finie, sans réseau : ce que `show` en lit."""
    journal = SimpleNamespace(samples=[[0, "Il dort."], [8, "Elle veille."]], kept_step=8,
                              score_before=Score(1.14, 19.4), score_after=Score(1.132, 19.0))
    return SimpleNamespace(journal=journal, test_titles="La Mare au Diable", words=[LearntWord("meunier", 3.9, 5)],
                           sentences=[EasierSentence("Oui, certes.", 95.0, 87.0)], read_before=lambda: None)


def test_what_has_changed_is_shown_in_words(session, capsys):
    report.show(session)
    said = capsys.readouterr().out
    assert "La note sur La Mare au Diable, que le réseau n'a jamais lu" in said
    assert "1,140" in said and "1,132" in said and "pas 8 : Elle veille." in said
    assert re.search(r"^meunier +3,9 +5$", said, re.M) and "95 bits avant, 87 après" in said


def test_a_book_the_network_had_read_proves_nothing(session, capsys):
    session.read_before = lambda: Reading("Sand, George", "La Mare au Diable", "1846", "ELTeC", "")
    report.show(session)
    said = " ".join(capsys.readouterr().out.replace("|", " ").split())
    assert "n'a jamais lu" not in said and "ne prouve rien" in said and "Sand, George, La Mare au Diable" in said


def test_nothing_learnt_is_not_shown_as_an_empty_table(session, capsys):
    session.words, session.sentences, session.journal.kept_step = [], [], 0
    report.show(session)
    said = capsys.readouterr().out
    assert "bits gagnés" not in said and "poids de départ sont gardés" in said
