"""La maison : les imports descendent d'un étage à l'autre, et `make structure` le montre."""

import pytest

import structure


def test_no_arrow_goes_up():
    rising = [arrow for arrows in structure.house().values() for arrow in arrows if structure.goes_up(arrow)]
    assert not rising, structure.drawing(structure.house())


@pytest.mark.parametrize("name, line", [
    ("aurore/workshop/text/sentences.py", "from workshop.page import story"),
    ("aurore/workshop/text/sentences.py", "def late():\n    from workshop.writing.engine import Network"),
    ("aurore/workshop/writing/engine.py", "import workshop.learning.hub"),
    ("aurore/workshop/narration.py", "from workshop import text"),
    ("aurore/workshop/page/story.py", "from workshop.checks import judge"),
    ("aurore/workshop/learning/hub.py", "from recipe.pretrain import main"),
])
def test_an_arrow_that_goes_up_is_seen(name, line):
    assert any(map(structure.goes_up, structure.imports_of(line, name)))


@pytest.mark.parametrize("name, line", [
    ("aurore/4_generate_solution.py", "from workshop.page import story"),
    ("aurore/workshop/learning/hub.py", "from workshop.writing.engine import Network"),
    ("aurore/workshop/page/story.py", "from workshop.page.prompts import Prompt\nfrom workshop import narration"),
    ("recipe/pretrain.py", "import torch\nfrom workshop.paths import AURORE"),
])
def test_an_arrow_that_goes_down_is_left_alone(name, line):
    assert not any(map(structure.goes_up, structure.imports_of(line, name)))


def test_every_room_of_the_workshop_has_its_floor():
    rooms = {structure.room_of_file(name) for name in structure.house()}
    assert rooms <= set(structure.LEVEL)
    drawn = structure.drawing(structure.house())
    assert "typesetting" in drawn and "5_flask" in drawn and "2_tokenize_solution" in drawn
