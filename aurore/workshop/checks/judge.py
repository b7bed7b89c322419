"""Juger un exercice, TODO par TODO.

    python -m workshop.checks.judge 1 EXERCICE SOLUTION RAPPORT [PREMIER]

Le rapport reçoit une ligne de JSON par verdict. C'est ce que lance `apart`, dans un autre processus :
le code d'une personne peut ne jamais finir.
"""

import faulthandler
import importlib
import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

from workshop.checks.answer import Answer, line_of
from workshop.checks.doubles import extras
from workshop.checks.sentences import Wrong, explain
from workshop.errors import Unfinished
from workshop.exercises import find_todos
from workshop.paths import shown

DONE, WAITING, WRONG = "fait", "pas encore", "à revoir"
TIME_LIMIT = 5  # secondes par TODO ; une bonne réponse en prend un dixième d'une


class Verdict(NamedTuple):
    """Ce que l'on sait d'un TODO ; le numéro « * » désigne le fichier entier, qu'aucun essai ne peut ouvrir."""

    number: str
    state: str
    why: str = ""
    advice: str = ""


def read(path):
    """Renvoie les lignes du fichier `path` ; lève Wrong s'il n'y a rien à juger."""
    restore = f"Pour retrouver l'exercice de départ :  git checkout -- {shown(path)}"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise Wrong("le fichier n'existe pas", restore) from None
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
    return text.splitlines()


def judge(number, path, solution, first=None):
    """Donne les `Verdict` de l'exercice `number` (1 à 4), à partir du TODO `first`."""
    try:
        lines = read(path)
        Answer(path, lines, solution, None, extras())  # ce qui entoure les réponses tient-il debout ?
    except Wrong as wrong:
        yield Verdict("*", WRONG, wrong.why, wrong.advice)
        return
    except BaseException as error:  # pylint: disable=broad-exception-caught  # sys.exit compris
        yield Verdict("*", WRONG, *explain(error, line_of(error, path)))
        return
    checks = importlib.import_module(f"workshop.checks.exercise_{number}").CHECKS
    numbers = list(checks)
    for todo in numbers[numbers.index(first) if first else 0:]:
        yield _judge_one(checks[todo], path, lines, solution, todo)


def _judge_one(check, path, lines, solution, number):
    place = next((todo for todo in find_todos(lines) if todo.number == number), None)
    if place:
        answer = [line.strip() for line in lines[place.first:place.last] if line.strip() and line.strip()[0] != "#"]
        blanks = [line for line in answer if "narration.todo(" in line]
        if not set(answer) - set(blanks) - {"pass", "..."}:
            return Verdict(number, WAITING, place.sentence)
        if blanks:
            return Verdict(number, WRONG, "votre réponse est là, mais narration.todo(...) aussi",
                           "Effacez la ligne qui contient narration.todo")
    try:
        check(path, lines, solution, number)
    except Unfinished:
        return Verdict(number, WAITING, "sa réponse manque.")
    except Wrong as wrong:
        where = f"ligne {place.first + 1} : " if place else ""
        return Verdict(number, WRONG, where + wrong.why, wrong.advice)
    except BaseException as error:  # pylint: disable=broad-exception-caught  # sys.exit compris
        return Verdict(number, WRONG, *explain(error, line_of(error, path)))
    return Verdict(number, DONE)


def interrupted(trace, path, number):
    """Renvoie le Verdict d'un TODO qui a arrêté son processus ; `trace` dit où il en était, s'il durait trop."""
    places = re.findall(rf'File "{re.escape(str(path))}", line (\d+) in (.+)', trace)
    if not places:
        return Verdict(number, WRONG, "votre code arrête Python lui-même",
                       "Retirez ce qui l'arrête, os._exit par exemple")
    if any(function == "<module>" for _, function in places):  # hors de toute fonction : rien ne peut être essayé
        number = "*"
    return Verdict(number, WRONG, f"ligne {places[0][0]} : le calcul ne finit pas (plus de {TIME_LIMIT} secondes)",
                   "Cherchez une boucle (while, for) qui ne peut pas s'arrêter")


def main():
    """Écrit les verdicts dans le rapport, et s'arrête net au premier TODO qui n'en finit pas."""
    number, path, solution, report, *first = sys.argv[1:]
    sys.stdout = sys.stderr = open(  # pylint: disable=consider-using-with  # jusqu'à la fin du processus
        Path(report).with_suffix(".out"), "w", encoding="utf-8")
    trace_path = Path(report).with_suffix(".trace")
    with open(report, "w", encoding="utf-8") as verdicts, open(trace_path, "w", encoding="utf-8") as trace:
        faulthandler.dump_traceback_later(6 * TIME_LIMIT, exit=True, file=trace)
        for module in (f"workshop.checks.exercise_{number}", "workshop.text.sentences"):  # hors du temps compté
            importlib.import_module(module)
        faulthandler.dump_traceback_later(TIME_LIMIT, exit=True, file=trace)
        for verdict in judge(number, Path(path), Path(solution).read_text(encoding="utf-8").splitlines(), *first):
            verdicts.write(json.dumps(verdict) + "\n")
            verdicts.flush()
            faulthandler.dump_traceback_later(TIME_LIMIT, exit=True, file=trace)
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main()
