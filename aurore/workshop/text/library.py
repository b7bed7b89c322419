"""Un dossier de livres, mille s'il le faut : lus par lots, à plusieurs, et gardés sur le disque à mesure.

La mémoire ne grandit pas avec le dossier : d'un lot fini, il ne reste qu'un fichier, relu page par page. Un script tué
reprend au premier lot qui manque : c'est le cache de datasets (Dataset.map), rangé là où on le retrouve.
"""

import ctypes
import functools
import hashlib
import os
import signal
import sys
import unicodedata
from pathlib import Path
from typing import NamedTuple

import multiprocess.context
import pyarrow as pa
from datasets import Dataset, Features, Value
from datasets.fingerprint import Hasher
from tqdm import tqdm

from workshop import paths
from workshop.artefacts import UNFINISHED, alone, ensure_writable
from workshop.errors import WorkshopError
from workshop.narration import count, section
from workshop.paths import shown
from workshop.sources import title_of
from workshop.text.gutenberg import check_book, foreign_language, keep_author_lines

LOT = 16             # livres par processus dans un lot : au plus, ce qu'une coupure fait relire
MOST_WORKERS = 4     # chacun occupe un peu plus de 200 Mo
LARGEST = 20e6       # octets ; lire un livre en occupe vingt fois plus
NAMED = 10           # livres mis de côté que l'on nomme à l'écran
ROOM = 5             # place qu'il faut sur le disque, en tailles du dossier : les lots, les trois parties, les textes

_DEATH_SIGNAL = 1    # PR_SET_PDEATHSIG, de <sys/prctl.h>
_FEATURES = Features(text=Value("string"), book=Value("string"), position=Value("int64"),
                     sentence_length=Value("int64"), problem=Value("string"))


def read_folder(folder, test_books, language, to_sentences, to_dataset):
    """Renvoie ({titre: jeu de données}, titres de test) des livres du dossier `folder`, sous-dossiers compris.

    `test_books` : ceux du test, par leur titre ou leur nom de fichier. Les deux fonctions sont celles de la leçon : des
    lignes d'un livre à ses phrases, puis de (titre, phrases) à son jeu de données. Un livre illisible, en double ou
    d'une autre langue que `language` est mis de côté, et annoncé.

    Lève une WorkshopError s'il n'y a pas de livre, pas d'examen, ou rien pour s'entraîner.
    """
    folder, unfinished = paths.AURORE.parent / Path(folder).expanduser(), paths.DATA / UNFINISHED
    section(f"Lire les livres de {shown(folder)}")
    files = _files(folder)
    ensure_writable(unfinished, size=ROOM * sum(path.stat().st_size for path in files))
    books, aside = _by_title(files, folder)
    test = _chosen(books, test_books, folder)
    books = {title: books[title] for title in [*test, *books]}
    print(f"{count(len(books))} livres à lire, celui du test d'abord. Coupé, le script reprend où il en était.")
    rows_by_title = {}
    with alone(unfinished):
        lots = _lots(list(books.items()), unfinished, language, (to_sentences, to_dataset))
        _read_all(lots, test)
        for lot in lots:
            for title, rows, problem in _apart(lot.rows()):
                if problem:
                    aside[_inside(folder, books[title])] = problem
                else:
                    rows_by_title[title] = rows
    _show(rows_by_title, aside)
    if len(rows_by_title) == len(test):
        raise WorkshopError(f"Il ne reste aucun livre pour s'entraîner dans {shown(folder)}.\n"
                            "Ajoutez-y des livres de Project Gutenberg, en texte brut, puis relancez la même commande.")
    return rows_by_title, test


# --- Quels livres -------------------------------------------------------------------------

def _files(folder):
    """Renvoie les chemins des .txt du dossier, dans l'ordre ; lève une WorkshopError s'il n'y en a pas."""
    if not folder.is_dir():
        raise WorkshopError(f"BOOKS vaut « {shown(folder)} » : ce dossier n'existe pas.\nMettez en haut du script le "
                            'chemin d\'un dossier de livres, ou BOOKS = "" pour ceux de TRAIN_BOOKS, puis relancez.')
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".txt" and path.is_file())
    if not files:
        raise WorkshopError(f"Il n'y a aucun fichier .txt dans {shown(folder)}.\nMettez-y des livres de Project "
                            "Gutenberg, en texte brut (« Plain Text UTF-8 »), puis relancez la même commande.")
    return files


def _inside(folder, path):
    return path.relative_to(folder).as_posix()


def _by_title(files, folder):
    """Renvoie ({titre: chemin}, {chemin dans `folder`: pourquoi ce livre est mis de côté})."""
    books, aside, known = {}, {}, {}
    for path in files:
        title = title_of(path) if path.stat().st_size <= LARGEST else None
        if title is None:
            aside[_inside(folder, path)] = f"le fichier fait plus de {LARGEST / 1e6:.0f} Mo."
        elif known.setdefault(_plain(title), path) is path:
            books[title] = path
        else:  # deux fois le même livre : l'examen pourrait avoir été lu
            aside[_inside(folder, path)] = f"« {title} » est déjà dans {_inside(folder, known[_plain(title)])}."
    return books, aside


def _plain(name):
    return " ".join(unicodedata.normalize("NFC", name).casefold().replace("’", "'").split())


def _chosen(books, test_books, folder):
    """Renvoie les titres des livres que `test_books` désigne ; lève une WorkshopError s'il en manque."""
    found = {_plain(name): title for title, path in books.items() for name in (path.stem, path.name)}
    found.update({_plain(title): title for title in books})
    missing = [name for name in test_books if _plain(name) not in found]
    if missing or not test_books:
        which = " ni ".join(f"« {name} »" for name in missing)
        raise WorkshopError(
            (f"TEST_BOOKS demande {which}, que {shown(folder)} n'a pas." if missing else "TEST_BOOKS est vide.")
            + "\nMettez-y le titre ou le nom de fichier d'un livre du dossier, puis relancez. Par exemple :"
              f'\n  TEST_BOOKS = {{"{next(iter(books), "La Mare au Diable")}": ""}}')
    return list(dict.fromkeys(found[_plain(name)] for name in test_books))


# --- Lot par lot --------------------------------------------------------------------------

class Lot(NamedTuple):
    """Des livres lus ensemble, et le fichier où sont leurs phrases."""

    books: list        # des couples (titre, chemin)
    file: Path
    language: str
    functions: tuple   # celles de la leçon
    workers: int

    def rows(self):
        """Renvoie le Dataset du lot, lu s'il ne l'est pas encore : une ligne par phrase, et une par mauvais livre."""
        titles, places = zip(*((title, str(path)) for title, path in self.books))
        table = Dataset.from_dict({"title": titles, "path": places})
        asked = {"batched": True, "batch_size": 1, "features": _FEATURES, "cache_file_name": str(self.file),
                 "remove_columns": table.column_names, "num_proc": self.workers if self.workers > 1 else None,
                 "fn_kwargs": {"language": self.language, "functions": self.functions}}
        try:
            try:
                return table.map(_read, **asked)
            except pa.ArrowInvalid:  # le lot gardé a été abîmé par une coupure de courant
                return table.map(_read, load_from_cache_file=False, **asked)
        except multiprocess.context.TimeoutError:  # ce que Ctrl-C devient dans datasets, à plusieurs
            raise KeyboardInterrupt from None


def _lots(books, unfinished, language, functions):
    """Renvoie les `Lot` de ces couples (titre, chemin), après avoir effacé ceux d'autres livres ou réglages."""
    workers = _workers()
    size = LOT * workers
    # Le premier livre seul, dans ce processus : une réponse qui manque encore s'y dit en une phrase.
    cut = [books[:1], *(books[start:start + size] for start in range(1, len(books), size))]
    lots = [Lot(some, unfinished / f"{_name(some, language, functions)}.arrow", language, functions,
                min(workers, len(some))) for some in cut]
    names = tuple(lot.file.stem for lot in lots)
    for entry in unfinished.iterdir():
        if entry.name[0] != "." and not entry.name.startswith(names):
            entry.unlink()
    return lots


def _read_all(lots, test):
    """Lit tous les lots ; lève une WorkshopError si un livre de `test` ne peut pas servir.

    Chacun est aussitôt refermé : ses pages ne pèsent pas pendant que l'on lit les suivants.
    """
    with tqdm(total=sum(len(lot.books) for lot in lots), desc="Livres", unit=" livre") as progress:
        for lot in lots:
            for title, _, problem in _apart(lot.rows()):
                if problem and title in test:
                    raise WorkshopError(f"« {title} », choisi par TEST_BOOKS, ne peut pas servir : {problem}")
            progress.update(len(lot.books))


def _workers():
    """Renvoie combien de processus lisent.

    Ailleurs que sous Linux, chacun devrait rouvrir la leçon et ses bibliothèques : un seul lit, celui-ci.
    """
    if sys.platform != "linux":
        return 1
    _tie()
    return min(MOST_WORKERS, len(os.sched_getaffinity(0)))


@functools.cache
def _tie():
    """Lie le sort des processus à venir à celui du premier : Ctrl-C ne s'adresse qu'à lui, et ils meurent avec lui.

    Sans cela, s'il est tué, ils attendent sans fin ses ordres, et gardent le verrou.
    """
    prctl = ctypes.CDLL(None).prctl

    def follow():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        prctl(_DEATH_SIGNAL, signal.SIGKILL)

    os.register_at_fork(after_in_child=follow)


def _name(lot, language, functions):
    """Renvoie le nom d'un lot, qui change avec ses fichiers, les réponses, les réglages et notre façon de nettoyer."""
    states = [(title, str(path), path.stat().st_size, path.stat().st_mtime_ns) for title, path in lot]
    cleaning = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    return hashlib.sha256(repr((states, cleaning, Hasher.hash((language, *functions)))).encode()).hexdigest()[:32]


def _read(batch, language, functions):
    """Lit un livre, dans l'un des processus : renvoie ses phrases, en colonnes, ou pourquoi il est mis de côté."""
    (title,), (path,) = batch["title"], batch["path"]
    to_sentences, to_dataset = functions
    try:
        rows = to_dataset(title, to_sentences(_author_lines(path, language)))
        if len(rows) < 2:
            raise WorkshopError("il n'a pas deux phrases assez longues.")
        return {**rows[:], "problem": [None] * len(rows)}
    except (WorkshopError, OSError) as error:
        reason = f"le fichier ne s'ouvre pas ({error.strerror})." if isinstance(error, OSError) else str(error)
        return {"text": [""], "book": [title], "position": [0], "sentence_length": [0], "problem": [reason]}


def _author_lines(path, language):
    check_book(path)
    with open(path, encoding="utf-8-sig") as book:
        lines = book.readlines()
    declared = foreign_language(lines, language)
    if declared:
        raise WorkshopError(f"l'en-tête du fichier annonce « Language: {declared} ».")
    return keep_author_lines(lines)


def _apart(lot):
    """Donne (titre, jeu de données, problème) pour chaque livre d'un lot."""
    # Sans le nom de leur fichier, datasets croit ces lignes en mémoire, et n'ajoute pas un cache par livre et par tri.
    lot = Dataset(lot.data.table)
    problems, rows, start = lot.data.column("problem"), lot.remove_columns("problem"), 0
    for book in lot.data.column("book").value_counts().to_pylist():
        yield book["values"], rows.select(range(start, start + book["counts"])), problems[start].as_py()
        start += book["counts"]


# --- Ce qu'on en dit ----------------------------------------------------------------------

def _show(rows_by_title, aside):
    sentences = sum(map(len, rows_by_title.values()))
    words = sum(sum(rows["sentence_length"][:]) for rows in rows_by_title.values())
    print(f"{count(len(rows_by_title))} livres lus : {count(sentences)} phrases, {count(words)} mots.")
    if aside:
        print(f"Mis de côté : {count(len(aside))}.")
        for name, problem in list(aside.items())[:NAMED]:
            print(f"  - {name} : {problem.splitlines()[0]}")
        if len(aside) > NAMED:
            print(f"  et {count(len(aside) - NAMED)} autres.")
