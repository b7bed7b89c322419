"""Provisoire : la forme du moteur, et des mots tout faits, le temps que le vrai arrive."""

import time
from typing import NamedTuple


class Request(NamedTuple):
    """Ce que demande un lecteur."""

    text: str
    max_new_tokens: int = 200
    temperature: float = 0.8
    top_k: int = 50
    top_p: float = 1.0
    seed: int | None = None


class Place(NamedTuple):
    """Un rang dans la file d'attente."""

    number: int


class Piece(NamedTuple):
    """Un token écrit, sa probabilité, et les cinq plus probables."""

    text: str
    probability: float
    candidates: list


class Full(Exception):
    """La file est pleine ; réessayer dans `retry_after` secondes."""

    def __init__(self, retry_after=10):
        super().__init__("La file est pleine.")
        self.retry_after = retry_after


WORDS = (" la", " meunière", " s'", "assit", ".", " —", " Viens", ",", " dit", "-", "elle", ";", " il", " est",
         " tard", ".", " Et", " le", " c", "œur", " lui", " battait", ".")


class _Reader:
    def __init__(self, request):
        self.request, self.ending = request, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __iter__(self):
        for number in range(self.request.max_new_tokens):
            if self.ending:
                return
            time.sleep(0.03)
            word = WORDS[number % len(WORDS)]
            yield Piece(word, 0.4, [(word, 0.4), (" le", 0.2), (" une", 0.1), (" un", 0.05), (" sa", 0.01)])
        self.ending = "length"

    def close(self):
        """Quitte."""
        self.ending = self.ending or "closed"


class Readers:
    """Le moteur provisoire."""

    def __init__(self, folder, seats=32, places=32):
        self.folder, self.seats, self.places = folder, seats, places
        self.active = self.waiting = 0

    def join(self, request):
        """Renvoie un lecteur."""
        return _Reader(request)

    def stop(self, grace):
        """Ferme."""
