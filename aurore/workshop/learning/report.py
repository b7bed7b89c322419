"""Ce que l'étape 3 montre et enregistre de ce qu'un entraînement a changé."""

import os
from datetime import datetime
from urllib.parse import urlencode

from workshop import narration
from workshop.figures import draw_learnt_words
from workshop.identity import FOLDER_NAME, ExamScore, Identity, key_of
from workshop.learning.comparison import show_runs as show_table
from workshop.learning.hub import known_as, save_model
from workshop.learning.readings import FILE, read_here, read_list, write_list
from workshop.narration import count, decimal, say, section, table
from workshop.paths import BASE_MODEL, MODEL, shown

SCORE_HEADER = ("", "bits par caractère", "perplexité")
EXAM = "phrases retenues à l'étape 1"


def show(session):
    """Affiche les textes écrits en chemin, la note avant et après, et ce que le réseau attend mieux."""
    journal = session.journal
    section("Ce qu'il écrivait, au début, à mi-chemin et à la fin")
    print("\n\n".join(f"pas {step} : {text}" for step, text in journal.samples))

    reading = session.read_before()
    section(f"La note sur {session.test_titles}" + ("" if reading else ", que le réseau n'a jamais lu"))
    if reading:
        narration.notice(f"Cette note ne prouve rien : le réseau de départ avait déjà lu ce texte ({_named(reading)}, "
                         "dans son fichier readings.tsv). Choisissez à l'étape 1 un livre de test qui n'y est pas.")
    table(SCORE_HEADER, score_rows(journal))
    print("Plus c'est petit, moins le texte surprend le réseau.")
    if journal.kept_step == 0:
        print("L'entraînement n'a pas amélioré la perte de validation : les poids de départ sont gardés.")

    if session.words:
        section("Les mots qu'il a appris à attendre")
        table(("mot", "bits gagnés", "fois"), word_rows(session))
        print("Un bit de moins : le réseau donne au mot deux fois plus de chances qu'avant.")
    if session.sentences:
        section(f"Les phrases de {session.test_titles} qui le surprennent bien moins qu'avant")
        for sentence in session.sentences:
            print(f"  - {sentence.text}\n    {decimal(sentence.before, 0)} bits avant, "
                  f"{decimal(sentence.after, 0)} après")


def score_rows(journal):
    """Renvoie les lignes du tableau des notes : avant, puis après."""
    return [(name, decimal(result.bits_per_character, 3), decimal(result.perplexity, 1))
            for name, result in (("avant", journal.score_before), ("après", journal.score_after))]


def word_rows(session):
    """Renvoie les lignes du tableau des mots appris."""
    return [(learnt.word, decimal(learnt.gain, 1), learnt.occurrences) for learnt in session.words]


def save(session, folder, name):
    """Enregistre dans `folder` le réseau, son journal, son identité, ses lectures et sa fiche."""
    journal = session.journal
    parent = Identity.read(session.model.name_or_path)
    save_model(session.model, session.tokenizer, folder)
    journal.write(folder)
    books = {}
    for title, text in zip(session.dataset["train"]["book"][:], session.dataset["train"]["text"][:]):
        books.setdefault(title, []).append(text)
    words = sum(len(text.split()) for texts in books.values() for text in texts)
    before = read_list(session.model.name_or_path)
    if before is not None:
        write_list(folder / FILE, [*before, *read_here({title: " ".join(texts) for title, texts in books.items()})])
    identity = Identity(
        name=f"{known_as(session.model.name_or_path)} spécialisé",
        date=datetime.strptime(name, FOLDER_NAME).isoformat(), parent=known_as(session.model.name_or_path),
        parameters=session.model.num_parameters(), words_read=parent.words_read and parent.words_read + words,
        steps=journal.kept_step,
        score=ExamScore(f"{session.test_titles}, {EXAM}", session.settings.BLOCK_LENGTH,
                        round(journal.score_after.bits_per_character, 4), round(journal.score_after.perplexity, 2)))
    identity.write(folder)
    if session.words:
        draw_learnt_words([(learnt.word, learnt.gain) for learnt in session.words], folder / "learnt_words.png")
    (folder / "README.md").write_text(_card(session, identity), encoding="utf-8")


def _card(session, identity):
    """Renvoie la fiche du réseau, en Markdown."""
    journal, settings = session.journal, session.settings
    reading = session.read_before()
    parts = [f"# {identity.name}",
             f"Un GPT-2 entraîné {identity.french_date}. Réseau de départ : {identity.parent} ; "
             f"tokenizer {settings.TOKENIZER} ; {count(identity.parameters)} paramètres. "
             f"Lu ici : {', '.join(session.dataset['train'].unique('book'))}.",
             f"Note sur {identity.score.text}, par fenêtres de {identity.score.window} tokens"
             + (f" (ce réseau avait déjà lu ce texte : {_named(reading)})" if reading else "") + " :",
             _markdown(SCORE_HEADER, score_rows(journal)),
             f"Époques : {decimal(journal.epochs, 1)} ; lot : {settings.BATCH_SIZE} blocs de {settings.BLOCK_LENGTH} "
             f"tokens ; {journal.step} pas. Poids gardés : ceux du pas {journal.kept_step}, à "
             f"{decimal(settings.LEARNT_SHARE, 1)} du chemin depuis ceux du départ.",
             "Ce qu'il écrivait en chemin :",
             "\n".join(f"- au pas {step} : {text}" for step, text in journal.samples)]
    if session.words:
        parts += ["Les mots de la validation qu'il a appris à attendre :",
                  _markdown(("mot", "bits gagnés", "fois"), word_rows(session)), "![](learnt_words.png)"]
    if session.sentences:
        parts += ["Les phrases du livre de test dont le coût a le plus baissé (bits) :",
                  _markdown(("phrase", "avant", "après"), [(sentence.text, decimal(sentence.before, 0),
                                                            decimal(sentence.after, 0))
                                                           for sentence in session.sentences])]
    return "\n\n".join(parts) + "\n"


def _markdown(header, rows):
    """Renvoie un tableau en Markdown."""
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in (header, ["---"] * len(header), *rows))


def _named(reading):
    return f"{reading.author}, {reading.title}" if reading.author else reading.title


def show_runs(runs, folder):
    """Affiche tous les essais, et où est le réseau du dernier."""
    section("Lequel est le meilleur ? Tous vos essais")
    show_table(runs)
    print("La note est celle du livre de test, en bits par caractère ; l'agitation, ce dont la perte change d'un\n"
          "pas au suivant. Changez EPOCHS, BATCH_SIZE ou TOKENIZER en haut du script, et relancez : une ligne de plus.")
    print(f"\nÉcrit dans {shown(folder)} : le réseau, sa fiche (README.md), training_log.csv, learning_curve.png\n"
          "et learnt_words.png.")


def show_comparison(parent, folder):
    """Affiche l'adresse de la page qui compare le réseau de `folder` à celui dont il est parti, `parent`."""
    known = parent.parent in (MODEL, BASE_MODEL.parent)  # sinon, la page propose aurore
    names = {**({"premier": key_of(parent)} if known else {}), "second": key_of(folder)}
    port = os.environ.get("AURORE_PORT", "8080")
    say("\nAvant et après, côte à côte, sur la même phrase : lancez  python aurore/5_flask.py  puis ouvrez\n"
          f"http://127.0.0.1:{port}/comparer?{urlencode(names)}")
