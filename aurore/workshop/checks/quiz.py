"""Deux questions à la fin d'un exercice : chaque choix est expliqué, bon ou non."""

import random
import textwrap
import tomllib
from pathlib import Path

from workshop import narration

QUESTIONS = Path(__file__).with_name("questions.toml")


def questions_of(number):
    """Renvoie les questions de l'exercice `number` : {"question": ..., "choices": [[texte, ce qu'on en dit]...]}."""
    return tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))[str(number)]


def ask(number, read=input):
    """Pose les questions de l'exercice `number` ; une entrée vide passe à la suivante. `read` lit comme input."""
    for question in questions_of(number):
        order = list(question["choices"])
        random.Random(question["question"]).shuffle(order)  # le même ordre chaque fois, et pas toujours le bon en tête
        print(f"\n{_wrapped(question['question'])}")
        for letter, (text, _) in zip("abc", order):
            print(f"  {letter}) {text}")
        if not _until_right(order, question["choices"][0], read):
            return


def _until_right(order, right, read):
    """Lit des réponses jusqu'à la bonne, ou une ligne vide ; renvoie faux quand il n'y a plus rien à lire."""
    while True:
        try:
            typed = read("Votre réponse (a, b ou c ; Entrée pour passer) : ").strip().lower()
        except EOFError:
            print()
            return False
        if not typed:
            return True
        if typed not in ("a", "b", "c"):
            print("Tapez a, b ou c.")
            continue
        chosen = order["abc".index(typed)]
        print(_wrapped(chosen[1]))
        if chosen == right:
            return True


def _wrapped(text):
    return textwrap.fill(text, narration.WIDTH)
