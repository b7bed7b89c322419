"""Ce que l'on vérifie dans 1_prepare_dataset.py."""

import os
import tempfile
from pathlib import Path

from workshop.checks.answer import Answer
from workshop.checks.doubles import extras
from workshop.checks.sentences import Wrong, kind, value_of

LINES = [f"ligne {number}\n" for number in range(400)]
PARAGRAPHS = [["    — M. Jean dort, dit-elle.   \n", "  Il pleut \t\n", "encore. Entrez!\n"],
              ["   La nuit vint.  \n", "Elle chanta, puis  \n", "se tut. Qui va là?\n"]]


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
    url, name, folder = "https://livres.invalid/39738-0.txt", "lelia.txt", os.path.join("un", "dossier")
    call = answer.call("download_file", url, name, folder)
    if not asked:
        raise Wrong("get_file n'a pas été appelée : rien n'est téléchargé", "Appelez get_file(name, origin=url, ...)")
    if asked[0]["origin"] != url:
        raise Wrong(f"l'adresse donnée à get_file (origin) est « {asked[0]['origin']} », et non url",
                    "Écrivez origin=url, et name en premier")
    path = value_of(call, "path", answer, str, Path, expected="le chemin que renvoie get_file")
    if os.path.normpath(path) != os.path.join(folder, name):
        raise Wrong(f"le fichier serait à « {Path(path).as_posix()} », et non dans le dossier folder, sous le nom name",
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
            answer.names["fetch_books"] = lambda books, download, path=path, title=title: {title: path}
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
        (LINES[:50], "ce sont les 50 premières lignes qui restent, et non les autres", "Mettez les deux-points après 50"),
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


def _split(script):
    """Renvoie (réponse, appel de split_text_to_list, textes remis à normalise)."""
    answer, _ = answer_in(*script)
    texts, normalise = [], answer.names.get("normalise", str)

    def note(text):
        texts.append(text)
        return normalise(text)

    answer.names["normalise"] = note
    blank = ["\n"]
    return answer, answer.call("split_text_to_list", PARAGRAPHS[0] + blank + PARAGRAPHS[1]), texts


def check_strip(*script):
    """TODO 1.5 : les espaces de la fin, et elles seules."""
    answer, call, texts = _split(script)
    expected = [line.rstrip() for line in PARAGRAPHS[1]]
    if texts == [" ".join(line.rstrip() for line in paragraph) for paragraph in PARAGRAPHS]:
        return
    stripped = value_of(call, "stripped_lines", answer, list, tuple, expected="la liste des lignes sans espaces finales")
    if any(not isinstance(line, str) for line in stripped):
        raise Wrong(f"la liste contient {kind(stripped[0])} à la place des lignes", "Mettez-y le résultat de line.rstrip()")
    if list(stripped) == [line.strip() for line in PARAGRAPHS[1]]:
        raise Wrong("strip retire aussi les espaces du début des lignes", "Employez rstrip : r pour right, la droite")
    if list(stripped) == PARAGRAPHS[1]:
        raise Wrong("les lignes finissent encore par des espaces : rstrip donne un nouveau texte, sans changer l'ancien",
                    "Mettez dans stripped_lines ce que rstrip renvoie")
    if list(stripped) == [line.rstrip("\n") for line in PARAGRAPHS[1]]:
        raise Wrong("seule la fin de ligne est retirée, il reste des espaces", "Appelez rstrip() sans argument")
    if len(stripped) != len(expected):
        raise Wrong(f"il y a {len(stripped)} éléments pour un paragraphe de {len(expected)} lignes",
                    "Traitez chaque ligne de paragraph, une fois")
    raise Wrong("les lignes ne sont pas celles de paragraph", "Appliquez line.rstrip() à chaque line de paragraph")


def check_join(*script):
    """TODO 1.6 : un texte, les lignes séparées par une espace."""
    answer, call, texts = _split(script)
    expected = [" ".join(line.rstrip() for line in paragraph) for paragraph in PARAGRAPHS]
    if len(texts) == 2 and all(isinstance(text, str) and text.split() == wanted.split()
                               for text, wanted in zip(texts, expected)):
        return
    if not texts:
        value_of(call, "text", answer, str, expected="un texte")
    text = texts[-1]
    if text is None or not isinstance(text, str):
        raise Wrong(f"text est {kind(text)}, et non un texte", 'Écrivez " ".join(stripped_lines)')
    lines = [line.rstrip() for line in PARAGRAPHS[1]]
    if text == "".join(lines):
        raise Wrong("join sans espace colle le dernier mot d'une ligne au premier de la suivante",
                    'Mettez une espace entre les guillemets : " ".join(...)')
    if text == str(lines):
        raise Wrong("str écrit la liste avec ses crochets et ses guillemets", 'Employez join : " ".join(...)')
    if "".join(lines).replace(" ", "") == text.replace(" ", ""):
        raise Wrong("il y a des espaces à l'intérieur des mots", "Appelez join sur les lignes, et non sur un texte")
    if all(line.strip() in text for line in lines):
        raise Wrong("autre chose qu'une espace sépare les lignes", 'Mettez une espace, et rien d\'autre : " ".join(...)')
    raise Wrong("le texte n'est pas celui des lignes de stripped_lines", "Partez de stripped_lines, en entier")


def check_sentences(*script):
    """TODO 1.7 : les phrases de NLTK, ajoutées une à une."""
    answer, call, _ = _split(script)
    found = value_of(call, "sentences", answer, list, tuple, expected="la liste des phrases")
    expected = ["— M. Jean dort, dit-elle.", "Il pleut encore.", "Entrez!", "La nuit vint.", "Elle chanta, puis se tut.",
                "Qui va là?"]
    if list(found) == expected:
        return
    if any(isinstance(sentence, (list, tuple)) for sentence in found):
        raise Wrong("append ajoute la liste entière comme un seul élément", "Employez extend, qui ajoute ses éléments")
    if not found:
        raise Wrong("sentences reste vide", "Ajoutez-y ce que renvoie sentence_tokenizer.tokenize(text), avec extend")
    if list(found) == expected[3:]:
        raise Wrong("seules les phrases du dernier paragraphe restent : sentences est remplacée à chaque tour",
                    "Ajoutez à la liste, avec extend, au lieu de la remplacer")
    if any(not isinstance(sentence, str) for sentence in found):
        raise Wrong(f"sentences contient {kind(found[0])}, et non des textes", "Ajoutez-y les phrases elles-mêmes")
    if max(map(len, found)) == 1:
        raise Wrong("ce sont des lettres : extend a reçu un texte, et non la liste des phrases",
                    "Donnez à extend le résultat de sentence_tokenizer.tokenize(text)")
    joined = " ".join(expected)
    if all(" " not in word for word in found):
        raise Wrong("ce sont des mots, et non des phrases", "Employez sentence_tokenizer.tokenize(text)")
    if any(sentence.strip(" —") == "M" for sentence in found) or not any(sentence.endswith(".") for sentence in found):
        raise Wrong("couper à chaque point coupe « M. Jean » en deux, perd les points, et oublie « ! » et « ? »",
                    "Laissez NLTK chercher les fins de phrase : sentence_tokenizer.tokenize(text)")
    if len(found) == 2:
        raise Wrong("le texte est ajouté sans avoir été coupé", "Coupez-le avec sentence_tokenizer.tokenize(text)")
    if not all(sentence.strip() in joined for sentence in found):
        raise Wrong("ces phrases ne sont pas celles de text", "Ajoutez sentence_tokenizer.tokenize(text), rien d'autre")
    raise Wrong(f"il y a {len(found)} phrases, et NLTK en trouve {len(expected)}",
                "Ajoutez, à chaque paragraphe, tout sentence_tokenizer.tokenize(text)")


def check_words(*script):
    """TODO 1.8 : des mots, et non des lettres."""
    for text in ("La petite Fadette chantait.", "Il pleut sur la mare au diable ce soir la la"):
        answer, _ = answer_in(*script)
        call = answer.call("compute_sentence_length", {"text": text, "book": "Conte", "position": 0})
        length = value_of(call, "sentence_length", answer, int, expected="un nombre de mots")
        words = text.split()
        if length == len(text):
            raise Wrong("ce sont les lettres qui sont comptées", "Coupez d'abord le texte en mots, avec split()")
        if length == 3:
            raise Wrong("3 est le nombre de colonnes de la ligne", 'Prenez sentence["text"]')
        if length == len(words) - 1:
            raise Wrong("il en manque un : il y a un mot de plus que d'espaces", "Comptez les éléments de split()")
        if length == len(set(words)) != len(words):
            raise Wrong("un mot répété n'est compté qu'une fois", "Comptez tous les mots, sans set")
        if length != len(words):
            raise Wrong(f"« {text} » a {len(words)} mots, et votre réponse en compte {length}",
                        'Comptez les éléments de sentence["text"].split()')


class _Rows(dict):
    """Une partie du jeu de données : des colonnes, et un nombre de lignes."""

    num_rows = property(lambda self: len(self["text"]))

    def __len__(self):
        return len(self["text"])


def check_count(*script):
    """TODO 1.9 : autant que de phrases."""
    for texts in (["Il pleut."], ["Il pleut fort.", "Elle chante.", "Qui va là?"] * 4):
        answer, _ = answer_in(*script)
        rows = _Rows(text=texts, sentence_length=[len(text.split()) for text in texts])
        call = answer.call("count_sentences", rows)
        found = value_of(call, "sentence_count", answer, int, expected="un nombre de phrases")
        if found == sum(rows["sentence_length"]) != len(texts):
            raise Wrong("ce sont les mots qui sont comptés", 'Comptez les éléments de rows["text"]')
        if found in (sum(map(len, texts)), len(texts[0])):
            raise Wrong("ce sont des lettres qui sont comptées", 'Comptez les éléments de rows["text"]')
        if found != len(texts):
            raise Wrong(f"pour {len(texts)} phrase(s), votre réponse en compte {found}", 'Employez len(rows["text"])')


def check_pick(*script):
    """TODO 1.10 : le bon nombre, prises dans la liste, et pas toujours les premières."""
    sentences = [f"Phrase {number}." for number in range(60)]
    draws = []
    for number in (5, 3, 5, 5):
        answer, _ = answer_in(*script)
        answer.names["SEED"] = len(draws)
        call = answer.call("pick_sentences", list(sentences), number)
        picked = value_of(call, "picked", answer, list, tuple, expected="une liste de phrases")
        if not set(map(str, picked)) <= set(sentences):
            raise Wrong("ces phrases ne sont pas toutes dans sentences", "Choisissez-les dans la liste sentences")
        if len(picked) != number:
            raise Wrong(f"{len(picked)} phrases sont choisies, et number vaut {number}", "Choisissez-en number")
        draws.append(list(picked))
    if draws[0] == sentences[:5]:
        raise Wrong("ce sont toujours les premières : rien n'est tiré au hasard",
                    "Employez random.sample(sentences, number)")
    if draws[0] == draws[2] == draws[3]:
        raise Wrong("ce sont toujours les mêmes : rien n'est tiré au hasard", "Employez random.sample(sentences, number)")


CHECKS = {"1.1": check_download, "1.2": check_lines, "1.3": check_first, "1.4": check_last, "1.5": check_strip,
          "1.6": check_join, "1.7": check_sentences, "1.8": check_words, "1.9": check_count, "1.10": check_pick}
