"""Le réseau récite-t-il ? Les suites de mots qu'il a en commun avec les livres qu'il a lus.

    python -m recipe.recitation RÉSEAU BIBLIOTHÈQUE [--second]

BIBLIOTHÈQUE est celle de `recipe.corpus` ; avec --second, le réseau en a lu aussi le second corpus.
Pour nos soixante-cinq millions de mots, dix minutes et 4 Go. Il n'y faut pas PyTorch.

Une langue a ses tours tout faits, et une suite de mots déjà imprimée ne prouve pas que l'on
récite. On compte donc aussi celles d'un modèle 5-grammes estimé sur les mêmes livres, qui écrit
autant à partir des mêmes amorces : il n'a retenu d'eux que des suites de cinq mots.
"""

import argparse
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from recipe.ngrams import WordSequences
from recipe.novels import BASE, NOVELS, SECOND, open_library
from workshop.errors import WorkshopError
from workshop.narration import count, decimal, section, table
from workshop.writing.engine import Network
from workshop.writing.generation import write_texts
from workshop.writing.sampling import Settings

TEXTS, WORDS = 200, 60      # ce que chacun écrit
SEQUENCE = 12               # mots de suite : au-delà, on parle de récitation
TEMPERATURES = (1.0, 0.8)   # le réseau tel qu'il est, et celle de l'étape 4
TOP_K = 50                  # celui de l'étape 4
NEW_TOKENS = 160            # de quoi faire 60 mots : il en faut une centaine
TOGETHER = 50               # textes que le réseau écrit de front
OPENING_WORDS = 6           # pris dans un livre, à continuer
EXAMPLES = 5                # suites montrées, par qui écrit
SEED = 0


def parse_arguments(arguments=None):
    """Renvoie les réglages de la ligne de commande."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.recitation",
        description="Compte les suites de mots qu'un réseau a en commun avec les livres qu'il a lus.")
    parser.add_argument("network", type=Path, metavar="RÉSEAU", help="dossier du réseau")
    parser.add_argument("library", type=Path, metavar="BIBLIOTHÈQUE", help="dossier préparé par recipe.corpus")
    parser.add_argument("--second", action="store_true", help="le réseau a lu aussi le second corpus")
    return parser.parse_args(arguments)


class Library:
    """Les textes d'une bibliothèque, que l'on refait de leurs tokens : ils n'ont rien perdu."""

    def __init__(self, folder, tokenizer):
        """Lève une WorkshopError si `folder` n'est pas une bibliothèque."""
        if not (folder / NOVELS).is_file():
            raise WorkshopError(f"{folder} n'est pas une bibliothèque : préparez-la d'abord avec recipe.corpus.")
        self.tokens, self.novels = open_library(folder)
        self.tokenizer = tokenizer

    def names(self, parts):
        """Renvoie les noms des romans de ces parts."""
        return [novel.name for novel in self.novels if novel.part in parts]

    def texts(self, parts):
        """Donne le texte de chaque roman de ces parts."""
        for novel in self.novels:
            if novel.part in parts:
                yield self.tokenizer.decode(self.tokens[novel.start:novel.end].tolist())

    def openings(self, parts, number, generator):
        """Renvoie `number` suites de quelques mots, prises n'importe où dans les romans de ces parts."""
        novels = [novel for novel in self.novels if novel.part in parts]
        openings = []
        for index in generator.choice(len(novels), number):
            novel = novels[index]
            start = generator.integers(novel.start, max(novel.start + 1, novel.end - 10 * OPENING_WORDS))
            # Le premier mot est peut-être entamé : on commence au suivant.
            words = self.tokenizer.decode(self.tokens[start:start + 10 * OPENING_WORDS].tolist()).split()
            openings.append(" ".join(words[1:OPENING_WORDS + 1]))
        return openings


def network_texts(network, tokenizer, openings, temperature):
    """Renvoie ce que le réseau écrit à la suite de chaque amorce, sans elle et sans fin de texte."""
    end = tokenizer.token_to_id("<|endoftext|>")
    settings = Settings(max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS, temperature=temperature, top_k=TOP_K,
                        eos_token_ids=(end,))
    tokens = [tokenizer.encode(opening).ids for opening in openings]
    written = [text for first in range(0, len(tokens), TOGETHER)
               for text in write_texts(network, tokens[first:first + TOGETHER], settings, seed=SEED + first)]
    return tokenizer.decode_batch(written)


def report(sequences, names, samples):
    """Affiche ce que les textes de {qui écrit: textes numérotés} ont en commun avec les livres.

    `names` : le nom de chaque livre. Renvoie {qui écrit: (suites de `SEQUENCE` mots, textes concernés, mots de la
    plus longue)}.
    """
    rows, found, counts = [], [], {}
    for writer, texts in samples.items():
        lengths = [sequences.longest_sequences(text) for text in texts]
        common = [sum(length >= SEQUENCE for length in text) for text in lengths]
        longest = max((max(text, default=0) for text in lengths), default=0)
        counts[writer] = sum(common), sum(map(bool, common)), longest
        rows.append([writer, count(sum(map(len, texts))), count(counts[writer][0]),
                     f"{counts[writer][1]} sur {len(texts)}", f"{longest} mots"])
        longest_first = sorted(zip(lengths, texts), key=lambda pair: -max(pair[0], default=0))
        found += [_longest_of(sequences, names, writer, text, length) for length, text in longest_first[:EXAMPLES]
                  if any(length)]
    section(f"Suites de {SEQUENCE} mots qui sont aussi dans les livres")
    table(["qui écrit", "mots écrits", "suites", "textes concernés", "la plus longue"], rows)
    print("\nLes plus longues :", *found, sep="\n  ")
    return counts


def _longest_of(sequences, names, writer, text, lengths):
    """Renvoie la plus longue suite d'un texte, et le livre où elle se trouve."""
    end = int(np.argmax(lengths)) + 1
    words = text[end - lengths[end - 1]:end]
    places = sequences.after(words)
    quoted = " ".join(sequences.vocabulary[word] for word in words)
    return f"{writer}, {len(words)} mots : « {quoted} » ({names[sequences.book(places[0])]}, {len(places)} fois)"


def main(arguments=None):
    """Fait écrire le réseau et le modèle 5-grammes sur les mêmes amorces, et renvoie les comptes."""
    settings = parse_arguments(arguments)
    network = Network.open(settings.network)
    tokenizer = Tokenizer.from_file(str(settings.network / "tokenizer.json"))
    library = Library(settings.library, tokenizer)
    parts = (BASE, SECOND) if settings.second else (BASE,)
    generator = np.random.default_rng(SEED)
    sources = [library.openings((part,), TEXTS, generator) for part in (BASE, SECOND) if library.names((part,))]
    openings = [source[index] for index in range(TEXTS) for source in sources][:TEXTS]
    written = {f"le réseau, à {decimal(temperature, 1)}": network_texts(network, tokenizer, openings, temperature)
               for temperature in TEMPERATURES}

    names = library.names(parts)
    sequences = WordSequences(library.texts(parts))
    print(f"Œuvres lues : {count(len(names))} ; mots : {count(np.count_nonzero(sequences.words))}.", flush=True)
    starts = [sequences.number(opening) for opening in openings]
    return report(sequences, names, {
        **{writer: [sequences.number(text)[:WORDS] for text in texts] for writer, texts in written.items()},
        "5-grammes": [sequences.write(start, WORDS, generator) for start in starts],
        "5-grammes lissé": [sequences.write(start, WORDS, generator, smoothed=True) for start in starts]})


if __name__ == "__main__":
    main()
