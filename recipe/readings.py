"""Ce qu'un réseau a lu, pour qu'une personne le lise : auteur, titre, année, source.

Les manifestes viennent de quatre collections, qui écrivent chacune les noms à leur façon. Une règle
corrige ce qui est régulier ; les deux tables, le reste.
"""

import csv
import re
import unicodedata
from pathlib import Path

MANIFESTS = ("eltec-titles.tsv", "extra-and-sand-manifest.tsv")
ELTEC = Path(__file__).with_name("eltec.tsv")  # numéro, année de la première édition, titre si le manifeste l'oublie
SOURCES = {"GITenberg": "Project Gutenberg", "ELTeC": "ELTeC", "MiMoText": "MiMoText roman18", "cligs": "CLiGS textbox"}
LESSON_SOURCE = "Project Gutenberg"

AUTHORS = {
    "Adam Juliette Madame Adam Lambert Juliette Lamber AdamJ 64000638 Q270617": "Adam, Juliette",
    "Alexis Ponson du Terrail, Pierre": "Ponson du Terrail, Pierre Alexis",
    "Anonymous": "Anonyme",
    "Aurevilly, Jules Barbey d'": "Barbey d'Aurevilly, Jules",
    "Balzac": "Balzac, Honoré de",
    "Boisgobey, Fortuné du": "Du Boisgobey, Fortuné",
    "Boisgobey, Fortuné Du": "Du Boisgobey, Fortuné",
    "Cottin, Madame": "Cottin, Sophie",
    "Dumas": "Dumas, Alexandre",
    "Françoise Sophie Gay, Marie": "Gay, Sophie",
    "Féval": "Féval, Paul",
    "Féval, Paul H.C.": "Féval, Paul",
    "Féval, Paul Henri Corentin": "Féval, Paul",
    "Féval, Paul Henry Corentin": "Féval, Paul",
    "Gaboriau, Emile": "Gaboriau, Émile",
    "Gauthier, Théophile": "Gautier, Théophile",
    "Gautier": "Gautier, Théophile",
    "Gay, Marie Françoise Sophie": "Gay, Sophie",
    "Girardin, Emile de, Mme": "Girardin, Delphine de",
    "Karl Huysmans, Joris": "Huysmans, Joris-Karl",
    "Lermina": "Lermina, Jules",
    "Maupassant": "Maupassant, Guy de",
    "Moselly, Emile": "Moselly, Émile",
    "Ponson du Terrail": "Ponson du Terrail, Pierre Alexis",
    "Ponson du Terrail, Pierre Alexis de": "Ponson du Terrail, Pierre Alexis",
    "Sand": "Sand, George",
    "Schwob": "Schwob, Marcel",
    "Taine, Hypolite": "Taine, Hippolyte",
    "Vallette-Eymery, Marguerite": "Rachilde",
    "Verne": "Verne, Jules",
    "Villiers de L'Isle-Adam, Auguste comte de": "Villiers de L'Isle-Adam, Auguste de",
    "Villiers de L'Isle-Adam, Auguste, comte de": "Villiers de L'Isle-Adam, Auguste de",
    "de Montépin, Xavier": "Montépin, Xavier de",
    "du Boisgobey, Fortuné": "Du Boisgobey, Fortuné",
    "du Terrail, Ponson": "Ponson du Terrail, Pierre Alexis",
    "l'Isle Adam, Auguste Villiers de": "Villiers de L'Isle-Adam, Auguste de",
}
TITLES = {  # CLiGS les abrège
    "ChatPelote": "La Maison du chat-qui-pelote",
    "Clou": "Le Clou",
    "Cornélius": "Maître Cornélius",
    "DeuxFoisMorte": "La Deux Fois Morte",
    "Dimanches": "Les Dimanches d'un bourgeois de Paris",
    "FemmeBlanche": "La Femme blanche des marais",
    "Fous": "Les Fous",
    "HistoireMort": "Histoire d'un mort racontée par lui-même",
    "HivernageGlaces": "Un hivernage dans les glaces",
    "JeanMorénas": "Jean Morénas",
    "Marcas": "Z. Marcas",
    "MaîtreZacharius": "Maître Zacharius",
    "Medecin": "Le Médecin bleu",
    "MorteAmoureuse": "La Morte amoureuse",
    "RoiMasque": "Le Roi au masque d'or",
    "TestamentChauvelin": "Le Testament de M. de Chauvelin",
    "ÉlixirVie": "L'Élixir de vie",
}

_INITIALS = re.compile(r"\S*[A-Z]\.[^,(]* \(([A-ZÀ-Ü][^)]+)\)$")   # « J. (Jules) »
_ASIDE = re.compile(r" *(?:\([^)]*\)|\[[^\]]*\])")          # dates, vrais noms
_ELTEC_NUMBER = re.compile(r"FRA\d{5}")
_EDITION = re.compile(r" *: *(?:édition ELTeC|ELTeC edition)$", re.I)


def clean_author(author):
    """Renvoie le nom d'un auteur, sans ses dates ni ses autres noms.

    >>> clean_author("Dombre, Roger [Marguerite Sisson / Marguerite Ligeron] (1859-1914)")
    'Dombre, Roger'
    """
    author = _ASIDE.sub("", _INITIALS.sub(r"\1", author)).strip()
    return AUTHORS.get(author, author)


def clean_title(title):
    """Renvoie un titre, sans le nom de la collection qui l'édite.

    >>> clean_title("Le roman de la momie : ELTeC edition")
    'Le roman de la momie'
    """
    title = TITLES.get(title, _EDITION.sub("", title))
    return re.sub(r"\s+", " ", title.replace("''", "'").replace("--", "—")).strip().removesuffix(".")


def read_manifests(folder):
    """Renvoie {nom de fichier: (auteur, titre, année, source)} des manifestes de `folder`.

    Le nom est sans dossier ni extension.
    """
    eltec = {row["number"]: row for row in _rows(ELTEC)}
    works = {}
    for row in (row for name in MANIFESTS for row in _rows(folder / name)):
        title, year, source = row["title"], row.get("year", ""), row["source"]
        stem = row["file"].rpartition("/")[2].removesuffix(".txt")
        if "ELTeC" in source:  # ses manifestes taisent l'année de la première édition, et parfois le titre
            known = eltec.get(_ELTEC_NUMBER.search(stem)[0], {"title": "", "year": ""})
            title, year = known["title"] or title, known["year"]
        works[stem] = (clean_author(row["author"]), clean_title(title), year.replace("NA", ""),
                       next(shown for part, shown in SOURCES.items() if part in source))
    return works


def _rows(path):
    """Renvoie les lignes d'un fichier TSV, des dictionnaires."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def alphabetical(works):
    """Renvoie ces œuvres, par ordre alphabétique des auteurs."""
    return sorted(works, key=lambda work: [_bare(field) for field in work])


def _bare(text):
    """Renvoie un texte sans accents ni majuscules : « Émile » se range avant « Ernest »."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
