"""Les exercices, taillés dans les solutions : une seule source, qui ne peut pas diverger.

Dans une solution, une réponse tient entre deux repères, sous la phrase qui la demande :

    # TODO 1.3 : retirez les 50 premières lignes de lines.
    # >>> réponse
    without_first = lines[50:]
    # <<<

Dans l'exercice, la même place attend :

    without_first = narration.todo("1.3", lines)

Le reste est identique : `diff` ne montre que les réponses. `make exercises` écrit les exercices.
"""

import ast
import builtins
import re
import textwrap
from typing import NamedTuple

from workshop.paths import AURORE, shown

LESSONS = ("1_prepare_dataset", "2_tokenize", "3_train", "4_generate")

_TODO = re.compile(r"\s*# TODO (?P<number>\d\.\d+)(?P<optional> \(facultatif\))? : (?P<sentence>.+)")
_OPENING = re.compile(r"\s*# >>> réponse(?: \(sans elle : (?P<otherwise>.+)\))?\s*$")
_CLOSING = re.compile(r"\s*# <<<\s*$")


class Todo(NamedTuple):
    """Un TODO : sa phrase, et la place de sa réponse, lines[first:last]."""

    number: str
    sentence: str
    optional: bool
    otherwise: str | None  # l'expression qui remplace une réponse facultative
    first: int
    last: int


def find_todos(lines):
    """Renvoie les `Todo` de `lines`, dans l'ordre ; ceux dont un repère manque n'y sont pas."""
    todos = []
    starts = [position for position, line in enumerate(lines) if _TODO.match(line)]
    for start, end in zip(starts, [*starts[1:], len(lines)]):
        asked = _TODO.match(lines[start])
        opening = next((position for position in range(start, end) if _OPENING.match(lines[position])), None)
        closing = next((position for position in reversed(range(start, end)) if _CLOSING.match(lines[position])), None)
        if opening is not None and closing is not None and opening < closing:
            sentence = " ".join([asked["sentence"], *(line.strip(" #") for line in lines[start + 1:opening])])
            todos.append(Todo(asked["number"], sentence, bool(asked["optional"]),
                              _OPENING.match(lines[opening])["otherwise"], opening + 1, closing))
    return todos


def todo_line(line):
    """Renvoie le numéro du TODO que `line` annonce, ou None."""
    found = _TODO.match(line)
    return found["number"] if found else None


def is_mark(line):
    """Dit si `line` est un repère, celui qui ouvre une réponse ou celui qui la ferme."""
    return bool(_OPENING.match(line) or _CLOSING.match(line))


def check_marks(lines):
    """Lève une ValueError si, dans `lines`, un TODO n'a pas ses deux repères ou un repère pas de TODO."""
    counts = {sum(map(bool, map(mark.match, lines))) for mark in (_TODO, _OPENING, _CLOSING)}
    if counts != {len(find_todos(lines))}:
        raise ValueError("un TODO n'a pas ses deux repères, ou un repère n'a pas de TODO")


def exercise(solution):
    """Renvoie le texte de l'exercice taillé dans celui d'une solution."""
    lines = solution.splitlines()
    check_marks(lines)
    for todo in reversed(find_todos(lines)):
        answer = lines[todo.first:todo.last]
        indent = re.match(r"\s*", answer[0]).group()
        others = ast.parse("\n".join(lines[:todo.first] + [f"{indent}pass"] + lines[todo.last:]))
        lines[todo.first:todo.last] = [indent + _blank(todo, textwrap.dedent("\n".join(answer)), _names_read(others))]
    return "\n".join(lines) + "\n"


def _names_read(tree):
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _blank(todo, answer, read_elsewhere):
    """La ligne qui attend la réponse : elle donne leur nom aux résultats, et montre les ingrédients."""
    names = sorted((node for node in ast.walk(ast.parse(answer)) if isinstance(node, ast.Name)),
                   key=lambda node: (node.lineno, node.col_offset))
    given = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    results = [name for name in dict.fromkeys(node.id for node in names if isinstance(node.ctx, ast.Store))
               if name in read_elsewhere]
    ingredients = [name for name in dict.fromkeys(node.id for node in names)
                   if name not in given and not hasattr(builtins, name)]
    number = f'"{todo.number} (facultatif)"' if todo.optional else f'"{todo.number}"'
    otherwise = [f"otherwise={todo.otherwise}"] if todo.otherwise else []
    return " = ".join([*results, f"narration.todo({', '.join([number, *ingredients, *otherwise])})"])


def main():
    """Écrit les quatre exercices."""
    for lesson in LESSONS:
        solution = (AURORE / f"{lesson}_solution.py").read_text(encoding="utf-8")
        path = AURORE / f"{lesson}.py"
        path.write_text(exercise(solution), encoding="utf-8", newline="\n")
        print(f"Écrit : {shown(path)}")


if __name__ == "__main__":
    main()
