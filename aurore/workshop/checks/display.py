"""Ce que dit verify.py : un verdict, un indice, où l'on en est, les commandes telles qu'on les tape."""

import os
import sys
import textwrap

from workshop import narration  # en premier : règle l'affichage
from workshop.checks.apart import exercise_path, todos_of
from workshop.checks.judge import DONE, WAITING, WRONG, checks_of
from workshop.paths import here

EXERCISES = (1, 2, 3, 4)
_COLOURS = {DONE: "32", WAITING: "33", WRONG: "31"}
_BAR = 40  # signes


def command(arguments=""):
    """Renvoie la commande qui lance verify.py avec ces arguments, d'où l'on est."""
    return narration.from_here(f"python aurore/verify.py {arguments}").rstrip()


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
    print(textwrap.fill(narration.from_here(text), narration.WIDTH, initial_indent=" " * 7, subsequent_indent=" " * 7,
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


def show_hints(number, rank=1):
    """Affiche les `rank` premiers indices du TODO `number`."""
    hints = checks_of(int(number[0])).HINTS[number]
    for hint in hints[:rank]:
        print(hint)
    if rank < len(hints):
        print(f"\nEncore un peu :  {command(f'--hint {number} {rank + 1}')}")
