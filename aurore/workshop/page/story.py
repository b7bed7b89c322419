"""Une suite en train de s'écrire : ce que le formulaire et l'API en montrent."""

from dataclasses import dataclass

from flask import request

from workshop.page.prompts import Prompt
from workshop.page.readers import Piece
from workshop.page.signature import Network
from workshop.page.typesetting import capitalised, ends_a_sentence, typeset
from workshop.text.sentences import finished


@dataclass
class Story:
    """L'amorce, la suite qui s'allonge, et ce qui l'a finie."""

    prompt: Prompt
    network: Network          # celui qui l'écrit
    suite: str = ""           # telle quelle, à la suite de ce que le réseau avait déjà écrit
    ending: str = "arret"     # « phrase », « longueur », « texte » ou « arret » (voir /api/openapi.json)

    def __post_init__(self):
        self.suite = self.prompt.suite

    def follow(self, written):
        """Recopie les événements de `written`, en gardant le texte ; fermer cette copie ferme l'original."""
        ending = yield from tapped(written, self._keep)
        whole = self.prompt.opening + self.suite
        if finished(whole, start=len(self.prompt.opening)) == whole:
            self.ending = "phrase"
        else:
            self.ending = ending or "longueur"

    def _keep(self, event):
        if isinstance(event, Piece):
            self.suite += event.text

    @property
    def opening(self):
        """L'amorce, en paragraphes composés."""
        return capitalised(typeset(self.prompt.typed))

    @property
    def paragraphs(self):
        """La suite, en paragraphes composés, jusqu'à la fin de sa dernière phrase."""
        opening = self.prompt.opening
        shown = finished(opening + self.suite, start=len(opening))[len(opening):]
        return capitalised(typeset(shown)) if ends_a_sentence(opening) else typeset(shown)

    @property
    def raw(self):
        """La suite telle que le réseau l'a écrite, pour la continuer."""
        return self.suite

    def as_json(self):
        """Renvoie la réponse de l'API (contenu de `fin` et de la réponse d'un seul tenant)."""
        return {"amorce": self.prompt.typed, "suite": self.suite, "paragraphes": self.paragraphs,
                "avertissement": self.prompt.warning, "fin": self.ending, "reseau": network_as_json(self.network)}


def network_as_json(network):
    """Renvoie ce que l'API dit du réseau qui écrit."""
    return {"nom": network.name, "date": network.date, "note": network.score}


def tapped(events, seen):
    """Recopie `events`, événements et valeur finale ; chacun est montré à `seen` au passage."""
    try:
        while True:
            event = next(events)
            seen(event)
            yield event
    except StopIteration as end:
        return end.value
    finally:
        events.close()


def to_the_end(events):
    """Épuise `events`, ou les ferme dès que le visiteur est parti : personne ne lira la fin."""
    has_left = request.environ.get("waitress.client_disconnected", lambda: False)
    for _ in events:
        if has_left():
            events.close()
