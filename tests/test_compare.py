"""La page /comparer, le code QR et ce qui se fait sans JavaScript, devant un réseau d'emprunt."""

import re

import pytest

from fake_generator import FakeGenerator
from visitors import post, token_from
from workshop import paths
from workshop.learning import report
from workshop.page.compare import Row, first_words, pair
from workshop.page.events import Full, Look
from workshop.page.signature import Signature

OPENING = "Le soir, la meunière"


def compare(client, **fields):
    """Envoie le formulaire de /comparer comme un navigateur sans JavaScript."""
    return client.post("/comparer", data={"csrf_token": token_from(client, "/comparer"), "amorce": OPENING, **fields})


def chosen(page):
    """Les réseaux choisis dans une page de comparaison."""
    return re.findall(r'<option value="([^"]*)" [^>]*selected', page)


def test_before_and_after_training_is_the_first_choice(client):
    assert chosen(client.get("/comparer").get_data(as_text=True)) == ["aine", "emprunt"]
    other = client.get("/comparer?premier=emprunt&second=balzac").get_data(as_text=True)
    assert chosen(other) == ["emprunt", "emprunt"]  # celui qui n'est pas dans la maison laisse place au choix d'usage


def signature(key, parent=None):
    """Un réseau qui n'a qu'un nom."""
    return Signature(key, None, None, key, parent)


@pytest.mark.parametrize("networks, expected", [
    ([("neuf", "aurore-mini"), ("aurore", None), ("aurore-mini", None)], ("aurore-mini", "neuf")),
    ([("neuf", "un inconnu"), ("aurore", None), ("aurore-mini", None)], ("aurore-mini", "neuf")),
    ([("aurore", None), ("aurore-mini", None)], ("aurore-mini", "aurore")), ([("seul", None)], ("seul", "seul"))])
def test_the_pair_compared_first(networks, expected):
    assert tuple(network.key for network in pair([signature(*network) for network in networks])) == expected


def test_two_networks_write_the_same_draw_without_javascript(client, generator):
    page = compare(client, premier="aine", second="emprunt", graine="42", longueur="court").get_data(as_text=True)
    assert [asked.wish.network for asked in generator.asked] == ["aine", "emprunt"]
    assert {(asked.wish.seed, asked.wish.length, asked.prompt) for asked in generator.asked} == {(42, "court", OPENING)}
    assert page.count(f'<span class="opening">{OPENING}</span>') == 2 and "Graine 42." in page
    assert chosen(page) == ["aine", "emprunt"] and len(re.findall(r">\s*Le réseau pose la plume\.\s*</p>", page)) == 2
    words = re.findall(r'<th scope="row">\s*(.*?)\s*</th>\s*<td>(.*?)</td>\s*<td>(.*?)</td>', page)
    assert words[0] == ("s’", "50,0&nbsp;%", "50,0&nbsp;%") and len(words) == 5


def test_the_table_says_what_each_expected():
    looks = [Look([], [(" la", 0.5), (" un", 0.2), (" ", 0.1)]), Look([], [(" un", 0.7), (" le", 0.1)])]
    assert first_words(looks) == [Row(" un", (0.2, 0.7)), Row(" la", (0.5, None)), Row(" le", (None, 0.1))]


@pytest.mark.parametrize("fields, said", [
    ({"amorce": ""}, "quelques mots"), ({"premier": "balzac"}, "pas dans la maison")])
def test_a_refused_comparison_is_explained_and_kept(client, generator, fields, said):
    answer = compare(client, **{"premier": "aine", "second": "emprunt", "longueur": "long", **fields})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400 and said in page and 'value="long" checked' in page and not generator.asked


def test_a_full_room_keeps_the_comparison(lesson):
    answer = compare(lesson("5_flask").create_app(FakeGenerator(fails=Full(7))).test_client(), premier="aine")
    assert answer.status_code == 503 and f">{OPENING}</textarea>" in answer.get_data(as_text=True)


def test_a_text_goes_on_without_javascript_on_the_same_network(client, generator):
    page = post(client, amorce=OPENING, reseau="aine", longueur="court").get_data(as_text=True)
    form = page.partition('class="without-script"')[2].partition("</form>")[0]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.replace("&#39;", "'")))
    assert fields["amorce"] == OPENING and fields["reseau"] == "aine" and fields["longueur"] == "court"
    page = client.post("/generate", data=fields).get_data(as_text=True)
    assert generator.asked[1].suite == fields["suite"] != "" and generator.asked[1].wish.network == "aine"
    prose = page.partition('id="prose"')[2].partition("</div>")[0]
    assert prose.count("s’arrêta là") == 2 and "Écrit par un aîné" in page


def test_the_address_fills_the_form(client):
    page = client.get("/generate?amorce=Le+soir&reseau=aine&longueur=long&audace=1.2&top_k=7&graine=42")
    page = page.get_data(as_text=True)
    assert ">Le soir</textarea>" in page and chosen(page) == ["aine"] and 'value="long" checked' in page
    assert all(f'value="{value}"' in page for value in ("1.2", "7", "42"))


def test_a_qr_code_is_drawn_from_an_address_and_from_nothing_else(client):
    drawing = client.post("/api/qr", data="http://127.0.0.1:8080/generate#amorce=Le+soir")
    assert drawing.mimetype == "image/svg+xml" and drawing.get_data(as_text=True).startswith("<svg ")
    assert drawing.data != client.post("/api/qr", data="http://127.0.0.1:8080/generate#amorce=Le+matin").data
    for refused in ("a" * 1201, "", "une phrase", "\N{ROSE}" * 1200):
        answer = client.post("/api/qr", data=refused)
        assert answer.status_code == 400 and "1200 caractères" in answer.get_json()["message"]


@pytest.mark.parametrize("parent, query", [
    (paths.BASE_MODEL, "premier=aurore-mini&second=2026-11-27_02-10-11"),
    (paths.MODEL / "2026-11-26_10-00-00", "premier=2026-11-26_10-00-00&second=2026-11-27_02-10-11"),
    (paths.CACHE / "models" / "benjamin--gpt2", "second=2026-11-27_02-10-11")])
def test_step_three_ends_with_the_address_that_compares(capsys, monkeypatch, parent, query):
    monkeypatch.setenv("AURORE_PORT", "8081")
    report.show_comparison(parent, paths.MODEL / "2026-11-27_02-10-11")
    assert capsys.readouterr().out.strip().endswith(f"http://127.0.0.1:8081/comparer?{query}")
