"""Ce que l'on vérifie dans 1_prepare_dataset.py : les phrases, de split_text_to_list à la fin."""

from workshop.checks.answer import Answer
from workshop.checks.doubles import extras
from workshop.checks.sentences import Wrong, kind, value_of

PARAGRAPHS = [["    — M. Jean dort, dit-elle.   \n", "  Il pleut \t\n", "encore. Entrez!\n"],
              ["   La nuit vint.  \n", "Elle chanta, puis  \n", "se tut. Qui va là?\n"]]


def _split(script):
    """Renvoie (réponse, appel de split_text_to_list, textes remis à normalise)."""
    answer = Answer(*script, extras())
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
    stripped = value_of(call, "stripped_lines", answer, list, tuple, expected="la liste des lignes")
    if any(not isinstance(line, str) for line in stripped):
        raise Wrong(f"la liste contient {kind(stripped[0])} à la place des lignes",
                    "Mettez-y le résultat de line.rstrip()")
    if list(stripped) == [line.strip() for line in PARAGRAPHS[1]]:
        raise Wrong("strip retire aussi les espaces du début des lignes", "Employez rstrip : r pour right, la droite")
    if list(stripped) == PARAGRAPHS[1]:
        raise Wrong("il reste des espaces à la fin : rstrip donne un nouveau texte, sans changer l'ancien",
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
        raise Wrong("autre chose qu'une espace sépare les lignes", 'Mettez une espace, et elle seule : " ".join(...)')
    raise Wrong("le texte n'est pas celui des lignes de stripped_lines", "Partez de stripped_lines, en entier")


def check_sentences(*script):
    """TODO 1.7 : les phrases de NLTK, ajoutées une à une."""
    answer, call, _ = _split(script)
    found = value_of(call, "sentences", answer, list, tuple, expected="la liste des phrases")
    expected = ["— M. Jean dort, dit-elle.", "Il pleut encore.", "Entrez!",
                "La nuit vint.", "Elle chanta, puis se tut.", "Qui va là?"]
    if list(found) == expected:
        return
    if any(isinstance(sentence, (list, tuple)) for sentence in found):
        raise Wrong("append ajoute la liste entière comme un seul élément",
                    "Employez extend, qui ajoute ses éléments")
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
    if list(found) == [" ".join(expected[:3]), " ".join(expected[3:])]:
        raise Wrong("le texte est ajouté sans avoir été coupé", "Coupez-le avec sentence_tokenizer.tokenize(text)")
    if any(sentence.strip(" —") == "M" for sentence in found) or not any(text.endswith(".") for text in found):
        raise Wrong("couper à chaque point coupe « M. Jean » en deux, perd les points, et oublie « ! » et « ? »",
                    "Laissez NLTK chercher les fins de phrase : sentence_tokenizer.tokenize(text)")
    if not all(sentence.strip() in joined for sentence in found):
        raise Wrong("ces phrases ne sont pas celles de text", "Ajoutez sentence_tokenizer.tokenize(text), rien d'autre")
    raise Wrong(f"il y a {len(found)} phrases, et NLTK en trouve {len(expected)}",
                "Ajoutez, à chaque paragraphe, tout sentence_tokenizer.tokenize(text)")


def check_words(*script):
    """TODO 1.8 : des mots, et non des lettres."""
    for text in ("La petite Fadette chantait bien.", "Il pleut sur la mare au diable ce soir la la"):
        answer = Answer(*script, extras())
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
        answer = Answer(*script, extras())
        rows = _Rows(text=texts, sentence_length=[len(text.split()) for text in texts])
        call = answer.call("count_sentences", rows)
        found = value_of(call, "sentence_count", answer, int, expected="un nombre de phrases")
        if found == sum(rows["sentence_length"]) != len(texts):
            raise Wrong("ce sont les mots qui sont comptés", 'Comptez les éléments de rows["text"]')
        if found in (sum(map(len, texts)), len(texts[0])):
            raise Wrong("ce sont des lettres qui sont comptées", 'Comptez les éléments de rows["text"]')
        if found != len(texts):
            raise Wrong(f"pour {len(texts)} phrase(s), votre réponse en compte {found}",
                        'Employez len(rows["text"])')


def check_pick(*script):
    """TODO 1.10 : le bon nombre, prises dans la liste, et pas toujours les premières."""
    sentences = [f"Phrase {number}." for number in range(60)]
    draws = []
    for number in (5, 3, 5, 5):
        answer = Answer(*script, extras())
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
        raise Wrong("ce sont toujours les mêmes : rien n'est tiré au hasard",
                    "Employez random.sample(sentences, number)")


CHECKS = {"1.5": check_strip, "1.6": check_join, "1.7": check_sentences, "1.8": check_words, "1.9": check_count,
          "1.10": check_pick}
