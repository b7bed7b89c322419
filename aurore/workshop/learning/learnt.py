"""Ce qu'un entraînement a appris, en mots : ceux que le réseau attend mieux qu'avant.

Un token qui surprend le réseau lui coûte des bits ; un mot coûte ce que coûtent ses tokens. On lit
le même texte avant et après, et l'on regarde où le coût a baissé.
"""

import math
import re
from collections import defaultdict
from typing import NamedTuple

import numpy as np

LEAST = 3              # occurrences d'un mot, pour que sa moyenne veuille dire quelque chose
WORDS, SENTENCES = 10, 3
LONGEST_SENTENCE = 180  # caractères : deux lignes de terminal

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*(?!['\w-])")  # entiers : ni « jusqu' », ni « l' »


class LearntWord(NamedTuple):
    """Un mot que le réseau attend mieux."""

    word: str
    gain: float        # bits gagnés par occurrence, en moyenne
    occurrences: int


class EasierSentence(NamedTuple):
    """Une phrase qui surprend moins le réseau."""

    text: str
    before: float      # ce qu'elle coûtait, en bits
    after: float


def learnt_words(texts, books, gains, most=WORDS):
    """Renvoie les `LearntWord` de `texts`, du plus grand gain au plus petit.

    `gains` a une liste par texte : (début, bits gagnés) de chaque token. `books` nomme le livre de
    chaque texte : un nom propre d'un seul livre n'est pris que s'il manque d'autres mots.
    """
    found, named_in = defaultdict(list), defaultdict(set)
    capitalised = defaultdict(lambda: True)
    for text, book, of_tokens in zip(texts, books, gains):
        for written, gain in _word_gains(text, of_tokens):
            word = written.lower()
            found[word].append(gain)
            named_in[word].add(book)
            capitalised[word] &= written[0].isupper()
    words = sorted((LearntWord(word, float(np.mean(values)), len(values)) for word, values in found.items()
                    if len(values) >= LEAST and len(word) > 1), key=lambda learnt: -learnt.gain)
    common = [learnt for learnt in words if not (capitalised[learnt.word] and len(named_in[learnt.word]) == 1)]
    names = [learnt for learnt in words if learnt not in common]
    return [learnt for learnt in (common + names)[:most] if learnt.gain > 0]


def _word_gains(text, of_tokens):
    """Donne (mot, bits gagnés) pour chaque mot entier de `text` ; un mot gagne ce que gagnent ses tokens."""
    starts = np.array([start for start, _ in of_tokens])
    bits = np.concatenate([[0.0], np.cumsum([gain for _, gain in of_tokens])])
    for match in _WORD.finditer(text):
        first, end = np.searchsorted(starts, (match.start(), match.end()))
        if first < end:  # sinon, ce n'est qu'un morceau de token
            yield match.group(), bits[end] - bits[first]


def easier_sentences(texts, before, after, most=SENTENCES):
    """Renvoie les `EasierSentence` dont le coût (bits, un par texte) a le plus baissé."""
    sentences = [EasierSentence(*row) for row in zip(texts, before, after) if len(row[0]) <= LONGEST_SENTENCE]
    return sorted((sentence for sentence in sentences if sentence.after < sentence.before),
                  key=lambda sentence: sentence.after - sentence.before)[:most]


def token_starts(tokenizer, texts):
    """Renvoie (texte entier, débuts, rangs) de `texts` joints par une espace.

    Pour chaque token du texte entier, `rangs` dit de quelle phrase il est, et `débuts` où le premier
    de ses caractères qui n'est pas une espace se trouve dans cette phrase.
    """
    whole = " ".join(texts)
    begins = np.cumsum([0] + [len(text) + 1 for text in texts[:-1]])
    offsets = tokenizer(whole, return_offsets_mapping=True, split_special_tokens=True).offset_mapping
    starts = np.array([start + (start < end and whole[start] == " ") for start, end in offsets])
    ranks = np.searchsorted(begins, starts, side="right") - 1
    return whole, starts - begins[ranks], ranks


def by_sentence(starts, ranks, bits, count):
    """Range les bits de chaque token par phrase : une liste de (début, bits) pour chacune des `count` phrases."""
    rows = [[] for _ in range(count)]
    for start, rank, value in zip(starts, ranks, bits):
        rows[rank].append((int(start), float(value)))
    return rows


def in_bits(losses):
    """Change des pertes en nats en bits."""
    return np.asarray(losses) / math.log(2)
