"""Les fiches des réseaux embarqués : écrites d'après les données, et à jour."""

import pytest

from recipe.card import card
from workshop.paths import BASE_MODEL, SAND_MODEL


@pytest.mark.parametrize("folder", [BASE_MODEL, SAND_MODEL], ids=lambda folder: folder.name)
def test_the_card_is_the_one_the_data_give(folder):
    assert (folder / "README.md").read_text(encoding="utf-8") == card(folder), "python -m recipe.card les récrit"
