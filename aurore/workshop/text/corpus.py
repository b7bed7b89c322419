"""Ce que l'étape 1 dit du corpus : d'où il vient, ce que chaque coupe retire, les comptes, ce qui est écrit."""

from workshop.errors import WorkshopError
from workshop.narration import count, decimal, notice, section, table
from workshop.paths import shown
from workshop.sources import EMBEDDED, OutOfReach, embedded_books, fall_back, source_mode
from workshop.text.gutenberg import compare_with_markers, foreign_language

GPT2_CHARACTERS = 40e9   # ce qu'a lu GPT-2 : 40 Go, de 8 millions de pages web
ENOUGH_TO_LEARN = 100e6  # caractères ; aurore-mini, tout petit, a appris le français dans 779 œuvres
BATCH = 10_000           # phrases que l'on a en mémoire à la fois
EXCERPT = 50_000         # phrases parmi lesquelles on en tire quelques-unes


def books_or_tales(download_files, train_books, test_books):
    """Renvoie (lignes par titre, titres de test) : les vrais livres, sinon les contes embarqués.

    `download_files`, celle de la leçon, rend les lignes des livres de {titre: adresse}. Lève OutOfReach si
    AURORE_SOURCE interdit de se replier sur les contes.
    """
    if source_mode() == EMBEDDED:
        print("AURORE_SOURCE=embedded : on lit les contes embarqués, écrits pour l'atelier.")
    else:
        try:
            return download_files({**train_books, **test_books}), list(test_books)
        except OutOfReach as error:
            fall_back(error, instead="quatre contes embarqués, pastiches de George Sand écrits pour l'atelier.",
                      consequence="60 fois moins de texte : tout fonctionne, le réseau apprend moins.")
    test_tales = embedded_books("test")
    return download_files({**embedded_books("train"), **test_tales}), list(test_tales)


def is_translated(title, lines, language):
    """Dit si l'en-tête du fichier annonce une autre langue que `language` ; l'annonce à l'écran."""
    declared = foreign_language(lines, language)
    if not declared:
        return False
    notice(f"« {title} » est mis de côté : l'en-tête du fichier annonce « Language: {declared} ». "
           "C'est une traduction, pas le texte de l'auteur. Regardez toujours vos données !")
    return True


def check_settings(books, test_titles, validation, language, shortest):
    """Arrête avant d'écrire si, avec ces réglages, une des trois parties n'aurait pas de phrase.

    `books` : {titre: jeu de données}, livres de test compris ; puis VALIDATION, LANGUAGE et
    SHORTEST_SENTENCE. Lève une WorkshopError qui nomme le réglage à corriger.
    """
    in_language = f"dont la langue (LANGUAGE) est {language}"
    train = {title: len(book) for title, book in books.items() if title not in test_titles}
    if isinstance(validation, str):
        leaves_some = validation in train and len(train) > 1
    else:
        leaves_some = isinstance(validation, float) and all(
            0 < validation * length <= length - 1 for length in train.values())
    for possible, problem in (
            (test_titles and set(test_titles) <= set(books),
             f"TEST_BOOKS doit contenir au moins un livre, et seulement des livres {in_language}"),
            (train, f"TRAIN_BOOKS doit contenir au moins un livre, absent de TEST_BOOKS, {in_language}"),
            (all(map(len, books.values())),
             f"SHORTEST_SENTENCE vaut {shortest} : un des livres n'a aucune phrase d'autant de mots"),
            (isinstance(validation, str) or min(train.values(), default=2) > 1,
             f"« {min(train, key=train.get, default='')} » n'a qu'une phrase, qui ne se partage pas : retirez-le de "
             "TRAIN_BOOKS"),
            (leaves_some, f"VALIDATION vaut {validation!r} : choisissez une part entre 0 et 1 qui laisse des phrases à "
                          "l'entraînement, par exemple 0.1, ou le titre d'un livre d'entraînement parmi plusieurs "
                          f"({_some(list(train))})")):
        if not possible:
            raise WorkshopError(f"{problem}.\nCorrigez-le en haut du script, puis relancez.")


def _some(titles, number=10):
    return ", ".join(titles[:number]) + (f"... et {count(len(titles) - number)} autres" if titles[number:] else "")


class Cuts:
    """Deux façons de retirer d'un fichier ce qui n'est pas de l'auteur, comparées livre par livre."""

    def __init__(self):
        self._rows = []

    def add(self, title, lines, shorter, author_lines):
        """Note ce que donnent, pour les `lines` d'un fichier, la coupe fixe et la coupe aux repères."""
        left, lost = compare_with_markers(shorter, lines)
        removed = 1 - sum(map(len, author_lines)) / sum(map(len, lines))
        self._rows.append((title, count(len(lines)), left, lost, f"{decimal(100 * removed, 1)} %"))

    def show(self):
        """Affiche la comparaison."""
        section("Retirer ce qui n'est pas de l'auteur")
        table(("livre", "lignes", "anglais laissé", "texte emporté", "retiré aux repères"), self._rows)
        print("Retirer 50 lignes en tête et 100 à la fin laisse de l'en-tête et de la licence, ou emporte\n"
              "du texte : aucun nombre ne va à tous les livres. On coupe donc aux repères du fichier.")


def show_sentences(sentences_by_title):
    """Affiche combien chaque livre a de phrases et de mots."""
    table(("livre", "phrases", "mots"), [
        (title, count(len(sentences)), count(sum(len(sentence.split()) for sentence in sentences)))
        for title, sentences in sentences_by_title.items()])


def _batches(rows, column):
    """Donne une colonne par listes : un million de phrases ne sont jamais ensemble en mémoire."""
    for batch in rows.select_columns(column).iter(batch_size=BATCH):
        yield batch[column]


def show_parts(sentence_counts, dataset):
    """Affiche combien chaque partie a de phrases, comptées par {partie: nombre}, et de mots."""
    table(("partie", "phrases", "mots"), [
        (part, count(number), count(sum(map(sum, _batches(dataset[part], "sentence_length")))))
        for part, number in sentence_counts.items()])


def some_sentences(rows):
    """Renvoie la liste des phrases de `rows` ; de plus de EXCERPT, une sur tant, du premier livre au dernier."""
    return rows.select(range(0, len(rows), 1 + len(rows) // EXCERPT))["text"][:]


def compare_with_gpt2(rows):
    """Affiche combien de fois GPT-2 a lu plus de texte que n'en ont les phrases de `rows`."""
    characters = sum(sum(map(len, texts)) for texts in _batches(rows, "text"))
    times = GPT2_CHARACTERS / characters
    times = round(times, -3) if times > 10_000 else float(f"{times:.2g}")
    print("\nEst-ce assez ? GPT-2 a lu 40 Go de texte (8 millions de pages web). Nous avons "
          f"{decimal(characters / 1e6, 1)} Mo,\nsoit {count(round(times))} fois moins : " + (
              "assez pour spécialiser un réseau qui sait déjà le français,\n"
              "beaucoup trop peu pour le lui apprendre." if characters < ENOUGH_TO_LEARN else
              "assez pour apprendre le français à un petit réseau,\ntrop peu pour un grand."))


def write_texts(dataset, folder):
    """Écrit les phrases d'entraînement et de validation, une par ligne, dans `folder`."""
    for part in ("train", "validation"):
        with open(folder / f"{part}_text.txt", "w", encoding="utf-8") as file:
            for texts in _batches(dataset[part], "text"):
                file.writelines(f"{text}\n" for text in texts)


def show_written(folder):
    """Affiche ce que l'étape laisse dans `folder`."""
    print(f"\nÉcrit dans {shown(folder)} : le jeu de données, train_text.txt, validation_text.txt\n"
          f"et {shown(folder)}/sentence_lengths.png, à regarder.")
