"""Un réseau d'emprunt : il écrit toujours la même suite, sans rien calculer."""

from workshop.page.readers import Full, Piece, Place
from workshop.page.signature import Network

WORDS = (" s'", "arrêta", " là", ".", " —", " Viens", "!", " dit", "-elle", ".", " Le", " c", "œur", " lui", " battait",
         ".")


class FakeGenerator:
    """Écrit `words` ; se souvient de ce qu'on lui a demandé et de ce qu'il a écrit."""

    network = Network("un réseau d'emprunt", "le 25 novembre 2026 à 10 h 12", 1.398)
    active = waiting = 0

    def __init__(self, words=WORDS, places=(), fails=None, ending="longueur"):
        self.words, self.places, self.fails, self.ending = words, places, fails, ending
        self.asked = []
        self.written = 0
        self.closed = False

    def write(self, prompt, suite="", length="moyen", boldness=0.8):
        """Donne les places, puis les mots ; lève `fails`, s'il y en a un, à leur place ou à leur suite."""
        self.asked.append((prompt, suite, length, boldness))
        try:
            if isinstance(self.fails, Full):
                raise self.fails
            yield from map(Place, self.places)
            for word in self.words:
                self.written += 1
                yield Piece(word, 0.5, [(word, 0.5), (" le", 0.2), (" la", 0.1), (" un", 0.05), (" une", 0.01)])
            if self.fails:
                raise self.fails
        finally:
            self.closed = True
        return self.ending
