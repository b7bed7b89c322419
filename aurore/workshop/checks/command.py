"""Ce que fait verify.py : vérifier, suivre, donner un indice, comparer, remettre au début."""

import difflib
import os
import re
import shutil
import sys
from datetime import datetime

from workshop import narration  # en premier : règle l'affichage
from workshop.checks import quiz, room, watch
from workshop.checks.apart import exercise_path, judge_all, solution_path, todos_of
from workshop.checks.display import EXERCISES, command, show, show_hints, show_progress, show_verdict
from workshop.checks.judge import DONE
from workshop.errors import WorkshopError
from workshop.exercises import exercise, find_todos
from workshop.paths import AURORE, here


def verify(numbers, only=None):
    """Juge les exercices demandés, ou le seul TODO `only` ; renvoie le code de sortie."""
    if only:
        results = judge_all([int(only[0])], only=only)
        room.tell(results)
        (verdicts,) = results.values()
        if "*" in verdicts:
            show(int(only[0]), verdicts)
            return 1
        narration.section(f"TODO {only} : {here(exercise_path(int(only[0])))}")
        show_verdict(verdicts[only])
        if verdicts[only].state != DONE:
            print(f"Corrigez, puis relancez :  {command(only)}\nUn indice :  {command(f'--hint {only}')}")
        return 0 if verdicts[only].state == DONE else 1
    results = judge_all(EXERCISES)
    room.tell(results)
    right = [show(number, results[number]) for number in numbers or EXERCISES]
    show_progress(results)
    if all(right) and len(numbers) == 1 and sys.stdin and sys.stdin.isatty() and sys.stdout.isatty():
        quiz.ask(numbers[0])
    return 0 if all(right) else 1


def compare(number):
    """Affiche ce qui diffère entre l'exercice et sa solution ; renvoie le code de sortie."""
    mine, theirs = exercise_path(number), solution_path(number)
    if not mine.is_file():
        raise WorkshopError(f"{here(mine)} n'existe pas.\nPour le retrouver :  {command(f'--reset {number}')}")
    texts = [path.read_text(encoding="utf-8-sig", errors="replace").splitlines() for path in (mine, theirs)]
    changes = list(difflib.unified_diff(*texts, here(mine), here(theirs), n=1, lineterm=""))
    print("\n".join(changes) if changes else f"{here(mine)} est la solution, mot pour mot.")


def reset(wanted):
    """Rend un exercice (« 3 »), ou un seul TODO (« 3.2 »), comme il était au début ; garde une copie."""
    number = int(wanted[0])
    path = exercise_path(number)
    fresh = exercise(solution_path(number).read_text(encoding="utf-8"))
    if path.is_file():
        if "." in wanted:
            fresh = _with_one_todo_fresh(path, fresh, wanted)
        what = f"le TODO {wanted}" if "." in wanted else f"l'exercice {wanted}"
        if not narration.ask(f"Remettre {what} comme au début, dans {here(path)} ? Une copie du vôtre sera gardée."):
            print("Rien n'a changé.")
            return
        copy = path.with_name(f"{path.stem}.{datetime.now():%Y-%m-%d_%H-%M-%S}.copie")
        shutil.copyfile(path, copy)
        print(f"Votre fichier est gardé :  {here(copy)}")
    path.write_text(fresh, encoding="utf-8", newline="\n")
    print(f"Remis au début :  {here(path)}")


def _with_one_todo_fresh(path, fresh, number):
    """Renvoie le texte de `path`, où la réponse `number` est de nouveau à écrire."""
    lines, fresh = path.read_text(encoding="utf-8-sig").splitlines(), fresh.splitlines()
    mine, theirs = (next((todo for todo in find_todos(text) if todo.number == number), None) for text in (lines, fresh))
    if mine is None:
        raise WorkshopError(f"Les repères du TODO {number} ne sont plus dans {here(path)}.\n"
                            f"Remettez tout l'exercice au début :  {command(f'--reset {number[0]}')}")
    return "\n".join(lines[:mine.first] + fresh[theirs.first:theirs.last] + lines[mine.last:]) + "\n"


# --- La ligne de commande -----------------------------------------------------------------

_ACTIONS = {"--hint": "n.m", "--indice": "n.m", "--watch": "", "--reset": "n", "--questions": "n", "--compare": "n"}


def _todo(text, option):
    """Renvoie `text` s'il est le numéro d'un TODO ; lève une WorkshopError qui dit lesquels existent."""
    known = [todo.number for number in EXERCISES for todo in todos_of(number)]
    if text not in known:
        mine = [one for one in known if one[0] == text[:1]]
        raise WorkshopError(f"Il n'y a pas de TODO {text}. Ceux qui existent : {', '.join(mine or known)}.\n"
                            f"Par exemple :  {command(f'{option} {(mine or known)[0]}'.strip())}")
    return text


def _exercise(text, option=""):
    if text not in map(str, EXERCISES):
        raise WorkshopError(f"Il n'y a pas d'exercice {text} : choisissez 1, 2, 3 ou 4, par exemple\n"
                            f"{command(f'{option} 1'.strip())}")
    return int(text)


def _help():
    text = re.search('"""(.*?)"""', (AURORE / "verify.py").read_text(encoding="utf-8"), re.S)[1]
    narration.say(text.strip())


def _act(action, values):
    """Fait ce qu'une option demande ; renvoie le code de sortie."""
    if action == "--watch":
        return watch.follow(_exercise(values[0], action) if values else None)
    if not values:
        raise WorkshopError(f"{action} attend un numéro :  {command(action)} {_ACTIONS[action].replace('n', '3', 1)}"
                            .replace("3.m", "3.2"))
    if action in ("--hint", "--indice"):
        rank = values[1] if len(values) > 1 else "1"
        if not rank.isdigit() or rank == "0":
            raise WorkshopError(f"« {rank} » n'est pas un nombre d'indices.\nPar exemple :  "
                                f"{command(f'--hint {values[0]} 2')}")
        show_hints(_todo(values[0], action), int(rank))
    elif action == "--questions":
        quiz.ask(_exercise(values[0], action))
    elif action == "--compare":
        compare(_exercise(values[0], action))
    else:
        reset(_todo(values[0], action) if "." in values[0] else str(_exercise(values[0], action)))
    return 0


def _parse(arguments):
    """Renvoie (option ou None, ses valeurs) ; lève une WorkshopError devant ce qui n'en est pas une."""
    options = [argument for argument in arguments if argument.startswith("-")]
    if len(options) > 1:
        raise WorkshopError(f"Une seule option à la fois : {options[0]}, ou {options[1]}.\n"
                            f"L'aide :  {command('--help')}")
    values = [argument for argument in arguments if not argument.startswith("-")]
    if not options:
        return None, values
    action, _, value = options[0].partition("=")
    if action not in (*_ACTIONS, "--help", "-h", "--aide"):
        close = difflib.get_close_matches(action, [*_ACTIONS, "--machine", "--help"], 1)
        raise WorkshopError(f"verify.py n'a pas d'option {action}"
                            f"{f' ; vouliez-vous {close[0]} ?' if close else '.'}\nL'aide :  {command('--help')}")
    return action, [value, *values] if value else values


def _run(arguments):
    action, values = _parse(arguments)
    if action in ("--help", "-h", "--aide"):
        _help()
        return 0
    if action:
        return _act(action, values)
    todos = [value for value in values if "." in value]
    if todos:
        codes = [verify([], only=_todo(todo, "")) for todo in todos]
        return max(codes)
    return verify([_exercise(value) for value in values])


def main(arguments):
    """Fait ce que dit la ligne de commande, et renvoie le code de sortie."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # « verify.py | head » : plus personne ne lit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
