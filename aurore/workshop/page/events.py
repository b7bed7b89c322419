"""Ce qui arrive à un lecteur : sa place dans la file, puis les morceaux de son texte, puis la fin."""

from collections.abc import Generator
from typing import NamedTuple, Protocol

from workshop.page.contract import Wish
from workshop.page.signature import Signature


class Place(NamedTuple):
    """Il reste `number` lecteurs à asseoir, celui-ci compris."""

    number: int


class Silence(NamedTuple):
    """Rien de nouveau, mais le texte s'écrit toujours : de quoi tenir ouverte une connexion, et voir qui est parti."""


class Piece(NamedTuple):
    """Un morceau écrit : exactement ce qui s'ajoute au texte, la probabilité qu'il avait d'être choisi, les plus
    probables au même endroit, le meilleur d'abord, et l'hésitation du réseau, en bits. None : on n'en sait rien."""

    text: str
    probability: float | None = None
    candidates: list[tuple[str, float]] | None = None   # [(texte, probabilité), …]
    entropy: float | None = None


class Look(NamedTuple):
    """Ce qu'un réseau pense d'un texte, sans rien y changer : toutes ses probabilités, avant l'audace."""

    pieces: list[Piece]                  # les tokens du texte ; du premier, il n'attendait rien
    following: list[tuple[str, float]]   # ce qu'il écrirait ensuite, le plus probable d'abord


class Attention(NamedTuple):
    """Ce qu'un réseau regarde d'un texte pour deviner la suite."""

    before: str                       # le début du texte : trop loin pour être lu, ou pour être détaillé
    texts: list[str]                  # les tokens qui le suivent
    shares: list[list[list[int]]]     # par couche, par tête, la part de chacun, pour mille ; le reste est au début


class End(NamedTuple):
    """Le texte s'arrête là ; `reason` est une clé de `contract.ENDINGS`."""

    reason: str


class Full(Exception):
    """La file est pleine ; `retry_after` dit dans combien de secondes revenir."""

    def __init__(self, retry_after: float):
        super().__init__("Toutes les places sont prises.")
        self.retry_after = retry_after


Event = Place | Silence | Piece | End
Stream = Generator[Event, None, None]


class Writer(Protocol):
    """Ce qui fait écrire un réseau, quelle que soit la façon : celui de la page, transformers, un moteur
    ailleurs, celui des tests."""

    @property
    def network(self) -> Signature:
        """Celui qui écrit."""

    @property
    def refusal(self) -> str | None:
        """La phrase qui dit qu'un réseau plus récent n'écrit pas ; None si tout va bien."""

    @property
    def active(self) -> int:
        """Le nombre de textes en train de s'écrire."""

    @property
    def waiting(self) -> int:
        """Le nombre de lecteurs dans la file."""

    @property
    def networks(self) -> list[Signature]:
        """Ceux à qui l'on peut demander d'écrire ; celui qui écrit d'abord."""

    def find(self, key: str) -> Signature:
        """Renvoie le réseau qui porte cette clé ; lève contract.Malformed s'il n'y en a pas."""

    def write(self, prompt: str, suite: str, wish: Wish) -> Stream:
        """Continue `prompt` puis `suite`, ce qui en est déjà écrit ; lève Full si trop de lecteurs attendent."""

    def count(self, text: str, key: str) -> int | None:
        """Renvoie combien de tokens `text` fait pour le réseau `key` ; None si l'on n'en sait rien."""

    def look(self, text: str, key: str) -> Look:
        """Renvoie ce que le réseau `key` pense de `text`."""

    @property
    def shows_attention(self) -> bool:
        """Dit si l'on peut savoir ce qu'il regarde."""

    def attention(self, text: str, key: str) -> Attention:
        """Renvoie ce que le réseau `key` regarde de `text` pour deviner la suite ; lève contract.Malformed si l'on n'en
        sait rien."""

    def stop(self, grace: float) -> None:
        """Laisse `grace` secondes aux textes commencés, puis les arrête."""
