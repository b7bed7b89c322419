"""Le réseau récite-t-il ? Les suites de mots qu'il a en commun avec les livres qu'il a lus.

    python -m recipe.recitation MODÈLE LIVRES [--known DOSSIER] [--validation FICHIER ...]

Se lance depuis `aurore/`, avec les réglages donnés à `pretrain` pour retrouver les mêmes livres ;
demande comme lui PyTorch. Trois minutes de calcul et 2 Go pour 350 romans.

Une langue a ses tours tout faits, et une suite de mots déjà imprimée ne prouve pas que l'on
récite. On compte donc aussi celles d'un modèle 5-grammes estimé sur les mêmes livres, qui écrit
autant à partir des mêmes amorces : il n'a retenu d'eux que des suites de cinq mots.
"""

import argparse
from pathlib import Path

import numpy as np
import torch  # pylint: disable=import-error  # l'atelier s'en passe
from transformers import GPT2LMHeadModel, GPT2TokenizerFast

from recipe.ngrams import WordSequences
from recipe.novels import read_novel, without_duplicates
from workshop.errors import WorkshopError
from workshop.narration import count, section, table
from workshop.text.typography import normalise

TEXTS, WORDS = 200, 60    # ce que chacun écrit
SEQUENCE = 12             # mots de suite : au-delà, on parle de récitation
TOP_K = 50                # celui de l'étape 4
TEMPERATURE = 1.0         # 0,8 à l'étape 4 : on veut ici le réseau tel qu'il est
NEW_TOKENS = 160          # de quoi faire 60 mots : il en faut une centaine
TOGETHER = 50             # textes que le réseau écrit de front
OPENING_WORDS = 6         # pris dans un livre, à continuer
SEED = 0

# Celles de l'étape 4, et de plus banales.
PROMPTS = ("Cette femme était assise", "Le soir elle se rappelait", "Il était une fois", "Le lendemain matin,")


def parse_arguments(arguments=None):
    """Renvoie les réglages de la ligne de commande."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.recitation",
        description="Compte les suites de mots qu'un réseau a en commun avec les livres qu'il a lus.")
    parser.add_argument("model", type=Path, metavar="MODÈLE", help="dossier du réseau")
    parser.add_argument("books", type=Path, metavar="LIVRES", help="dossier de fichiers .txt")
    parser.add_argument("--known", type=Path, metavar="DOSSIER",
                        help="de deux éditions d'un roman, celle de ce dossier a été lue")
    parser.add_argument("--validation", nargs="+", default=[], metavar="FICHIER",
                        help="romans que le réseau n'a pas lus (chemins dans LIVRES)")
    return parser.parse_args(arguments)


def openings_from(paths, generator):
    """Renvoie `TEXTS` suites de quelques mots, prises n'importe où dans des livres."""
    openings = []
    for path in generator.choice(paths, TEXTS):
        words = path.read_text(encoding="utf-8").split()
        start = generator.integers(max(1, len(words) - OPENING_WORDS))
        openings.append(normalise(" ".join(words[start:start + OPENING_WORDS])))
    return openings


def network_texts(folder, openings):
    """Renvoie ce que le réseau de `folder` écrit à la suite de chaque amorce, sans elle."""
    torch.manual_seed(SEED)
    model = GPT2LMHeadModel.from_pretrained(folder, torch_dtype=torch.float32).eval()
    tokenizer = GPT2TokenizerFast.from_pretrained(folder, padding_side="left")
    end = tokenizer.pad_token = tokenizer.eos_token  # le token qui précède chaque roman
    texts = []
    for first in range(0, len(openings), TOGETHER):
        inputs = tokenizer([opening or end for opening in openings[first:first + TOGETHER]],
                           padding=True, return_tensors="pt")
        opened = inputs.input_ids.shape[1]
        tokens = model.generate(**inputs, do_sample=True, temperature=TEMPERATURE, top_k=TOP_K,
                                max_new_tokens=min(NEW_TOKENS, model.config.n_positions - opened),
                                suppress_tokens=[tokenizer.eos_token_id],
                                pad_token_id=tokenizer.pad_token_id)
        texts += tokenizer.batch_decode(tokens[:, opened:])
    return texts


def report(sequences, samples):
    """Affiche ce que les textes de {qui écrit: textes numérotés} ont en commun avec les livres, et
    renvoie {qui écrit: nombre de suites de `SEQUENCE` mots}."""
    rows, examples, totals = [], [], {}
    for writer, texts in samples.items():
        lengths = [sequences.longest_sequences(text) for text in texts]
        common = [sum(length >= SEQUENCE for length in text) for text in lengths]
        totals[writer] = sum(common)
        longest, number, end = max((length, number, end) for number, text in enumerate(lengths)
                                   for end, length in enumerate(text, 1))
        words = " ".join(sequences.vocabulary[word] for word in texts[number][end - longest:end])
        examples.append(f"{writer} : « {words} »")
        rows.append([writer, count(sum(map(len, texts))), count(totals[writer]),
                     f"{sum(map(bool, common))} sur {len(texts)}", f"{longest} mots"])
    section(f"Suites de {SEQUENCE} mots qui sont aussi dans les livres")
    table(["qui écrit", "mots écrits", "suites", "textes concernés", "la plus longue"], rows)
    print("\nLa plus longue de chacun :", *examples, sep="\n  ")
    return totals


def main(arguments=None):
    """Fait écrire le réseau et le modèle 5-grammes sur les mêmes amorces, et renvoie les comptes."""
    settings = parse_arguments(arguments)
    paths = set(settings.books.rglob("*.txt"))
    kept = {settings.books / name for name in settings.validation}
    known = {path for path in paths if settings.known and settings.known.resolve() in path.resolve().parents}
    if not paths > kept:
        absent = ", ".join(sorted(map(str, kept - paths))) or "les romans lus"
        raise WorkshopError(f"Dans {settings.books}, il manque {absent}.\n"
                            "Donnez LIVRES et --validation comme à pretrain.")
    generator = np.random.default_rng(SEED)
    sources = [[""], PROMPTS, *(openings_from(sorted(part), generator)
                                for part in (paths - kept, kept) if part)]
    openings = [source[i % len(source)] for i in range(TEXTS) for source in sources][:TEXTS]
    written = network_texts(settings.model, openings)

    texts = {path: read_novel(path) for path in sorted(paths - kept)}
    names, duplicates = without_duplicates(texts, priority=known)
    print(f"{len(texts)} romans lus, dont {len(duplicates)} doublons écartés.", flush=True)
    sequences = WordSequences(texts.pop(name) for name in names)
    starts = [sequences.number(opening) for opening in openings]
    return report(sequences, {
        "le réseau": [sequences.number(text)[:WORDS] for text in written],
        "5-grammes": [sequences.write(start, WORDS, generator) for start in starts],
        "5-grammes lissé": [sequences.write(start, WORDS, generator, smoothed=True) for start in starts]})


if __name__ == "__main__":
    main()
