"""Une réponse, seule : le script d'une personne, où toutes les autres réponses sont celles de la solution.

Chaque TODO se juge ainsi à part : une réponse fausse ou absente n'empêche pas de vérifier les autres.
"""

import ast
import contextlib
import inspect
import io
import sys
import textwrap
import time
import traceback
from typing import NamedTuple

from workshop.checks.explain import Wrong
from workshop.checks.places import locate, without_blanks
from workshop.checks.stand_ins import StandIn, on_stage
from workshop.errors import Unfinished

_LEAVING, _ANSWERED = "__leaving__", "__answered__"


class Call(NamedTuple):
    """Ce qu'a donné l'appel d'une fonction."""

    returned: object
    variables: dict                # celles de la fonction, à la fin
    printed: str
    error: BaseException | None    # survenue hors de la réponse, dans le code qui s'en sert
    left: bool                     # la réponse a quitté la fonction par return
    wanted: frozenset              # les variables de cette fonction dans la solution


class Answer:  # pylint: disable=too-many-instance-attributes  # le script, la place, la fonction, et ce qu'on en sait
    """La réponse au TODO `number` dans le script `lines` ; les autres viennent des lignes de `solution`.

    Avec `number` None, toutes viennent de la solution. `modules` : {nom: ce qui le remplace}, voir `stand_ins`.
    """

    def __init__(self, path, lines, solution, number, modules):
        self.path, self.modules = str(path), modules
        places = locate(lines, solution)
        self.place = places.get(number)
        inside = lines[self.place.first:self.place.last] if self.place else []
        self.text = "\n".join(inside)
        tree = _parsed(self.path, *_graft(lines, solution, places, number))
        self.function = self._function_of(tree) if self.place else _function_in(solution, number)
        self.wanted = _variables_in(solution, number)
        self._expected = _given_by(solution, number)
        self.given = _assigned(self._statements(tree)) if self.place else []
        self._tree = tree
        self.names = {"__name__": "exercise", "__file__": self.path}
        with self._on_stage():
            exec(compile(self._watched(tree), self.path, "exec"), self.names)  # pylint: disable=exec-used
            # (exécuter ce script est le but)

    def run(self, **values):
        """Appelle la fonction où est la réponse, et renvoie un `Call` ; lève l'erreur qui vient de la réponse.

        `values` : ses arguments, et ce qui remplace des noms du script ; le reste a des figurants.
        """
        function = self.names.get(self.function)
        if not callable(function):
            raise Wrong(f"la fonction {self.function} a disparu du fichier",
                        "Remettez sa ligne « def », telle qu'elle est dans la solution")
        arguments = {name: values.pop(name, StandIn()) for name in inspect.signature(function).parameters}
        self.names.update(values)
        return self._call(function, arguments)

    def run_alone(self, **values):
        """Exécute la réponse, et elle seule, avec les variables `values` ; de même."""
        statements = self._statements(self._tree) if self.place else None
        if not statements:
            return self.run(**values)
        others = _variables(next(node for node in ast.walk(self._tree) if isinstance(node, ast.FunctionDef)
                                 and node.name == self.function)) - set(values) - set(self.given) - self._expected
        arguments = {**{name: StandIn() for name in others}, **values}
        definition = ast.parse(f"def {self.function}({', '.join(arguments)}): pass").body[0]
        definition.body = statements
        module = ast.fix_missing_locations(ast.Module([definition], []))
        names = dict(self.names)
        with self._on_stage():
            exec(compile(self._watched(module), self.path, "exec"), names)  # pylint: disable=exec-used  # de même
        return self._call(names[self.function], arguments, names)

    def _call(self, function, arguments, names=None):
        seen, returned, failure = {}, None, None
        (self.names if names is None else names)[_LEAVING] = seen.update
        printed = io.StringIO()
        with self._on_stage(), contextlib.redirect_stdout(printed):
            try:
                returned = function(**arguments)
            except BaseException as error:  # pylint: disable=broad-exception-caught  # sys.exit compris
                failure = error
        if isinstance(failure, Unfinished) or (failure and self._comes_from_the_answer(failure)):
            raise failure
        answered = seen.pop(_ANSWERED, False)
        has_return = any(isinstance(node, ast.Return) for statement in self._statements(self._tree)
                         for node in ast.walk(statement)) if self.place else False
        return Call(returned, seen, printed.getvalue(), failure, has_return and not answered and failure is None,
                    self.wanted)

    def line_of(self, name=None):
        """Renvoie la ligne où la réponse donne une valeur à `name` pour la dernière fois ; sinon, sa première."""
        if self.place is None:
            return None
        stores = [node.lineno for statement in self._statements(self._tree) for node in ast.walk(statement)
                  if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name]
        first = next((rank for rank, line in enumerate(self.text.splitlines(), self.place.first + 1)
                      if line.strip() and line.strip()[0] != "#"), self.place.first + 1)
        return stores[-1] if stores else first

    def _comes_from_the_answer(self, error):
        line = line_of(error, self.path)
        return self.place is None or line is None or self.place.first < line <= self.place.last

    def _statements(self, tree):
        """Renvoie les instructions de `tree` qui sont celles de la réponse, dans le bloc où elles sont."""
        for node in ast.walk(tree):
            for block in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
                inside = [statement for statement in block if self._is_inside(statement)] \
                    if isinstance(block, list) else []
                if inside:
                    return inside
        return []

    def _is_inside(self, statement):
        return self.place.first < statement.lineno <= self.place.last

    def _function_of(self, tree):
        names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)
                 and node.lineno <= self.place.first + 1]
        return names[-1] if names else "main"

    def _watched(self, tree):
        """Renvoie `tree`, où la fonction de la réponse dit en partant ses variables, et si elle est allée au bout."""
        copy = ast.Module([_copied(node) for node in tree.body], [])
        for function in copy.body:
            if not isinstance(function, ast.FunctionDef) or function.name != self.function:
                continue
            inside = self._statements(function) if self.place else []
            for node in ast.walk(function) if inside else ():
                for block in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
                    if isinstance(block, list) and inside[-1] in block:
                        block.insert(block.index(inside[-1]) + 1, ast.parse(f"{_ANSWERED} = True").body[0])
            leaving = ast.parse(f"{_LEAVING}(locals())").body
            for node in ast.walk(leaving[0]):
                ast.copy_location(node, function)
            function.body = [ast.Try(body=function.body, handlers=[], orelse=[], finalbody=leaving)]
        return ast.fix_missing_locations(copy)

    @contextlib.contextmanager
    def _on_stage(self):
        """Met en place, le temps d'un essai, ce qui remplace les bibliothèques, le clavier et l'attente."""
        stdin, sys.stdin = sys.stdin, io.StringIO()
        sleep, time.sleep = time.sleep, _refuse_to_wait
        try:
            with on_stage(self.modules):
                yield
        finally:
            sys.stdin, time.sleep = stdin, sleep


def _refuse_to_wait(seconds):
    """Tient la place de time.sleep : attendre ne fait pas partie des exercices."""
    if seconds > 1:
        raise Wrong(f"votre réponse attend {seconds} secondes sans rien faire", "Retirez time.sleep")


def _copied(node):
    if not isinstance(node, ast.AST):
        return [_copied(item) for item in node] if isinstance(node, list) else node
    copy = type(node)(**{name: _copied(value) for name, value in ast.iter_fields(node)})
    return ast.copy_location(copy, node)


def line_of(error, path):
    """Renvoie la ligne du fichier `path` où s'est produite l'erreur, ou None."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return frames[-1] if frames else None


def _assigned(nodes):
    """Renvoie les noms que reçoivent une valeur dans `nodes`, dans l'ordre."""
    return list(dict.fromkeys(node.id for statement in nodes for node in ast.walk(statement)
                              if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)))


def _variables(function):
    """Renvoie les variables locales d'une fonction : ses paramètres, et ce qui y reçoit une valeur."""
    return set(_assigned(function.body)) | {argument.arg for argument in function.args.args}


def _function_around(lines, number):
    """Renvoie la fonction de `lines` (une solution) où est le TODO `number`."""
    place = locate(lines, lines)[number]
    functions = [node for node in ast.parse("\n".join(lines)).body if isinstance(node, ast.FunctionDef)]
    return [function for function in functions if function.lineno <= place.first + 1][-1]


def _function_in(solution, number):
    return _function_around(solution, number).name if number else None


def _variables_in(solution, number):
    return frozenset(_variables(_function_around(solution, number))) if number else frozenset()


def _given_by(solution, number):
    """Renvoie les noms auxquels la réponse de la solution donne une valeur."""
    place = locate(solution, solution).get(number)
    text = textwrap.dedent("\n".join(solution[place.first:place.last])) if place else ""
    return set(_assigned(ast.parse(text).body))


def _graft(lines, solution, places, number):
    """Renvoie (lignes du script, rang d'origine de chacune), les réponses autres que `number` remplacées."""
    answers = {todo: solution[place.first:place.last] for todo, place in locate(solution, solution).items()}
    grafted, origins, position = [], [], 0
    for todo, place in sorted(places.items(), key=lambda item: item[1].first):
        if todo != number:
            answer = _indented(answers[todo], place.indent)
            grafted += without_blanks(lines[position:place.first], number) + answer
            origins += [*range(position, place.first), *[place.first] * len(answer)]
            position = place.last
    return grafted + without_blanks(lines[position:], number), [*origins, *range(position, len(lines))]


def _indented(answer, indent):
    return textwrap.indent(textwrap.dedent("\n".join(answer)), indent).splitlines()


def _parsed(path, lines, origins):
    """Renvoie l'arbre de `lines` ; les numéros de ligne sont ceux du fichier de la personne."""
    try:
        tree = ast.parse("\n".join(lines) + "\n", path)
    except SyntaxError as error:
        error.lineno = origins[min(error.lineno or 1, len(origins)) - 1] + 1
        raise
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            node.lineno = node.end_lineno = origins[node.lineno - 1] + 1
            node.end_col_offset = node.col_offset
    return tree
