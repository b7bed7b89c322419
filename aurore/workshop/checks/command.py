"""Ce que fait verify.py : vérifier, suivre, donner un indice, comparer, remettre au début."""

import difflib
import os
import re
import shutil
import sys
import textwrap
from datetime import datetime

from workshop import narration  # en premier : règle l'affichage
from workshop.checks import quiz
from workshop.checks.apart import exercise_path, judge_all, solution_path, todos_of
from workshop.checks.judge import DONE, WAITING, WRONG, checks_of
from workshop.errors import WorkshopError
from workshop.exercises import exercise, find_todos
from workshop.paths import AURORE

EXERCISES = (1, 2, 3, 4)
_COLOURS = {DONE: "32", WAITING: "33", WRONG: "31"}
_BAR = 40  # signes


# --- Dire ---------------------------------------------------------------------------------

def here(path):
    """Renvoie `path` tel qu'on le tape d'où l'on est."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # un autre disque, sous Windows
        relative = str(path)
    shown = str(path) if relative.startswith(os.path.join("..", "..")) else relative
    return f'"{shown}"' if " " in shown else shown


def command(arguments=""):
    """Renvoie la commande qui lance verify.py avec ces arguments, d'où l'on est."""
    return f"python {here(AURORE / 'verify.py')} {arguments}".rstrip()


def coloured(state):
    """Renvoie l'état d'un TODO sur dix signes, en couleur dans un terminal qui le veut bien."""
    text = f"{state:<10}"
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    if os.name == "nt":
        os.system("")  # fait comprendre les couleurs à la console de Windows
    return f"\033[{_COLOURS[state]}m{text}\033[0m"


def say(text):
    """Affiche un paragraphe en retrait ; une commande y est celle que l'on tape d'où l'on est."""
    text = text.replace("python aurore/verify.py", command())
    print(textwrap.fill(text, narration.WIDTH, initial_indent=" " * 7, subsequent_indent=" " * 7,
                        break_long_words=False, break_on_hyphens=False))


def _sentence(text):
    text = text[0].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def show_verdict(verdict, optional=False):
    """Affiche un verdict, et ce qu'il y a à en dire."""
    print(f"  {verdict.number:<4} {coloured(verdict.state)}{' facultatif' if optional else ''}".rstrip())
    if verdict.why:
        say(_sentence(verdict.why) if verdict.state != WAITING else verdict.why[0].upper() + verdict.why[1:])
    if verdict.advice:
        say(_sentence(verdict.advice))


def show(number, verdicts):
    """Affiche les verdicts de l'exercice `number` ; renvoie vrai si tout ce qu'il faut faire est fait."""
    name = here(exercise_path(number))
    narration.section(f"Exercice {number} : {name}")
    again = f"puis relancez :  {command(number)}"
    if "*" in verdicts:
        print(f"  {coloured(WRONG)} {verdicts['*'].why}.")
        say(_sentence(verdicts["*"].advice))
        print(again.capitalize())
        return False
    optional = {todo.number for todo in todos_of(number) if todo.optional}
    for verdict in verdicts.values():
        show_verdict(verdict, verdict.number in optional)
    left = [todo for todo, verdict in verdicts.items() if verdict.state != DONE]
    right = all(todo in optional and verdicts[todo].state == WAITING for todo in left)
    if right:
        print(f"Exercice {number} : fait. Pour comparer avec la solution :\n  {command(f'--compare {number}')}\n"
              f"Deux questions pour finir :\n  {command(f'--questions {number}')}")
    if left:
        print(f"Ensuite : le TODO {left[0]}{', facultatif' if right else ''}, dans {name},\n{again}\n"
              f"Un indice :  {command(f'--hint {left[0]}')}")
    return right


def counts(results):
    """Renvoie [(exercice, (faits, tous), (facultatifs faits, tous))], et le total de l'atelier en dernier."""
    rows = []
    for number, verdicts in results.items():
        todos = todos_of(number)
        done = {todo for todo, verdict in verdicts.items() if verdict.state == DONE}
        rows.append((f"exercice {number}", *((sum(todo.number in done for todo in part), len(part)) for part in (
            [todo for todo in todos if not todo.optional], [todo for todo in todos if todo.optional]))))
    return [*rows, ("tout l'atelier", *(tuple(map(sum, zip(*column))) for column in list(zip(*rows))[1:]))]


def show_progress(results):
    """Affiche où l'on en est dans tout l'atelier."""
    narration.section("Où vous en êtes")
    narration.table(("", "faits", "facultatifs"), [
        (name, *(f"{some} sur {every}" if every else "-" for some, every in parts))
        for name, *parts in counts(results)])


def progress_bar(results):
    """Renvoie la barre de l'après-midi : « [#####-----] 5 sur 20 »."""
    _, (done, every), _ = counts(results)[-1]
    filled = round(_BAR * done / every)
    return f"[{'#' * filled}{'-' * (_BAR - filled)}] {done} sur {every}"


# --- Faire --------------------------------------------------------------------------------

def verify(numbers, only=None):
    """Juge les exercices demandés, ou le seul TODO `only` ; renvoie le code de sortie."""
    if only:
        (verdicts,) = judge_all([int(only[0])], only=only).values()
        if "*" in verdicts:
            show(int(only[0]), verdicts)
            return 1
        narration.section(f"TODO {only} : {here(exercise_path(int(only[0])))}")
        show_verdict(verdicts[only])
        if verdicts[only].state != DONE:
            print(f"Corrigez, puis relancez :  {command(only)}\nUn indice :  {command(f'--hint {only}')}")
        return 0 if verdicts[only].state == DONE else 1
    results = judge_all(EXERCISES)
    right = [show(number, results[number]) for number in numbers or EXERCISES]
    show_progress(results)
    if all(right) and len(numbers) == 1 and sys.stdin and sys.stdin.isatty() and sys.stdout.isatty():
        quiz.ask(numbers[0])
    return 0 if all(right) else 1


def show_hints(number, rank=1):
    """Affiche les `rank` premiers indices du TODO `number`."""
    hints = checks_of(int(number[0])).HINTS[number]
    for hint in hints[:rank]:
        print(hint)
    if rank < len(hints):
        print(f"\nEncore un peu :  {command(f'--hint {number} {rank + 1}')}")


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
    print(text.replace("python aurore/verify.py", command()).strip())


def _act(action, values):
    """Fait ce qu'une option demande ; renvoie le code de sortie."""
    if action == "--watch":
        from workshop.checks import watch  # pylint: disable=import-outside-toplevel,cyclic-import
        # (il se sert de ce qui est dit ici, et n'est importé que s'il faut suivre)
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
        close = difflib.get_close_matches(action, [*_ACTIONS, "--help"], 1)
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
