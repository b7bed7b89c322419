"""Où est chaque réponse dans le fichier d'une personne, repères intacts, effacés ou en double ; ce qui est à côté."""

import ast
import difflib
import re
from typing import NamedTuple

from workshop.exercises import find_todos, is_mark, todo_line


class Place(NamedTuple):
    """La place d'une réponse, lines[first:last], et l'espace qui la précède ; `marked` : ses deux repères sont là."""

    number: str
    first: int
    last: int
    indent: str
    marked: bool


def locate(lines, solution):
    """Renvoie {numéro: Place} des réponses de `lines`, dans l'ordre ; sans repères, elle se déduit de `solution`."""
    marked = {}
    for todo in find_todos(lines):
        marked.setdefault(todo.number, Place(todo.number, todo.first, todo.last, _indent(lines[todo.first - 1]), True))
    places = {}
    for todo in find_todos(solution):
        place = marked.get(todo.number) or _deduced(lines, solution, todo)
        if place:
            places[todo.number] = place
    return places


def _indent(line):
    return re.match(r"\s*", line).group()


def _deduced(lines, solution, todo):
    """Renvoie la Place de `todo` dans `lines`, où un repère manque : de sa phrase à ce qui la suit dans la solution."""
    start = next((rank for rank, line in enumerate(lines) if todo_line(line) == todo.number), None)
    if start is None:
        return None
    first = start + 1
    while first < len(lines) and lines[first].lstrip().startswith("#") and not is_mark(lines[first]):
        first += 1
    if first < len(lines) and is_mark(lines[first]):
        first += 1
    following = next((line.strip() for line in solution[todo.last + 1:] if line.strip()), None)
    end = next((rank for rank in range(first, len(lines)) if todo_line(lines[rank])), len(lines))
    last = next((rank for rank in range(first, end) if lines[rank].strip() == following or is_mark(lines[rank])), None)
    if last is None:  # rien de ce qui suit n'a été trouvé : jusqu'au TODO suivant, ou à la fonction suivante
        last = next((rank for rank in range(first, end) if re.match(r"\S", lines[rank])), end)
    return Place(todo.number, first, last, _indent(lines[start]), False)


def blank_lines(lines, number):
    """Renvoie les rangs des lignes de `lines` où narration.todo attend encore la réponse `number`."""
    blank = re.compile(rf"""(?<!#)\bnarration\.todo\(\s*["']{re.escape(number)}\b(?!\.)""")
    return [rank for rank, line in enumerate(lines) if not line.lstrip().startswith("#") and blank.search(line)]


def without_blanks(lines, number):
    """Renvoie `lines`, où les narration.todo des autres réponses que `number` ne font plus rien."""
    blank = re.compile(r"""(\s*).*\bnarration\.todo\(\s*["'](\d\.\d+)""")
    found = [(line, blank.match(line)) for line in lines]
    return [f"{match[1]}pass" if match and match[2] != number and not line.lstrip().startswith("#") else line
            for line, match in found]


def beside(lines, solution, places, number):
    """Renvoie le rang de la première ligne écrite à côté des repères du TODO `number`, ou None.

    C'est une ligne que la solution n'a pas, plus proche de cette place que d'une autre, et qui emploie ce dont
    il est question : elle donne sa valeur à ce que la réponse doit donner, ou emploie ce dont elle se sert.
    """
    place = places[number]
    todo = next(todo for todo in find_todos(solution) if todo.number == number)
    words = _words(solution, todo)
    ours = _skeleton(lines, places)
    theirs = [line.strip() for _, line in _skeleton(solution, locate(solution, solution))]
    for change, first, last, _, _ in difflib.SequenceMatcher(
            None, [line.strip() for _, line in ours], theirs, autojunk=False).get_opcodes():
        if change in ("delete", "replace"):
            for rank, line in ours[first:last]:
                nearest = min(places.values(), key=lambda one, rank=rank: max(one.first - rank, rank - one.last + 1))
                if nearest.number == place.number and words.search(line) and blank_lines([line], number) == [] and (
                        abs(rank - place.first) < 20):
                    return rank
    return None


def _words(solution, todo):
    """Renvoie l'expression qui reconnaît une réponse à `todo` : ce que celle de la solution donne, ou emploie."""
    text = "\n".join(line.strip() for line in solution[todo.first:todo.last])
    names = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)]
    given = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    if given:
        return re.compile(rf"\b(?:{'|'.join(given)})\b[^=]*=|^\s*return\b")
    return re.compile(rf"\b(?:{'|'.join(node.id for node in names)})\b")


def _skeleton(lines, places):
    """Renvoie [(rang, ligne)] de ce qui entoure les réponses : ni repère, ni commentaire, ni ligne vide."""
    inside = {rank for place in places.values() for rank in range(place.first, place.last)}
    return [(rank, line) for rank, line in enumerate(lines)
            if rank not in inside and line.strip() and not line.lstrip().startswith("#")]
