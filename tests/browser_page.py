"""La page dans un navigateur, avec les gestes d'une personne."""

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait


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
