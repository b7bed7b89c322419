"""Faire écrire le réseau, un token après l'autre, pour plusieurs lecteurs à la fois."""

import threading
from pathlib import Path
from typing import Callable, Sequence

from workshop.artefacts import trained_models
from workshop.page.contract import BOLDNESS, LENGTHS, PATIENCE, TOP_K, USUAL_LENGTH
from workshop.page.events import End, Piece, Stream
from workshop.page.readers import Request
from workshop.page.relay import Relay
from workshop.page.signature import Signature, read_signature
from workshop.text.typography import normalise

# Pourquoi un texte s'est arrêté : les mots de readers.py, dans ceux de l'API.
ENDINGS = {"length": "longueur", "end": "texte"}
STOPPED = "arret"


class TextGenerator:
    """Le réseau que choisit `choose` (il renvoie son dossier), prêt à écrire pour plusieurs lecteurs à la fois.

    `trained` donne les réseaux entraînés ici : voir `Relay`.
    """

    def __init__(self, choose: Callable[[], Path], trained: Callable[[], Sequence[Path]] = trained_models):
        self.readers = Relay(choose, trained)

    @property
    def network(self) -> Signature:
        """Le nom, la date et la note de celui qui écrit."""
        return self.readers.network

    @property
    def refusal(self) -> str | None:
        """La phrase qui dit qu'un réseau plus récent n'écrit pas ; None si tout va bien."""
        return self.readers.refusal

    @property
    def active(self) -> int:
        """Le nombre de textes en train de s'écrire, pour /metrics."""
        return self.readers.active

    @property
    def waiting(self) -> int:
        """Le nombre de lecteurs dans la file."""
        return self.readers.waiting

    def write(self, prompt: str, suite: str = "", length: str = USUAL_LENGTH,
              boldness: float = BOLDNESS.usual) -> Stream:
        """Continue `prompt` puis `suite`, ce qui en est déjà écrit ; donne les tokens un à un, puis la fin.

        Le réseau reçoit le texte, donne une probabilité à chaque token possible, en tire un, l'ajoute au texte, et
        recommence. Lève Full si trop de lecteurs attendent ; fermer le générateur arrête le calcul.
        """
        most = LENGTHS[length].tokens + PATIENCE
        with self.readers.join(Request(normalise(prompt + suite), max_new_tokens=most, temperature=boldness,
                                       top_k=TOP_K)) as reader:
            yield from reader
        yield End(ENDINGS.get(reader.ending or "", STOPPED))

    def stop(self, grace: float) -> None:
        """Laisse `grace` secondes aux textes commencés, puis les arrête."""
        self.readers.stop(grace)


class WholeTexts:
    """Le même service, rendu par `call(amorce, tokens, audace)`, qui renvoie la suite d'un seul tenant.

    C'est ainsi qu'écrit le `pipeline` de transformers : un lecteur à la fois, sans rien montrer avant la fin, sans dire
    entre quels tokens il hésitait.
    """

    active = waiting = 0
    refusal = None

    def __init__(self, call: Callable[[str, int, float], str], folder: Path):
        self.call = call
        self.network = read_signature(folder)
        self._alone = threading.Lock()

    def write(self, prompt: str, suite: str = "", length: str = USUAL_LENGTH,
              boldness: float = BOLDNESS.usual) -> Stream:
        """Continue `prompt` puis `suite`."""
        with self._alone:
            yield Piece(self.call(normalise(prompt + suite), LENGTHS[length].tokens, boldness))
        yield End("longueur")

    def stop(self, grace: float) -> None:
        """Rien n'attend : un texte commencé ne s'abrège pas."""
