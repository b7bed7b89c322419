"""Faire écrire le réseau, un token après l'autre, pour plusieurs lecteurs à la fois."""

import os
import threading
from pathlib import Path
from typing import Any, Callable, Sequence

from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

from workshop.artefacts import trained_models
from workshop.errors import WorkshopError
from workshop.page.contract import LENGTHS, PATIENCE, TOP_K, Malformed, Wish
from workshop.page.events import Attention, End, Look, Piece, Stream, Writer
from workshop.page.networks import UNKNOWN, Networks
from workshop.page.readers import CANDIDATES, Request
from workshop.page.relay import Relay
from workshop.page.signature import Signature, read_signature
from workshop.sources import EMBEDDED, source_mode
from workshop.text.typography import normalise
from workshop.writing import looking

# Pourquoi un texte s'est arrêté : les mots de readers.py, dans ceux de l'API.
ENDINGS = {"length": "longueur", "end": "texte"}
STOPPED = "arret"
FOLLOWING = int(TOP_K.highest)   # tokens montrés de ce qui suivrait : de quoi refaire le tirage à toute audace
# Chacune prend deux octets en JSON : cent kilooctets au plus pour toutes les têtes à la fois, que l'on passe alors de
# l'une à l'autre sans rien redemander. Les réseaux d'ici y tiennent entiers ; d'un GPT-2 de douze couches, les 333
# derniers tokens.
MOST_SHARES = 48_000
NOT_SEEN = "Avec --transformers, la page ne sait pas ce que le réseau pense de chaque mot."


def open_generator(choose: Callable[[], Path]) -> Writer:
    """Renvoie ce qui fait écrire : le moteur d'AURORE_MOTEUR, s'il y en a un, sinon le réseau que choisit `choose`."""
    address = os.environ.get("AURORE_MOTEUR", "").strip()
    if not address:
        return TextGenerator(choose)
    if source_mode() == EMBEDDED:
        raise WorkshopError("AURORE_SOURCE=embedded interdit toute connexion, et AURORE_MOTEUR en demande une.\n"
                            "Retirez l'une des deux, puis relancez.")
    # pylint: disable-next=import-outside-toplevel  # qui écrit avec ses propres réseaux n'attend pas httpx
    from workshop.page.engine_elsewhere import EngineElsewhere
    engine = EngineElsewhere(address, os.environ.get("AURORE_MOTEUR_CLE", "").strip())
    print(f"Moteur : {engine.address}")
    return engine


class TextGenerator:
    """Le réseau que choisit `choose` (il renvoie son dossier), prêt à écrire pour plusieurs lecteurs à la fois.

    `trained` donne les réseaux entraînés ici : voir `Relay`.
    """

    shows_attention = True

    def __init__(self, choose: Callable[[], Path], trained: Callable[[], Sequence[Path]] = trained_models):
        self._relay = Relay(choose, trained)
        self._house = Networks(self._relay, trained)
        self._looking = threading.Lock()   # regarder passe après écrire : un curieux à la fois

    @property
    def network(self) -> Signature:
        """Celui qui écrit quand on n'en demande pas un autre."""
        return self._relay.network

    @property
    def networks(self) -> list[Signature]:
        """Ceux à qui l'on peut demander d'écrire ; celui qui écrit d'abord."""
        return self._house.all

    def find(self, key: str) -> Signature:
        """Renvoie le réseau qui porte cette clé ; lève contract.Malformed s'il n'y en a pas."""
        return self._house.find(key)

    @property
    def refusal(self) -> str | None:
        """La phrase qui dit qu'un réseau plus récent n'écrit pas ; None si tout va bien."""
        return self._relay.refusal

    @property
    def active(self) -> int:
        """Le nombre de textes en train de s'écrire, pour /metrics."""
        return sum(writing.active for writing in self._house.everyone)

    @property
    def waiting(self) -> int:
        """Le nombre de lecteurs dans la file."""
        return sum(writing.waiting for writing in self._house.everyone)

    def write(self, prompt: str, suite: str, wish: Wish) -> Stream:
        """Continue `prompt` puis `suite`, ce qui en est déjà écrit ; donne les tokens un à un, puis la fin.

        Le réseau reçoit le texte, donne une probabilité à chaque token possible, en tire un, l'ajoute au texte, et
        recommence. Lève Full si trop de lecteurs attendent ; fermer le générateur arrête le calcul.
        """
        request = Request(normalise(prompt + suite), max_new_tokens=LENGTHS[wish.length].tokens + PATIENCE,
                          temperature=wish.boldness, top_k=wish.top_k, top_p=wish.top_p, seed=wish.seed)
        with self._house.join(request, self.find(wish.network).key) as reader:
            yield from reader
        yield End(ENDINGS.get(reader.ending or "", STOPPED))

    def count(self, text: str, key: str) -> int:
        """Renvoie combien de tokens `text` fait pour le réseau `key`."""
        return len(self._house.readers(self.find(key).key).tokenizer.encode(normalise(text)).ids)

    def look(self, text: str, key: str) -> Look:
        """Renvoie ce que le réseau `key` pense de `text` ; d'un texte trop long pour lui, la fin."""
        readers = self._house.readers(self.find(key).key)
        tokenizer = readers.tokenizer
        tokens = tokenizer.encode(normalise(text)).ids[-readers.network.context:]
        with self._looking:
            choices, (likely, shares) = looking.read(readers.network, tokens)
        texts = _texts(tokenizer, tokens)

        def named(candidates, probabilities, most):
            return [(readers.alone(int(token)), float(probability))
                    for token, probability in zip(candidates[:most], probabilities)]

        expected = [Piece(written, choice.probability, named(choice.candidates, choice.probabilities, CANDIDATES),
                          choice.entropy) for written, choice in zip(texts[1:], choices)]
        return Look([Piece(texts[0]), *expected], named(likely, shares, FOLLOWING))

    def attention(self, text: str, key: str) -> Attention:
        """Renvoie ce que le réseau `key` regarde de `text` pour deviner la suite ; d'un texte trop long pour lui, la
        fin."""
        readers, text = self._house.readers(self.find(key).key), normalise(text)
        encoding = readers.tokenizer.encode(text)
        tokens = encoding.ids[-readers.network.context:]
        with self._looking:
            shares = looking.attention(readers.network, tokens)
        told = tokens[-(MOST_SHARES // (shares.shape[0] * shares.shape[1])):]
        return Attention(text[:encoding.offsets[-len(told)][0]], _texts(readers.tokenizer, told),
                         shares[:, :, -len(told):].tolist())

    def stop(self, grace: float) -> None:
        """Laisse `grace` secondes aux textes commencés, puis les arrête."""
        self._house.stop(grace)


def _texts(tokenizer: Tokenizer, tokens: Sequence[int]) -> list[str]:
    """Renvoie ce que chaque token ajoute au texte : rien, si le signe n'est pas fini."""
    decoder = DecodeStream(skip_special_tokens=True)
    return [decoder.step(tokenizer, token) or "" for token in tokens]


class WholeTexts:
    """Le même service, rendu par ce qu'`open_pipe(dossier)` ouvre : `call_pipe(pipe, amorce, tokens, wish)` renvoie la
    suite, d'un seul tenant.

    C'est ainsi qu'écrit le `pipeline` de transformers : un lecteur à la fois, sans rien montrer avant la fin, sans dire
    entre quels tokens il hésitait.
    """

    active = waiting = 0
    refusal = None
    shows_attention = False

    def __init__(self, folder: Path, open_pipe: Callable[[Path], Any], call_pipe: Callable[[Any, str, int, Wish], str]):
        self._pipe, self._call_pipe = open_pipe(folder), call_pipe
        self.network = read_signature(folder)
        self.networks = [self.network]
        self._alone = threading.Lock()

    def find(self, key: str) -> Signature:
        """Renvoie le seul réseau ; lève contract.Malformed si l'on en demande un autre."""
        if key not in ("", self.network.key):
            raise Malformed(UNKNOWN)
        return self.network

    def write(self, prompt: str, suite: str, wish: Wish) -> Stream:
        """Continue `prompt` puis `suite`."""
        with self._alone:
            yield Piece(self._call_pipe(self._pipe, normalise(prompt + suite), LENGTHS[wish.length].tokens, wish))
        yield End("longueur")

    def count(self, text: str, key: str) -> None:
        """Le pipeline n'en dit rien."""

    def look(self, text: str, key: str) -> Look:
        """Lève contract.Malformed : le pipeline n'en dit rien."""
        raise Malformed(NOT_SEEN)

    def attention(self, text: str, key: str) -> Attention:
        """Lève contract.Malformed, de même."""
        raise Malformed(NOT_SEEN)

    def stop(self, grace: float) -> None:
        """Rien n'attend : un texte commencé ne s'abrège pas."""
