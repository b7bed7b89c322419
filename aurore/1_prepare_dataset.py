"""Étape 1 : des livres de George Sand à un jeu de données de phrases.

    python aurore/1_prepare_dataset.py             l'exercice
    python aurore/1_prepare_dataset_solution.py    sa solution

Lit les livres de Project Gutenberg (téléchargés une seule fois), retire tout ce qui n'est pas
de George Sand, coupe le texte en phrases et les range en trois parties (entraînement,
validation, test) dans aurore/data. Durée : une dizaine de secondes, plus le téléchargement
(5 Mo).
"""

import random

from workshop import narration, paths
from workshop.artefacts import ensure_writable, written_whole
from workshop.downloads import Downloads
from workshop.figures import draw_sentence_lengths
from workshop.learning import sharing
from workshop.text import corpus, library
from workshop.text.gutenberg import check_book, keep_author_lines, paragraphs
from workshop.text.sentences import french_sentence_tokenizer, mend_sentences
from workshop.text.typography import normalise

from datasets import Dataset, DatasetDict, concatenate_datasets

# --- Les livres --------------------------------------------------------------------------

TRAIN_BOOKS = {
    "Lélia": "https://www.gutenberg.org/files/39738/39738-0.txt",
    "La petite Fadette": "https://www.gutenberg.org/cache/epub/34204/pg34204.txt",
    "Gabriel": "https://www.gutenberg.org/cache/epub/13380/pg13380.txt",
    "Lettres d'un voyageur": "https://www.gutenberg.org/files/37989/37989-0.txt",
    "La Marquise": "https://www.gutenberg.org/cache/epub/13025/pg13025.txt",
    "Le meunier d'Angibault": "https://www.gutenberg.org/cache/epub/13892/pg13892.txt",
    "La comtesse de Rudolstadt": "https://www.gutenberg.org/files/17225/17225-0.txt",
    "Indiana": "https://www.gutenberg.org/files/63445/63445-0.txt",
}
TEST_BOOKS = {
    "La Mare au Diable": "https://www.gutenberg.org/files/23582/23582-0.txt",
}
BOOKS = ""              # un dossier de livres (.txt), qui remplace ceux-ci ; mille s'il le faut
LANGUAGE = "French"     # un livre dont l'en-tête annonce une autre langue est mis de côté

# --- Les réglages ------------------------------------------------------------------------

VALIDATION = 0.1        # une part des phrases de chaque livre, ou le titre d'un livre : "Gabriel"
SHORTEST_SENTENCE = 4   # mots ; « FIN. » ou « CHAPITRE II » n'apprennent rien au réseau
SEED = 42               # le même tirage à chaque fois, pour pouvoir comparer
PUSH_TO_HUB = False     # True : envoyer le jeu de données sur Hugging Face ; "public" : pour tous


# --- 1. Récupérer les livres --------------------------------------------------------------

def download_file(url, name, folder):
    """Télécharge `url` dans `folder`, sous le nom `name`, et renvoie son chemin."""
    # TensorFlow vient avec Keras : il n'est ouvert que si l'on télécharge.
    from tf_keras.utils import get_file  # pylint: disable=import-outside-toplevel

    # TODO 1.1 : récupérez le fichier avec get_file, la fonction de Keras. Donnez-lui name et
    # origin=url ; cache_dir=folder et cache_subdir="" disent où le ranger. Elle renvoie le chemin
    # du fichier.
    # >>> réponse
    path = narration.todo("1.1", get_file, name, url, folder)
    # <<<
    return path


def download_files(books):
    """Renvoie {titre: lignes de l'auteur} pour les livres de {titre: adresse}."""
    downloads = Downloads(books)
    for request in downloads.requests():  # un livre qui n'arrive pas entier revient, trois fois
        with request:
            path = download_file(request.url, request.name, request.folder)
            check_book(path)

    lines_by_title = {}
    cuts = corpus.Cuts()
    for title, path in downloads.paths.items():
        with open(path, encoding="utf-8-sig") as book:
            # TODO 1.2 : récupérez la liste des lignes de book, avec readlines().
            # >>> réponse
            lines = narration.todo("1.2", book)
            # <<<
        if corpus.is_translated(title, lines, LANGUAGE):
            continue
        lines_by_title[title] = keep_author_lines(lines)
        cuts.add(title, lines, drop_fixed_number_of_lines(lines), lines_by_title[title])
    cuts.show()
    return lines_by_title


def drop_fixed_number_of_lines(lines):
    """La recette des diapositives : sans les 50 premières lignes ni les 100 dernières."""
    # TODO 1.3 : retirez les 50 premières lignes de lines.
    # >>> réponse
    without_first = narration.todo("1.3", lines)
    # <<<

    # TODO 1.4 : retirez les 100 dernières lignes de without_first.
    # >>> réponse
    without_last = narration.todo("1.4", without_first)
    # <<<
    return without_last


# --- 2. Séparer les phrases ---------------------------------------------------------------

def split_text_to_list(lines):
    """Renvoie la liste des phrases contenues dans `lines`."""
    sentence_tokenizer = french_sentence_tokenizer()
    sentences = []
    for paragraph in paragraphs(lines):
        # TODO 1.5 : retirez les espaces en fin de ligne, avec rstrip, dans chaque ligne de
        # paragraph.
        # >>> réponse
        stripped_lines = narration.todo("1.5", paragraph)
        # <<<

        # TODO 1.6 : recréez une chaîne de caractères avec join : les lignes, séparées par une
        # espace.
        # >>> réponse
        text = narration.todo("1.6", stripped_lines)
        # <<<
        text = normalise(text)

        # TODO 1.7 : identifiez les phrases de text avec sentence_tokenizer.tokenize(), de la
        # bibliothèque NLTK, et ajoutez-les toutes à sentences.
        # >>> réponse
        narration.todo("1.7", sentences, sentence_tokenizer, text)
        # <<<
    return mend_sentences(sentences)


def compute_sentence_length(sentence):
    """Renvoie {"sentence_length": nombre de mots} pour une ligne du jeu de données."""
    # TODO 1.8 (facultatif) : comptez les mots de sentence["text"].
    # >>> réponse (sans elle : SHORTEST_SENTENCE)
    sentence_length = narration.todo("1.8 (facultatif)", sentence, otherwise=SHORTEST_SENTENCE)
    # <<<
    return {"sentence_length": sentence_length}


# --- 3. Ranger les phrases en trois parties -----------------------------------------------

def book_dataset(title, sentences):
    """Renvoie le jeu de données d'un livre : une ligne par phrase assez longue, dans l'ordre."""
    dataset = Dataset.from_dict({"text": sentences, "book": [title] * len(sentences),
                                 "position": list(range(len(sentences)))})
    dataset = dataset.map(compute_sentence_length)
    return dataset.filter(lambda row: row["sentence_length"] >= SHORTEST_SENTENCE)


def set_validation_aside(datasets_by_title):
    """Renvoie (entraînement, validation), selon la stratégie choisie par VALIDATION."""
    train, validation = [], []
    for title, book in datasets_by_title.items():
        if VALIDATION == title:                  # un livre entier
            validation.append(book)
        elif VALIDATION in datasets_by_title:    # c'en est un autre
            train.append(book)
        else:                                    # une part des phrases de chaque livre
            parts = book.train_test_split(test_size=VALIDATION, seed=SEED)
            train.append(parts["train"].sort("position"))
            validation.append(parts["test"].sort("position"))
    return concatenate_datasets(train), concatenate_datasets(validation)


# --- Le déroulement -----------------------------------------------------------------------

def main():
    """Enchaîne les gestes de l'étape et écrit aurore/data."""
    narration.step(1, "préparer les données")
    ensure_writable(paths.DATA, size=30_000_000)
    if BOOKS:
        books, test_titles = library.read_folder(BOOKS, TEST_BOOKS, LANGUAGE,
                                                 split_text_to_list, book_dataset)
    else:
        lines_by_title, test_titles = corpus.books_or_tales(download_files, TRAIN_BOOKS, TEST_BOOKS)
        narration.section("Séparer les phrases")
        sentences = {title: split_text_to_list(lines) for title, lines in lines_by_title.items()}
        corpus.show_sentences(sentences)
        books = {title: book_dataset(title, sentences[title]) for title in sentences}

    corpus.check_settings(books, test_titles, VALIDATION, LANGUAGE, SHORTEST_SENTENCE)
    test = concatenate_datasets([books.pop(title) for title in test_titles])
    train, validation = set_validation_aside(books)
    dataset = DatasetDict(train=train, validation=validation, test=test)
    describe(dataset)
    save(dataset)


def count_sentences(rows):
    """Renvoie le nombre de phrases d'une partie du jeu de données."""
    # TODO 1.9 (facultatif) : comptez les phrases de rows["text"].
    # >>> réponse (sans elle : 0)
    sentence_count = narration.todo("1.9 (facultatif)", rows, otherwise=0)
    # <<<
    return sentence_count


def pick_sentences(sentences, number):
    """Renvoie `number` phrases au hasard ; avec la même SEED, toujours les mêmes."""
    random.seed(SEED)
    # TODO 1.10 (facultatif) : choisissez au hasard number phrases de la liste sentences.
    # >>> réponse (sans elle : [])
    picked = narration.todo("1.10 (facultatif)", random, sentences, number, otherwise=[])
    # <<<
    return picked


def describe(dataset):
    """Montre ce que contient le jeu de données, et s'il y en a assez."""
    narration.section("Regarder les données")
    sentence_counts = {part: count_sentences(rows) for part, rows in dataset.items()}
    corpus.show_parts(sentence_counts, dataset)

    print("\nQuelques phrases d'entraînement, au hasard :")
    sentences = corpus.some_sentences(dataset["train"])
    for sentence in pick_sentences(sentences, min(5, len(sentences))):
        print(f"  - {sentence}")
    corpus.compare_with_gpt2(dataset["train"])


def save(dataset):
    """Écrit le jeu de données, sa version en texte et l'histogramme des longueurs."""
    with written_whole(paths.DATA) as folder:
        dataset.save_to_disk(folder)
        corpus.write_texts(dataset, folder)
        draw_sentence_lengths(dataset, folder / "sentence_lengths.png")
    corpus.show_written(paths.DATA)
    sharing.push("data", PUSH_TO_HUB)
    narration.next_step("2_tokenize", __file__)


if __name__ == "__main__":
    main()
