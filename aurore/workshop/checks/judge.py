"""Juger un exercice, TODO par TODO.

    python -m workshop.checks.judge RAPPORT TRACE [ready] < demandes

Les demandes sont une liste JSON de [exercice, fichier, solution, les TODO] ; le rapport reçoit une ligne de JSON
par verdict. C'est ce que lance `apart`, dans un autre processus : le code d'une personne peut ne jamais finir.
« ready » importe TensorFlow avant de lire les demandes : elles n'auront pas à l'attendre.
"""

import importlib
import json
import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

from workshop.checks.answer import Answer, line_of
from workshop.checks.clock import Clock
from workshop.checks.explain import Beside, Remark, Wrong, explain
from workshop.checks.places import beside, blank_lines, locate
from workshop.checks.stand_ins import stand_ins
from workshop.errors import Unfinished
from workshop.exercises import find_todos, todo_line
from workshop.paths import shown

DONE, WAITING, WRONG = "fait", "pas encore", "à revoir"
TIME_LIMIT = 5  # secondes de processeur par TODO ; une bonne réponse en prend un dixième d'une


class Verdict(NamedTuple):
    """Ce que l'on sait d'un TODO ; le numéro « * » désigne le fichier entier, qu'aucun essai ne peut ouvrir."""

    number: str
    state: str
    why: str = ""
    advice: str = ""


def read(path):
    """Renvoie les lignes du fichier `path` ; lève Wrong s'il n'y a rien à juger."""
    number = path.name[:1] if path.name[:1].isdigit() else "N"
    restore = f"Pour retrouver l'exercice de départ :  python aurore/verify.py --reset {number}"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise Wrong("le fichier n'existe pas", restore) from None
    except OSError:
        raise Wrong("le fichier ne peut pas être lu", f"Vérifiez les droits de {shown(path)}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[:error.start].count(b"\n") + 1
        raise Wrong(f"ligne {line} : le fichier n'est pas enregistré en UTF-8, et un accent est illisible",
                    "Dans votre éditeur, enregistrez-le de nouveau avec l'encodage UTF-8") from None
    if "\0" in text:
        raise Wrong("ligne 1 : le fichier n'est pas enregistré en UTF-8",
                    "Dans votre éditeur, enregistrez-le de nouveau avec l'encodage UTF-8")
    if not text.strip():
        raise Wrong("le fichier est vide", restore)
    return re.split(r"\r\n|\r|\n", text)


def checks_of(number):
    """Renvoie le module de l'exercice `number` : CHECKS, MISTAKES, HINTS."""
    return importlib.import_module(f"workshop.checks.exercise_{number}")


def judge(number, path, solution, first=None, todos=None):
    """Donne les `Verdict` de l'exercice `number` (1 à 4), à partir du TODO `first`, ou des seuls `todos`."""
    try:
        lines = read(path)
        Answer(path, lines, solution, None, stand_ins(solution, None))  # ce qui entoure les réponses tient-il debout ?
    except Wrong as wrong:
        yield Verdict("*", WRONG, wrong.why, wrong.advice)
        return
    except BaseException as error:  # pylint: disable=broad-exception-caught  # sys.exit compris
        line = line_of(error, path)
        yield Verdict("*", WRONG, *explain(error, line, _source(lines, line)))
        return
    checks = checks_of(number).CHECKS
    numbers = list(checks)
    for todo in todos or numbers[numbers.index(first) if first else 0:]:
        yield _judge_one(checks[todo], (path, lines, solution, todo))


def _source(lines, line):
    return lines[line - 1] if line and line <= len(lines) else ""


def _judge_one(check, script):  # pylint: disable=too-many-return-statements  # un verdict par accident
    path, lines, solution, number = script
    places = locate(lines, solution)
    try:
        _look_at_place(lines, solution, places, number)
        check(script)
    except Unfinished:
        left = blank_lines(lines, number)
        if left and number in places:
            return Verdict(number, WRONG, f"ligne {left[0] + 1} : votre réponse est à côté des repères, ou la ligne "
                           "narration.todo est restée", "Gardez votre réponse seule entre # >>> réponse et # <<<")
        return Verdict(number, WAITING, "sa réponse manque.")
    except _NotYet as waiting:
        return Verdict(number, WAITING, str(waiting))
    except Remark as remark:
        return Verdict(number, DONE, str(remark))
    except Beside as wrong:
        return Verdict(number, WRONG, wrong.why, wrong.advice)
    except Wrong as wrong:
        line = _line_of_answer(script, places, wrong)
        return Verdict(number, WRONG, (f"ligne {line} : " if line else "") + wrong.why, wrong.advice)
    except BaseException as error:  # pylint: disable=broad-exception-caught  # sys.exit compris
        line = line_of(error, path)
        return Verdict(number, WRONG, *explain(error, line, _source(lines, line)))
    return Verdict(number, DONE)


class _NotYet(Exception):
    """Rien n'a encore été écrit à cette place."""


def _look_at_place(lines, solution, places, number):
    """Lève _NotYet si la réponse manque, Beside si elle n'est pas où elle doit être."""
    announced = [rank + 1 for rank, line in enumerate(lines) if todo_line(line) == number]
    if len(announced) > 1:
        raise Beside(f"ligne {announced[1]} : le TODO {number} est en double, avec ses repères "
                     f"(lignes {announced[0]} et {announced[1]})", "Gardez-en un seul, avec votre réponse")
    place = places.get(number)
    if place is None:
        return
    inside = [line.strip() for line in lines[place.first:place.last] if line.strip() and line.strip()[0] != "#"]
    left = blank_lines(lines, number)
    left_inside = [rank for rank in left if place.first <= rank < place.last]
    written = [line for line in inside if not blank_lines([line], number) and line not in ("pass", "...")]
    if not written:
        stray = beside(lines, solution, places, number)
        if stray is not None:
            raise Beside(f"ligne {stray + 1} : votre réponse est à côté des repères",
                         f"Déplacez-la entre # >>> réponse et # <<< (lignes {place.first} et {place.last + 1})"
                         + (", à la place de narration.todo(...)" if left_inside else ""))
        outside = [rank for rank in left if rank not in left_inside]
        if outside and not left_inside:
            raise Beside(f"ligne {outside[0] + 1} : la ligne narration.todo est à côté des repères",
                         "Remettez-la, ou votre réponse, entre # >>> réponse et # <<<")
        raise _NotYet(next(todo.sentence for todo in find_todos(solution) if todo.number == number))
    if left_inside:
        raise Beside(f"ligne {left_inside[0] + 1} : votre réponse est là, mais narration.todo(...) aussi",
                     "Effacez la ligne qui contient narration.todo")
    if left:
        raise Beside(f"ligne {left[0] + 1} : la ligne narration.todo est restée, à côté des repères",
                     "Effacez cette ligne : votre réponse est bien à sa place")


def _line_of_answer(script, places, wrong):
    """Renvoie la ligne de la faute : la dernière qui donne sa valeur à la variable en cause, sinon la première."""
    path, lines, solution, number = script
    place = places.get(number)
    if place is None:
        return None
    try:
        answer = Answer(path, lines, solution, number, stand_ins(solution, None))
    except BaseException:  # pylint: disable=broad-exception-caught  # une réponse fausse peut échouer n'importe où
        return place.first + 1
    named = [name for name in answer.given if re.search(rf"\b{name}\b", wrong.why)]
    return answer.line_of((named or [None])[0])


def interrupted(trace, path, number):
    """Renvoie le Verdict d'un TODO qui a arrêté son processus ; `trace` dit où il en était, s'il durait trop."""
    places = re.findall(rf'File "{re.escape(str(path))}", line (\d+) in (.+)', trace)
    if not places:
        return Verdict(number, WRONG, "votre code arrête Python lui-même",
                       "Retirez ce qui l'arrête, os._exit par exemple")
    if all(function == "<module>" for _, function in places):  # hors de toute fonction : rien ne peut être essayé
        number = "*"
    return Verdict(number, WRONG, f"ligne {places[0][0]} : le calcul ne finit pas (plus de {TIME_LIMIT} secondes de "
                   "calcul)", "Cherchez une boucle (while, for) qui ne peut pas s'arrêter")


def main():
    """Écrit les verdicts dans le rapport, et s'arrête net au premier TODO qui n'en finit pas."""
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # pylint: disable=consider-using-with
    # (jusqu'à la fin du processus)
    with open(sys.argv[1], "w", encoding="utf-8") as report, open(sys.argv[2], "w", encoding="utf-8") as trace:
        clock = Clock(TIME_LIMIT, trace, sys.argv[1])
        if "ready" in sys.argv:
            importlib.import_module("workshop.checks.tiny_network")
        jobs = json.load(sys.stdin)
        clock.restart()
        for number, path, solution, todos in jobs:
            lines = Path(solution).read_text(encoding="utf-8").splitlines()
            for verdict in judge(number, Path(path), lines, todos=todos):
                report.write(json.dumps([number, *verdict]) + "\n")
                report.flush()
                clock.restart()
        os._exit(0)  # sans attendre les fils qu'une réponse aurait lancés


if __name__ == "__main__":
    main()
