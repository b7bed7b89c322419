"""Qui importe qui : « make structure » dessine la maison étage par étage, et refuse une flèche qui monte.

    python tests/structure.py

Un module importe ceux de sa pièce et des pièces d'en dessous, jamais d'au-dessus ni d'à côté. Le
code de sortie est 1 si une flèche monte. Un import écrit dans une fonction compte comme les autres.
"""

import ast
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent

GROUND, LESSONS = "le sol", "les leçons"
FLOORS = [  # de haut en bas ; deux pièces d'un même étage ne se voient pas
    ["recipe", "bench"],
    [LESSONS],
    ["page", "checks", "kit"],
    ["learning"],
    ["writing"],
    ["text"],
    [GROUND],
]
LEVEL = {room: len(FLOORS) - number for number, rooms in enumerate(FLOORS) for room in rooms}
PACKAGES = {"workshop", "recipe", "bench", *(f"workshop.{room}" for room in LEVEL)}


class Import(NamedTuple):
    """Une flèche : `importer` (un fichier) a besoin de `imported` (un module), à cette ligne."""

    importer: str
    line: int
    imported: str


def room_of_file(name):
    """Renvoie la pièce d'un fichier, nommé depuis la racine : « aurore/workshop/text/typography.py » → « text »."""
    parts = Path(name).parts
    if parts[0] != "aurore":
        return parts[0]
    return LESSONS if parts[1] != "workshop" else parts[2] if len(parts) > 3 else GROUND


def room_of_module(module):
    """Renvoie la pièce d'un module : « workshop.text.typography » → « text » ; None pour une bibliothèque."""
    first, *rest = module.split(".")
    if first == "workshop":
        return rest[0] if rest and rest[0] in LEVEL else GROUND
    return first if first in LEVEL else None


def imports_of(source, name):
    """Renvoie les `Import` que fait le texte `source` du fichier `name`, bibliothèques exceptées."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # « from workshop import paths » prend un module dans une pièce, « from workshop.paths import DATA » non.
            modules = ([f"{node.module}.{alias.name}" for alias in node.names] if node.module in PACKAGES
                       else [node.module])
        else:
            continue
        found += [Import(name, node.lineno, module) for module in modules if room_of_module(module)]
    return found


def house(root=ROOT):
    """Renvoie {fichier: ses `Import`} de toute la maison, moins les tests et les exercices (des leçons à trous)."""
    files = [path for folder in ("aurore", "recipe", "bench") for path in sorted((root / folder).rglob("*.py"))
             if "tests" not in path.parts and not path.with_name(f"{path.stem}_solution.py").exists()]
    names = [path.relative_to(root).as_posix() for path in files]
    return {name: imports_of(path.read_text(encoding="utf-8"), name) for path, name in zip(files, names)}


def goes_up(arrow):
    """Dit si une flèche monte, ou passe d'une pièce à sa voisine d'étage."""
    here, there = room_of_file(arrow.importer), room_of_module(arrow.imported)
    return here != there and LEVEL[there] >= LEVEL[here]


def drawing(files):
    """Renvoie le dessin : pour chaque pièce, ses fichiers, et combien de flèches vont vers chacune des autres."""
    rows = []
    for room in LEVEL:
        here = {name: arrows for name, arrows in files.items() if room_of_file(name) == room}
        modules = " ".join(Path(name).stem for name in here if not name.endswith("__init__.py"))
        targets = [room_of_module(imported) for arrows in here.values() for imported in {it.imported for it in arrows}]
        below = ", ".join(f"{other} {targets.count(other)}" for other in LEVEL if other in targets and other != room)
        rows += [textwrap.fill(modules, 110, initial_indent=f"{room:<12}", subsequent_indent=" " * 12),
                 f"{'':<10}→ {below or 'rien'}"]
    return "\n".join(rows)


def main():
    """Affiche le dessin, puis les flèches qui montent ; renvoie le code de sortie."""
    files = house()
    print(f"Qui importe qui, de haut en bas (avec le nombre de flèches)\n\n{drawing(files)}\n")
    rising = [arrow for arrows in files.values() for arrow in arrows if goes_up(arrow)]
    for importer, line, imported in rising:
        print(f"{importer}, ligne {line} : {imported} n'est pas en dessous.")
    print(f"{len(rising)} flèche(s) à retourner." if rising else "Aucune flèche ne monte.")
    return 1 if rising else 0


if __name__ == "__main__":
    sys.exit(main())
