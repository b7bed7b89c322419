"""Ce qui tient la place des bibliothèques le temps d'un essai, d'après ce que le script importe.

Ce qui est bon marché est vrai : les tokenizers et les configurations de transformers, les jeux de données de
datasets. La plomberie de l'atelier a des figurants, qui acceptent tout. TensorFlow et Keras aussi, sauf là où une
réponse s'en sert : elle y a un vrai réseau, minuscule (tiny_network.py), ou une doublure (doubles.py).
"""

import ast
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import sys
from types import ModuleType

HEAVY = ("tensorflow", "tf_keras", "keras")  # des secondes à importer
PURE = ("narration", "paths", "errors", "sources", "text")  # ce qui, de l'atelier, n'a d'effet sur rien


class StandIn:
    """Un figurant : il accepte tout, et ne fait rien."""

    def __init__(self, *_, **__):
        self.__dict__.update(__path__=[], __spec__=None)  # celui d'un module a des sous-modules

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        child = self.__dict__[name] = StandIn()
        return child

    def __call__(self, *_, **__):
        return StandIn()

    def __iter__(self):
        return iter(())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def __float__(self):
        return 1.0

    def __int__(self):
        return 1

    def __fspath__(self):
        return "figurant"

    def __same(self, *_):
        return self

    def __yes(self, *_):
        return True

    __getitem__ = __call__
    __len__ = __int__
    __contains__ = __lt__ = __le__ = __gt__ = __ge__ = __yes
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __same
    __floordiv__ = __rfloordiv__ = __mod__ = __pow__ = __or__ = __and__ = __same


class Overlay(ModuleType):
    """Un vrai module, dont `replace(nom)` remplace quelques attributs ; None laisse le vrai."""

    def __init__(self, real, replace):
        super().__init__(real.__name__)
        self.__dict__.update(_real=real, _replace=replace, __path__=real.__path__, __spec__=real.__spec__)

    def __getattr__(self, name):
        replaced = self._replace(name)
        return getattr(self._real, name) if replaced is None else replaced


class _Submodules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Les sous-modules d'un figurant sont des figurants."""

    def find_spec(self, fullname, path=None, target=None):  # pylint: disable=unused-argument  # ceux d'importlib
        """Renvoie de quoi importer `fullname` si le module qui le contient est un figurant."""
        if isinstance(sys.modules.get(fullname.rpartition(".")[0]), StandIn):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        """Renvoie l'attribut de ce nom, pour que « import a.b » et « a.b » soient le même."""
        parent, _, name = spec.name.rpartition(".")
        return getattr(sys.modules[parent], name)

    def exec_module(self, module):
        """N'a rien à exécuter."""


def imported(lines):
    """Renvoie les modules que le script `lines` importe : {« datasets », « workshop.narration »...}."""
    found = set()
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "workshop":
            found.update(f"workshop.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def stand_ins(lines, overlays, heavy=HEAVY):
    """Renvoie {nom: module} pour ce que le script `lines` importe et qui ne sera pas vrai.

    `overlays` : {« datasets »: replace}, ce qui est à remplacer dans une vraie bibliothèque. None fait un figurant
    de tout ce qui n'est ni de Python ni de l'atelier. `heavy` : celles de TensorFlow qui ont un figurant.
    """
    modules = {name: StandIn() for name in heavy}
    for name in imported(lines):
        top, *inner = name.split(".")
        if top == "workshop":
            if inner and inner[0] not in PURE:
                modules[f"workshop.{inner[0]}"] = StandIn()
        elif overlays is None and top not in sys.stdlib_module_names:
            modules[top] = StandIn()
    for name, module in modules.items():  # transformers cherche celui de TensorFlow
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    for name, replace in (overlays or {}).items():
        modules[name] = Overlay(importlib.import_module(name), replace)
    return modules


@contextlib.contextmanager
def on_stage(modules):
    """Met `modules` à la place des vrais, le temps d'un essai."""
    tops = tuple(f"{name}." for name, module in modules.items() if isinstance(module, StandIn))
    saved = {name: module for name, module in sys.modules.items() if name in modules or name.startswith(tops)}
    package = sys.modules["workshop"]
    attributes = {name: package.__dict__.pop(name.split(".")[1]) for name in modules
                  if name.startswith("workshop.") and name.split(".")[1] in package.__dict__}
    finder = _Submodules()
    for name in saved:
        del sys.modules[name]
    sys.modules.update(modules)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name in modules or name.startswith(tops)]:
            del sys.modules[name]
        sys.modules.update(saved)
        for name in modules:
            if name.startswith("workshop."):
                package.__dict__.pop(name.split(".")[1], None)
        package.__dict__.update({name.split(".")[1]: module for name, module in attributes.items()})
