"""La fiche d'un réseau embarqué, écrite d'après ce qui est dit dans son dossier et dans celui-ci.

    python -m recipe.card

Se lance depuis la racine du projet, et écrit le README.md d'aurore-mini et celui d'aurore. Les
chiffres viennent de network.json, de config.json, de readings.tsv et de recipe/recitation.tsv : on
les change là, jamais dans la fiche.
"""

import csv
import json
from pathlib import Path

from workshop.identity import Identity
from workshop.learning.readings import read_list
from workshop.narration import count, decimal
from workshop.paths import BASE_MODEL, SAND_MODEL

RECITATION = Path(__file__).with_name("recitation.tsv")
SENTENCES = {
    "aurore-mini": ("Un petit GPT-2 français, fait pour être spécialisé en quelques minutes sur un ordinateur "
                    "portable. Il a lu des romans, aucun de George Sand. L'étape 3 part de lui quand elle n'a pas "
                    "d'autre réseau."),
    "aurore": ("Un GPT-2 français qui a lu des romans, puis George Sand. C'est lui qui écrit aux étapes 4 et 5, tant "
               "que l'on n'a pas entraîné le sien."),
}
CARD = """# {name}

{sentence}

| | |
|---|---|
| architecture | GPT-2, {layers} couches × {width}, {heads} têtes, contexte de {context} tokens, embeddings partagés entre \
l'entrée et la sortie |
| taille | {parameters} poids, {megabytes} Mo en demi-précision |
| tokenizer | BPE d'octets, {vocabulary} tokens |
| format | safetensors, noms de PyTorch : TensorFlow, PyTorch et NumPy l'ouvrent |
| apprentissage | {steps} pas de 65 536 tokens, {date} |
| licence | CC BY 4.0, « les auteurs d'Aurore » |

## Ce qu'il a lu

{works} œuvres, {words} millions de mots, chacune une fois dans la liste : `readings.tsv` donne l'auteur, le titre, \
l'année quand on la connaît et la source, et une empreinte par laquelle l'étape 3 reconnaît un livre déjà lu. Pour \
choisir un livre d'examen, prenez-en un qui n'y est pas : *La Mare au Diable* n'y est pas, *Madame Bovary* y est.

Les textes sont du domaine public, et viennent de quatre collections : ELTeC (COST Action CA16204 ; balisage CC BY 4.0), \
Project Gutenberg par GITenberg, MiMoText roman18 et CLiGS textbox. Ils ne sont pas dans ce dépôt. Quelques auteurs y \
pèsent lourd (Féval, Sue, Zola, Verne, Dumas).

## Comment il a été fait

La recette est dans `recipe/`, à la racine du projet : ses réglages, ses durées, et de quoi le refaire.

## Sa note

{score} bits par caractère sur {text}, perplexité {perplexity} (fenêtres de {window} tokens qui avancent de \
{stride}). Depuis le dossier `aurore` :

```console
../.venv/bin/python -m workshop.learning.evaluation embedded/{folder} data/books/la_mare_au_diable_23582-0.txt
```

L'étape 3 ne retient que les phrases de plus de trois mots : ses notes sont un peu plus basses.

## Récite-t-il ?

Deux cents textes de soixante mots, commencés par quelques mots de livres lus, de George Sand ou d'ailleurs, et les \
suites de douze mots que l'on y trouve aussi dans les livres lus (`python -m recipe.recitation`). À côté, un modèle \
5-grammes des mêmes livres, qui n'a retenu que des suites de cinq mots.

{recitation}

## Ses limites

Il écrit des phrases du XIXᵉ siècle, et perd le fil d'un paragraphe à l'autre. Il a les préjugés des romans de son \
temps. Il ne sait rien, et ne répond pas à des questions.
"""


def card(folder):
    """Renvoie la fiche du réseau de `folder`, en Markdown."""
    identity, readings = Identity.read(folder), read_list(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    score = identity.score
    return CARD.format(
        name=identity.name, sentence=SENTENCES[identity.name], layers=config["n_layer"], width=config["n_embd"],
        heads=config["n_head"], context=config["n_positions"], vocabulary=count(config["vocab_size"]),
        parameters=count(identity.parameters), megabytes=decimal(2 * identity.parameters / 1e6, 1),
        steps=count(identity.steps), date=identity.french_date, works=count(len(readings)),
        words=decimal(identity.words_read / 1e6, 1), score=decimal(score.bits_per_character, 3),
        text=f"*La Mare au Diable* ({score.text.partition(', ')[2]})", perplexity=decimal(score.perplexity, 1),
        window=score.window, stride=score.window // 2, folder=folder.name, recitation=recitation_table(identity.name))


def recitation_table(name):
    """Renvoie le tableau de ce que le réseau `name` récite, en Markdown."""
    with open(RECITATION, encoding="utf-8", newline="") as file:
        rows = [list(row.values())[1:] for row in csv.DictReader(file, delimiter="\t") if row["network"] == name]
    header = ("qui écrit", "température", "suites de 12 mots", "textes concernés", "la plus longue")
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows))


def main():
    """Écrit les deux fiches."""
    for folder in (BASE_MODEL, SAND_MODEL):
        (folder / "README.md").write_text(card(folder), encoding="utf-8")


if __name__ == "__main__":
    main()
