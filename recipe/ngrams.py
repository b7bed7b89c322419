"""Les suites de mots d'une bibliothèque : les retrouver, et en tirer un modèle 5-grammes."""

import re
from bisect import bisect_left, bisect_right

import numpy as np

from workshop.text.typography import normalise

ORDER = 5  # mots d'un 5-gramme : le dernier se devine d'après les quatre premiers

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")


def words_of(text):
    """Renvoie la liste des mots d'un texte normalisé, en minuscules, sans ponctuation."""
    return _WORD.findall(text.lower())


class WordSequences:
    """Tous les mots des livres, que l'on retrouve par ceux qui les précèdent.

    `words` est le texte de tous les livres, un numéro par mot (int32), 0 entre deux livres.
    `places` range les places de `words` dans l'ordre des quatre mots qui précèdent chacune, le
    plus proche d'abord : les mots qui suivent un même contexte, court ou long, y sont voisins.
    """

    def __init__(self, texts):
        self.numbers = {}
        books = [np.zeros(1, np.int32)]
        for text in texts:
            books.append(np.array([self.numbers.setdefault(word, len(self.numbers) + 1)
                                   for word in words_of(text)] + [0], np.int32))
        self.words = np.concatenate(books)
        self.vocabulary = ["", *self.numbers]
        self.places = np.lexsort([np.roll(self.words, back) for back in range(ORDER - 1, 0, -1)]).astype(np.int32)

    def number(self, text):
        """Renvoie les numéros des mots d'un texte, -1 pour ceux qu'aucun livre n'emploie."""
        return [self.numbers.get(word, -1) for word in words_of(normalise(text))]

    def after(self, sequence):
        """Renvoie les places qui, dans les livres, suivent cette suite de numéros."""
        low, high = 0, len(self.places)
        for back, number in enumerate(sequence[:-ORDER:-1], 1):
            def preceding(place, back=back):
                return self.words[place - back]
            low = bisect_left(self.places, number, low, high, key=preceding)
            high = bisect_right(self.places, number, low, high, key=preceding)
        found = self.places[low:high]
        for back in range(ORDER, len(sequence) + 1):
            found = found[self.words[found - back] == sequence[-back]]
        return found

    def book(self, place):
        """Renvoie le rang du livre où est cette place."""
        return int(np.count_nonzero(self.words[:place] == 0)) - 1

    def longest_sequences(self, text):
        """Renvoie, pour chaque numéro d'un texte, la longueur en mots de la plus longue suite des
        livres qui finit sur lui."""
        lengths, length = [], 0
        for end in range(1, len(text) + 1):
            length += 1
            while length and self.after(text[end - length:end]).size == 0:
                length -= 1
            lengths.append(length)
        return lengths

    def write(self, opening, length, generator, smoothed=False):
        """Renvoie `length` numéros de mots, tirés du modèle 5-grammes à la suite de `opening`.

        Chaque mot est celui qui suit une occurrence, prise au hasard, des quatre derniers ; de
        moins de mots quand les livres n'ont pas ceux-là à la suite. Avec `smoothed`, un contexte
        présent est lui aussi raccourci, d'autant plus souvent qu'on l'a peu vu et que ses suites
        varient : suites distinctes / (suites distinctes + occurrences), méthode C de Witten et
        Bell, « The zero-frequency problem », 1991.
        """
        text = list(opening)
        for _ in range(length):
            context, word = text[1 - ORDER:], 0
            while word == 0:
                followers = self.words
                if context:
                    followers = self.words[self.after(context)]
                    followers = followers[followers > 0]
                distinct = len(np.unique(followers)) if smoothed and context else 0
                if followers.size and generator.random() >= distinct / (distinct + followers.size):
                    word = int(generator.choice(followers))
                context = context[1:]
            text.append(word)
        return text[len(opening):]
