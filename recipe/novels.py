"""Un dossier de romans, normalisés, sans doublon, mis en tokens et coupés en blocs.

Le même roman figure souvent dans deux collections, sous deux noms et dans deux
typographies : le lire deux fois, ou en valider un que l'on a lu, fausserait tout.
"""

import hashlib
import json
import os
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from workshop.errors import WorkshopError
from workshop.text.typography import normalise

SEQUENCE_WORDS = 10       # une suite de dix mots n'appartient en pratique qu'à un seul livre
SEQUENCE_SAMPLING = 64    # on n'en garde qu'une sur 64 : assez pour reconnaître un roman
TOGETHER = 16             # romans donnés d'un coup au tokenizer, qui les partage entre les cœurs
VALIDATION_NOVELS = 4     # assez pour que la manière d'un seul auteur ne décide pas
DUPLICATE_SHARE = 0.5     # la moitié de ses suites déjà vues : le roman est un doublon


@dataclass
class Novel:
    """Un roman dans le grand tableau de tokens : ses tokens sont `tokens[start:end]`."""

    name: str
    start: int
    end: int
    known: bool        # déjà lu par le modèle de départ
    validation: bool   # jamais lu, gardé pour mesurer


def read_novel(path):
    """Renvoie le texte normalisé d'un fichier, un paragraphe par ligne, joints par une espace.

    L'atelier lit et note des phrases séparées d'une espace : le réseau apprend sur la même chose.
    """
    with open(path, encoding="utf-8") as file:
        paragraphs = (normalise(line) for line in file)
        return " ".join(paragraph for paragraph in paragraphs if paragraph)


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


def tokenise_novels(folder, tokenizer, cache, *, known_folder=None, validation=None, seed=0):
    """Renvoie `(tokens, novels)` : tous les tokens (uint16) et la place de chaque roman.

    Chaque roman commence et finit par le token de fin de texte. Le résultat est rangé dans
    `cache`, sous un nom qui change avec les livres et avec le tokenizer. Sans liste
    `validation`, les romans gardés pour mesurer sont tirés au hasard parmi les non lus.
    """
    paths = {str(path.relative_to(folder)): path for path in sorted(Path(folder).rglob("*.txt"))}
    if not paths:
        raise WorkshopError(f"Aucun fichier .txt dans {folder} : indiquez le dossier des livres.")
    known = {name for name, path in paths.items()
             if known_folder and Path(known_folder).resolve() in path.resolve().parents}
    if validation is None:
        unknown = sorted(set(paths) - known)
        count = min(VALIDATION_NOVELS, len(unknown) - 1)
        validation = np.random.default_rng(seed).choice(unknown, count, replace=False).tolist()
    key = hashlib.sha256(json.dumps([
        [(name, path.stat().st_size) for name, path in paths.items()],
        tokenizer.backend_tokenizer.to_str(), sorted(known), sorted(validation),
    ]).encode()).hexdigest()[:12]
    tokens_path, novels_path = Path(cache, f"tokens-{key}.npy"), Path(cache, f"novels-{key}.json")
    if not novels_path.exists():
        tokens, novels = _tokenise(paths, tokenizer, known, set(validation))
        Path(cache).mkdir(parents=True, exist_ok=True)
        np.save(tokens_path, tokens)
        beside = novels_path.with_suffix(".tmp")  # écrit en dernier : il atteste que tout est là
        beside.write_text(json.dumps([asdict(novel) for novel in novels], indent=1), encoding="utf-8")
        os.replace(beside, novels_path)
    novels = [Novel(**fields) for fields in json.loads(novels_path.read_text(encoding="utf-8"))]
    return np.load(tokens_path, mmap_mode="r"), novels


def _tokenise(paths, tokenizer, known, validation):
    texts = {name: read_novel(path) for name, path in paths.items()}
    kept, duplicates = without_duplicates(texts, priority=known)
    print(f"{len(texts)} romans, dont {len(duplicates)} doublons écartés.")
    pieces, novels, start = [], [], 0
    for first in range(0, len(kept), TOGETHER):
        names = kept[first:first + TOGETHER]
        encodings = tokenizer([texts[name] for name in names], verbose=False)["input_ids"]
        for name, ids in zip(names, encodings):
            ids = [tokenizer.eos_token_id, *ids, tokenizer.eos_token_id]
            pieces.append(np.array(ids, np.uint16))
            novels.append(Novel(name, start, start + len(ids), name in known, name in validation))
            start += len(ids)
    return np.concatenate(pieces), novels


def block_starts(novels, context):
    """Renvoie le début de chaque bloc de `context` + 1 tokens ; aucun ne sort de son roman.

    Le token de plus est la dernière réponse. Le dernier bloc d'un roman recule pour être plein.
    """
    starts = []
    for novel in novels:
        last = novel.end - context - 1
        if last >= novel.start:
            starts.extend(range(novel.start, last, context))
            starts.append(last)
    return np.array(starts, np.int64)


def reading_order(novels, context, epoch, seed):
    """Renvoie les débuts de blocs dans l'ordre de lecture d'une époque, tiré de la graine.

    À la première, ce que le modèle de départ n'a pas encore lu vient d'abord.
    """
    generator = np.random.default_rng([seed, epoch])
    reading = [novel for novel in novels if not novel.validation]
    if epoch > 0:
        return generator.permutation(block_starts(reading, context))
    return np.concatenate([generator.permutation(block_starts(part, context)) for part in (
        [novel for novel in reading if not novel.known],
        [novel for novel in reading if novel.known])])
