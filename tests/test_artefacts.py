"""Un artefact est écrit en entier ou pas du tout."""

import os
import time

import numpy as np
import pytest
from datasets import Dataset

from workshop import artefacts
from workshop.errors import WorkshopError
from workshop.paths import BASE_MODEL


def fill(folder, content):
    """Écrit un artefact de deux fichiers et d'un sous-dossier."""
    (folder / "train").mkdir()
    (folder / "train" / "rows").write_text(content, encoding="utf-8")
    (folder / "index").write_text(content, encoding="utf-8")


def content_of(folder):
    """Le contenu des deux fichiers."""
    return {(folder / name).read_text(encoding="utf-8") for name in ("index", "train/rows")}


def test_an_artefact_replaces_the_previous_one_and_nothing_else(tmp_path):
    (tmp_path / "books").mkdir()
    for content in ("ancien", "nouveau"):
        with artefacts.written_whole(tmp_path) as folder:
            fill(folder, content)
    assert content_of(tmp_path) == {"nouveau"}
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "books", "index", "train"]


def test_a_failure_leaves_the_previous_artefact(tmp_path):
    with artefacts.written_whole(tmp_path) as folder:
        fill(folder, "ancien")
    with pytest.raises(KeyboardInterrupt), artefacts.written_whole(tmp_path) as folder:
        fill(folder, "nouveau")
        raise KeyboardInterrupt
    assert content_of(tmp_path) == {"ancien"}


@pytest.mark.parametrize("moves_before_the_cut", [0, 1])
def test_a_cut_while_replacing_is_finished_by_the_next_reader(tmp_path, monkeypatch, moves_before_the_cut):
    with artefacts.written_whole(tmp_path) as folder:
        fill(folder, "ancien")
    moves = []

    def replace_then_cut(source, target):
        if len(moves) == moves_before_the_cut:
            raise KeyboardInterrupt
        moves.append(source.rename(target))

    with monkeypatch.context() as patch:
        patch.setattr(artefacts.os, "replace", replace_then_cut)
        with pytest.raises(KeyboardInterrupt), artefacts.written_whole(tmp_path) as folder:
            fill(folder, "nouveau")
    with artefacts.reading(tmp_path, "1_prepare.py"):
        assert content_of(tmp_path) == {"nouveau"}


def test_only_what_a_killed_script_left_is_removed(tmp_path):
    old_folder, old_file, young = (tmp_path / f"{name}{artefacts.INCOMING}" for name in ("2026", "runs", "2027"))
    for folder in (old_folder, young, tmp_path / "2025"):
        folder.mkdir()
        (folder / "weights").touch()
    old_file.touch()
    for path in (old_folder, old_file, tmp_path / "2025"):
        os.utime(path, (time.time() - 2 * artefacts.ABANDONED,) * 2)
    artefacts.ensure_writable(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2025", young.name]


def test_reading_nothing_names_the_command(tmp_path):
    (tmp_path / "books").mkdir()
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(WorkshopError, match="python aurore/1_prepare.py"):
            with artefacts.reading(folder, "1_prepare.py"):
                pytest.fail("on ne lit pas un dossier vide")


def test_a_limit_out_of_a_table_is_told_and_never_followed(tmp_path):
    """datasets lirait hors du fichier, et le système arrêterait le script sans un mot."""
    Dataset.from_dict({"text": ["un", "deux", "trois"]}).save_to_disk(tmp_path / "train")
    (table,) = tmp_path.glob("train/*.arrow")
    limits, spoilt = (np.array([0, 2, limit, 11], np.int32).tobytes() for limit in (6, 2 ** 30))
    assert table.read_bytes().count(limits) == 1
    table.write_bytes(table.read_bytes().replace(limits, spoilt))
    with pytest.raises(WorkshopError, match="incomplet(.|\n)*python aurore/1_prepare.py"):
        with artefacts.reading(tmp_path, "1_prepare.py"):
            pytest.fail("on ne lit pas une table abîmée")
    (tmp_path / "train").rename(tmp_path / ".unfinished")  # ce qu'un script n'a pas fini n'empêche pas de lire le reste
    (tmp_path / "dataset_dict.json").touch()
    with artefacts.reading(tmp_path, "1_prepare.py"):
        pass


def test_only_complete_models_count(tmp_path):
    assert artefacts.newest_model(tmp_path / "absent") is None
    for name in ("2026-01-01_00-00-00", "2026-01-02_00-00-00", "2026-01-03_00-00-00", "copie de 2027"):
        (tmp_path / name).mkdir()
        for file in ("config.json", "tokenizer.json", "model.safetensors"):
            (tmp_path / name / file).write_bytes((BASE_MODEL / file).read_bytes())
    weights = tmp_path / "2026-01-03_00-00-00" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    (tmp_path / "2026-01-02_00-00-00" / "config.json").unlink()
    assert artefacts.newest_model(tmp_path).name == "2026-01-01_00-00-00"
