"""La page devant une salle : combien de lecteurs, à quelle vitesse, et est-ce juste ?

    python -m bench.load [--secondes 60] [--lecteurs 1 8 32 100 200] [--navigateurs] [--pages 2]

lance la vraie page, puis autant de lecteurs qui redemandent sans cesse un texte court, mot à mot, et qui reviennent
quand on les en prie. Ils sortent tous par une seule adresse, comme une salle. Avec --navigateurs, chacun a son cookie ;
avec --pages, ils passent par un nginx devant autant de pages, et la mémoire est celle de toutes.
"""

import argparse
import asyncio
import json
import math
import os
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from replicas import several_pages
from web_servers import page_process

ROOT = Path(__file__).resolve().parent.parent
ASKED = json.dumps({"amorce": "Le soir, la meunière", "longueur": "court", "stream": True}).encode()
COLUMNS = ("lecteurs", "tokens/s", "premier token, médiane (s)", "95 % (s)", "200", "503", "429",
           "équité", "sans rien", "mémoire (Mo)")


def jain(amounts: list[int]) -> float:
    """Renvoie l'indice de Jain (1984) : 1 quand chacun a eu autant, 1/n quand un seul a tout eu.

    >>> jain([2, 2, 2]), jain([3, 0, 0])
    (1.0, 0.3333333333333333)
    """
    squares = sum(amount * amount for amount in amounts)
    return sum(amounts) ** 2 / (len(amounts) * squares) if squares else 0.0


class Lap(NamedTuple):
    """Ce qu'ont reçu les lecteurs pendant un tour."""

    seconds: float
    begun: list[int]          # textes commencés, lecteur par lecteur
    tokens: int
    waits: list[float]        # secondes, de la première demande d'un texte à son premier token
    codes: Counter[int]
    memory: float             # mégaoctets, au plus haut ; NaN là où le système ne le dit pas

    def row(self) -> list[str]:
        """Renvoie la ligne du tableau."""
        waits = sorted(self.waits) or [math.nan]
        return [str(len(self.begun)), f"{self.tokens / self.seconds:.0f}", f"{statistics.median(waits):.2f}",
                f"{waits[int(0.95 * (len(waits) - 1))]:.2f}", *(str(self.codes[code]) for code in (200, 503, 429)),
                f"{jain(self.begun):.2f}", str(self.begun.count(0)), f"{self.memory:.0f}"]


class Reader:
    """Un lecteur qui redemande un texte dès que le sien est fini."""

    def __init__(self, port: int, number: int, codes: Counter[int]):
        self.port, self.number, self.codes = port, number, codes
        self.begun = self.tokens = 0
        self.waits: list[float] = []
        self.cookie = ""

    async def read(self, with_cookie: bool) -> None:
        """Lit jusqu'à ce qu'on l'arrête."""
        await asyncio.sleep(self.number * 0.005)  # une salle n'appuie pas toute à la même milliseconde
        if with_cookie:
            await self._ask(b"GET /generate", b"")
        while True:
            asked, retry_after = time.perf_counter(), None
            while (retry_after := await self._ask(b"POST /api/generate", ASKED, asked)) is not None:
                await asyncio.sleep(retry_after)

    async def _ask(self, line: bytes, body: bytes, asked: float | None = None) -> float | None:
        """Envoie une demande et lit la réponse ; renvoie dans combien de secondes revenir, si l'on en est prié."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return 1
        try:
            writer.write(line + b" HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                         + f"Cookie: {self.cookie}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            code = int(head.split(" ", 2)[1])
            if asked is None:
                found = re.search(r"^Set-Cookie: ([^;]+)", head, re.M | re.I)
                self.cookie = found[1] if found else ""
                return None
            self.codes[code] += 1
            if code != 200:
                retry = re.search(r"^Retry-After: (\d+)", head, re.M | re.I)
                return float(retry[1]) if retry else 1
            await self._count_tokens(reader, asked)
            return None
        except (OSError, asyncio.IncompleteReadError):
            return 1
        finally:
            writer.close()

    async def _count_tokens(self, reader: asyncio.StreamReader, asked: float) -> None:
        first = True
        async for line in reader:
            if line == b"event: token\n":
                self.tokens += 1
                if first:
                    first = False
                    self.begun += 1
                    self.waits.append(time.perf_counter() - asked)


async def crowd(port: int, count: int, seconds: float, browsers: bool) -> tuple[list[Reader], Counter[int]]:
    """Fait lire `count` lecteurs pendant `seconds` ; renvoie ce que chacun a reçu, et les codes des réponses."""
    codes: Counter[int] = Counter()
    readers = [Reader(port, number, codes) for number in range(count)]
    tasks = [asyncio.create_task(reader.read(browsers)) for reader in readers]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
    return readers, codes


@contextmanager
def served(pages: int) -> Iterator[tuple[int, list]]:
    """Lance la page, seule ou à plusieurs derrière un relais ; donne (le port, les processus)."""
    if pages:
        with TemporaryDirectory() as folder, several_pages(Path(folder), pages) as running:
            yield running
    else:
        with page_process(ROOT, os.environ) as page:
            yield page.port, [page]


def run_a_lap(count: int, seconds: float, browsers: bool, pages: int) -> Lap:
    """Lance la page, la fait lire par `count` lecteurs, et renvoie ce qu'ils ont reçu."""
    with served(pages) as (port, processes):
        readers, codes = asyncio.run(crowd(port, count, seconds, browsers))
        memory = sum(peak_memory(process.pid) for process in processes)
    return Lap(seconds, [reader.begun for reader in readers], sum(reader.tokens for reader in readers),
               [wait for reader in readers for wait in reader.waits], codes, memory)


def peak_memory(pid: int) -> float:
    """Renvoie, en mégaoctets, ce que le processus `pid` a occupé au plus haut ; NaN ailleurs que sous Linux."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return math.nan
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return 1024 * int(found[1]) / 1e6 if found else math.nan


def main() -> None:
    """Fait le tableau, un tour par nombre de lecteurs."""
    parser = argparse.ArgumentParser(description="La page devant une salle.")
    parser.add_argument("--secondes", type=float, default=60, help="la durée d'un tour")
    parser.add_argument("--lecteurs", type=int, nargs="+", default=[1, 8, 32, 100, 200])
    parser.add_argument("--navigateurs", action="store_true", help="chaque lecteur a son cookie")
    parser.add_argument("--pages", type=int, default=0, help="derrière nginx et Redis ; sans, la page seule")
    asked = parser.parse_args()
    print("|", " | ".join(COLUMNS), "|")
    print("|", " | ".join("---:" for _ in COLUMNS), "|", flush=True)
    for count in asked.lecteurs:
        print("|", " | ".join(run_a_lap(count, asked.secondes, asked.navigateurs, asked.pages).row()), "|", flush=True)


if __name__ == "__main__":
    main()
