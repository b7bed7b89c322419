"""Un réseau d'emprunt : il écrit toujours la même suite, sans rien calculer, aussi lentement qu'on veut."""

import re
import threading
import time
from typing import NamedTuple

from workshop.page.contract import Malformed, Wish
from workshop.page.events import Attention, End, Full, Look, Piece, Place, Silence
from workshop.page.signature import Signature

WORDS = (" s'", "arrêta", " là", ".", " —", " Viens", "!", " dit", "-elle", ".", " Le", " c", "œur", " lui", " battait",
         ".")


class Asked(NamedTuple):
    """Ce qu'on lui a demandé."""

    prompt: str
    suite: str
    wish: Wish


class FakeGenerator:  # pylint: disable=too-many-instance-attributes  # des réglages, et ce qui s'est passé
    """Écrit `words`, un toutes les `pace` secondes ; s'arrête après chacun tant que `free` n'est pas levé.

    None, parmi les mots, est un silence.

    Se souvient de ce qu'on lui a demandé, et de ce qu'il a écrit.
    """

    network = Signature("un réseau d'emprunt", "le 25 novembre 2026 à 10 h 12", 1.398, "emprunt", "un aîné")
    elder = Signature("un aîné", None, 1.5, "aine")
    active = waiting = 0
    refusal = None
    shows_attention = True
    others = ((" le", 0.2), (" l'", 0.1), ("ment", 0.05), (" une", 0.01))  # qu'il hésitait à écrire

    def __init__(self, words=WORDS, places=(), fails=None, ending="longueur"):
        self.words, self.places, self.fails, self.ending = words, places, fails, ending
        self.pace = 0
        self.asked, self.looked, self.attended = [], [], []
        self.forbids_attention = None
        self.written = 0
        self.closed, self.free = threading.Event(), threading.Event()
        self.free.set()

    @property
    def networks(self):
        """Lui, et celui dont il est parti."""
        return [self.network, self.elder]

    def find(self, key):
        """L'un des deux."""
        if key in ("", self.network.key):
            return self.network
        if key != self.elder.key:
            raise Malformed("Ce réseau n'est pas dans la maison.")
        return self.elder

    def count(self, text, _):
        """Un token par mot."""
        return len(text.split())

    def look(self, text, key):
        """Chaque mot du texte l'étonne de même ; ensuite, il hésiterait comme toujours."""
        self.looked.append((text, key))
        first, *others = re.findall(r"\s*\S+", text)
        likely = [(self.words[0], 0.5), *self.others]
        return Look([Piece(first), *(Piece(word, 0.25, [(" un", 0.3), (word, 0.25)], 2.0) for word in others)], likely)

    def attention(self, text, key):
        """De ses deux couches de deux têtes : celles de la première regardent le dernier mot, celles de la seconde se
        partagent entre les deux premiers, à 700 et 300, ou l'inverse."""
        self.attended.append((text, key))
        if self.forbids_attention:
            raise self.forbids_attention
        words = re.findall(r"\s*\S+", text)
        none = [0] * (len(words) - 1)
        last = [*none, 1000]
        halves = [[700, 300, *none][:len(words)], [300, 700, *none][:len(words)]] if none else [last, last]
        return Attention("", words, [[last, last], halves])

    def write(self, prompt, suite, wish):
        """Donne les places, puis les mots, puis la fin ; lève `fails`, s'il y en a un, à leur place ou à leur suite."""
        self.asked.append(Asked(prompt, suite, wish))
        self.closed.clear()
        try:
            if isinstance(self.fails, Full):
                raise self.fails
            for number in self.places:
                yield Place(number)
                self.free.wait(20)
            for word in self.words:
                if word is None:
                    yield Silence()
                    continue
                self.written += 1
                yield Piece(word, 0.5, [(word, 0.5), *self.others], 1.5)
                self.free.wait(20)
                time.sleep(self.pace)
            if self.fails:
                raise self.fails
            yield End(self.ending)
        finally:
            self.closed.set()

    def stop(self, grace):
        """N'attend rien."""
