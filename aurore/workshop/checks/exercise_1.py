"""L'exercice 1 : ce que l'on essaie, ce qui est faux et pourquoi, les indices."""

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import nltk.tokenize.punkt  # pylint: disable=unused-import  # ouvert avant que le temps d'un essai soit compté

from workshop.checks.answer import Answer
from workshop.checks.doubles import keras_get_file
from workshop.checks.explain import Wrong, kind, tell, value_of
from workshop.checks.stand_ins import stand_ins
from workshop.text.typography import normalise

LINES = [f"ligne {number}\n" for number in range(400)]
LEFT = LINES[50:]
BOOK = ["The Project Gutenberg EBook\n", "\n", *(f"Un conte, ligne {number}.\n" for number in range(200)), "FIN\n"]
PARAGRAPHS = [["    — M. Jean dort, dit-elle.   \n", "  Il pleut \t\n", "encore. Entrez!\n"],
              ["   La nuit vint.  \n", "Elle chanta, puis  \n", "se tut. Qui va là?\n"]]
STRIPPED = [[line.rstrip() for line in paragraph] for paragraph in PARAGRAPHS]
SENTENCES = ["— M. Jean dort, dit-elle.", "Il pleut encore.", "Entrez!",
             "La nuit vint.", "Elle chanta, puis se tut.", "Qui va là?"]

# {TODO: [(ce qui a été fait, pourquoi c'est faux, quoi faire)]} ; la première ligne qui convient est dite.
MISTAKES = {
    "1.1": [
        (lambda s: not s.asked, "get_file n'a pas été appelée : rien n'est téléchargé",
         "Appelez get_file(name, origin=url, ...)"),
        (lambda s: s.asked[0] != s.url, "l'adresse donnée à get_file (origin) est « {origin} », et non url",
         "Écrivez origin=url, sans guillemets, et name en premier"),
        (lambda s: s.name not in s.where and s.where.endswith("39738-0.txt"),
         "sans son premier argument, le fichier prend le nom qu'il a sur le site", "Donnez name à get_file en premier"),
        (lambda s: s.where != s.expected, "le fichier serait à « {where} », et non dans folder, sous le nom name",
         'Donnez name, cache_dir=folder et cache_subdir="" à get_file')],
    "1.2": [
        (lambda s: [line.rstrip("\n") for line in s.read] == [line.rstrip("\n") for line in BOOK[1:]],
         "il manque la première ligne : elle a été lue avant",
         "N'appelez qu'une fois une méthode de book : readlines()"),
        (lambda s: not s.read, "la liste est vide : un fichier ne se lit qu'une fois",
         "N'appelez qu'une fois read ou readlines sur book"),
        (lambda s: len(s.read) > 2 * len(BOOK), "ce ne sont pas des lignes, mais des lettres ou des mots",
         "Employez book.readlines()"),
        (lambda s: any(not isinstance(line, str) for line in s.read), "la liste ne contient pas les lignes elles-mêmes",
         "Mettez dans lines ce que renvoie book.readlines(), tel quel"),
        (lambda s: True, "il y a {count} élément(s), et le fichier a {total} lignes",
         "Prenez toutes les lignes de book, et elles seules : book.readlines()")],
    "1.3": [
        (lambda s: s.kept == LINES,
         "rien n'est retiré : un slice donne une nouvelle liste, il ne change pas l'ancienne",
         "Mettez le slice dans without_first : tout, à partir du rang 50"),
        (lambda s: s.kept == LINES[100:], "100 lignes sont retirées en tête : 50 et 100 sont échangés",
         "Retirez-en 50 en tête"),
        (lambda s: s.kept == LINES[:50], "ce sont les 50 premières lignes qui restent, et non les autres",
         "Mettez les deux-points après 50"),
        (lambda s: s.kept == LINES[:-50], "les lignes sont retirées à la fin, et non en tête",
         "Le nombre va avant les deux-points"),
        (lambda s: s.kept == LINES[-50:], "ce sont les 50 dernières lignes qui restent", "Retirez le signe moins"),
        (lambda s: s.kept == LINES[51:], "51 lignes sont retirées : le rang de la première est 0",
         "Gardez à partir du rang 50"),
        (lambda s: s.kept == LINES[49:], "49 lignes sont retirées : le rang de la première est 0",
         "Gardez à partir du rang 50"),
        (lambda s: s.kept == LINES[50:-100], "les 100 dernières lignes sont retirées aussi : c'est le TODO 1.4",
         "Ne retirez ici que les 50 premières")],
    "1.4": [
        (lambda s: s.kept == LEFT, "rien n'est retiré : un slice donne une nouvelle liste, il ne change pas l'ancienne",
         "Mettez le slice dans without_last : tout, jusqu'au rang -100"),
        (lambda s: s.kept == LEFT[:-50], "50 lignes sont retirées à la fin : 50 et 100 sont échangés",
         "Retirez-en 100 à la fin"),
        (lambda s: s.kept == LEFT[:100], "ce sont les 100 premières lignes qui restent",
         "Un rang négatif compte depuis la fin : -100"),
        (lambda s: s.kept == LEFT[-100:], "ce sont les 100 dernières lignes qui restent, et non les autres",
         "Mettez les deux-points avant -100"),
        (lambda s: s.kept == LEFT[100:], "les lignes sont retirées en tête, et non à la fin",
         "Comptez depuis la fin : [:-100]"),
        (lambda s: s.kept == LINES[:-100], "les 50 premières lignes sont revenues",
         "Partez de without_first, et non de lines"),
        (lambda s: s.kept == LEFT[:-101],
         "101 lignes sont retirées : -100 est déjà le rang de la centième en partant de la fin", "Écrivez [:-100]"),
        (lambda s: s.kept == LEFT[:-99], "99 lignes sont retirées : la borne d'un slice est exclue",
         "Écrivez [:-100]")],
    "drop": [
        (lambda s: not s.kept or s.kept[0] not in LINES, "{name} ne contient pas les lignes de lines",
         "Partez de la variable donnée, pas de valeurs fixes"),
        (lambda s: True, "il reste {count} lignes, de « {first} » à « {last} », au lieu de {total}, "
         "de « {expected_first} » à « {expected_last} »",
         "Revoyez les bornes du slice [début:fin] : la première ligne a le rang 0")],
    "1.5": [
        (lambda s: all(callable(line) for line in s.lines), "rstrip n'est pas appelée : la liste contient la méthode "
         "elle-même", "Ajoutez les parenthèses : line.rstrip()"),
        (lambda s: any(not isinstance(line, str) for line in s.lines),
         "la liste contient {other} à la place des lignes",
         "Mettez-y le résultat de line.rstrip()"),
        (lambda s: s.lines == [line.strip() for line in s.paragraph],
         "strip retire aussi les espaces du début des lignes",
         "Employez rstrip : r pour right, la droite"),
        (lambda s: s.lines == [line.lstrip() for line in s.paragraph],
         "lstrip retire les espaces du début, et non de la "
         "fin", "Employez rstrip : r pour right, la droite"),
        (lambda s: s.lines == s.paragraph and "rstrip(" in s.answer and "rstrip()" not in s.answer,
         "il reste la fin de ligne, et les espaces avant elle",
         "Appelez rstrip() sans argument : elle retire tout cela"),
        (lambda s: s.lines == s.paragraph,
         "il reste des espaces à la fin : rstrip donne un nouveau texte, sans changer l'ancien",
         "Mettez dans stripped_lines ce que rstrip renvoie"),
        (lambda s: s.lines == [line.rstrip("\n") for line in s.paragraph],
         "seule la fin de ligne est retirée, il reste des espaces", "Appelez rstrip() sans argument"),
        (lambda s: all(len(line) == 1 for line in s.lines) and len(s.lines) > 9,
         "ce sont des lettres, et non des lignes",
         "Appliquez line.rstrip() à chaque line de paragraph, et gardez-les dans une liste"),
        (lambda s: len(s.lines) != len(s.stripped), "il y a {count} éléments pour un paragraphe de {total} lignes",
         "Traitez chaque ligne de paragraph, une fois"),
        (lambda s: True, "les lignes ne sont pas celles de paragraph",
         "Appliquez line.rstrip() à chaque line de paragraph")],
    "1.6": [
        (lambda s: s.text == "".join(s.lines), "join sans espace colle le dernier mot d'une ligne au premier de la "
         "suivante", 'Mettez une espace entre les guillemets : " ".join(...)'),
        (lambda s: s.text == str(s.lines), "str écrit la liste avec ses crochets et ses guillemets",
         'Employez join : " ".join(...)'),
        (lambda s: s.text == "\n".join(s.lines), "les lignes sont encore séparées par une fin de ligne",
         'Mettez une espace entre les guillemets : " ".join(...)'),
        (lambda s: s.text == " ".join("".join(s.lines)) or s.text == " ".join(" ".join(s.lines)),
         "il y a des espaces à l'intérieur des mots", "Appelez join sur les lignes, et non sur un texte"),
        (lambda s: s.text.strip() == " ".join(s.paragraph).strip(), "ce sont les lignes de paragraph, dont les espaces "
         "de droite sont toujours là", "Partez de stripped_lines"),
        (lambda s: s.text.split() == " ".join(s.lines).split() and "  " in s.text,
         "il y a plusieurs espaces entre deux lignes", 'N\'en mettez qu\'une entre les guillemets : " ".join(...)'),
        (lambda s: all(line.strip() in s.text for line in s.lines), "autre chose qu'une espace sépare les lignes",
         'Mettez une espace, et elle seule : " ".join(...)'),
        (lambda s: True, "le texte n'est pas celui des lignes de stripped_lines",
         "Partez de stripped_lines, en entier")],
    "1.7": [
        (lambda s: any(isinstance(sentence, list) for sentence in s.found),
         "append ajoute la liste entière comme un seul élément, et insert de même",
         "Employez extend, qui ajoute ses éléments"),
        (lambda s: not s.found, "sentences reste vide",
         "Ajoutez-y ce que renvoie sentence_tokenizer.tokenize(text), avec extend"),
        (lambda s: s.found == SENTENCES[3:],
         "seules les phrases du dernier paragraphe restent : sentences est remplacée à chaque tour",
         "Ajoutez à la liste, avec extend, au lieu de la remplacer"),
        (lambda s: s.found == SENTENCES[3:] + SENTENCES[:3], "les paragraphes sont dans l'autre sens",
         "Ajoutez à la fin de la liste, avec extend"),
        (lambda s: any(not isinstance(sentence, str) for sentence in s.found),
         "sentences contient {other}, et non des textes", "Ajoutez-y les phrases elles-mêmes"),
        (lambda s: max(map(len, s.found)) == 1,
         "ce sont des lettres : un texte a été ajouté signe par signe, et non la liste des phrases",
         "Donnez à extend le résultat de sentence_tokenizer.tokenize(text)"),
        (lambda s: all(" " not in word for word in s.found), "ce sont des mots, et non des phrases",
         "Employez sentence_tokenizer.tokenize(text)"),
        (lambda s: len(s.found) == 2 and " ".join(s.found) == " ".join(SENTENCES), "le texte est ajouté sans avoir été "
         "coupé", "Coupez-le avec sentence_tokenizer.tokenize(text)"),
        (lambda s: any(sentence.strip(" —") in ("M", "M.") for sentence in s.found)
         or not any(sentence.endswith(".") for sentence in s.found),
         "couper à chaque point coupe « M. Jean » en deux, perd les points, et oublie « ! » et « ? »",
         "Laissez NLTK chercher les fins de phrase : sentence_tokenizer.tokenize(text)"),
        (lambda s: len(s.found) > len(SENTENCES) and set(s.found) == set(SENTENCES),
         "des phrases sont ajoutées plusieurs fois", "N'ajoutez qu'une fois sentence_tokenizer.tokenize(text)"),
        (lambda s: not all(sentence.strip() in " ".join(SENTENCES) for sentence in s.found),
         "ces phrases ne sont pas celles de text", "Ajoutez sentence_tokenizer.tokenize(text), rien d'autre"),
        (lambda s: True, "il y a {count} phrases, et NLTK en trouve {total}",
         "Ajoutez, à chaque paragraphe, tout sentence_tokenizer.tokenize(text)")],
    "1.8": [
        (lambda s: s.length == len(s.text), "ce sont les lettres qui sont comptées",
         "Coupez d'abord le texte en mots, avec split()"),
        (lambda s: s.length == 3, "3 est le nombre de colonnes de la ligne", 'Prenez sentence["text"]'),
        (lambda s: s.length == len(s.text.split(".")), "split(\".\") coupe aux points, et compte des phrases",
         "Appelez split() sans argument : elle coupe aux espaces"),
        (lambda s: s.length == len(s.words) - 1, "il en manque un : il y a un mot de plus que d'espaces",
         "Comptez les éléments de split()"),
        (lambda s: s.length == len(set(s.words)), "un mot répété n'est compté qu'une fois",
         "Comptez tous les mots, sans set"),
        (lambda s: True, "« {text} » a {total} mots, et votre réponse en compte {length}",
         'Comptez les éléments de sentence["text"].split()')],
    "1.9": [
        (lambda s: s.count == s.words != s.total, "ce sont les mots qui sont comptés",
         'Comptez les éléments de rows["text"]'),
        (lambda s: s.count in s.letters, "ce sont des lettres qui sont comptées",
         'Comptez les éléments de rows["text"]'),
        (lambda s: s.count == 4, "4 est le nombre de colonnes", 'Comptez les éléments d\'une colonne : rows["text"]'),
        (lambda s: True, "pour {total} phrase(s), votre réponse en compte {count}", 'Employez len(rows["text"])')],
    "1.10": [
        (lambda s: not set(map(str, s.picked)) <= set(s.sentences), "ces phrases ne sont pas toutes dans sentences",
         "Choisissez-les dans la liste sentences"),
        (lambda s: len(s.picked) != s.number, "{count} phrases sont choisies, et number vaut {number}",
         "Choisissez-en number")],
    "draws": [
        (lambda s: s.draws[0] == s.sentences[:5], "ce sont toujours les premières : rien n'est tiré au hasard",
         "Employez random.sample(sentences, number)"),
        (lambda s: s.draws[0] == s.sentences[-5:], "ce sont toujours les dernières : rien n'est tiré au hasard",
         "Employez random.sample(sentences, number)"),
        (lambda s: s.draws[0] == s.draws[2] == s.draws[3], "ce sont toujours les mêmes : rien n'est tiré au hasard",
         "Employez random.sample(sentences, number)")],
}

HINTS = {
    "1.1": [
        "get_file prend d'abord le nom du fichier, puis, nommée origin, l'adresse où le chercher.",
        "Sans précision, Keras range le fichier chez lui. cache_dir=folder lui dit où le mettre, et "
        "cache_subdir=\"\" de ne pas y créer de sous-dossier.",
        "get_file(name, origin=url, cache_dir=folder, cache_subdir=\"\") : il ne reste qu'à mettre ce qu'elle "
        "renvoie dans path.",
    ],
    "1.2": [
        "book est un fichier ouvert. Il a une méthode qui renvoie la liste de ses lignes.",
        "C'est book.readlines(), avec ses parenthèses ; le résultat va dans lines.",
    ],
    "1.3": [
        "Un slice prend un morceau de liste : liste[début:fin]. Le premier élément a le rang 0.",
        "Les 50 premières lignes ont les rangs 0 à 49. On garde tout à partir du rang 50 : rien après les deux-points.",
    ],
    "1.4": [
        "Dans un slice, un rang négatif compte depuis la fin : -1 est le dernier.",
        "On garde tout jusqu'au rang -100 : rien avant les deux-points. Partez de without_first.",
    ],
    "1.5": [
        "rstrip ne change pas le texte : elle en renvoie un nouveau, sans les espaces de droite (r pour right).",
        "Il faut le faire pour chaque ligne de paragraph, et garder les résultats dans une liste.",
        "[line.rstrip() for line in paragraph]",
    ],
    "1.6": [
        "join est une méthode du séparateur : \", \".join([\"a\", \"b\"]) donne « a, b ».",
        "Ici, le séparateur est une seule espace, et la liste est stripped_lines.",
    ],
    "1.7": [
        "sentence_tokenizer.tokenize(text) renvoie la liste des phrases de text.",
        "append ajouterait cette liste comme un seul élément ; une autre méthode ajoute chacun de ses éléments.",
        "sentences.extend(...), avec entre les parenthèses ce que renvoie sentence_tokenizer.tokenize(text).",
    ],
    "1.8": [
        "Sans argument, la méthode split coupe un texte aux espaces et renvoie la liste des mots.",
        "len(...) compte les éléments d'une liste : celle de sentence[\"text\"].split().",
    ],
    "1.9": [
        "rows[\"text\"] est une colonne : autant d'éléments que de phrases. len(...) les compte.",
    ],
    "1.10": [
        "Le module random sait tirer plusieurs éléments d'une liste, sans prendre deux fois le même.",
        "random.sample(une_liste, combien)",
    ],
}


def _answer_in(script, overlays=None):
    """Renvoie la réponse à essayer, et les adresses que get_file aura reçues."""
    asked = []
    modules = stand_ins(script[2], overlays)
    get_file = keras_get_file(asked)
    modules["tf_keras"].utils.get_file = modules["keras"].utils.get_file = get_file
    modules["tensorflow"].keras = modules["tf_keras"]
    return Answer(*script, modules), asked


def _check_download(script):
    """get_file reçoit l'adresse, range le fichier à sa place, et donne son chemin."""
    answer, asked = _answer_in(script)
    url, name = "https://livres.invalid/39738-0.txt", "lelia.txt"
    folder = os.path.join(os.path.abspath(os.sep), "dossier")
    call = answer.run(url=url, name=name, folder=folder)
    seen = SimpleNamespace(asked=asked, url=url, name=name, origin=(asked + [""])[0], where="",
                           expected=f"{folder}/{name}".replace(os.sep, "/"))
    tell(MISTAKES["1.1"][:2], seen)
    path = value_of(call, "path", answer, str, Path, expected="le chemin que renvoie get_file",
                    returned=lambda path: path)
    seen.where = Path(os.path.normpath(path)).as_posix()
    tell(MISTAKES["1.1"], seen)


def _check_lines(script):
    """Toutes les lignes, dans une liste."""
    answer, _ = _answer_in(script)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "livre.txt"
        path.write_text("".join(BOOK), encoding="utf-8")
        with open(path, encoding="utf-8") as book:
            call = answer.run_alone(book=book, path=path)
        read = list(value_of(call, "lines", answer, list, tuple, expected="la liste des lignes"))
    if [str(line).rstrip() for line in read] != [line.rstrip() for line in BOOK]:
        tell(MISTAKES["1.2"], SimpleNamespace(read=read, count=len(read), total=len(BOOK)))


def _check_drop(script, name, expected, returned=None):
    answer, _ = _answer_in(script)
    lines = list(LINES)
    call = answer.run(lines=lines)
    kept = list(value_of(call, name, answer, list, tuple, expected="la liste des lignes qui restent",
                         returned=returned))
    if lines != LINES:
        raise Wrong("votre réponse modifie lines elle-même, dont la suite a encore besoin entière",
                    f"Laissez lines intacte, et mettez ce qui reste dans {name}, avec un slice [...:...]")
    if kept != expected:
        first, last = (str(kept[rank]).strip() if kept else "rien" for rank in (0, -1))
        tell(MISTAKES[script[3]] + MISTAKES["drop"], SimpleNamespace(
            kept=kept, name=name, count=len(kept), first=first, last=last, total=len(expected),
            expected_first=expected[0].strip(), expected_last=expected[-1].strip()))


def _check_first(script):
    """Sans les 50 premières lignes."""
    _check_drop(script, "without_first", LEFT)


def _check_last(script):
    """Sans les 100 dernières lignes non plus."""
    _check_drop(script, "without_last", LEFT[:-100], returned=lambda lines: lines)


def _split(script):
    """Renvoie (réponse, appel de split_text_to_list, textes remis à normalise)."""
    answer, _ = _answer_in(script)
    texts = []

    def note(text):
        texts.append(text)
        return normalise(text)

    return answer, answer.run(lines=[*PARAGRAPHS[0], "\n", *PARAGRAPHS[1]], normalise=note), texts


def _check_strip(script):
    """Les espaces de la fin, et elles seules."""
    answer, call, texts = _split(script)
    if texts == [" ".join(lines) for lines in STRIPPED]:
        return
    lines = list(value_of(call, "stripped_lines", answer, list, tuple, expected="la liste des lignes"))
    other = next((kind(line) for line in lines if not isinstance(line, str)), "")
    tell(MISTAKES["1.5"],
         SimpleNamespace(lines=lines, answer=answer.text, paragraph=PARAGRAPHS[1], stripped=STRIPPED[1], other=other,
                                          count=len(lines), total=len(STRIPPED[1])))


def _check_join(script):
    """Un texte, les lignes séparées par une espace."""
    answer, call, texts = _split(script)
    expected = [" ".join(lines).strip() for lines in STRIPPED]
    if [text.strip() if isinstance(text, str) else text for text in texts] == expected:
        return
    text = texts[-1] if texts else value_of(call, "text", answer, str, expected="un texte")
    if not isinstance(text, str):
        raise Wrong(f"text est {kind(text)}, et non un texte", 'Écrivez " ".join(stripped_lines)')
    tell(MISTAKES["1.6"], SimpleNamespace(text=text, lines=STRIPPED[len(texts) - 1],
                                          paragraph=PARAGRAPHS[len(texts) - 1]))


def _check_sentences(script):
    """Les phrases de NLTK, ajoutées une à une."""
    answer, call, _ = _split(script)
    found = list(value_of(call, "sentences", answer, list, tuple, expected="la liste des phrases"))
    if found != SENTENCES:
        other = next((kind(sentence) for sentence in found if not isinstance(sentence, str)), "")
        tell(MISTAKES["1.7"], SimpleNamespace(found=found, other=other, count=len(found), total=len(SENTENCES)))


def _check_words(script):
    """Des mots, et non des lettres."""
    for text in ("La petite Fadette chantait bien.", "Il pleut sur la mare au diable ce soir la la"):
        answer, _ = _answer_in(script)
        call = answer.run(sentence={"text": text, "book": "Conte", "position": 0})
        length = value_of(call, "sentence_length", answer, int, expected="un nombre de mots",
                          returned=lambda row: row["sentence_length"] if isinstance(row, dict) else None)
        words = text.split()
        if length != len(words):
            tell(MISTAKES["1.8"], SimpleNamespace(length=length, text=text, words=words, total=len(words)))


def _check_count(script):
    """Autant que de phrases, dans un vrai jeu de données."""
    from datasets import Dataset  # pylint: disable=import-outside-toplevel  # une seconde, seulement s'il le faut
    for texts in (["Il pleut."], ["Il pleut fort.", "Elle chante.", "Qui va là?"] * 4):
        answer, _ = _answer_in(script, {})
        lengths = [len(text.split()) for text in texts]
        rows = Dataset.from_dict({"text": texts, "book": ["Conte"] * len(texts), "position": list(range(len(texts))),
                                  "sentence_length": lengths})
        count = value_of(answer.run(rows=rows), "sentence_count", answer, int, expected="un nombre de phrases",
                         returned=lambda count: count)
        if count != len(texts):
            tell(MISTAKES["1.9"], SimpleNamespace(count=count, total=len(texts), words=sum(lengths),
                                                  letters=(sum(map(len, texts)), len(texts[0]))))


def _check_pick(script):
    """Le bon nombre, prises dans la liste, et pas toujours les mêmes."""
    sentences = [f"Phrase {number}." for number in range(60)]
    draws = []
    for number in (5, 3, 5, 5):
        answer, _ = _answer_in(script)
        call = answer.run(sentences=list(sentences), number=number, SEED=len(draws))
        picked = value_of(call, "picked", answer, list, tuple, expected="une liste de phrases",
                          returned=lambda picked: picked)
        tell(MISTAKES["1.10"], SimpleNamespace(picked=picked, sentences=sentences, number=number, count=len(picked)))
        draws.append(list(picked))
    tell(MISTAKES["draws"], SimpleNamespace(draws=draws, sentences=sentences))


CHECKS = {"1.1": _check_download, "1.2": _check_lines, "1.3": _check_first, "1.4": _check_last, "1.5": _check_strip,
          "1.6": _check_join, "1.7": _check_sentences, "1.8": _check_words, "1.9": _check_count, "1.10": _check_pick}
