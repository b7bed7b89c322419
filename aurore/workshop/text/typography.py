"""Une seule façon d'écrire chaque signe, pour le corpus comme pour les amorces.

D'un livre à l'autre, Project Gutenberg écrit « ' » ou « ’ », « -- » ou « — », « coeur »
ou « cœur ». Pour un réseau, ce sont des tokens différents : celui qui n'a lu que « ' »
prend « ’ » pour un signe inconnu, et sa note chute sans que le style y soit pour rien.
"""

import re
import unicodedata

# Les signes qui ont plusieurs dessins pour un même sens.
_SAME_SIGN = str.maketrans({
    "’": "'", "‘": "'", "ʼ": "'", "′": "'",
    "“": "«", "”": "»", "„": "«",
    "…": "...",
    "\u00ad": None, "\u200b": None, "\ufeff": None,  # césure, espace nulle, marque d'ordre
})

# Dans l'ordre où elles s'appliquent.
_RULES = [(re.compile(pattern), replacement) for pattern, replacement in (
    (r"[\x00-\x08\x0e-\x1b\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]", ""),  # invisibles
    (r"\s+", " "),                       # insécables, tabulations, fins de ligne
    (r"oe(?=u|il)", "œ"),                # coeur, soeur, oeuvre, oeil
    (r"O[eE](?=u|il|U|IL)", "Œ"),
    (r" ?\.(?: ?\.){2,}", "..."),        # . . . et ..... : trois points
    (r"(?: ?(?:-{2,}|[–—―]))+ ?", " — "),  # le tiret de dialogue et d'incise
    (r"« +", "«"), (r" +»", "»"),        # ni espace à l'intérieur des guillemets
    (r"(?<!—) ([;:!?]+)(?=[ »)]|$)", r"\1"),   # ni espace avant une ponctuation haute
    (r"(?<!—) ([,.])(?= |$)", r"\1"),
)]


def normalise(text):
    """Renvoie `text` dans la forme unique que lisent le tokenizer et le réseau.

    Apostrophe droite, tiret long entouré d'espaces, trois points, guillemets collés à leur
    contenu, ligature œ, une seule espace entre les mots. Appliquer deux fois ne change rien.
    Les fins de ligne deviennent des espaces : normaliser paragraphe par paragraphe.
    """
    text = unicodedata.normalize("NFC", text).translate(_SAME_SIGN)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text.strip()
