"""Juger des exercices dans un processus à part, que l'on peut arrêter."""

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
    with tempfile.TemporaryDirectory() as folder:
        report, trace = Path(folder) / "verdicts", Path(folder) / "trace"
        report.touch()
        finished = _run(json.dumps(jobs), report, trace)
        for number, *verdict in map(json.loads, report.read_text(encoding="utf-8").splitlines()):
            results[number][verdict[0]] = Verdict(*verdict)
        for number, path, _, wanted in jobs:
            left = _left(wanted, results[number])
            if left:
                text = trace.read_text(encoding="utf-8", errors="replace") if trace.is_file() else ""
                stopped = interrupted(text, path, left[0]) if finished else Verdict(
                    left[0], WRONG, "votre réponse attend quelque chose qui n'arrive pas",
                    "Retirez ce qui attend : une réponse, un autre programme, le réseau")
                results[number][stopped.number] = stopped
                return


def _run(jobs, report, trace):
    """Lance le processus et attend sa fin ; l'arrête, et renvoie faux, s'il ne calcule plus."""
    environment = {**os.environ, "PYTHONPATH": str(AURORE), "PYTHONDONTWRITEBYTECODE": "1", "USE_TF": "0",
                   "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "AURORE_SOURCE": "embedded"}
    with subprocess.Popen([sys.executable, "-m", "workshop.checks.judge", str(report), str(trace)], cwd=AURORE.parent,
                          stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          env=environment) as process:
        try:
            process.stdin.write(jobs.encode())
            process.stdin.close()
            pulse, since = None, time.monotonic()
            while True:
                try:
                    process.wait(1)
                    return True
                except subprocess.TimeoutExpired:
                    if report.stat().st_mtime_ns != pulse:
                        pulse, since = report.stat().st_mtime_ns, time.monotonic()
                    elif time.monotonic() - since > PATIENCE:
                        return False
        finally:
            process.kill()
