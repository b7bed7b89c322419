"""Un seul neurone, dans un vrai navigateur : réglé à la main, entraîné, trompé par de mauvaises données."""

import json
import re
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from conftest import ROOT
from guide_app import served_guide


@pytest.fixture(scope="module", name="address")
def _address():
    with served_guide() as address:
        yield address


class NeuronPage:
    """La page, telle qu'une personne s'en sert."""

    def __init__(self, browser, address):
        self.browser = browser
        browser.get(f"{address}/neurone")
        self.wait = WebDriverWait(browser, 20)
        self.wait.until(lambda _: self["neuron"].is_displayed())

    def __getitem__(self, identifier):
        return self.browser.find_element(By.ID, identifier)

    def slide(self, name, value):
        """Pousse un curseur."""
        self.browser.execute_script("arguments[0].value = arguments[1]; arguments[0].dispatchEvent("
                                    "new Event('input', {bubbles: true}))", self[name], value)

    def choose(self, name, text):
        """Choisit dans une liste déroulante."""
        Select(self[name]).select_by_visible_text(text)

    def train(self, batch="3"):
        """Entraîne avec ce lot, et renvoie la dernière ligne du tableau des essais."""
        runs = len(self.browser.find_elements(By.CSS_SELECTOR, "#runs tbody tr"))
        self.browser.find_element(By.CSS_SELECTOR, f"input[name=batch][value='{batch}']").click()
        self["train"].click()
        self.wait.until(lambda _: len(self.browser.find_elements(By.CSS_SELECTOR, "#runs tbody tr")) == runs + 1)
        row = self.browser.find_elements(By.CSS_SELECTOR, "#runs tbody tr")[-1]
        return [cell.get_attribute("textContent") for cell in row.find_elements(By.TAG_NAME, "td")]

    def result(self):
        """Renvoie (fautes dans le cahier, fautes ailleurs, erreur moyenne), tels qu'ils sont écrits."""
        text = self["result"].text
        mistakes = re.findall(r"(\d+) fautes? sur", text)
        return int(mistakes[0]), int(mistakes[1]), float(text.rpartition(": ")[2].rstrip(".").replace(",", "."))

    def crosses(self):
        """Le nombre d'animaux barrés sur le dessin."""
        return len(self.browser.find_elements(By.CSS_SELECTOR, "#plot .mistake"))

    def curve(self):
        """Les points de la dernière courbe d'erreur, de haut (mauvais) en bas (bon)."""
        points = self.browser.find_elements(By.CSS_SELECTOR, "#curve .seen-curve")[-1].get_attribute("points")
        return [float(point.split(",")[1]) for point in points.split()]


@pytest.fixture(name="prefer")
def _prefer(browser):
    """Règle ce que la personne préfère : prefer(color_scheme="dark") ; rien après le test."""
    def prefer(**features):
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": f"prefers-{name.replace('_', '-')}", "value": value} for name, value in features.items()]})
    yield prefer
    prefer()


@pytest.fixture(name="page")
def _page(browser, address, prefer):
    prefer(reduced_motion="reduce")  # l'entraînement finit aussitôt
    return NeuronPage(browser, address)


def test_by_hand_the_sliders_change_the_counted_mistakes(page):
    first = page.result()
    assert first[0] > 0 and page.crosses() == first[0] + first[1]
    for name, value in (("mass", 3), ("ears", 6), ("bias", -6.8)):
        page.slide(name, value)
    assert page.result()[:2] == (0, 0) and page.crosses() == 0
    page.slide("bias", 15)
    assert page.result()[:2] == (9, 4), "tout le monde est un chien : les neuf chats du cahier et les quatre autres"


def test_the_sum_is_written_out_and_right(page):
    page.choose("animal", "Médor")
    page.slide("mass", 2)
    page.slide("ears", -1)
    page.slide("bias", 0.5)
    assert "2,0 × 1,24 + (−1,0) × 0,71 + 0,5 = 2,27, donc chien (chien à 91 %)" in page["sum"].text


def test_the_keyboard_is_enough(page):
    before = page["mass-value"].text
    page["mass"].send_keys(Keys.ARROW_RIGHT)
    assert page["mass-value"].text != before
    page["train"].send_keys(Keys.ENTER)
    page.wait.until(lambda _: page.browser.find_elements(By.CSS_SELECTOR, "#runs tbody tr"))
    page["reset"].send_keys(Keys.SPACE)
    assert page["mass-value"].text == before


def test_training_lowers_the_error(page):
    before = page.result()
    _, updates, error, _ = page.train()
    after = page.result()
    assert int(updates) == 30 * 6 and float(error.replace(",", ".")) == after[2]
    assert after[2] < before[2] / 2 and after[:2] == (0, 0)
    assert page.curve()[-1] > page.curve()[0], "la courbe descend"


def test_the_batch_changes_the_pace_and_the_steadiness(page):
    agitation, updates, errors = {}, {}, {}
    for batch in ("1", "3", "18"):
        page["reset"].click()
        updates[batch] = int(page.train(batch)[1])
        points = page.curve()
        agitation[batch] = sum(point < previous for previous, point in zip(points, points[1:])) / len(points)
        errors[batch] = page.result()[2]
    assert updates == {"1": 540, "3": 180, "18": 30}
    assert agitation["18"] < agitation["3"] and agitation["18"] < agitation["1"]
    assert errors["1"] < errors["3"] < errors["18"]


def test_epochs_and_learning_rate_matter(page):
    page.choose("rate", "0,1")
    page.train()
    timid = page.result()[2]
    page["reset"].click()
    page.choose("rate", "3")
    page.choose("epochs", "1")
    page.train()
    short = page.result()[2]
    page["reset"].click()
    page.choose("epochs", "100")
    page.train()
    assert page.result()[2] < min(timid, short)


def test_spoiled_data_teach_nonsense(page):
    page.choose("data", "rien que des chiens")
    page.train()
    in_the_book, elsewhere, error = page.result()
    assert in_the_book == 0 and error < 0.05, "dans le cahier, tout va bien"
    assert elsewhere == 4, "tout chat jamais vu est pris pour un chien"
    page["reset"].click()
    page.choose("data", "corrigés tirés à pile ou face")
    page.train()
    assert page.result()[2] > 0.4 and page.result()[0] > 0, "il n'y avait rien à apprendre"


def test_training_is_shown_step_by_step_and_can_be_stopped(page, prefer):
    prefer(reduced_motion="no-preference")
    page.choose("epochs", "100")
    page["train"].click()
    page.wait.until(lambda _: page.browser.find_elements(By.CSS_SELECTOR, "#curve .seen-curve"))
    assert page["train"].text == "Arrêter" and page["result"].get_attribute("aria-busy") == "true"
    page["train"].click()
    assert page["train"].text == "Entraîner" and page["result"].get_attribute("aria-busy") is None
    assert 0 < len(page.curve()) < 601 and page["runs"].is_displayed()


def test_the_table_says_what_the_drawing_shows(page):
    page.browser.execute_script("arguments[0].closest('details').open = true", page["animals"])
    rows = [[cell.text for cell in row.find_elements(By.TAG_NAME, "td")]
            for row in page.browser.find_elements(By.CSS_SELECTOR, "#animals tbody tr")]
    assert len(rows) == 26
    assert sum(said != truth for *_, truth, said in rows) == page.crosses()


@pytest.mark.parametrize("path", ["neurone", "3-entrainer", ""])
def test_axe_finds_nothing_by_day_or_by_night(browser, axe, address, prefer, path):
    prefer(reduced_motion="reduce")
    browser.get(f"{address}/{path}")
    if path == "neurone":
        browser.find_element(By.ID, "train").click()
        WebDriverWait(browser, 20).until(lambda _: browser.find_elements(By.CSS_SELECTOR, "#runs tbody tr"))
    browser.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    browser.execute_script(axe)
    for scheme in ("light", "dark"):
        prefer(color_scheme=scheme, reduced_motion="reduce")
        violations = browser.execute_async_script("axe.run().then((found) => arguments[0](found.violations))")
        assert not violations, [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in violations]


@pytest.mark.parametrize("path", sorted(path.stem for path in (ROOT / "docs").glob("[a-z0-9]*.md")))
def test_a_phone_shows_everything_and_nothing_leaves_the_host(browser, address, path):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                            {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": True})
    try:
        browser.get(f"{address}/{path}")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 320
        pictures = browser.execute_script("return [...document.images].map((one) => one.complete && one.naturalWidth)")
        assert all(pictures)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert not browser.get_log("browser")
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    assert asked and {urlsplit(url).hostname for url in asked} == {"127.0.0.1"}
