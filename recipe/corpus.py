"""Le corpus des deux réseaux : des archives de textes aux tokens, et la liste de ce qui a été lu.

    python -m recipe.corpus ARCHIVES SORTIE

ARCHIVES est le dossier des archives et de leurs manifestes (recipe/README.md). Les sept livres de
l'étape 1 sont ceux qu'elle a téléchargés : lancez-la d'abord. SORTIE reçoit la bibliothèque que lit
`recipe.pretrain` (tokens.npy et novels.json), et les deux listes de lectures.
"""

import argparse
import tarfile
from pathlib import Path

from tokenizers import Tokenizer

from recipe.novels import BASE, PARTS, SECOND, VALIDATION, joined, prepare_library
from recipe.readings import LESSON_SOURCE, alphabetical, read_manifests
from workshop.errors import WorkshopError
from workshop.learning.readings import write_list
from workshop.narration import count, table
from workshop.paths import BASE_MODEL, BOOKS
from workshop.text.fingerprints import fingerprint
from workshop.text.gutenberg import keep_author_lines, paragraphs

BASE_ARCHIVES = ("eltec-fra-without-sand", "eltec-fra-ext1-without-sand", "extra-without-sand")
SAND_ARCHIVE = "sand-other-works"
VALIDATION_NOVELS = ("FRA40002", "FRA40025", "FRA40421", "FRA41024")
# L'étape 1 écarte Indiana, une traduction ; La Mare au Diable est l'examen : personne ici ne l'ouvre.
LESSON_BOOKS = {
    "lelia_39738-0": "Lélia", "la_petite_fadette_pg34204": "La petite Fadette", "gabriel_pg13380": "Gabriel",
    "lettres_d_un_voyageur_37989-0": "Lettres d'un voyageur", "la_marquise_pg13025": "La Marquise",
    "le_meunier_d_angibault_pg13892": "Le meunier d'Angibault",
    "la_comtesse_de_rudolstadt_17225-0": "La comtesse de Rudolstadt"}
READINGS = {"readings-aurore-mini.tsv": (BASE,), "readings-aurore.tsv": (BASE, SECOND)}


def archived_texts(path):
    """Donne (nom, texte normalisé) de chaque fichier .txt d'une archive, sans l'extraire."""
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith(".txt"):
                text = archive.extractfile(member).read().decode()
                yield Path(member.name).stem, joined(text.splitlines())


def lesson_texts(folder):
    """Donne (nom, texte normalisé) des livres de l'étape 1, sans ce qui n'est pas de l'auteur.

    Lève une WorkshopError si l'un d'eux n'a pas été téléchargé.
    """
    for name in LESSON_BOOKS:
        path = folder / f"{name}.txt"
        if not path.is_file():
            raise WorkshopError(f"Il manque {path}, un livre de l'étape 1.\n"
                                "Téléchargez-les d'abord :  python aurore/1_prepare_dataset_solution.py")
        with open(path, encoding="utf-8-sig") as book:
            lines = keep_author_lines(book.readlines())
        yield name, joined(" ".join(paragraph) for paragraph in paragraphs(lines))


def gather(archives, lesson_books):
    """Renvoie (textes, parts) : {nom: texte normalisé} et {nom: part} de tout le corpus."""
    texts, parts = {}, {}
    for archive in BASE_ARCHIVES:
        texts.update(archived_texts(archives / f"{archive}.tar.xz"))
    parts.update((name, VALIDATION if name in VALIDATION_NOVELS else BASE) for name in texts)
    sand = {**dict(archived_texts(archives / f"{SAND_ARCHIVE}.tar.xz")), **dict(lesson_texts(lesson_books))}
    return {**texts, **sand}, {**parts, **dict.fromkeys(sand, SECOND)}


def main(arguments=None):
    """Prépare la bibliothèque et les listes de lectures, et montre ce qu'elles contiennent."""
    parser = argparse.ArgumentParser(prog="python -m recipe.corpus", description="Prépare le corpus des deux réseaux.")
    parser.add_argument("archives", type=Path, metavar="ARCHIVES", help="dossier des archives et des manifestes")
    parser.add_argument("output", type=Path, metavar="SORTIE", help="dossier de la bibliothèque")
    parser.add_argument("--lesson-books", type=Path, default=BOOKS, metavar="DOSSIER",
                        help="les livres de l'étape 1 (aurore/data/books)")
    settings = parser.parse_args(arguments)
    texts, parts = gather(settings.archives, settings.lesson_books)
    tokenizer = Tokenizer.from_file(str(BASE_MODEL / "tokenizer.json"))
    novels = prepare_library(texts, parts, tokenizer, settings.output)
    table(("part", "œuvres", "mots", "tokens"), [
        (part, count(len(chosen)), count(sum(novel.words for novel in chosen)),
         count(sum(novel.end - novel.start for novel in chosen)))
        for part in PARTS for chosen in [[novel for novel in novels if novel.part == part]]])
    list_readings(novels, texts, settings.archives, settings.output)


def list_readings(novels, texts, archives, folder):
    """Écrit dans `folder` les lectures d'aurore-mini, puis d'aurore : une ligne par œuvre lue."""
    works = read_manifests(archives)
    works.update((name, ("Sand, George", title, "", LESSON_SOURCE)) for name, title in LESSON_BOOKS.items())
    for file, parts in READINGS.items():
        read = [novel.name for novel in novels if novel.part in parts]
        write_list(folder / file, alphabetical([(*works[name], fingerprint(texts[name])) for name in read]))


if __name__ == "__main__":
    main()
