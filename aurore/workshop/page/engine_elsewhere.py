"""Faire écrire un moteur qui est ailleurs, et qui parle /v1/completions : vLLM, TGI, llama.cpp, une autre page.

Un seul fil, avec asyncio, suit tous les textes, et n'en attend aucun : qui s'en va ferme aussitôt sa demande, et le
moteur cesse d'écrire pour lui. Combien s'écrivent à la fois, c'est au moteur de le dire ; sa file est la sienne.
"""

import asyncio
import contextlib
import logging
import re
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from queue import Empty, SimpleQueue
from typing import Any

import httpx
from werkzeug.exceptions import BadGateway

from workshop.errors import WorkshopError
from workshop.page.contract import LENGTHS, PATIENCE, Malformed, Wish
from workshop.page.engine_answers import STOPPED, objects, read_chunk, read_look, read_models
from workshop.page.events import Attention, End, Event, Full, Look, Piece, Place, Silence, Stream
from workshop.page.line import COME_BACK_SECONDS
from workshop.page.networks import UNKNOWN
from workshop.page.reader import REMINDER_SECONDS
from workshop.page.readers import CANDIDATES
from workshop.page.relay import CHECK_EVERY_SECONDS
from workshop.page.signature import Signature
from workshop.text.typography import normalise

MOST_AT_ONCE = 128     # textes : un fichier chacun, à côté des 800 connexions de service.py ; Linux en donne 1 024
SILENCE = httpx.Timeout(60, connect=5)   # secondes sans rien recevoir, après quoi le moteur est perdu
CHECK = httpx.Timeout(10, connect=5)
OPTIONAL = ("top_k", "logprobs", "seed")   # ce que tous ne savent pas faire
TOO_LONG = re.compile("context|max_new_tokens")   # les mots de vLLM, de llama.cpp et d'OpenAI ; ceux de TGI
SHORTEST = 200         # signes : ce n'est pas la longueur d'un texte plus court qui est refusée

SILENT = "Le moteur qui écrit pour cette page ne répond plus : rien ne s'écrira avant qu'il revienne."
REFUSED = "Le moteur qui écrit pour cette page n'a pas voulu de ce texte. Changez-en le début, ou les réglages."
NOT_SEEN = "Le moteur qui écrit pour cette page ne dit pas ce que le réseau pense de chaque mot."
EXPECTED = ("Il faut un serveur qui parle /v1/completions (vLLM, TGI, llama.cpp, une autre page) : lancez-le, ou "
            "corrigez AURORE_MOTEUR, par exemple http://192.168.0.10:8000")


class Lost(BadGateway):
    """Le moteur n'a pas répondu, ou pas comme un moteur ; `description` dit en quoi."""


class _Text:  # pylint: disable=too-few-public-methods  # ce que partagent deux fils
    """Un texte qui s'écrit : `told` porte ses événements, ou l'erreur qui l'interrompt."""

    def __init__(self) -> None:
        self.told: SimpleQueue[Event | Exception] = SimpleQueue()
        self.has_begun = False


class EngineElsewhere:  # pylint: disable=too-many-instance-attributes  # une connexion, un fil, et ceux qu'il sert
    """Le moteur de l'adresse `address`, à qui l'on montre `key` s'il demande une clé.

    Lève une WorkshopError s'il ne répond pas. Ensuite, on lui redemande ses réseaux de temps en temps : `refusal` dit
    qu'il ne répond plus, et `find` lève alors Lost.
    """

    refusal: str | None = None
    shows_attention = False

    def __init__(self, address: str, key: str = ""):
        url = _read_address(address)
        self.address = url.netloc.decode()
        # Une clé accentuée part en UTF-8.
        headers = [(b"Authorization", f"Bearer {key}".encode())] if key else []
        self._client = httpx.AsyncClient(base_url=url, headers=headers, timeout=SILENCE,
                                         limits=httpx.Limits(max_connections=None))
        self._writing = asyncio.Semaphore(MOST_AT_ONCE)
        self._refused: set[str] = set()        # les champs dont il ne veut pas
        self._longest: dict[str, int] = {}     # combien de signes lit chaque réseau, si l'on s'y est heurté
        self._texts: list[_Text] = []          # du plus ancien au plus récent
        self._changing = threading.Condition()
        self._stopped = False
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="engine", daemon=True).start()
        try:
            self.networks = self._wait(self._ask_networks())
        except Lost as lost:
            raise WorkshopError(f"Le moteur de {self.address} {lost.description}.\n{EXPECTED}") from lost
        self._watching = asyncio.run_coroutine_threadsafe(self._watch(), self._loop)

    # --- Les réseaux du moteur ---------------------------------------------------------------

    @property
    def network(self) -> Signature:
        """Celui qui écrit quand on n'en demande pas un autre."""
        return self.networks[0]

    def find(self, key: str) -> Signature:
        """Renvoie le réseau qui porte cette clé ; lève contract.Malformed s'il n'y en a pas, Lost si le moteur s'est
        tu."""
        if self.refusal:
            raise Lost("ne répond plus")
        for network in self.networks:
            if key in ("", network.key):
                return network
        raise Malformed(UNKNOWN)

    async def _ask_networks(self) -> list[Signature]:
        with _losses():
            response = await self._client.get("/v1/models", timeout=CHECK)
            if not response.is_success:
                error = _error(response)
                raise error if isinstance(error, Lost) else Lost(f"répond par l'erreur {response.status_code}")
            return read_models(response.json())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY_SECONDS)
            try:
                self.networks, self.refusal = await self._ask_networks(), None
            except Exception as error:  # pylint: disable=broad-exception-caught  # quelle qu'elle soit, on y reviendra
                if not self.refusal:
                    reason = error.description if isinstance(error, Lost) else type(error).__name__
                    logging.getLogger(__name__).error("%s Pourquoi : il %s.", SILENT, reason)
                self.refusal = SILENT

    # --- Écrire ------------------------------------------------------------------------------

    @property
    def active(self) -> int:
        """Le nombre de textes en train de s'écrire."""
        return sum(text.has_begun for text in list(self._texts))

    @property
    def waiting(self) -> int:
        """Le nombre de lecteurs à qui le moteur n'a encore rien écrit."""
        return len(self._texts) - self.active

    def write(self, prompt: str, suite: str, wish: Wish) -> Stream:
        """Continue `prompt` puis `suite` ; lève Full si le moteur prie de revenir, Lost s'il se tait."""
        asked = {"model": self.find(wish.network).key, "prompt": normalise(prompt + suite), "stream": True,
                 "max_tokens": LENGTHS[wish.length].tokens + PATIENCE, "temperature": wish.boldness,
                 "top_k": wish.top_k, "top_p": wish.top_p, "seed": wish.seed, "logprobs": CANDIDATES}
        with self._entered(asked) as text:
            event: Event | None = None
            while not isinstance(event, End):
                event = self._next(text)
                yield event

    @contextlib.contextmanager
    def _entered(self, asked: dict[str, Any]):
        """Demande un texte, et donne le `_Text` où il vient ; à la sortie, le moteur ne l'écrit plus."""
        text = _Text()
        with self._changing:
            if self._stopped:
                text.told.put(End(STOPPED))
            self._texts.append(text)
        task = asyncio.run_coroutine_threadsafe(self._follow(asked, text.told.put), self._loop)
        try:
            yield text
        finally:
            task.cancel()
            with self._changing:
                self._texts.remove(text)
                self._changing.notify_all()

    def _next(self, text: _Text) -> Event:
        """Attend ce qui arrive à `text` ; tant que rien n'en est écrit, redit sa place parmi ceux qui attendent."""
        try:
            event = text.told.get(timeout=REMINDER_SECONDS)
        except Empty:
            if text.has_begun:
                return Silence()
            with self._changing:
                return Place(1 + [other for other in self._texts if not other.has_begun].index(text))
        if isinstance(event, Exception):
            raise event
        text.has_begun = text.has_begun or isinstance(event, Piece)
        return event

    async def _follow(self, asked: dict[str, Any], tell: Callable[[Event | Exception], None]) -> None:
        """Dit à `tell` tout ce qui arrive au texte demandé, jusqu'à sa fin ou à ce qui l'interrompt."""
        try:
            with _losses():
                async with self._writing, self._answer(asked) as response:
                    async for sent in objects(response.aiter_bytes()):
                        for event in read_chunk(sent):
                            tell(event)
                            if isinstance(event, End):
                                return
            raise Lost("s'est tu au milieu d'un texte")
        except Exception as error:  # pylint: disable=broad-exception-caught  # quelle qu'elle soit, son lecteur
            # l'attend.
            tell(error)

    @contextlib.asynccontextmanager
    async def _answer(self, asked: dict[str, Any]) -> AsyncIterator[httpx.Response]:
        """Donne la réponse du moteur, et retient ce qu'il a fallu lui épargner ; lève Full, Malformed ou Lost."""
        model, refused = asked["model"], set(self._refused)
        longest = self._longest.get(model)
        while True:
            sent = {name: value for name, value in asked.items() if name not in refused}
            sent["prompt"] = _end_of(asked["prompt"], longest)
            async with self._client.stream("POST", "/v1/completions", json=sent) as response:
                if response.is_success:
                    self._refused |= refused
                    if longest:
                        self._longest[model] = longest
                    yield response
                    return
                await response.aread()
            reproach = response.text if response.status_code in (400, 422) else ""
            named = {name for name in OPTIONAL if name in sent and name in reproach}
            if TOO_LONG.search(reproach) and len(sent["prompt"]) > SHORTEST:
                longest = len(sent["prompt"]) // 2
            elif named:
                refused |= named
            else:
                raise _error(response)

    # --- Regarder, s'arrêter -----------------------------------------------------------------

    def count(self, text: str, key: str) -> None:
        """Son tokenizer est ailleurs."""

    def look(self, text: str, key: str) -> Look:
        """Renvoie ce que le réseau `key` pense de `text` ; lève contract.Malformed si le moteur ne le dit pas."""
        return self._wait(self._look(normalise(text), self.find(key).key))

    async def _look(self, text: str, key: str) -> Look:
        text = _end_of(text, self._longest.get(key))
        asked = {"model": key, "prompt": text, "echo": True, "logprobs": CANDIDATES, "max_tokens": 1, "temperature": 1}
        with _losses():
            async with self._writing:
                response = await self._client.post("/v1/completions", json=asked)
            if response.status_code in (400, 422, 500, 501):   # llama.cpp répond 500 à « echo »
                raise Malformed(NOT_SEEN)
            if not response.is_success:
                raise _error(response)
            seen = read_look(response.json(), text)
        if seen is None:
            raise Malformed(NOT_SEEN)
        return seen

    def attention(self, text: str, key: str) -> Attention:
        """Lève contract.Malformed : /v1/completions n'a pas de champ pour cela."""
        raise Malformed(NOT_SEEN)

    def stop(self, grace: float) -> None:
        """Laisse `grace` secondes aux textes commencés, puis les arrête."""
        self._watching.cancel()
        with self._changing:
            self._stopped = True
            self._changing.wait_for(lambda: not self._texts, grace)
            for text in self._texts:
                text.told.put(End(STOPPED))

    def _wait(self, asked: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result()


def _read_address(address: str) -> httpx.URL:
    """Renvoie l'adresse du moteur, avec ou sans le /v1 que d'autres clients demandent ; lève une WorkshopError."""
    try:
        url = httpx.URL(address if "://" in address else f"http://{address}")
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:   # on ne redit pas ce qui a pu être une clé
        raise WorkshopError(f"AURORE_MOTEUR n'est pas l'adresse d'un moteur. {EXPECTED}\n"
                            "S'il demande une clé, elle se met dans AURORE_MOTEUR_CLE.")
    return url.copy_with(path=url.path.rstrip("/").removesuffix("/v1") + "/", query=None)


def _end_of(text: str, longest: int | None) -> str:
    """Renvoie la fin de `text`, `longest` signes au plus, à partir d'un mot."""
    if longest is None or len(text) <= longest:
        return text
    return text[-longest:].partition(" ")[2] or text[-longest:]


@contextlib.contextmanager
def _losses():
    """Fait une `Lost` de tout ce qui empêche de lire une réponse."""
    try:
        yield
    except httpx.TransportError as error:
        raise Lost("ne répond pas") from error
    except (httpx.HTTPError, ValueError) as error:
        raise Lost("répond, mais pas comme un moteur") from error


def _error(response: httpx.Response) -> Exception:
    """Renvoie l'erreur que dit une réponse du moteur. Ce qu'elle raconte peut citer un texte : on ne le redit pas."""
    match response.status_code:
        case 429 | 503:
            retry_after = response.headers.get("Retry-After", "")
            return Full(float(retry_after) if retry_after.isdecimal() else COME_BACK_SECONDS)
        case 401 | 403:
            return Lost("demande une clé, ou refuse celle d'AURORE_MOTEUR_CLE")
        case 404:
            return Malformed(UNKNOWN)
        case code if 400 <= code < 500:
            return Malformed(REFUSED)
        case code:
            return Lost(f"répond par l'erreur {code}")
