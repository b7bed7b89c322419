"""Mes exercices sont-ils justes ?

    python aurore/verify.py              les quatre
    python aurore/verify.py 3            le troisième
    python aurore/verify.py --hint 3.2   un indice ; --hint 3.2 2 en donne un de plus

Chaque réponse est essayée à part, sur de petits exemples : ni réseau, ni étape précédente, quelques
secondes. Le code de sortie est 0 quand tout ce qui est demandé est juste.
"""

import argparse
import os
import sys
import textwrap
import tomllib
from concurrent.futures import ThreadPoolExecutor

from workshop import narration  # en premier : règle l'affichage
from workshop.checks.apart import exercise_path, judge_apart, todos_of
from workshop.checks.judge import DONE, WAITING, WRONG
from workshop.errors import WorkshopError
from workshop.paths import AURORE, shown

EXERCISES = (1, 2, 3, 4)
HINTS = AURORE / "workshop" / "hints.toml"
_COLOURS = {DONE: "32", WAITING: "33", WRONG: "31"}


def coloured(state):
    """Renvoie l'état d'un TODO sur dix signes, en couleur dans un terminal qui le veut bien."""
    text = f"{state:<10}"
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.name == "nt":
        return text
    return f"\033[{_COLOURS[state]}m{text}\033[0m"


def say(text):
    """Affiche un paragraphe en retrait."""
    print(textwrap.fill(text, narration.WIDTH, initial_indent=" " * 7, subsequent_indent=" " * 7,
                        break_long_words=False, break_on_hyphens=False))


def show(number, verdicts):
    """Affiche les verdicts de l'exercice `number` ; renvoie vrai si tout ce qu'il faut faire est fait."""
    name = shown(exercise_path(number))
    narration.section(f"Exercice {number} : {name}")
    again = f"puis relancez :  python aurore/verify.py {number}"
    if "*" in verdicts:
        print(f"  {coloured(WRONG)} {verdicts['*'].why}.")
        say(verdicts["*"].advice)
        print(again.capitalize())
        return False
    optional = {todo.number for todo in todos_of(number) if todo.optional}
    for todo, verdict in verdicts.items():
        print(f"  {todo:<4} {coloured(verdict.state)}{' facultatif' if todo in optional else ''}".rstrip())
        if verdict.state == WRONG:
            say(f"{verdict.why[0].upper()}{verdict.why[1:]}.")
            say(f"{verdict.advice}.")
        elif verdict.state == WAITING:
            say(f"{verdict.why[0].upper()}{verdict.why[1:]}")
    left = [todo for todo, verdict in verdicts.items() if verdict.state != DONE]
    right = all(todo in optional and verdicts[todo].state == WAITING for todo in left)
    if right:
        print(f"Exercice {number} : fait. Pour comparer avec la solution :\n"
              f"  git diff --no-index {name} {name.replace('.py', '_solution.py')}")
    if left:
        print(f"Ensuite : le TODO {left[0]}{', facultatif' if right else ''}, dans {name},\n{again}\n"
              f"Un indice :  python aurore/verify.py --hint {left[0]}")
    return right


def show_progress(results):
    """Affiche où l'on en est dans tout l'atelier."""
    narration.section("Où vous en êtes")
    rows = []
    for number, verdicts in results.items():
        todos = todos_of(number)
        done = {todo for todo, verdict in verdicts.items() if verdict.state == DONE}
        counts = [(sum(todo.number in done for todo in part), len(part)) for part in (
            [todo for todo in todos if not todo.optional], [todo for todo in todos if todo.optional])]
        rows.append((f"exercice {number}", *counts))
    rows.append(("tout l'atelier", *(tuple(map(sum, zip(*column))) for column in list(zip(*rows))[1:])))
    narration.table(("", "faits", "facultatifs"), [
        (name, *(f"{some} sur {every}" if every else "-" for some, every in counts)) for name, *counts in rows])


def show_hints(number, rank):
    """Affiche les `rank` premiers indices du TODO `number`."""
    hints = tomllib.loads(HINTS.read_text(encoding="utf-8"))
    if number not in hints:
        raise WorkshopError(f"Il n'y a pas de TODO {number}. Ceux qui existent : {', '.join(hints)}.")
    for hint in hints[number][:rank]:
        print(hint)
    if rank < len(hints[number]):
        print(f"\nEncore un peu :  python aurore/verify.py --hint {number} {rank + 1}")


def main():
    """Juge les exercices demandés, et renvoie le code de sortie."""
    parser = argparse.ArgumentParser(prog="python aurore/verify.py", description="Mes exercices sont-ils justes ?")
    parser.add_argument("exercises", nargs="*", type=int, metavar="1-4", help="les exercices à vérifier ; tous sinon")
    parser.add_argument("--hint", nargs="+", metavar="n.m", help="un indice pour ce TODO, par exemple 1.3")
    options = parser.parse_args()
    if options.hint:
        number, *rank = options.hint
        show_hints(number, int(rank[0]) if rank and rank[0].isdigit() else 1)
        return 0
    unknown = [number for number in options.exercises if number not in EXERCISES]
    if unknown:
        raise WorkshopError(f"Il n'y a pas d'exercice {unknown[0]} : choisissez 1, 2, 3 ou 4, par exemple\n"
                            "python aurore/verify.py 1")
    with ThreadPoolExecutor(2) as pool:
        results = dict(zip(EXERCISES, pool.map(judge_apart, EXERCISES)))
    right = [show(number, results[number]) for number in options.exercises or EXERCISES]
    show_progress(results)
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
