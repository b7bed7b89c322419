"""Sans réseau, ce que l'on tape soi-même n'attend pas une minute, et ne finit pas en trace d'appels."""

import pytest

from test_verify import EXERCISES, with_answer

CATALOGUE = 'tokenizer = AutoTokenizer.from_pretrained("{}")'


@pytest.mark.parametrize("source", ["embedded", "auto"])
@pytest.mark.parametrize("name, words", [
    ("benjamin/gpt2-wechsel-french", "À vous ! TODO 2.2"),  # ouvert : le script va jusqu'au TODO suivant
    ("gpt2", "« gpt2 » n'est pas sur cette machine"),
    ("aurore/model/2026-01-01_00-00-00", "Le dossier aurore/model/2026-01-01_00-00-00 n'existe pas")])
def test_a_name_typed_in_step_2_ends_at_once_and_in_french(atelier, source, name, words):
    text = with_answer(EXERCISES[1], "2.1", CATALOGUE.format(name))
    (atelier.aurore / "2_tokenize.py").write_text(text, encoding="utf-8")
    process = atelier.run("2_tokenize.py", AURORE_SOURCE=source, timeout=60)  # moins que huggingface_hub
    assert process.returncode == 2 and "Traceback" not in process.stderr, process.stderr
    assert words in " ".join(process.stderr.replace("|", " ").split()), process.stderr
    assert "aurore-mini" in process.stdout  # le repli de hub.local_copy est annoncé dans les deux cas
