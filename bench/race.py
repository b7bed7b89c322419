"""Comparer des concurrents : un processus chacun, des tours de piste à tour de rôle, la médiane.

Un ordinateur ne va pas à la même vitesse d'une minute à l'autre. Mesurer les concurrents l'un
après l'autre avantagerait celui qui tombe au bon moment : ici, tous restent prêts et courent un
tour chacun, plusieurs fois.

Un concurrent est un script qui ouvre une `Track` et appelle `done` après chaque pas. `race`
lance ces scripts, leur donne le départ tour après tour et renvoie leurs résultats.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

LAP_SECONDS = 4    # un tour dure au moins cela, et au moins un pas
SLOW_SECONDS = 15  # qui met plus longtemps ne court qu'un tour


# --- Du côté du concurrent ----------------------------------------------------------------

class Track:
    """La piste, vue du concurrent. `note` est une remarque à montrer avec son résultat."""

    def __init__(self, note=""):
        self.note = note
        # Les bibliothèques écrivent ce qu'elles veulent ; la vraie sortie ne sert qu'à répondre.
        self.answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        self.warming_up = True
        self.amount = 0
        self.start = time.perf_counter()

    def done(self, amount):
        """Compte ce qu'un pas a produit ; à la fin d'un tour, répond, puis attend le départ du suivant.

        Le premier pas, où tout se prépare, est un tour à lui seul, que `race` ne compte pas.
        """
        self.amount += amount
        seconds = time.perf_counter() - self.start
        if seconds < LAP_SECONDS and not self.warming_up:
            return
        print(json.dumps({"seconds": seconds, "speed": self.amount / seconds, "memory": peak_memory(),
                          "note": self.note}), file=self.answers, flush=True)
        if not sys.stdin.readline():  # la course est finie
            sys.exit()
        self.warming_up = False
        self.amount = 0
        self.start = time.perf_counter()


def peak_memory():
    """Renvoie, en octets, ce que ce processus a occupé de mémoire au plus haut."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # Linux compte en Kio


# --- Du côté de l'arbitre -----------------------------------------------------------------

class Peer:
    """Un concurrent : le programme qui court, et ce qu'il répond."""

    def __init__(self, command, environment=None):
        """`command` : l'interpréteur et ses arguments ; `environment` : les variables à ajouter."""
        self.command = command
        self.environment = environment or {}
        self.laps = []
        self._process = self._errors = None

    @contextmanager
    def ready(self):
        """Lance le script, attend la fin de son échauffement, et l'arrête en sortant."""
        # Les réglages que l'atelier pose pour TensorFlow n'appartiennent qu'à lui.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "OPENBLAS_"))}
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors, subprocess.Popen(
                list(map(str, self.command)), env={**inherited, **self.environment}, encoding="utf-8",
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors) as process:
            self._process, self._errors = process, errors
            self._answer()
            yield

    def run_a_lap(self):
        """Fait courir un tour de plus, sauf à qui est trop lent pour en courir deux."""
        if self.laps and self.laps[0]["seconds"] > SLOW_SECONDS:
            return
        print(file=self._process.stdin, flush=True)
        self.laps.append(self._answer())

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise RuntimeError(f"{' '.join(map(str, self.command))} s'est arrêté :\n{self._errors.read()[-2000:]}")
        return json.loads(line)


class Result(NamedTuple):
    """Un résultat : quantité par seconde (médiane des tours), mémoire au plus haut en octets, remarque."""

    speed: float
    memory: int
    note: str


def race(peers, laps=5):
    """Fait courir les concurrents {nom: Peer} et renvoie {nom: Result}.

    Lève une RuntimeError si l'un d'eux s'arrête en chemin.
    """
    with ExitStack() as stack:
        for name, peer in peers.items():
            print(f"  {name}...", flush=True)
            stack.enter_context(peer.ready())
        for lap in range(laps):
            print(f"  tour {lap + 1} sur {laps}", flush=True)
            for peer in peers.values():
                peer.run_a_lap()
    return {name: Result(statistics.median(lap["speed"] for lap in peer.laps), peer.laps[-1]["memory"],
                         peer.laps[-1]["note"]) for name, peer in peers.items()}
