"""Une réponse, seule : le script d'une personne, où toutes les autres réponses sont celles de la solution.

Chaque TODO se juge ainsi à part : une réponse fausse ou absente n'empêche pas de vérifier les
autres. Les bibliothèques lourdes sont remplacées par des doublures, qui notent ce qu'on leur demande.
"""

import ast
import contextlib
import io
import sys
import traceback
from typing import NamedTuple

from workshop.checks.sentences import Wrong
from workshop.errors import Unfinished
from workshop.exercises import find_todos


class Call(NamedTuple):
    """Ce qu'a donné l'appel d'une fonction : ce qu'elle renvoie, ses variables à la fin, ce qu'elle affiche."""

    returned: object
    variables: dict
    printed: str
    error: BaseException | None  # survenue hors de la réponse, dans le code qui s'en sert


class Answer:
    """La réponse au TODO `number` dans le script `lines` ; les autres viennent des lignes de `solution`.

    Avec `number` None, toutes viennent de la solution. `modules` : {nom: doublure}.
    """

    def __init__(self, path, lines, solution, number, modules):
        self.path, self.number, self.modules = str(path), number, modules
        self.todo = next((todo for todo in find_todos(lines) if todo.number == number), None)
        self.text = "\n".join(lines[self.todo.first:self.todo.last]) if self.todo else ""
        code = _compiled(self.path, *_graft(lines, solution, number))
        self.names = {"__name__": "exercise", "__file__": self.path}
        with self._on_stage():
            exec(code, self.names)  # pylint: disable=exec-used  # exécuter ce script est le but

    def call(self, function, *arguments):
        """Appelle la fonction de ce nom et renvoie un `Call` ; lève l'erreur qui vient de la réponse elle-même."""
        if not callable(self.names.get(function)):
            raise Wrong(f"la fonction {function} a disparu du fichier",
                        "Remettez sa ligne « def », telle qu'elle est dans la solution")
        seen, returned, failure = {}, None, None
        printed = io.StringIO()

        def watch(frame, event, _):
            if event == "return" and frame.f_code.co_name == function and frame.f_code.co_filename == self.path:
                seen.update(frame.f_locals)

        with self._on_stage(), contextlib.redirect_stdout(printed):
            sys.setprofile(watch)
            try:
                returned = self.names[function](*arguments)
            except BaseException as error:  # pylint: disable=broad-exception-caught  # sys.exit compris
                failure = error
            finally:
                sys.setprofile(None)
        if isinstance(failure, Unfinished) or (failure and self._comes_from_the_answer(failure)):
            raise failure
        return Call(returned, seen, printed.getvalue(), failure)

    def _comes_from_the_answer(self, error):
        line = line_of(error, self.path)
        return self.todo is None or line is None or self.todo.first < line <= self.todo.last

    @contextlib.contextmanager
    def _on_stage(self):
        """Met les doublures à la place des bibliothèques, le temps d'un essai."""
        saved = {name: sys.modules.get(name) for name in self.modules}
        stdin, sys.stdin = sys.stdin, io.StringIO()
        sys.modules.update(self.modules)
        try:
            yield
        finally:
            sys.stdin = stdin
            for name, module in saved.items():
                if module is None:
                    del sys.modules[name]
                else:
                    sys.modules[name] = module


def line_of(error, path):
    """Renvoie la ligne du fichier `path` où s'est produite l'erreur, ou None."""
    if isinstance(error, SyntaxError):
        return error.lineno
    frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return frames[-1] if frames else None


def _graft(lines, solution, number):
    """Renvoie (lignes du script, rang d'origine de chacune), les réponses autres que `number` remplacées."""
    answers = {todo.number: solution[todo.first:todo.last] for todo in find_todos(solution)}
    grafted, origins, position = [], [], 0
    for todo in find_todos(lines):
        if todo.number != number and todo.number in answers:
            grafted += lines[position:todo.first] + answers[todo.number]
            origins += [*range(position, todo.first), *[todo.first] * len(answers[todo.number])]
            position = todo.last
    return grafted + lines[position:], [*origins, *range(position, len(lines))]


def _compiled(path, lines, origins):
    """Compile `lines` ; les numéros de ligne sont ceux du fichier de la personne."""
    try:
        tree = ast.parse("\n".join(lines) + "\n", path)
    except SyntaxError as error:
        error.lineno = origins[min(error.lineno or 1, len(origins)) - 1] + 1
        raise
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            node.lineno = node.end_lineno = origins[node.lineno - 1] + 1
            node.end_col_offset = node.col_offset
    return compile(tree, path, "exec")
