"""Le guide : tout ce qu'il nomme existe, tout ce qu'il montre s'ouvre, rien d'autre n'en sort."""

import importlib.util
import re
import shutil
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree import ElementTree

import pytest

from conftest import AURORE, ROOT
from guide_app import create_guide_app
from workshop.page import guide as guide_module

DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md"))
STEPS = {"1-donnees": "1_prepare_dataset", "2-tokens": "2_tokenize",
         "3-entrainer": "3_train", "4-generer": "4_generate"}
WRITTEN_BY_THE_STEPS = re.compile(r"aurore/(?:data|tokenizer|model|livres)\b")


def source(name):
    """Le Markdown d'une page."""
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


class Seen(HTMLParser):
    """Ce qu'une page contient : adresses, ancres, images, éléments et attributs."""

    def __init__(self, html):
        super().__init__()
        self.links, self.anchors, self.pictures, self.tags, self.attributes = [], set(), [], [], set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        self.attributes.update(values)
        self.anchors.add(values.get("id"))
        if tag == "a":
            self.links.append(values["href"])
        elif tag == "img":
            self.pictures.append(values)


@pytest.fixture(name="client")
def _client():
    return create_guide_app().test_client()


@pytest.fixture(name="visit")
def _visit(client):
    """Ouvre une page du guide, et renvoie ce qu'elle contient."""
    def visit(path):
        answer = client.get(path, follow_redirects=True)
        assert answer.status_code == 200, path
        return Seen(answer.get_data(as_text=True))
    return visit


def address(name):
    """L'adresse d'une page."""
    return "/atelier/" if name == "README" else f"/atelier/{name}"


def test_the_pages_follow_the_order_of_the_slides(client):
    order = []
    path = "/atelier"
    while path:
        page = client.get(path, follow_redirects=True).get_data(as_text=True)
        order.append(path.removeprefix("/atelier/") if path != "/atelier" else "atelier")
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path = following and following.group(1)
    assert order[:7] == ["atelier", "5-page", "4-generer", "3-entrainer", "neurone", "2-tokens", "1-donnees"]
    assert sorted(order[1:] + ["README"]) == PAGES, "une page n'est pas dans la table des matières"


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_shown_and_obeys_the_security_policy(visit, name):
    page = visit(address(name))
    assert page.tags.count("h1") == 1 and "nav" in page.tags
    assert "style" not in page.tags and not {"style", "onclick"} & page.attributes


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(visit, name):
    for link in visit(address(name)).links:
        parts = urlsplit(urljoin(f"http://127.0.0.1{address(name)}", link))
        if parts.netloc == "127.0.0.1":
            anchors = visit(parts.path).anchors if parts.path.startswith("/atelier") else ()
            assert not parts.fragment or unquote(parts.fragment) in anchors, link
        else:
            assert parts.scheme == "https" or parts.netloc == "127.0.0.1:8080", link


@pytest.mark.parametrize("name", PAGES)
def test_the_same_links_work_on_the_disk(name):
    for target in re.findall(r"\]\(([^)]+)\)", source(name)):
        path, _, fragment = target.partition("#")
        if "://" not in target:
            linked = (DOCS / name).parent / path
            assert linked.is_file(), target
            headings = re.findall(r"^##+ (.+)$", linked.read_text(encoding="utf-8"), re.M)
            assert not fragment or fragment in map(guide_module.anchor, headings), target


@pytest.mark.parametrize("name", PAGES)
def test_every_picture_exists_and_is_described(client, visit, name):
    for picture in visit(address(name)).pictures:
        answer = client.get(picture["src"])
        assert answer.status_code == 200 and answer.mimetype == "image/svg+xml"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert len(picture["alt"]) > 60, "le texte de remplacement dit ce que montre le dessin"


def test_the_pictures_are_the_ones_the_script_draws():
    spec = importlib.util.spec_from_file_location("draw", DOCS / "images" / "draw.py")
    spec.loader.exec_module(draw := importlib.util.module_from_spec(spec))
    assert sorted(draw.DRAWINGS) == sorted(path.name for path in (DOCS / "images").glob("*.svg"))
    for name in draw.DRAWINGS:
        drawn = draw.draw(name)
        assert (DOCS / "images" / name).read_text(encoding="utf-8") == drawn, "python docs/images/draw.py"
        svg = ElementTree.fromstring(drawn)
        height = float(svg.get("height"))
        assert "prefers-color-scheme: dark" in drawn
        for shape in svg:  # rien ne dépasse du cadre
            assert 0 <= float(shape.get("x") or 0) <= draw.WIDTH and 0 <= float(shape.get("y") or 0) <= height
        used = "".join(map(source, PAGES))
        assert f"images/{name}" in used, f"{name} n'est montré nulle part"


@pytest.mark.parametrize("name", PAGES)
def test_answers_are_folded_away(name):
    text = source(name)
    assert text.count("<details>") == text.count("</details>") == text.count("<summary>") == text.count("</summary>")
    for answer in re.findall(r"<details>\n(.*?)</details>", text, re.S):
        assert re.fullmatch(r"<summary>[^\n]+</summary>\n\n.+\n\n", answer, re.S), answer


@pytest.mark.parametrize("written, printed", [
    ("Qui parle ? L'élève !", "Qui parle\u202f? L’élève\u202f!"),
    ("« oui » : 28 %", "«\u00a0oui\u00a0»\u00a0: 28\u00a0%"),
    ("1 024 tokens, 14 Mo, 6 × 256", "1\u202f024 tokens, 14\u00a0Mo, 6\u00a0×\u00a0256"),
    ("en 1848 une loi ; à 10 h", "en 1848 une loi\u202f; à 10\u00a0h"),
])
def test_spaces_are_those_of_a_french_printer(written, printed):
    assert guide_module.compose(written) == printed


@pytest.mark.parametrize("name", PAGES)
def test_no_line_of_a_page_can_start_with_a_punctuation_mark(client, name):
    page = client.get(address(name)).get_data(as_text=True)
    prose = re.sub(r"<(pre|code|script)\b.*?</\1>|<[^>]+>", "", page, flags=re.S)
    assert not re.search(r" [;:!?»%]|« ", prose)


def test_the_questions_of_the_slides_are_asked():
    for name, questions in {
        "1-donnees": ("Combien de données", "vérité terrain", "données d'évaluation", "la même note"),
        "5-page": ("Quel réseau", "appelé"),
    }.items():
        summaries = "\n".join(re.findall(r"<summary>(.+)</summary>", source(name)))
        for question in questions:
            assert question in summaries, question


@pytest.mark.parametrize("name", PAGES)
def test_what_the_guide_names_exists(name):
    text = source(name)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    code = "".join(path.read_text(encoding="utf-8") for path in AURORE.rglob("*.py"))
    for path in re.findall(r"\baurore/[\w./]*\w", text):
        assert (ROOT / path).exists() or WRITTEN_BY_THE_STEPS.match(path), path
    for target in re.findall(r"\bmake ([a-z]+)", text):
        assert re.search(rf"^{target}:", makefile, re.M), target
    for identifier in re.findall(r"`([A-Z][A-Z_]{3,})\b", text):
        assert re.search(rf"\b{identifier}\b", code), identifier
    for identifier in re.findall(r"`(\w+)\(\)`", text):
        assert re.search(rf"\b{identifier}\(", code), identifier


@pytest.mark.parametrize("name", STEPS)
def test_every_todo_of_the_exercise_is_in_its_page(name):
    lines = (AURORE / f"{STEPS[name]}.py").read_text(encoding="utf-8").splitlines()
    asked = [(re.search(r"# TODO (\d\.\d+)", line), place) for place, line in enumerate(lines, 1)]
    todos = {found.group(1): place for found, place in asked if found}
    text = source(name)
    assert set(re.findall(rf"\b{STEPS[name][0]}\.\d+\b", text)) == set(todos)
    for todo, place in re.findall(r"^\| (\d\.\d+) \| (\d+) \|", text, re.M):
        assert todos[todo] == int(place), f"le TODO {todo} est à la ligne {todos[todo]}"


@pytest.mark.parametrize("path", [
    "/atelier/ailleurs", "/atelier/../README", "/atelier/..%2FREADME", "/atelier/%2e%2e/aurore/credentials.ini",
    "/atelier/images/draw.py", "/atelier/images/..%2FREADME.md", "/atelier/images/../../aurore/credentials.ini",
    "/atelier/images/%2e%2e%2f%2e%2e%2fMakefile.svg", "/atelier/README.md", "/atelier/5-page.md", "/atelier/neurone/x",
    "/atelier/reference/", "/atelier/reference/ailleurs", "/atelier/reference/../../README",
    "/atelier/images/page.png"])
def test_nothing_else_comes_out(client, path):
    assert client.get(path).status_code == 404


def test_a_missing_guide_is_explained(client, monkeypatch, tmp_path):
    monkeypatch.setattr(guide_module, "GUIDE", tmp_path)
    answer = client.get("/atelier/5-page")
    assert answer.status_code == 404 and "Il manque le dossier docs" in answer.get_data(as_text=True)


def test_a_page_is_read_again_when_it_changes(client, monkeypatch, tmp_path):
    copy = tmp_path / "docs"
    shutil.copytree(DOCS, copy)
    monkeypatch.setattr(guide_module, "GUIDE", copy)
    assert "Rendez-vous au fond du jardin" not in client.get("/atelier/").get_data(as_text=True)
    with open(copy / "README.md", "a", encoding="utf-8") as page:
        page.write("\nRendez-vous au fond du jardin !\n")
    assert "Rendez-vous au fond du jardin\u202f!" in client.get("/atelier/").get_data(as_text=True)
