"""La page, dans un vrai navigateur, devant un réseau d'emprunt qui écrit aussi lentement qu'on veut."""

import json
import socket
import threading
from pathlib import Path

import pytest

pytest.importorskip("selenium")
# pylint: disable=wrong-import-position  # là où selenium n'est pas installé, le fichier entier est passé
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser_page import CALM, LOOKED_AT, Page, attended, tab_to, visited
from fake_generator import FakeGenerator
from web_servers import served
from workshop import paths
from workshop.page import door
from workshop.page.events import Full
from workshop.page.prompts import check
from workshop.page.signature import Signature
from workshop.page.story import Story

SAMPLES = json.loads((Path(__file__).parent / "typesetting_samples.json").read_text(encoding="utf-8"))
WORDS = (" la", " meun", "ière", " s'", "assit", ".", " —", " Viens", "!", " dit", "-elle", ".", " Il", " vint", ".")
ENDLESS = WORDS + (" encore",) * 1500  # aucune fin de phrase où s'arrêter
PRINTED = ["la meunière s’assit.", "—\u00a0Viens\u202f! dit-elle. Il vint."]
OPENING = Page.OPENING


@pytest.fixture(name="generator")
def _generator():
    return FakeGenerator(WORDS)


@pytest.fixture(name="server")
def _server(lesson, generator):
    """L'application, servie par waitress comme en vrai, mais dans un fil."""
    with served(lesson("5_flask").create_app(generator)) as server:
        yield server
        generator.free.set()


@pytest.fixture(name="site")
def _site(server):
    """Son adresse."""
    return server.url


@pytest.fixture(name="page")
def _page(browser, site):
    """La page, dont on vérifie en partant qu'elle n'a rien dit à la console ni rien demandé ailleurs."""
    with visited(browser, site) as page:
        yield page


def test_the_typesetting_is_the_one_of_the_server(page):
    page.open()
    typeset = page.browser.execute_async_script("""
        const [raws, done] = arguments;
        import("/static/generate/typesetting.js").then(({ typeset }) => done(raws.map(typeset)));
    """, [sample["raw"] for sample in SAMPLES])
    assert typeset == [sample["paragraphs"] for sample in SAMPLES]


@pytest.mark.parametrize("opening, suite", [
    ("le soir", " la meunière chantait. — Viens! dit-elle."), ("Le soir.", " la meunière"), ("Le soir:", " — Entrez!"),
    ("Le so", "ir, tard. Il vint."), ("L'aube\n— Ah!", "? dit-il. — Oui."), ("Le soir,", ""),
    ("Le soir", "\nseul. Puis")])
def test_the_printed_lines_are_the_ones_of_the_server(page, opening, suite):
    """En l'absence de fin de phrase, le serveur met des points : ici, le texte est déjà coupé où il faut."""
    story = Story(check(opening), FakeGenerator.network)
    story.suite = suite
    kept = story.text[len(story.prompt.opening):]
    page.open()
    lines = page.browser.execute_async_script("""
        const [opening, texte, done] = arguments;
        import("/static/generate/story.js")
          .then(({ lines, newStory }) => done(lines(newStory(opening, [{ texte }]))));
    """, opening, kept)
    assert [(line["opening"], line["text"]) for line in lines] == story.lines


def test_the_home_page_leads_to_the_form(page):
    page.open("/").browser.find_element(By.LINK_TEXT, "Commencer une histoire").click()
    assert page.part("amorce").accessible_name == "Il était une fois"
    assert "un réseau d'emprunt" in page.browser.find_element(By.TAG_NAME, "footer").text


def test_words_appear_as_they_are_written(page, generator):
    generator.free.clear()
    page.open().type(OPENING)
    page.press("Générer")
    page.wait(lambda: page.prose == [f"{OPENING} la"])
    assert generator.written <= 2 and page.part("stop").is_displayed()
    assert page.part("finished").get_property("textContent") == ""  # un lecteur d'écran ne lit pas chaque token
    generator.free.set()
    page.wait_for_the_end()
    assert page.prose == [f"{OPENING} {PRINTED[0]}", PRINTED[1]]
    assert page.browser.find_element(By.CSS_SELECTOR, "#prose .opening").text == OPENING
    assert page.part("finished").get_property("textContent") == "\n".join(PRINTED)
    assert page.part("state").text == "Le réseau pose la plume."


def test_a_screen_reader_hears_the_state_only_when_it_changes(page):
    page.open().run("""
        window.heard = [];
        new MutationObserver((changes) => changes.forEach(({ addedNodes: [text] }) => heard.push(text?.textContent)))
            .observe(document.getElementById("state"), { childList: true });
    """)
    page.write()
    assert page.run("return heard") == ["Le réseau lit vos mots…", "Le réseau écrit…", "Le réseau pose la plume."]


@pytest.mark.parametrize("network", [
    Signature("aurore/model/2026-11-25_14-00-30", "le 25 novembre 2026 à 14 h 00", 1.25),
    Signature("<b>aurore-mini</b>", None, None),
])
def test_the_footer_names_a_newer_network_without_reloading(page, generator, network):
    page.open()
    generator.network = network
    page.write()
    named = page.part("network").text
    assert network.name in named
    assert named == page.open().part("network").text


def test_a_warning_is_shown_as_soon_as_it_comes(page):
    page.open().run("""
        const start = (answer) => answer.enqueue(new TextEncoder().encode(arguments[0]));
        window.fetch = async () => new Response(new ReadableStream({ start }));
    """, 'event: avertissement\ndata: {"message": "Ce n\'est pas du français !"}\n\n')
    page.type("Once upon a time")
    page.press("Générer")
    page.wait(lambda: page.part("warning").text == "Ce n’est pas du français\u202f!")
    assert page.part("stop").is_displayed()


def test_the_settings_and_the_place_in_the_line(page, generator):
    generator.places = (3,)
    generator.free.clear()
    page.open().type(OPENING)
    page.browser.find_element(By.CSS_SELECTOR, "[value='long']").click()  # sur un grand écran, ils sont ouverts
    page.part("audace").send_keys(Keys.ARROW_RIGHT)
    assert page.part("audace-shown").text == "0,9"
    page.press("Générer")
    page.wait(lambda: "place 3" in page.part("state").text)
    generator.free.set()
    page.wait_for_the_end()
    wish = generator.asked[0].wish
    assert (wish.length, wish.boldness, len(generator.asked)) == ("long", 0.9, 1)


def test_stopping_stops_the_server_and_continuing_goes_on(page, generator):
    generator.words, generator.pace = ENDLESS, 0.02
    page.open().type(OPENING)
    page.press("Générer")
    page.wait(lambda: len(page.prose) > 1)
    page.press("Arrêter")
    assert generator.closed.wait(5) and generator.written < 1000
    page.wait_for_the_end()
    stopped, raw = page.prose, "".join(piece["texte"] for piece in page.kept[0]["pieces"])
    assert page.part("state").text.startswith("Arrêté") and page.focused.text == "Continuer"

    generator.words, generator.pace = (" puis", " rien", "."), 0
    page.press("Continuer")
    page.wait_for_the_end()
    assert generator.asked[-1].suite == raw
    assert " puis rien." in page.prose[-1] and page.prose[:len(stopped) - 1] == stopped[:-1]


def test_starting_again_keeps_the_other_texts(page, generator):
    page.open().write()
    generator.words = (" une", " autre", " suite", ".")
    page.press("Recommencer")
    page.wait(lambda: page.prose == [f"{OPENING} une autre suite."])
    page.wait_for_the_end()
    assert generator.asked[-1].prompt == OPENING and generator.asked[-1].suite == ""
    shelf = page.browser.find_elements(By.CLASS_NAME, "reopen")
    assert [line.text.startswith(OPENING) for line in shelf] == [True, True]
    shelf[1].click()
    page.wait(lambda: page.prose == [f"{OPENING} {PRINTED[0]}", PRINTED[1]])


def test_an_opening_to_try_is_written_at_once_without_losing_what_was_typed(page, generator):
    page.open().type("Des mots pas encore écrits")
    opening = page.browser.find_elements(By.CLASS_NAME, "choose")[1]
    assert len(page.browser.find_elements(By.CLASS_NAME, "choose")) == 6
    chosen = opening.text
    opening.click()
    page.wait_for_the_end()
    assert page.prose[0].startswith(chosen) and page.part("amorce").get_property("value").startswith("Des mots")
    assert len(generator.asked) == 1


def test_another_choice_makes_the_text_go_on_from_there(page, generator):
    page.open().write()
    page.click("watch")
    assert [token.text for token in page.tokens[:4]] == ["la", "meun", "ière", "s’"]
    page.tokens[3].click()
    choices = page.browser.find_elements(By.CLASS_NAME, "choice")
    assert [choice.text.replace("\n", " ") for choice in choices[:2]] == ["·s’ 50 %", "·le 20 %"]
    assert "1,5 bit" in page.part("choices").text
    generator.words = (" reste", ".")
    choices[1].click()
    page.wait(lambda: [token.text for token in page.tokens] == ["la", "meun", "ière", "le", "reste", "."])
    page.wait_for_the_end()
    assert generator.asked[-1].prompt == OPENING and generator.asked[-1].suite == " la meunière le"
    page.click("watch")
    assert page.prose == [f"{OPENING} la meunière le reste."]
    assert len(page.browser.find_elements(By.CLASS_NAME, "reopen")) == 2


def test_a_candidate_that_would_write_nothing_cannot_be_chosen(page, generator):
    generator.others = (("", 0.2), ("\ufffd", 0.1), (" le", 0.05))
    page.open().write()
    page.click("watch")
    page.tokens[0].click()
    choices = page.browser.find_elements(By.CLASS_NAME, "choice")
    assert [(choice.text.replace("\n", " "), choice.is_enabled()) for choice in choices] == [
        ("·la 50 %", True), ("fin du texte 20 %", False), ("morceau d’un signe 10 %", False),
        ("·le 5 %", True)]
    page.keys(Keys.ENTER)
    page.keys(Keys.ARROW_DOWN)
    assert page.focused == choices[3]


def test_the_words_answer_the_keyboard(page):
    page.open().write()
    page.click("watch")
    while "token" not in page.focused.get_attribute("class"):
        page.keys(Keys.SHIFT + Keys.TAB)  # du commutateur, en remontant, jusqu'au premier mot
    assert page.focused.text == "Le"
    page.keys(Keys.END)
    page.tokens[0].click()
    assert page.focused == page.tokens[0] and page.focused.accessible_name == "la, 50\u00a0%"
    page.keys(Keys.ARROW_RIGHT, Keys.NULL)
    page.keys(Keys.ARROW_RIGHT)
    assert page.focused == page.tokens[2] and page.part("choices").is_displayed()
    assert [token.get_attribute("tabindex") for token in page.tokens[:4]] == ["-1", "-1", "0", "-1"]
    page.keys(Keys.ENTER)
    assert page.focused.text.startswith("ière")
    page.keys(Keys.ARROW_DOWN)
    assert page.focused.text.startswith("·le")
    page.keys(Keys.ESCAPE)
    assert page.focused == page.tokens[2] and not page.part("choices").is_displayed()
    page.keys(Keys.END)
    assert page.focused == page.tokens[-1]
    page.keys(Keys.HOME)
    assert page.focused.text == "Le"


def test_the_choices_close_when_the_focus_leaves_them(page):
    page.open().write()
    page.click("watch")
    page.tokens[0].click()
    for _ in range(5):
        page.keys(Keys.TAB)
        assert page.focused.get_attribute("class") == "choice" and page.part("choices").is_displayed()
    page.keys(Keys.TAB)
    assert page.focused.text == LOOKED_AT and page.part("choices").is_displayed()
    page.keys(Keys.TAB)
    assert page.focused == page.part("continue") and not page.part("choices").is_displayed()
    page.tokens[0].click()
    page.run("document.activeElement.blur()")
    assert page.part("choices").is_displayed()
    page.keys(Keys.ESCAPE)
    assert not page.part("choices").is_displayed()


def test_choosing_with_the_keyboard_keeps_the_focus_on_the_text(page, generator):
    page.open().write()
    page.click("watch")
    page.tokens[0].click()
    page.keys(Keys.ENTER)
    page.keys(Keys.ARROW_DOWN)
    generator.words = (" reste", ".")
    generator.free.clear()
    page.keys(Keys.ENTER)
    page.wait(lambda: [token.text for token in page.tokens] == ["le", "reste"])
    assert page.focused == page.part("stop")
    generator.free.set()
    page.wait_for_the_end()
    assert page.focused == page.part("continue")


def test_stopping_before_the_first_word_gives_the_focus_back_to_the_field(page, generator):
    generator.places = (3,)
    generator.free.clear()
    page.open().type(OPENING)
    page.press("Générer")
    page.wait(lambda: "place 3" in page.part("state").text)
    page.press("Arrêter")
    page.wait(lambda: not page.part("story").is_displayed())
    assert page.focused == page.part("amorce")


def write_another(page, generator):
    """Écrit un texte, qui va sur l'étagère, puis en commence un autre, qui attend `generator.free`."""
    page.open().write()
    generator.free.clear()
    page.type("Un autre soir,")
    page.press("Générer")
    page.wait(lambda: page.prose == ["Un autre soir, la"])


def test_the_shelf_keeps_the_focus_and_gives_it_to_the_text_one_reopens(page, generator):
    write_another(page, generator)
    page.run("document.querySelector('.reopen').focus()")
    generator.free.set()
    page.wait_for_the_end()
    assert len(page.browser.find_elements(By.CLASS_NAME, "reopen")) == 2
    assert page.focused.get_attribute("class") == "reopen" and page.focused.text.startswith(OPENING)
    page.keys(Keys.ENTER)
    assert page.focused == page.part("story-title") and page.prose[0].startswith(OPENING)


def test_reloading_gives_everything_back_and_erasing_takes_it_away(page):
    page.open().write()
    page.type("Un brouillon")
    page.run("document.getElementById('settings').open = true")
    page.browser.find_element(By.CSS_SELECTOR, "[value='court']").click()
    page.open()
    assert page.prose == [f"{OPENING} {PRINTED[0]}", PRINTED[1]]
    assert page.part("amorce").get_property("value") == "Un brouillon"
    assert page.browser.find_element(By.CSS_SELECTOR, "[value='court']").is_selected()
    page.press("Tout effacer")
    page.browser.switch_to.alert.accept()
    page.open()
    assert not page.part("story").is_displayed() and not page.part("shelf").is_displayed()


def test_a_text_erased_while_another_is_written_leaves_the_shelf_at_once(page, generator):
    write_another(page, generator)
    page.press("Effacer")
    assert not page.browser.find_elements(By.CLASS_NAME, "reopen") and page.prose == ["Un autre soir, la"]
    generator.free.set()
    page.wait_for_the_end()
    assert len(page.browser.find_elements(By.CLASS_NAME, "reopen")) == 1


def test_leaving_in_the_middle_keeps_what_was_written(page, generator):
    generator.words, generator.pace = ENDLESS, 0.02
    page.open().type(OPENING)
    page.press("Générer")
    page.wait(lambda: len(page.prose) > 1)
    page.open()
    assert generator.closed.wait(5) and generator.written < 1000
    assert page.prose[0] == f"{OPENING} {PRINTED[0]}" and page.part("continue").is_displayed()
    assert page.part("state").text.startswith("La page s’est fermée pendant que ce texte s’écrivait")


@pytest.mark.parametrize("kept", ["{", "[{}]", '"bonjour"', "[null]"])
def test_a_damaged_memory_is_forgotten(page, kept):
    page.open()
    page.run("""
        for (const key of ["aurore.textes", "aurore.texte.1", "aurore.bureau", "aurore.ouvert"]) {
          localStorage[key] = sessionStorage[key] = arguments[0];
        }
    """, kept)
    page.open().write()
    assert page.prose == [f"{OPENING} {PRINTED[0]}", PRINTED[1]]


def test_copying_and_downloading(page, tmp_path):
    page.command("Browser.grantPermissions", permissions=["clipboardReadWrite"])
    page.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.open().write()
    whole = f"{OPENING} {PRINTED[0]}\n{PRINTED[1]}"
    page.press("Partager")
    page.press("Copier")
    page.wait(lambda: "presse-papiers" in page.part("shared").text)
    assert page.browser.execute_async_script("navigator.clipboard.readText().then(arguments[0])") == whole
    for kind in ("txt", "md"):
        page.press(f"Fichier .{kind}")
        page.wait((tmp_path / f"aurore.{kind}").exists)
        taken = (tmp_path / f"aurore.{kind}").read_text(encoding="utf-8")
        assert all(part in taken for part in (*PRINTED, "un réseau d'emprunt", "audace 0,8", "graine", "novembre 2026"))


def test_a_refusal_is_said_and_nothing_is_lost(page, generator):
    page.expected_errors = "400 (BAD REQUEST)"
    page.open().write()
    page.type("a" * 501)
    assert page.part("count").text == "501 caractères sur 500."
    page.press("Générer")
    page.wait(lambda: "500 caractères" in page.part("problem").text)
    assert page.part("amorce").get_property("value") == "a" * 501 and page.focused == page.part("amorce")
    assert page.prose[0].startswith(OPENING) and len(generator.asked) == 1
    page.write("Une amorce plus courte")
    assert page.part("problem").text == "" and page.part("amorce").get_attribute("aria-invalid") is None


def test_a_lost_connection_is_said_and_the_text_kept(page, generator, server):
    page.expected_errors = "net::ERR_"
    generator.words, generator.pace = ENDLESS, 0.02
    page.open().type(OPENING)
    page.press("Générer")
    page.wait(lambda: len(page.prose) > 1)
    for channel in list(server.active_channels.values()):
        channel.socket.shutdown(socket.SHUT_RDWR)
    page.wait(lambda: page.part("state").text.startswith("La connexion s’est interrompue"))
    assert page.prose[0] == f"{OPENING} {PRINTED[0]}" and generator.closed.wait(5)
    page.browser.set_network_conditions(offline=True, latency=0, throughput=0)
    try:
        page.type("Sans personne au bout du fil")
        page.press("Générer")
        page.wait(lambda: page.part("problem").text.startswith("Le serveur ne répond pas"))
        assert page.prose[0] == f"{OPENING} {PRINTED[0]}"
    finally:
        page.browser.delete_network_conditions()


def test_hostile_words_are_only_words(page, generator):
    generator.words = (" <img", " src=x", " onerror=alert(1)>", " <script>", "alert(2)</script>", ".")
    page.open().write("<b>Elle</b>")
    assert page.prose == ["<B>Elle</b> <img src=x onerror=alert(1)> <script>alert(2)</script>."]
    page.click("watch")
    page.tokens[0].click()
    assert page.run("return document.querySelectorAll('main b, main img, main script').length") == 0


@pytest.fixture(name="without_javascript")
def _without_javascript(page):
    page.command("Emulation.setScriptExecutionDisabled", value=True)
    yield page
    page.command("Emulation.setScriptExecutionDisabled", value=False)


def test_without_javascript_the_whole_text_comes_at_once(without_javascript):
    page = without_javascript.open()
    assert not page.part("tools").is_displayed() and not page.part("shelf").is_displayed()
    page.type(OPENING)
    page.press("Générer")
    page.wait(lambda: page.prose == [f"{OPENING} {PRINTED[0]}", PRINTED[1]])
    assert page.part("amorce").get_property("value") == OPENING
    opening = page.browser.find_elements(By.CLASS_NAME, "choose")[0]
    chosen = opening.text
    opening.click()
    page.wait(lambda: page.prose and page.prose[0].startswith(chosen) and page.prose[-1] == PRINTED[1])


def themes(page):
    """Passe la page en clair, puis en sombre."""
    for theme in ("light", "dark"):
        page.emulate(prefers_color_scheme=theme, **CALM)
        yield theme


def violations(page, axe):
    """Ce qu'axe-core reproche à la page."""
    page.run(axe)
    result = page.browser.execute_async_script("axe.run().then(arguments[0])")
    return [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in result["violations"]]


def test_no_accessibility_fault_in_any_state(page, axe, generator):
    page.expected_errors = "40"  # une page 404 et un refus 400, demandés exprès
    for path in ("/", "/generate", "/ailleurs", "/comparer"):
        page.open(path)
        for theme in themes(page):
            assert not violations(page, axe), (path, theme)
    generator.free.clear()
    page.open().type(OPENING)
    page.press("Générer")
    page.wait(lambda: page.prose == [f"{OPENING} la"])
    for theme in themes(page):
        assert not violations(page, axe), ("pendant", theme)
    generator.free.set()
    page.wait_for_the_end()
    page.run("document.getElementById('settings').open = true")
    page.type("a" * 501)
    page.press("Générer")
    page.wait(lambda: page.part("problem").text)
    for theme in themes(page):
        assert not violations(page, axe), ("refus", theme)
    page.click("watch")
    page.tokens[2].click()
    for theme in themes(page):
        assert not violations(page, axe), ("hésitations", theme)
    page.browser.find_element(By.CSS_SELECTOR, "#attention summary").click()
    page.wait(lambda: attended(page))
    for theme in themes(page):
        assert not violations(page, axe), ("attention", theme)
    page.press("Trois suites")
    page.wait(lambda: page.run("return document.querySelectorAll('.branch button')[2]?.checkVisibility()"))
    page.press("Partager")
    page.wait(lambda: page.browser.find_elements(By.CSS_SELECTOR, "#qr svg"))
    for theme in themes(page):
        assert not violations(page, axe), ("partage", theme)
    page.press("Fermer")
    page.press("Modifier")
    for theme in themes(page):
        assert not violations(page, axe), ("modification", theme)
    page.open("/comparer").type(OPENING)
    page.press("Comparer")
    page.wait(page.part("words").is_displayed)
    for theme in themes(page):
        assert not violations(page, axe), ("comparaison", theme)


@pytest.fixture(name="locked")
def _locked(monkeypatch):
    """Une salle dont la porte a un code."""
    monkeypatch.setattr(door, "read_access_code", lambda: "moulin")


@pytest.mark.usefixtures("locked")
def test_the_door_has_no_accessibility_fault_and_opens(page, axe):
    page.open()
    assert page.browser.current_url == page.site + "/code"
    page.expected_errors = "400"  # le mauvais code
    for tried, comes in (("grange", "[role=alert]"), ("moulin", "a[href='/generate']")):
        for theme in themes(page):
            assert not violations(page, axe), (tried, theme)
        page.part("code").send_keys(tried, Keys.ENTER)
        page.wait(lambda comes=comes: page.browser.find_elements(By.CSS_SELECTOR, comes))


@pytest.mark.usefixtures("locked")
def test_a_room_that_asks_for_its_code_again_says_to_reload_and_keeps_the_text(page):
    page.expected_errors = "401"

    def enter():
        page.open().part("code").send_keys("moulin", Keys.ENTER)
        page.wait(lambda: page.browser.find_elements(By.CSS_SELECTOR, "a[href='/generate']"))
        return page.open()

    enter().write()
    page.browser.delete_all_cookies()  # comme après un redémarrage : le serveur ne reconnaît plus personne
    page.press("Continuer")
    page.wait(lambda: "rechargez la page" in page.part("state").text)
    enter()
    assert page.prose == [f"{OPENING} {PRINTED[0]}", PRINTED[1]]


def test_the_dark_page_is_dark(page):
    page.open()
    grounds = [page.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]")
               for _ in themes(page)]
    assert int(grounds[0]) > 200 and int(grounds[1]) < 50


def test_a_narrow_phone_never_scrolls_sideways(page, generator):
    generator.words = WORDS + (" anticonstitutionnellement" * 3,)
    page.command("Emulation.setDeviceMetricsOverride", width=320, height=640, deviceScaleFactor=1, mobile=True)
    try:
        for path in ("/", "/ailleurs", "/generate"):
            page.open(path)
            assert page.run("return document.documentElement.scrollWidth") == 320, path
        page.expected_errors = "404"
        page.run("document.getElementById('settings').open = true")
        page.write()
        assert page.run("return document.documentElement.scrollWidth") == 320
        page.click("watch")
        for tile in (page.tokens[0], page.tokens[5]):
            tile.click()
            assert page.run("return document.documentElement.scrollWidth") == 320
    finally:
        page.command("Emulation.clearDeviceMetricsOverride")


def phone(page):
    """Un téléphone de 360 sur 740."""
    page.command("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=1, mobile=True)


@pytest.fixture(name="on_a_phone")
def _on_a_phone(page):
    phone(page)
    yield page
    page.command("Emulation.clearDeviceMetricsOverride")


@pytest.mark.parametrize("letters", [60, 480])
def test_a_long_word_never_scrolls_the_page(on_a_phone, generator, letters):
    page, long = on_a_phone, "x" * letters
    generator.words = (f" {long}", ".")
    generator.others = ((f" {long}y", 0.2), (" le", 0.1))
    page.open().write(f"Le soir {long}")
    assert page.run("return document.documentElement.scrollWidth") == 360
    page.click("watch")
    page.tokens[0].click()
    assert page.run("return document.documentElement.scrollWidth") == 360


def test_a_held_key_asks_once(page, generator):
    page.open().type(OPENING)
    page.run("""
        for (let n = 0; n < 50; n += 1) {
          document.getElementById("amorce").dispatchEvent(new KeyboardEvent("keydown", {
            key: "Enter", ctrlKey: true, repeat: n > 0, bubbles: true }));
        }
    """)
    page.wait_for_the_end()
    assert len(generator.asked) == 1 and page.prose[0] == f"{OPENING} {PRINTED[0]}"
    page.press("Générer")
    page.wait(lambda: len(generator.asked) == 2)
    page.wait_for_the_end()


def test_each_tab_has_its_own_draft(page):
    page.open().type("Le brouillon du premier onglet")
    first = page.browser.current_window_handle
    page.browser.switch_to.new_window("tab")
    try:
        page.open().type("Celui du second")
        page.browser.switch_to.window(first)
        assert page.open().part("amorce").get_property("value") == "Le brouillon du premier onglet"
        page.browser.switch_to.window(page.browser.window_handles[-1])
        assert page.open().part("amorce").get_property("value") == "Celui du second"
    finally:
        page.browser.close()
        page.browser.switch_to.window(first)
    page.run("sessionStorage.clear()")  # un onglet fermé ne perd pas ce qui y était tapé
    assert page.open().part("amorce").get_property("value") == "Celui du second"


# --- Revenir en arrière, modifier, choisir, partager ------------------------------------------

def test_undo_and_redo_reach_generations_chosen_words_and_edits(page, generator):
    page.open().write()
    first = page.prose
    generator.words = (" Puis", " rien", ".")
    page.press("Continuer")
    page.wait(lambda: page.prose[-1].endswith("Puis rien."))
    page.wait_for_the_end()
    second = page.prose
    page.press("Modifier")
    page.part("editor").send_keys(Keys.CONTROL, Keys.END, Keys.NULL, " Fin.")
    page.press("Garder")
    page.wait(lambda: page.prose[-1].endswith("rien. Fin."))
    third = page.prose
    assert page.browser.find_elements(By.CSS_SELECTOR, "#prose .opening")[-1].text.strip() == "Fin."
    undo, redo = (Keys.CONTROL, "z", Keys.NULL), (Keys.CONTROL, Keys.SHIFT, "z", Keys.NULL)
    for keys, expected in ((undo, second), (undo, first), (redo, second), (redo, third), (undo, second)):
        page.keys(*keys)
        assert page.prose == expected
    page.press("Annuler")
    assert page.prose == first
    page.press("Annuler")
    assert not page.part("story").is_displayed()


def test_the_whole_text_is_edited_and_goes_on_from_the_caret(page, generator):
    page.open().write()
    page.press("Modifier")
    editor = page.part("editor")
    assert editor.get_property("value") == f"{OPENING} {PRINTED[0]}\n{PRINTED[1]}" and page.focused == editor
    page.run("""
        const editor = document.getElementById("editor");
        editor.value = editor.value.replace("Le soir", "Le matin");
        editor.selectionStart = editor.selectionEnd = editor.value.indexOf(" s’assit");
    """)
    generator.words = (" chantait", ".")
    page.part("editor").send_keys(Keys.CONTROL, Keys.ENTER)
    page.wait_for_the_end()
    assert page.prose == ["Le matin, au moulin, la meunière chantait."]
    assert generator.asked[-1][:2] == ("Le matin, au moulin,", " la meunière")
    page.press("Annuler")
    assert page.prose == [f"{OPENING} {PRINTED[0]}", PRINTED[1]]


def test_three_continuations_one_is_taken_and_the_others_stay_within_reach(page, generator):
    page.open().write()
    generator.words = (" Alors", " il", " partit", ".")
    page.press("Trois suites")
    page.wait(lambda: len(page.browser.find_elements(By.CSS_SELECTOR, ".branch button")) == 3)
    buttons = page.browser.find_elements(By.CSS_SELECTOR, ".branch button")
    page.wait(buttons[2].is_displayed)
    seeds = [asked.wish.seed for asked in generator.asked[1:]]
    assert len(seeds) == 3 and seeds[1:] == [(seed + 1) % 1_000_000 for seed in seeds[:2]]
    assert page.prose[-1] == PRINTED[1] and len({asked.suite for asked in generator.asked[1:]}) == 1
    buttons[1].click()
    assert page.prose[-1] == f"{PRINTED[1]} Alors il partit." and page.focused == page.part("continue")
    assert f"graine {seeds[1]}" in page.part("colophon").text
    buttons[2].click()
    assert f"graine {seeds[2]}" in page.part("colophon").text
    page.press("Annuler")
    assert f"graine {seeds[1]}" in page.part("colophon").text


def test_a_shared_address_asks_for_the_same_words_of_the_same_network(page, generator):
    page.open().type("L'été & l'hiver,")
    page.run("document.getElementById('reseau').value = 'aine'; document.getElementById('graine').value = '421'")
    page.part("audace").send_keys(Keys.ARROW_LEFT)
    page.press("Générer")
    page.wait_for_the_end()
    page.press("Continuer")
    page.wait_for_the_end()
    written = page.prose
    page.press("Partager")
    page.wait(lambda: page.browser.find_elements(By.CSS_SELECTOR, "#qr svg"))
    address = page.part("address").get_property("value")
    assert "Cette adresse ne s’ouvre que sur cet ordinateur." in page.part("qr-hint").text
    page.press("Fermer")
    page.run("localStorage.clear(); sessionStorage.clear()")
    page.browser.get("about:blank")
    page.browser.get(address)
    page.wait(lambda: len(generator.asked) == 3)
    page.wait_for_the_end()
    assert page.prose == written and generator.asked[2] == generator.asked[1]
    assert generator.asked[2].wish.seed == 421 and generator.asked[2].wish.network == "aine"
    assert page.browser.current_url == page.site + "/generate"  # recharger ne le refera pas


def test_the_opening_is_looked_at_too_and_boldness_moves_the_bars(page, generator):
    page.open().write()
    page.click("watch")
    page.wait(lambda: len(page.browser.find_elements(By.CSS_SELECTOR, "#prose .token.opening[data-doubt]")) == 3)
    page.tokens[0].click()
    bars = [choice.text for choice in page.browser.find_elements(By.CSS_SELECTOR, ".choice .percent")]
    page.run("""
        const slider = document.getElementById("audace");
        slider.value = "0.3";
        slider.dispatchEvent(new Event("input", { bubbles: true }));
    """)
    page.wait(lambda: [choice.text for choice in page.browser.find_elements(By.CSS_SELECTOR, ".percent")] != bars)
    shown = page.browser.find_elements(By.CSS_SELECTOR, ".choice .percent")[0].text
    assert int(shown.removesuffix("%").strip()) > 90 and generator.looked[-1] == (OPENING, "emprunt")


def test_a_silent_server_is_told_within_five_seconds(page, generator):
    page.open().write()
    generator.free.clear()
    page.press("Continuer")
    page.browser.implicitly_wait(0)
    page.wait(lambda: "ne dit plus rien" in page.part("state").text)
    generator.free.set()
    page.wait_for_the_end()
    assert page.part("state").text == "Le réseau pose la plume."


def test_an_erased_text_comes_back(page):
    page.open().write()
    page.press("Effacer")
    assert not page.part("story").is_displayed() and page.focused == page.part("unforget")
    page.press("Remettre le texte effacé")
    assert page.prose == [f"{OPENING} {PRINTED[0]}", PRINTED[1]] and len(page.kept) == 1


def test_the_other_tab_s_shelf_follows(page):
    page.open()
    first = page.browser.current_window_handle
    page.browser.switch_to.new_window("tab")
    try:
        page.open().write()
        page.browser.switch_to.window(first)
        page.wait(lambda: len(page.browser.find_elements(By.CLASS_NAME, "reopen")) == 1)
        assert not page.part("story").is_displayed()  # son texte à elle reste celui que l'on voit
    finally:
        page.browser.switch_to.window(page.browser.window_handles[-1])
        page.browser.close()
        page.browser.switch_to.window(first)


def test_two_networks_write_side_by_side_and_a_table_says_what_each_expected(page, generator):
    page.open("/comparer?premier=aine&second=emprunt").type(OPENING)
    page.press("Comparer")
    page.wait(lambda: all(page.part(f"state-{n}").text == "Le réseau pose la plume." for n in (0, 1)))
    assert [page.part(f"signature-{n}").text.partition(",")[0].partition(" –")[0] for n in (0, 1)] == [
        "un aîné", "un réseau d'emprunt"]
    asked = {asked.wish.network: asked.wish for asked in generator.asked}
    assert set(asked) == {"aine", "emprunt"} and asked["aine"].seed == asked["emprunt"].seed
    page.wait(page.part("words").is_displayed)
    assert page.browser.find_elements(By.CSS_SELECTOR, "#words tbody tr")[0].text.split()[:2] == ["la", "50"]
    shown = f"{OPENING} {PRINTED[0]}\n{PRINTED[1]}".replace("\u00a0", " ")
    assert [page.part(f"prose-{n}").text for n in (0, 1)] == [shown] * 2


def test_the_whole_walk_by_keyboard_alone(page, generator):
    """Écrire, trois suites, modifier, annuler, partager, comparer : jamais la souris."""
    undo = (Keys.CONTROL, "z", Keys.NULL)
    page.open("/")
    tab_to(page, "Commencer une histoire")
    page.keys(Keys.ENTER)
    page.wait(lambda: "/generate" in page.browser.current_url)
    tab_to(page, "amorce")
    page.keys(OPENING, Keys.CONTROL, Keys.ENTER, Keys.NULL)
    page.wait_for_the_end()
    first = page.prose
    generator.words = (" Alors", " il", " partit", ".")
    tab_to(page, "three")
    page.keys(Keys.ENTER)
    page.wait(lambda: len(page.browser.find_elements(By.CSS_SELECTOR, ".branch button")) == 3)
    page.wait(page.browser.find_elements(By.CSS_SELECTOR, ".branch button")[2].is_displayed)
    tab_to(page, page.browser.find_elements(By.CSS_SELECTOR, ".branch button")[1].text.strip())
    page.keys(Keys.ENTER)
    taken = page.prose
    assert taken[-1].endswith("Alors il partit.")
    tab_to(page, "edit")
    page.keys(Keys.ENTER)
    assert page.focused.get_attribute("id") == "editor"
    page.keys(Keys.CONTROL, Keys.END, Keys.NULL, " Fin.")
    tab_to(page, "keep-edit")
    page.keys(Keys.ENTER)
    page.wait(lambda: page.prose[-1].endswith("Fin."))
    for expected in (taken, first):
        page.keys(*undo)
        assert page.prose == expected
    tab_to(page, "share")
    page.keys(Keys.ENTER)
    page.wait(page.part("address").is_displayed)
    page.keys(Keys.ESCAPE)
    page.wait(lambda: not page.part("address").is_displayed() and page.focused.get_attribute("id") == "share")
    page.run("document.activeElement.blur()")   # du début de la page
    tab_to(page, "compare")
    page.keys(Keys.ENTER)
    page.wait(lambda: "/comparer" in page.browser.current_url)
    tab_to(page, "amorce")
    page.keys(Keys.CONTROL, "a", Keys.NULL, OPENING)
    tab_to(page, "Comparer")
    page.keys(Keys.ENTER)
    page.wait(lambda: all(page.part(f"state-{n}").text == "Le réseau pose la plume." for n in (0, 1)))


# --- Un refus se voit là où l'on regarde ----------------------------------------------------

def in_view(page, *names):
    """Dit si ces éléments sont tout entiers à l'écran, et rien par-dessus."""
    return page.run("""
        return arguments[0].every((name) => {
          const part = document.getElementById(name) ?? document.querySelector(name);
          const { top, bottom, left, right } = part.getBoundingClientRect();
          const above = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
          return part.textContent.trim() && bottom > top && top >= 0 && bottom <= innerHeight && part.contains(above);
        });
    """, names)


GENERATE = "#form .button"


def test_a_refused_opening_is_explained_in_view_beside_the_button(on_a_phone, generator):
    page = on_a_phone
    page.expected_errors = "503"
    generator.words = WORDS * 20
    page.open().write()
    generator.fails = Full(7)
    page.type("Un autre soir,")
    page.press("Générer")
    page.wait(lambda: in_view(page, "problem", GENERATE))
    page.run("window.scrollTo(0, document.body.scrollHeight)")
    chosen = page.browser.find_elements(By.CLASS_NAME, "choose")[5]
    chosen.click()
    page.wait(lambda: in_view(page, "problem", GENERATE))
    assert page.focused == page.part("amorce") and page.prose[0] == f"{OPENING} {PRINTED[0]}"


def test_ten_thousand_pasted_signs_do_not_hide_the_refusal(on_a_phone):
    page = on_a_phone
    page.expected_errors = "400"
    page.open().run("document.getElementById('amorce').value = 'Le soir, '.repeat(1200)")
    page.press("Générer")
    page.wait(lambda: in_view(page, "problem", GENERATE))


def test_without_javascript_a_refusal_is_in_view(without_javascript):
    phone(without_javascript)
    try:
        page = without_javascript.open()
        page.expected_errors = "400"
        page.type("connard " * 40)
        page.press("Générer")
        page.wait(lambda: page.part("problem").text)
        assert in_view(page, "problem", GENERATE)
        page.type(OPENING)
        page.press("Générer")
        page.wait(lambda: page.prose and in_view(page, "#prose p"))
    finally:
        without_javascript.command("Emulation.clearDeviceMetricsOverride")


@pytest.mark.parametrize("watching", [False, True])
def test_a_refused_continuation_is_in_view_wherever_one_reads_and_comes_back_by_itself(on_a_phone, generator, watching):
    page = on_a_phone
    page.expected_errors = "503"
    generator.words = WORDS * 20
    page.open().write()
    generator.fails = Full(2)
    if watching:
        page.click("watch")
        page.tokens[2].click()
        page.browser.find_elements(By.CLASS_NAME, "choice")[1].click()
    else:
        page.press("Continuer")
    page.wait(lambda: page.part("state").text.startswith("Trop de lecteurs") and in_view(page, "state"))
    page.run("document.getElementById('story').scrollIntoView()")
    assert in_view(page, "state") and "Nouvel essai dans" in page.part("retry").text
    generator.fails = None
    page.wait(lambda: page.part("state").text == "Le réseau pose la plume.")
    assert not page.run("return document.querySelector('.refusal')") and not page.part("retry").is_displayed()


def test_one_may_stop_coming_back(on_a_phone, generator):
    page = on_a_phone
    page.expected_errors = "503"
    generator.fails = Full(3)
    page.open().type(OPENING)
    page.press("Générer")
    page.wait(lambda: in_view(page, "problem", GENERATE) and page.part("retry").is_displayed())
    page.press("Ne plus réessayer")
    page.wait(lambda: not page.part("retry").is_displayed())
    assert len(generator.asked) == 1 and page.part("problem").text.startswith("Trop de lecteurs")


# --- Derrière un relais ---------------------------------------------------------------------

def test_behind_a_proxy_the_page_stays_under_its_prefix(lesson, generator, browser, monkeypatch):
    """Le relais ôte le préfixe et le dit, comme nginx ou Jupyter."""
    monkeypatch.setenv("AURORE_PROXY", "1")
    app = lesson("5_flask").create_app(generator)
    asked = []

    def proxy(environ, start_response):
        path = environ["PATH_INFO"]
        asked.append(path)
        if not path.startswith("/proxy/8080/"):
            start_response("404 Not Found", [])
            return [b""]
        environ.update(PATH_INFO=path.removeprefix("/proxy/8080"), HTTP_X_FORWARDED_PREFIX="/proxy/8080",
                       HTTP_X_FORWARDED_FOR="10.1.2.3")
        return app(environ, start_response)

    with served(proxy) as server:
        page = Page(browser, server.url)
        page.emulate(**CALM)
        page.open("/proxy/8080/").browser.find_element(By.LINK_TEXT, "Commencer une histoire").click()
        page.write()
        assert page.prose == [f"{OPENING} {PRINTED[0]}", PRINTED[1]]
        page.browser.find_element(By.LINK_TEXT, "L’atelier").click()
        page.browser.find_element(By.LINK_TEXT, "Écrire").click()
        page.command("Emulation.setScriptExecutionDisabled", value=True)
        try:
            page.open("/proxy/8080/generate").type(OPENING)
            page.press("Générer")
            page.wait(lambda: page.prose == [f"{OPENING} {PRINTED[0]}", PRINTED[1]])
        finally:
            page.command("Emulation.setScriptExecutionDisabled", value=False)
            page.emulate()
    assert all(path.startswith("/proxy/8080/") for path in asked if path != "/favicon.ico"), asked


class TestTheRealNetwork:
    """La page entière, devant le réseau embarqué."""

    @pytest.fixture(name="generator")
    def _generator(self, lesson):
        step = lesson("5_flask")
        generator = step.TextGenerator(lambda: paths.SAND_MODEL)
        generator.free = threading.Event()
        yield generator
        generator.stop(0)

    def test_it_writes_french_prose_whose_every_token_can_be_looked_at(self, page):
        page.open().write("La meunière ouvrit la porte et vit")
        assert len("".join(page.prose)) > 60 and page.prose[-1].endswith((".", "…", "!", "?", "»"))
        assert "'" not in "".join(page.prose)
        pieces = page.kept[0]["pieces"]
        assert len(pieces) >= 20
        for piece in pieces:
            chances = [candidate["p"] for candidate in piece["candidats"]]
            assert len(chances) == 5 and chances == sorted(chances, reverse=True) and 0 < sum(chances) < 1.001
            assert 0 < piece["p"] <= chances[0]
        page.click("watch")
        page.tokens[2].click()
        page.browser.find_elements(By.CLASS_NAME, "choice")[1].click()  # celui que le réseau mettait en second
        page.wait_for_the_end()
        other = page.kept[0]["pieces"]
        assert other[:2] == pieces[:2] and len(other) > 20
        assert other[2]["texte"] == pieces[2]["candidats"][1]["texte"]
