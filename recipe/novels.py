"""Des romans normalisés, sans doublon, mis en tokens : la bibliothèque que lit l'entraînement.

Une bibliothèque est un dossier de deux fichiers : `tokens.npy`, les tokens de tous les romans à la
suite (uint16), et `novels.json`, la place de chacun. On peut donc la préparer sur une machine et la
lire sur une autre.

Le même roman figure souvent dans deux collections, sous deux noms et dans deux typographies : le
lire deux fois, ou mesurer sur un roman que l'on a lu, fausserait tout.
"""

import hashlib
import json
import os
import zlib
from dataclasses import asdict, dataclass

import numpy as np

from workshop.errors import WorkshopError
from workshop.narration import count
from workshop.text.typography import normalise

PARTS = BASE, SECOND, VALIDATION = "base", "second", "validation"  # d'une bibliothèque
SEQUENCE_WORDS = 10       # une suite de dix mots n'appartient en pratique qu'à un seul livre
SEQUENCE_SAMPLING = 64    # on n'en garde qu'une sur 64 : assez pour reconnaître un roman
TOGETHER = 16             # romans donnés d'un coup au tokenizer, qui les partage entre les cœurs
VALIDATION_NOVELS = 4     # assez pour que la manière d'un seul auteur ne décide pas
DUPLICATE_SHARE = 0.5     # la moitié de ses suites déjà vues : le roman est un doublon
TOKENS, NOVELS = "tokens.npy", "novels.json"


@dataclass
class Novel:
    """Un roman dans le grand tableau de tokens : ses tokens sont `tokens[start:end]`."""

    name: str
    part: str    # BASE, SECOND (celui dont le réseau prend la manière) ou VALIDATION (jamais lu)
    start: int
    end: int
    words: int


def joined(paragraphs):
    """Renvoie les paragraphes, normalisés et joints par une espace.

    L'atelier lit et note des phrases séparées d'une espace : le réseau apprend sur la même chose.
    """
    return " ".join(filter(None, map(normalise, paragraphs)))


def read_novel(path):
    """Renvoie le texte normalisé d'un fichier, un paragraphe par ligne."""
    with open(path, encoding="utf-8") as file:
        return joined(file)


def word_sequences(text):
    """Renvoie les empreintes d'un échantillon, toujours le même, des suites de dix mots."""
    words = text.lower().split()
    prints = (zlib.crc32(" ".join(words[i:i + SEQUENCE_WORDS]).encode())
              for i in range(len(words) - SEQUENCE_WORDS + 1))
    return {fingerprint for fingerprint in prints if fingerprint % SEQUENCE_SAMPLING == 0}


def without_duplicates(texts, priority=()):
    """Renvoie les noms de `texts` (nom → texte) à garder, et les doublons (nom → part déjà vue).

    Les livres de `priority` passent d'abord, puis les plus longs : un tome isolé est alors
    reconnu dans l'édition complète.
    """
    kept, duplicates, seen = [], {}, set()
    for name in sorted(texts, key=lambda n: (n not in priority, -len(texts[n]), n)):
        sequences = word_sequences(texts[name])
        share = len(sequences & seen) / max(1, len(sequences))
        if share >= DUPLICATE_SHARE:
            duplicates[name] = round(share, 3)
        else:
            kept.append(name)
            seen |= sequences
    return kept, duplicates


def prepare_library(texts, parts, tokenizer, folder):
    """Écrit dans `folder` la bibliothèque des `texts` (nom → texte normalisé) et renvoie ses romans.

    `parts` dit la part de chaque nom, `tokenizer` est un `tokenizers.Tokenizer`. D'un roman gardé
    pour mesurer et d'un autre qui serait le même, c'est le second qui est écarté. Chaque roman
    commence et finit par le token de fin de texte.
    """
    kept, duplicates = without_duplicates(texts, {name for name, part in parts.items() if part == VALIDATION})
    end_of_text = tokenizer.token_to_id("<|endoftext|>")
    pieces, novels, start = [], [], 0
    for first in range(0, len(kept), TOGETHER):
        names = kept[first:first + TOGETHER]
        for name, encoding in zip(names, tokenizer.encode_batch_fast([texts[name] for name in names])):
            pieces.append(np.array([end_of_text, *encoding.ids, end_of_text], np.uint16))
            end = start + len(pieces[-1])
            novels.append(Novel(name, parts[name], start, end, len(texts[name].split())))
            start = end
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / TOKENS, np.concatenate(pieces))
    beside = folder / f"{NOVELS}.incoming"  # écrit en dernier : il atteste que tout est là
    beside.write_text(json.dumps([asdict(novel) for novel in novels], ensure_ascii=False, indent=0), encoding="utf-8")
    os.replace(beside, folder / NOVELS)
    print(f"{count(len(texts))} romans, dont {len(duplicates)} doublons écartés.", flush=True)
    return novels


def open_library(folder):
    """Renvoie `(tokens, novels)` : le tableau (uint16) et la liste des romans de la bibliothèque `folder`."""
    novels = [Novel(**fields) for fields in json.loads((folder / NOVELS).read_text(encoding="utf-8"))]
    return np.load(folder / TOKENS, mmap_mode="r"), novels


def library_of(books, tokenizer, cache, *, second=None, validation=None, seed=0):
    """Renvoie le dossier de la bibliothèque tirée de `books`, un dossier de fichiers .txt.

    `second` est un dossier de `books`, dont les livres forment la part SECOND. Sans liste
    `validation`, les romans gardés pour mesurer sont tirés au hasard parmi les autres. La bibliothèque
    est rangée dans `cache`, sous un nom qui change avec les livres et avec le tokenizer. Lève une
    WorkshopError s'il n'y a pas de livre.
    """
    paths = {str(path.relative_to(books)): path for path in sorted(books.rglob("*.txt"))}
    if not paths:
        raise WorkshopError(f"Aucun fichier .txt dans {books} : indiquez le dossier des livres.")
    parts = {name: SECOND if second and second.resolve() in path.resolve().parents else BASE
             for name, path in paths.items()}
    if validation is None:
        base = [name for name, part in parts.items() if part == BASE]
        number = min(VALIDATION_NOVELS, len(base) - 1)
        validation = np.random.default_rng(seed).choice(base, number, replace=False).tolist()
    parts.update(dict.fromkeys(validation, VALIDATION))
    key = hashlib.sha256(json.dumps([
        [(name, part, paths[name].stat().st_size) for name, part in parts.items()], tokenizer.to_str(),
    ]).encode()).hexdigest()[:12]
    folder = cache / key
    if not (folder / NOVELS).exists():
        prepare_library({name: read_novel(path) for name, path in paths.items()}, parts, tokenizer, folder)
    return folder
