"""Juger des exercices dans un processus à part, que l'on peut arrêter."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from workshop.checks.judge import WRONG, Verdict, interrupted
from workshop.exercises import LESSONS, find_todos
from workshop.paths import AURORE

PATIENCE = 30  # secondes sans calcul : la réponse attend quelque chose


def todos_of(number):
    """Renvoie les `Todo` de l'exercice `number`, d'après sa solution."""
    return find_todos(solution_path(number).read_text(encoding="utf-8").splitlines())


def exercise_path(number):
    """Renvoie le chemin de l'exercice `number` (1 à 4)."""
    return AURORE / f"{LESSONS[number - 1]}.py"


def solution_path(number):
    """Renvoie le chemin de la solution de l'exercice `number`."""
    return AURORE / f"{LESSONS[number - 1]}_solution.py"


def judge_apart(number, path=None):
    """Renvoie {numéro du TODO: Verdict} de l'exercice `number` ; { "*": Verdict } si le fichier ne peut s'ouvrir."""
    return judge_all([number], path)[number]


def judge_all(numbers, path=None, only=None):
    """Renvoie {exercice: {TODO: Verdict}} d'un seul processus : les imports ne se paient qu'une fois.

    `only` ne juge qu'un TODO. Après un TODO qui n'en finit pas, un nouveau processus juge les suivants.
    """
    wanted = {number: [only] if only else [todo.number for todo in todos_of(number)] for number in numbers}
    results = {number: {} for number in numbers}
    while jobs := [[number, str(path or exercise_path(number)), str(solution_path(number)), left]
                   for number in numbers if (left := _left(wanted[number], results[number]))]:
        _judge_some(jobs, results)
    return results


def _left(wanted, verdicts):
    return [] if "*" in verdicts else [todo for todo in wanted if todo not in verdicts]


def _judge_some(jobs, results):
    """Ajoute à `results` au moins un verdict : ceux d'un processus, et celui du TODO qui l'aurait arrêté."""
    with _next_process() as process:
        finished = process.run(json.dumps(jobs))
        for number, *verdict in map(json.loads, process.report.read_text(encoding="utf-8").splitlines()):
            results[number][verdict[0]] = Verdict(*verdict)
        for number, path, _, wanted in jobs:
            left = _left(wanted, results[number])
            if left:
                text = process.trace.read_text(encoding="utf-8", errors="replace") if process.trace.is_file() else ""
                stopped = interrupted(text, path, left[0]) if finished else Verdict(
                    left[0], WRONG, "votre réponse attend quelque chose qui n'arrive pas",
                    "Retirez ce qui attend : une réponse, un autre programme, le réseau")
                results[number][stopped.number] = stopped
                return


_ahead = []  # un processus lancé d'avance, ou rien


def get_ready():
    """Lance d'avance le processus du prochain jugement : les six secondes de TensorFlow s'y passent en attendant."""
    if not _ahead:
        _ahead.append(Judge(ready="ready"))


def _next_process():
    if _ahead and _ahead[0].is_alive():
        return _ahead.pop()
    stop()
    return Judge()


def stop():
    """Arrête le processus lancé d'avance, s'il y en a un."""
    while _ahead:
        with _ahead.pop():
            pass


class Judge:
    """Un processus qui juge ce qu'on lui demande, une fois ; `ready` lui fait importer TensorFlow avant."""

    def __init__(self, ready=""):
        environment = {**os.environ, "PYTHONPATH": str(AURORE), "PYTHONDONTWRITEBYTECODE": "1",
                       "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "AURORE_SOURCE": "embedded"}
        self._folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with  # rendu par __exit__
        self.report, self.trace = (Path(self._folder.name) / name for name in ("verdicts", "trace"))
        self.report.touch()
        self._process = subprocess.Popen(  # pylint: disable=consider-using-with  # de même
            [sys.executable, "-m", "workshop.checks.judge", str(self.report), str(self.trace), ready],
            cwd=AURORE.parent, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Arrête le processus, et efface ce qu'il a écrit."""
        self._process.kill()
        with self._process:  # attend sa fin, et ferme son entrée
            self._folder.cleanup()

    def is_alive(self):
        """Dit si le processus est encore là."""
        return self._process.poll() is None

    def run(self, jobs):
        """Envoie les demandes et attend la fin du processus ; renvoie faux s'il ne calcule plus."""
        with contextlib.suppress(OSError):  # il s'est arrêté tout seul : il n'y aura pas de verdict
            self._process.stdin.write(jobs.encode())
            self._process.stdin.close()
        pulse, since = None, time.monotonic()
        while True:
            try:
                self._process.wait(1)
                return True
            except subprocess.TimeoutExpired:
                if self.report.stat().st_mtime_ns != pulse:
                    pulse, since = self.report.stat().st_mtime_ns, time.monotonic()
                elif time.monotonic() - since > PATIENCE:
                    return False
