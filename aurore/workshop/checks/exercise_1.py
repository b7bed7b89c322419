"""Ce que l'on vérifie dans 1_prepare_dataset.py : les lignes des livres, puis les phrases."""

import os
import tempfile
from pathlib import Path

from workshop.checks.answer import Answer
from workshop.checks.doubles import extras
from workshop.checks.exercise_1_sentences import CHECKS as SENTENCES_CHECKS
from workshop.checks.sentences import Wrong, value_of

LINES = [f"ligne {number}\n" for number in range(400)]


def answer_in(*script):
    """Renvoie la réponse à essayer, et la doublure de get_file, qui note ses arguments dans `asked`."""
    modules = extras()
    asked = []

    def get_file(fname=None, origin=None, cache_subdir="datasets", cache_dir=None, **others):
        if origin is None:
            raise TypeError("get_file() attend origin, l'adresse du fichier")
        asked.append({"fname": fname, "origin": origin, **others})
        return os.path.join(cache_dir or "~/.keras", cache_subdir, str(fname))

    modules["tf_keras.utils"].get_file = get_file
    return Answer(*script, modules), asked


def check_download(*script):
    """TODO 1.1 : get_file reçoit l'adresse, range le fichier à sa place, et donne son chemin."""
    answer, asked = answer_in(*script)
    url, name = "https://livres.invalid/39738-0.txt", "lelia.txt"
    folder = os.path.join(os.path.abspath(os.sep), "dossier")
    call = answer.call("download_file", url, name, folder)
    if not asked:
        raise Wrong("get_file n'a pas été appelée : rien n'est téléchargé",
                    "Appelez get_file(name, origin=url, ...)")
    if asked[0]["origin"] != url:
        raise Wrong(f"l'adresse donnée à get_file (origin) est « {asked[0]['origin']} », et non url",
                    "Écrivez origin=url, et name en premier")
    path = value_of(call, "path", answer, str, Path, expected="le chemin que renvoie get_file")
    if os.path.normpath(path) != os.path.join(folder, name):
        raise Wrong(f"le fichier serait à « {Path(path).as_posix()} », et non dans folder, sous le nom name",
                    'Donnez name, cache_dir=folder et cache_subdir="" à get_file')


def check_lines(*script):
    """TODO 1.2 : toutes les lignes, dans une liste."""
    for title in ("Un conte", "Un autre conte"):
        answer, _ = answer_in(*script)
        author = [f"{title}, ligne {number}.\n" for number in range(200)]
        lines = [f"The Project Gutenberg EBook of {title}\n", "Language: French\n",
                 "*** START OF THE PROJECT GUTENBERG EBOOK ***\n", "\n", *author,
                 "*** END OF THE PROJECT GUTENBERG EBOOK ***\n"]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "livre.txt"
            path.write_text("".join(lines), encoding="utf-8")
            call = answer.call("download_files", {title: str(path)})
        read = value_of(call, "lines", answer, list, tuple, expected="la liste des lignes")
        if [str(line).rstrip("\n") for line in read] == [line.rstrip("\n") for line in lines]:
            continue
        if not read:
            raise Wrong("la liste est vide : un fichier ne se lit qu'une fois",
                        "N'appelez qu'une fois read ou readlines sur book")
        if len(read) > 2 * len(lines):
            raise Wrong("ce ne sont pas des lignes, mais des lettres ou des mots", "Employez book.readlines()")
        raise Wrong(f"il y a {len(read)} élément(s), et le fichier a {len(lines)} lignes",
                    "Prenez toutes les lignes de book, et elles seules : book.readlines()")


def _check_drop(script, name, expected, usual):
    """Compare la variable `name` à `expected` ; `usual` : [(valeur fausse, pourquoi, quoi faire)]."""
    answer, _ = answer_in(*script)
    lines = list(LINES)
    call = answer.call("drop_fixed_number_of_lines", lines)
    kept = value_of(call, name, answer, list, tuple, expected="la liste des lignes qui restent")
    if lines != LINES:
        raise Wrong("votre réponse modifie lines elle-même, dont la suite a encore besoin entière",
                    f"Laissez lines intacte, et mettez ce qui reste dans {name}, avec un slice [...:...]")
    if list(kept) == expected:
        return
    for value, why, advice in usual:
        if list(kept) == value:
            raise Wrong(why, advice)
    if not kept or kept[0] not in LINES:
        raise Wrong(f"{name} ne contient pas les lignes de lines", "Partez de la variable donnée, pas de valeurs fixes")
    raise Wrong(f"il reste {len(kept)} lignes, de « {kept[0].strip()} » à « {kept[-1].strip()} », au lieu de "
                f"{len(expected)}, de « {expected[0].strip()} » à « {expected[-1].strip()} »",
                "Revoyez les bornes du slice [début:fin] : la première ligne a le rang 0")


def check_first(*script):
    """TODO 1.3 : sans les 50 premières lignes."""
    _check_drop(script, "without_first", LINES[50:], [
        (LINES, "rien n'est retiré : un slice donne une nouvelle liste, il ne change pas l'ancienne",
         "Mettez le slice dans without_first : tout, à partir du rang 50"),
        (LINES[100:], "100 lignes sont retirées en tête : 50 et 100 sont échangés", "Retirez-en 50 en tête"),
        (LINES[:50], "ce sont les 50 premières lignes qui restent, et non les autres",
         "Mettez les deux-points après 50"),
        (LINES[:-50], "les lignes sont retirées à la fin, et non en tête", "Le nombre va avant les deux-points"),
        (LINES[-50:], "ce sont les 50 dernières lignes qui restent", "Retirez le signe moins"),
        (LINES[51:], "51 lignes sont retirées : le rang de la première est 0", "Gardez à partir du rang 50"),
        (LINES[49:], "49 lignes sont retirées : le rang de la première est 0", "Gardez à partir du rang 50")])


def check_last(*script):
    """TODO 1.4 : sans les 100 dernières lignes."""
    left = LINES[50:]
    _check_drop(script, "without_last", left[:-100], [
        (left, "rien n'est retiré : un slice donne une nouvelle liste, il ne change pas l'ancienne",
         "Mettez le slice dans without_last : tout, jusqu'au rang -100"),
        (left[:-50], "50 lignes sont retirées à la fin : 50 et 100 sont échangés", "Retirez-en 100 à la fin"),
        (left[:100], "ce sont les 100 premières lignes qui restent", "Un rang négatif compte depuis la fin : -100"),
        (left[-100:], "ce sont les 100 dernières lignes qui restent, et non les autres",
         "Mettez les deux-points avant -100"),
        (left[100:], "les lignes sont retirées en tête, et non à la fin", "Comptez depuis la fin : [:-100]"),
        (LINES[:-100], "les 50 premières lignes sont revenues", "Partez de without_first, et non de lines"),
        (left[:-101], "101 lignes sont retirées : -100 est déjà le rang de la centième en partant de la fin",
         "Écrivez [:-100]")])


CHECKS = {"1.1": check_download, "1.2": check_lines, "1.3": check_first, "1.4": check_last, **SENTENCES_CHECKS}
