"""Ce que le réseau regardait pour deviner un mot, dans un vrai navigateur."""

import pytest

pytest.importorskip("selenium")
# pylint: disable=wrong-import-position  # là où selenium n'est pas installé, le fichier entier est passé
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser_page import CALM, LOOKED_AT, Page, attended, tab_to, visited
from fake_generator import FakeGenerator
from web_servers import served
from workshop.page.events import Full

OPENING = Page.OPENING


@pytest.fixture(name="generator")
def _generator():
    return FakeGenerator((" la", " meun", "ière", " s'", "assit", "."))


@pytest.fixture(name="page")
def _page(lesson, generator, browser):
    with served(lesson("5_flask").create_app(generator)) as server, visited(browser, server.url) as page:
        yield page


def tints(page):
    """La teinte des mots de la prose : {mot: de 0 à 40}, ceux qui en ont une."""
    return page.run("""
        const tinted = [...document.querySelectorAll("#prose .token")].map((token) =>
          [token.textContent.trim(), parseInt(token.style.getPropertyValue("--seen"))]);
        return Object.fromEntries(tinted.filter(([, tint]) => tint > 0));
    """)


def open_attention(page):
    """Touche le quatrième mot qu'a écrit le réseau, et déplie ce qu'il regardait."""
    page.click("watch")
    page.wait(lambda: page.browser.find_elements(By.CSS_SELECTOR, "#prose .token.opening[data-doubt]"))
    page.tokens[3].click()
    page.browser.find_element(By.CSS_SELECTOR, "#attention summary").click()
    page.wait(lambda: attended(page))


def test_the_words_it_looked_at_are_tinted_head_by_head(page, generator):
    page.open().write()
    open_attention(page)
    assert generator.attended == [(f"{OPENING} la meunière", "emprunt")]
    assert attended(page) == ["meunière 100 %"] and tints(page) == {"meun": 40, "ière": 40}
    layer, head = page.browser.find_elements(By.CSS_SELECTOR, "#attention select")
    layer.send_keys("2")
    assert attended(page) == ["Le 50 %", "soir, 50 %"] and tints(page) == {"Le": 40, "soir,": 40}
    head.send_keys("2")
    assert attended(page) == ["soir, 70 %", "Le 30 %"] and tints(page) == {"Le": 17, "soir,": 40}
    assert not page.part("tokens-hint").is_displayed() and len(generator.attended) == 1
    page.keys(Keys.ESCAPE)
    assert tints(page) == {} and page.focused == page.tokens[3] and page.part("tokens-hint").is_displayed()
    page.tokens[3].click()
    assert not attended(page), "replié : on ne redemande rien sans un geste"
    page.browser.find_element(By.CSS_SELECTOR, "#attention summary").click()
    page.wait(lambda: attended(page) == ["soir, 70 %", "Le 30 %"])
    assert len(generator.attended) == 1


def test_the_next_word_is_looked_at_once_one_stays_on_it(page, generator):
    page.open().write()
    open_attention(page)
    page.tokens[3].send_keys(Keys.ARROW_RIGHT)
    assert tints(page) == {}
    page.keys(Keys.ARROW_RIGHT)   # celui-là, on n'a fait qu'y passer
    page.wait(lambda: tints(page) == {"s’": 16, "assit": 40})  # relu, un seul token
    assert [text for text, _ in generator.attended] == [f"{OPENING} la meunière", f"{OPENING} la meunière s'assit"]
    page.run("document.querySelector('#prose .opening:nth-of-type(2)').click()")
    page.wait(lambda: tints(page) == {"Le": 40})
    assert generator.attended[-1] == ("Le", "emprunt")


def test_what_it_looked_at_is_reached_by_keyboard_alone(page):
    page.open().write()
    page.click("watch")
    page.tokens[3].click()
    page.keys(Keys.ENTER)
    tab_to(page, LOOKED_AT)
    page.keys(Keys.ENTER)
    page.wait(lambda: attended(page) == ["meunière 100 %"])
    page.keys(Keys.TAB)
    page.keys(Keys.ARROW_DOWN)
    assert attended(page) == ["Le 50 %", "soir, 50 %"]
    page.keys(Keys.TAB)
    page.keys(Keys.ARROW_DOWN)
    assert attended(page) == ["Le 70 %", "soir, 30 %"] and page.focused.accessible_name == "Tête"
    page.keys(Keys.ESCAPE)
    assert page.focused == page.tokens[3] and tints(page) == {}


def test_a_mouse_that_passes_over_the_prose_does_not_change_what_one_reads(page, generator):
    page.open().write()
    open_attention(page)
    ActionChains(page.browser).move_to_element(page.tokens[0]).perform()
    assert tints(page) == {"meun": 40, "ière": 40} and len(generator.attended) == 1


def test_a_refusal_to_look_is_said_in_its_place_and_can_be_asked_again(page, generator):
    page.expected_errors = "503"
    generator.forbids_attention = Full(3)
    page.open().write()
    page.click("watch")
    page.tokens[3].click()
    fold = page.browser.find_element(By.CSS_SELECTOR, "#attention summary")
    fold.click()
    page.wait(lambda: "Trop de lecteurs" in page.part("attention").text)
    assert tints(page) == {} and not attended(page)
    generator.forbids_attention = None
    fold.click()
    fold.click()
    page.wait(lambda: attended(page) == ["meunière 100 %"])
    assert "Trop de lecteurs" not in page.part("attention").text


def test_where_colours_are_the_system_s_and_on_paper_the_meaning_stays(page):
    page.open().write()
    open_attention(page)
    page.emulate(forced_colors="active", **CALM)
    lines = page.run("""
        return Object.fromEntries([...document.querySelectorAll("#prose .token")].map((token) =>
          [token.textContent.trim(), getComputedStyle(token).borderBottomStyle]));
    """)
    assert lines["ière"] == "double" and lines["s’"] == lines["Le"] == "none"
    page.command("Emulation.setEmulatedMedia", media="print")
    try:
        assert attended(page) == ["meunière 100 %"] and not page.part("rivals").is_displayed()
        page.command("Emulation.setEmulatedMedia", media="")
        page.keys(Keys.ESCAPE)
        page.command("Emulation.setEmulatedMedia", media="print")
        assert not page.part("choices").is_displayed()
    finally:
        page.command("Emulation.setEmulatedMedia", media="")


def test_a_page_that_cannot_say_what_it_looked_at_does_not_offer_it(page, generator):
    generator.shows_attention = False
    page.open().write()
    page.click("watch")
    page.tokens[3].click()
    page.keys(Keys.ENTER)
    assert page.part("choices").is_displayed() and LOOKED_AT not in page.part("choices").text
    page.keys(Keys.ESCAPE)
    assert not page.part("choices").is_displayed()
