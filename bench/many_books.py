"""L'étape 1 sur un dossier de plus en plus gros : le temps est-il en proportion, et la mémoire tient-elle ?

    python -m bench.many_books [--livres 9 100 300 1000] [--gutenberg ../shared/gutenberg]

Les premiers livres sont les vrais ; les suivants en sont des copies, où un mot sur vingt est remplacé par un autre mot
du corpus, toujours les mêmes. Rien n'en est gardé. Sous Linux seulement : la mémoire est lue dans /proc.
"""

import argparse
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from workshop.narration import count, decimal, table
from workshop.text.gutenberg import find_markers, language_of

ROOT = Path(__file__).resolve().parent.parent
STEP_1 = "1_prepare_dataset_solution.py"
CHANGED = 0.05   # part des mots remplacés dans une copie
SEED = 42
EVERY = 0.5      # secondes entre deux mesures de la mémoire

_WORD = re.compile(r"[^\W\d_]+")


def make(folder, number, originals):
    """Remplit `folder` de `number` livres : les `originals` (des chemins), puis des copies changées des français."""
    folder.mkdir()
    for rank, path in enumerate(originals):
        shutil.copyfile(path, folder / f"{rank:04}.txt")
    books = [path.read_text(encoding="utf-8-sig").splitlines(keepends=True) for path in originals]
    books = [lines for lines in books if "French" in (language_of(lines) or "")]
    words = sorted({word for lines in books for line in lines for word in _WORD.findall(line)})
    for rank in range(len(originals), number):
        (folder / f"{rank:04}.txt").write_text(changed(books[rank % len(books)], words, rank), encoding="utf-8")


def changed(lines, words, rank):
    """Renvoie le texte d'un livre, sous un autre titre, où une part des mots de l'auteur est remplacée."""
    dice = random.Random(f"{SEED} {rank}")

    def other(word):
        return dice.choice(words) if dice.random() < CHANGED else word[0]

    start, end = find_markers(lines)
    header = [line.replace("\n", f", copie {rank}\n") if line.startswith("Title:") else line for line in lines[:start]]
    return "".join([*header, *(_WORD.sub(other, line) for line in lines[start:end]), *lines[end:]])


class Run(NamedTuple):
    """Ce qu'a coûté l'étape 1."""

    seconds: float
    resident: float   # octets, au plus haut, de tous ses processus ; une page partagée compte pour chacun
    occupied: float   # de même, une page partagée ne comptant qu'une fois
    private: float    # de cela, ce que le noyau ne peut reprendre : ni un fichier relu, ni un programme


def run(folder, atelier):
    """Lance l'étape 1 sur les livres de `folder`, dans une copie de l'atelier, et mesure."""
    shutil.copytree(ROOT / "aurore", atelier / "aurore", ignore=shutil.ignore_patterns(
        "data", "tokenizer", "model", "embedded", "__pycache__"))
    script = atelier / "aurore" / STEP_1
    text = script.read_text(encoding="utf-8")
    script.write_text(text.replace('BOOKS = ""', f'BOOKS = "{folder}"', 1), encoding="utf-8")
    began, peaks = time.monotonic(), (0.0, 0.0, 0.0)
    with (tempfile.TemporaryFile() as said,
          subprocess.Popen([sys.executable, script], stdout=subprocess.DEVNULL, stderr=said) as process):
        while process.poll() is None:
            peaks = tuple(map(max, peaks, memory(process.pid)))
            time.sleep(EVERY)
        if process.returncode:
            said.seek(0)
            sys.exit(said.read().decode())
    return Run(time.monotonic() - began, *peaks)


def memory(pid):
    """Renvoie (résidente, occupée, privée), en octets, du processus `pid` et de ceux qu'il a lancés."""
    totals = [0, 0, 0]
    for process in family(pid):
        try:
            seen = dict(re.findall(r"^(Rss|Pss|Pss_Anon): +(\d+)", Path(f"/proc/{process}/smaps_rollup").read_text(
                encoding="ascii"), re.M))
        except OSError:  # il vient de finir
            continue
        for place, name in enumerate(("Rss", "Pss", "Pss_Anon")):
            totals[place] += 1024 * int(seen.get(name, 0))
    return totals


def family(pid):
    """Donne `pid` et les processus qu'il a lancés, et ceux qu'ils ont lancés."""
    yield pid
    try:
        children = [number for path in Path(f"/proc/{pid}/task").glob("*/children")
                    for number in path.read_text(encoding="ascii").split()]
    except OSError:
        return
    for child in children:
        yield from family(int(child))


def main():
    """Fait le tableau."""
    parser = argparse.ArgumentParser(description="L'étape 1 sur un dossier de plus en plus gros.")
    parser.add_argument("--livres", type=int, nargs="+", default=[9, 100, 300, 1000])
    parser.add_argument("--gutenberg", type=Path, default=ROOT.parent / "shared" / "gutenberg")
    asked = parser.parse_args()
    originals = sorted(asked.gutenberg.rglob("*.txt"))
    if not originals:
        sys.exit(f"Il n'y a pas de livre dans {asked.gutenberg} : indiquez où ils sont, avec --gutenberg.")
    rows = []
    for number in asked.livres:
        with tempfile.TemporaryDirectory() as place:
            books = Path(place) / "livres"
            make(books, number, originals)
            size = sum(path.stat().st_size for path in books.iterdir())
            cost = run(books, Path(place))
        rows.append((count(number), f"{size / 1e6:.0f} Mo", f"{cost.seconds:.0f} s",
                     f"{decimal(size / 1e6 / cost.seconds)} Mo/s", f"{cost.resident / 1e6:.0f} Mo",
                     f"{cost.occupied / 1e6:.0f} Mo", f"{cost.private / 1e6:.0f} Mo"))
        print(rows[-1], file=sys.stderr, flush=True)
    table(("livres", "texte", "temps", "débit", "mémoire (RSS)", "partagée une fois (PSS)", "dont privée"), rows)


if __name__ == "__main__":
    main()
