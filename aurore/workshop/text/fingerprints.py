"""Reconnaître un texte à quelques-unes de ses suites de mots, sans garder le texte."""

import re
import unicodedata
import zlib

SEQUENCE_WORDS = 10  # une suite de dix mots n'appartient en pratique qu'à un seul livre
SIZE = 24            # suites gardées par livre : assez pour le reconnaître, d'une édition à l'autre
ENOUGH = 4           # retrouvées, elles ne doivent rien au hasard

_WORD = re.compile(r"[^\W_]+")


def sequences(text):
    """Renvoie l'ensemble des empreintes (des entiers de 32 bits) des suites de dix mots de `text`.

    Ni la ponctuation, ni les majuscules, ni la ligature œ ne comptent : un texte a les mêmes une fois normalisé.
    """
    words = _WORD.findall(unicodedata.normalize("NFC", text).lower().replace("œ", "oe"))
    return {zlib.crc32(" ".join(words[start:start + SEQUENCE_WORDS]).encode())
            for start in range(len(words) - SEQUENCE_WORDS + 1)}


def fingerprint(text):
    """Renvoie l'empreinte d'un livre : les plus petites de ses suites, en hexadécimal.

    Toujours prendre les plus petites désigne les mêmes suites dans deux éditions du même livre
    (« bottom-k sketch » : Broder, « On the resemblance and containment of documents », 1997).
    """
    return "".join(f"{number:08x}" for number in sorted(sequences(text))[:SIZE])


def recognised(book, text_sequences):
    """Dit si le livre d'empreinte `book` a assez de suites en commun avec un texte, dont on donne les `sequences`."""
    numbers = {int(book[start:start + 8], 16) for start in range(0, len(book), 8)}
    return len(numbers & text_sequences) >= min(ENOUGH, max(1, len(numbers)))
