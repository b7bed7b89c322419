"""Juger un exercice dans un processus à part, que l'on peut arrêter."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from workshop.checks.judge import Verdict, interrupted
from workshop.exercises import LESSONS, find_todos
from workshop.paths import AURORE

PATIENCE = 60  # secondes ; au-delà, le processus lui-même ne répond plus


def todos_of(number):
    """Renvoie les `Todo` de l'exercice `number`, d'après sa solution."""
    return find_todos(_solution(number).read_text(encoding="utf-8").splitlines())


def exercise_path(number):
    """Renvoie le chemin de l'exercice `number` (1 à 4)."""
    return AURORE / f"{LESSONS[number - 1]}.py"


def _solution(number):
    return AURORE / f"{LESSONS[number - 1]}_solution.py"


def judge_apart(number, path=None):
    """Renvoie {numéro du TODO: Verdict} de l'exercice `number` ; { "*": Verdict } si le fichier ne peut s'ouvrir.

    Après un TODO qui n'en finit pas, un nouveau processus juge les suivants.
    """
    path = path or exercise_path(number)
    numbers = [todo.number for todo in todos_of(number)]
    verdicts = {}
    while "*" not in verdicts and len(verdicts) < len(numbers):
        following = numbers[len(verdicts)]
        verdicts.update(_judge_from(number, path, following))
    return verdicts


def _judge_from(number, path, first):
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "verdicts"
        command = [sys.executable, "-m", "workshop.checks.judge", str(number), str(path), str(_solution(number)),
                   str(report), first]
        try:
            subprocess.run(command, cwd=folder, timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           env={**os.environ, "PYTHONPATH": str(AURORE), "PYTHONDONTWRITEBYTECODE": "1"})
        except subprocess.TimeoutExpired:
            pass
        written = report.read_text(encoding="utf-8").splitlines() if report.is_file() else []
        verdicts = {verdict.number: verdict for verdict in (Verdict(*json.loads(line)) for line in written)}
        trace = Path(f"{report}.trace")
        numbers = [todo.number for todo in todos_of(number)]
        left = [one for one in numbers[numbers.index(first):] if one not in verdicts]
        if left and "*" not in verdicts:
            verdicts[left[0]] = interrupted(trace.read_text(encoding="utf-8") if trace.is_file() else "", path, left[0])
        return verdicts
