"""La page dans un navigateur, avec les gestes d'une personne."""

import contextlib
import json

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

CALM = {"prefers_reduced_motion": "reduce"}  # un élément qui défile encore ne se laisse pas cliquer
LOOKED_AT = "Ce que le réseau regardait"


class Page:
    """La page /generate, avec les gestes d'une personne."""

    OPENING = "Le soir, au moulin,"

    def __init__(self, browser, site):
        self.browser, self.site = browser, site
        self.expected_errors = ""  # un morceau des erreurs de console qu'un test provoque exprès

    def open(self, path="/generate"):
        """Va à `path`."""
        self.browser.get(self.site + path)
        return self

    def part(self, name):
        """L'élément d'identifiant `name`."""
        return self.browser.find_element(By.ID, name)

    def click(self, name):
        """Clique sur l'élément `name`."""
        self.part(name).click()

    def wait(self, condition):
        """Attend que `condition` soit vraie."""
        patience = WebDriverWait(self.browser, 30, 0.02, [StaleElementReferenceException])  # la page change sans cesse
        return patience.until(lambda _: condition())

    def type(self, text):
        """Remplace ce qui est dans le champ."""
        self.part("amorce").clear()
        self.part("amorce").send_keys(text)

    def write(self, text=OPENING):
        """Tape `text`, appuie sur Générer et attend la fin."""
        self.type(text)
        self.press("Générer")
        self.wait_for_the_end()

    def press(self, label):
        """Appuie sur le bouton qui porte `label`."""
        self.browser.find_element(By.XPATH, f"//button[normalize-space()='{label}']").click()

    def wait_for_the_end(self):
        """Attend que le réseau pose la plume."""
        self.wait(lambda: self.part("continue").is_displayed())

    @property
    def prose(self):
        """Les paragraphes de l'histoire."""
        paragraphs = self.browser.find_elements(By.CSS_SELECTOR, "#prose p")
        return [paragraph.get_property("textContent") for paragraph in paragraphs]

    @property
    def tokens(self):
        """Les tokens du réseau, dans la prose."""
        return self.browser.find_elements(By.CSS_SELECTOR, "#prose .token:not(.opening)")

    @property
    def kept(self):
        """Les textes de l'étagère, le plus récent d'abord."""
        return self.run("""
            const keys = Object.keys(localStorage).filter((key) => key.startsWith("aurore.texte."));
            return keys.map((key) => JSON.parse(localStorage[key])).sort((one, other) => other.kept - one.kept);
        """)

    @property
    def focused(self):
        """L'élément qui a le focus."""
        return self.browser.switch_to.active_element

    def keys(self, *keys):
        """Tape sur le clavier, là où est le focus."""
        self.focused.send_keys(*keys)

    def run(self, script, *arguments):
        """Exécute du JavaScript."""
        return self.browser.execute_script(script, *arguments)

    def emulate(self, **preferences):
        """Fait croire à la page que la personne a ces préférences, par exemple prefers_color_scheme="dark"."""
        self.command("Emulation.setEmulatedMedia", features=[
            {"name": name.replace("_", "-"), "value": value} for name, value in preferences.items()])

    def command(self, name, **parameters):
        """Envoie une commande à l'outil de développement de Chromium."""
        return self.browser.execute_cdp_cmd(name, parameters)


@contextlib.contextmanager
def visited(browser, site):
    """La page de `site`, dont on vérifie en partant qu'elle n'a rien dit à la console ni rien demandé ailleurs."""
    page = Page(browser, site)
    page.emulate(**CALM)
    try:
        yield page
    finally:
        page.emulate()
    errors = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert not [error for error in errors if not page.expected_errors or page.expected_errors not in error]
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"}
    assert any(url.startswith(site) for url in asked)
    assert all(url.startswith((site + "/", "blob:" + site, "data:", "about:")) for url in asked), asked


def tab_to(page, name):
    """Va, de Tab en Tab, à l'élément qui a cet identifiant ou qui porte ce texte."""
    for _ in range(100):
        page.keys(Keys.TAB)
        if name in (page.focused.get_attribute("id"), page.focused.text.strip()):
            return
    pytest.fail(f"Tab ne mène pas à « {name} »")


def attended(page):
    """Les mots que le réseau regardait, en toutes lettres, les plus regardés d'abord."""
    lines = page.run("""
        return [...document.querySelectorAll("#attention li")].filter((line) => line.checkVisibility())
          .map(({ innerText }) => innerText);
    """)
    return [" ".join(line.split()) for line in lines]
