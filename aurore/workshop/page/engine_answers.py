"""Lire ce que répond un moteur qui parle /v1/completions.

La forme est d'OpenAI, et chacun en prend ce qu'il veut. vLLM et notre page donnent les candidats en quatre listes,
comme elle ; llama.cpp, en objets, comme pour une conversation ; TGI n'en donne pas. Ce qui manque, ou ne se comprend
pas, ne fait perdre que les candidats ; sans texte, en revanche, c'est une ValueError.
"""

import json
import math
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any, NoReturn

from workshop.page.events import End, Look, Piece
from workshop.page.readers import CANDIDATES, UNREADABLE, shown_alone
from workshop.page.signature import Signature

# Pourquoi un texte s'est arrêté, dans les mots de chacun (les deux derniers sont de TGI), et dans ceux de la page.
ENDINGS = {"length": "longueur", "stop": "texte", "eos_token": "texte", "stop_sequence": "texte"}
STOPPED = "arret"


async def objects(received: AsyncIterable[bytes]) -> AsyncIterator[Any]:
    """Donne les objets JSON d'un flux d'événements, jusqu'à [DONE]."""
    pending = b""
    async for part in received:
        *lines, pending = (pending + part).split(b"\n")
        for line in lines:
            data = line.removeprefix(b"data:").strip()
            if data == b"[DONE]":
                return
            if line.startswith(b"data:"):   # les autres lignes disent que le moteur est toujours là
                yield json.loads(data)


def read_chunk(sent: Any) -> list[Piece | End]:
    """Renvoie ce qu'ajoute au texte un objet du flux : ses tokens, et la fin s'il l'annonce."""
    try:
        if not sent.get("choices", ["aucun"]):
            return []   # le dernier de certains ne dit que leur consommation
        choice = sent["choices"][0]
        text, pieces = UNREADABLE.sub("", choice["text"]), _pieces(choice.get("logprobs"))
        ending = choice.get("finish_reason")
    except (AttributeError, LookupError, TypeError) as error:
        _complain(error)
    if len(pieces) == 1:   # ce que le token ajoute au texte n'est pas toujours ce qu'il est à lui seul
        pieces = [pieces[0]._replace(text=text)]
    elif "".join(piece.text for piece in pieces) != text:
        pieces = [Piece(text)]
    return [*(piece for piece in pieces if piece.text), *([End(ENDINGS.get(ending, STOPPED))] if ending else [])]


def read_models(answer: Any) -> list[Signature]:
    """Renvoie les réseaux du moteur, celui qu'il nomme en premier d'abord."""
    try:
        networks = [Signature(name, None, None, name) for name in (str(one["id"]) for one in answer["data"])]
    except (LookupError, TypeError) as error:
        _complain(error)
    if not networks:
        raise ValueError("Aucun réseau.")
    return networks


def read_look(answer: Any, text: str) -> Look | None:
    """Renvoie ce que le réseau pensait de chaque token de `text`, que la réponse répète avant d'y ajouter un token ;
    None si elle ne le dit pas."""
    try:
        choice = answer["choices"][0]
        pieces, written = _pieces(choice.get("logprobs")), choice["text"]
        if pieces and not written.startswith(pieces[0].text):
            pieces = pieces[1:]   # le signe d'un début, que certains réseaux lisent avant tout texte
        if not written.startswith(text) or "".join(piece.text for piece in pieces) != UNREADABLE.sub("", written):
            return None
        has_added = choice.get("finish_reason") == "length"   # sinon, le réseau a mis fin au texte sans rien écrire
    except (AttributeError, LookupError, TypeError) as error:
        _complain(error)
    return Look(pieces[:-1], pieces[-1].candidates or []) if has_added else Look(pieces, [])


def _complain(error: Exception) -> NoReturn:
    raise ValueError("Ce n'est pas la réponse d'un moteur.") from error


def _pieces(noted: Any) -> list[Piece]:
    """Renvoie les tokens d'un « logprobs », chacun avec ses candidats ; rien s'il n'y en a pas, ou que l'on
    comprenne."""
    try:
        if noted.get("content") is not None:
            return [_piece(one["token"], one["logprob"],
                           [(other["token"], other["logprob"]) for other in one["top_logprobs"]])
                    for one in noted["content"]]
        return [_piece(token, chance, (likely or {}).items()) for token, chance, likely in zip(
            noted["tokens"], noted["token_logprobs"], noted["top_logprobs"], strict=True)]
    except (AttributeError, LookupError, TypeError, ValueError):
        return []


def _piece(token: str, chance: float | None, likely: Any) -> Piece:
    text = UNREADABLE.sub("", token)
    if chance is None:   # rien n'était attendu du premier token d'un texte
        return Piece(text)
    candidates = sorted(((shown_alone(other), _probability(log)) for other, log in likely),
                        key=lambda candidate: -candidate[1])[:CANDIDATES]
    return Piece(text, _probability(chance), candidates, _least_entropy(candidates))


def _probability(log: float) -> float:
    probability = math.exp(min(log, 0.0))   # un arrondi passe parfois zéro
    if math.isnan(probability):
        raise ValueError("Pas un nombre.")
    return probability


def _least_entropy(candidates: list[tuple[str, float]]) -> float:
    """Renvoie l'hésitation, en bits : la moindre possible, quand aucun de ceux que l'on ne connaît pas n'est plus
    probable que le dernier des `candidates`."""
    known = [chance for _, chance in candidates if chance > 0]
    rest = max(0.0, 1 - sum(known)) if known else 0.0
    return -sum(chance * math.log2(chance) for chance in known) - rest * math.log2(min(known, default=1)) + 0.0
