"""Qui est un réseau : network.json, et ce que l'on en dit quand il manque."""

import json

import pytest

from workshop.identity import FILE, ExamScore, Identity
from workshop.page.signature import read_signature
from workshop.paths import BASE_MODEL, SAND_MODEL


def test_the_embedded_networks_say_who_they_are():
    mini, aurore = map(Identity.read, (BASE_MODEL, SAND_MODEL))
    assert (mini.name, mini.parameters, mini.score.bits_per_character) == ("aurore-mini", 6_901_760, 1.146)
    assert (aurore.name, aurore.parameters, aurore.score.bits_per_character) == ("aurore", 29_676_544, 1.047)
    assert mini.score.text == aurore.score.text and mini.score.window == aurore.score.window, "notés de même"
    assert aurore.words_read > mini.words_read > 50_000_000


def test_what_is_written_is_read_back(tmp_path):
    identity = Identity("aurore-mini spécialisé", "2026-07-01T09:05:00", "aurore-mini", 6_901_760, 600_000, 480,
                        ExamScore("La Mare au Diable", 256, 1.111, 18.5))
    identity.write(tmp_path)
    assert Identity.read(tmp_path) == identity
    assert read_signature(tmp_path) == ("aurore-mini spécialisé", "le 1er juillet 2026 à 9 h 05", 1.111,
                                        tmp_path.name, "aurore-mini")


@pytest.mark.parametrize("content", [
    None, "", "[]", "{}", '{"name": 3}', '{"name": "x", "score": {"bits": 1}}', "\xff"])
def test_a_network_without_a_readable_file_has_the_name_of_its_folder(tmp_path, content):
    folder = tmp_path / "2026-07-01_09-05-00"
    folder.mkdir()
    if content is not None:
        (folder / FILE).write_text(content, encoding="latin-1")
    assert read_signature(folder) == (str(folder), "le 1er juillet 2026 à 9 h 05", None, folder.name, None)


def test_an_unknown_field_does_not_stop_it(tmp_path):
    (tmp_path / FILE).write_text(json.dumps({"name": "autre", "couleur": "bleu"}), encoding="utf-8")
    assert Identity.read(tmp_path) == Identity("autre")
    assert read_signature(SAND_MODEL).date == "en novembre 2026" and read_signature(SAND_MODEL).key == "aurore"
