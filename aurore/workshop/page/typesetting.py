"""La belle typographie française, de la forme sobre que lit le réseau à celle d'un livre.

L'inverse de `workshop.text.typography` : une dizaine de règles, dans l'ordre où elles s'appliquent.
Tout est du texte, jamais du HTML : c'est au gabarit de l'échapper. `static/typesetting.js` suit les
mêmes règles ; `tests/typesetting_samples.json` les compare.
"""

import re

from workshop.text.typography import normalise

NO_BREAK = "\u00a0"   # espace insécable : deux-points, guillemets, après un tiret de dialogue
NARROW = "\u202f"     # espace fine insécable : ; ! ?

_RULES = [(re.compile(pattern), replacement) for pattern, replacement in (
    (r"'", "’"),                                               # l'heure → l’heure
    (r"\.\.\.", "…"),                                          # trois points en un seul signe
    (r'"([^"]*)"', r"«\1»"),                                   # guillemets droits, par deux
    (r"(?<=\w)--?(?= )|(?<= )--?(?=\w)", "—"),                 # un tiret isolé est un tiret long
    (r" *(?<![;!?])([;!?])", rf"{NARROW}\1"),                  # une fine avant ; ! ? (une seule avant « ?! »)
    (r" *:(?!\w)", f"{NO_BREAK}:"),                            # une insécable avant les deux-points, sauf 10:30
    (r"« *", f"«{NO_BREAK}"), (r" *»", f"{NO_BREAK}»"),        # à l'intérieur des guillemets
    (r"(?<![\w’-])(MM?\.|Mmes?|Mlles?|Dr|St|Ste) (?=[A-ZÀ-Ý])", rf"\1{NO_BREAK}"),  # M. de Boisguilbault
    (r"(?<=\d) (?=\d{3}(?!\d))", NARROW),                      # 30 000 francs
    (r"^— ?", f"—{NO_BREAK}"),                                 # le tiret qui ouvre une réplique
)]
# Une réplique commence par un tiret, après la fin d'une phrase ou deux-points, et une majuscule.
_REPLY = re.compile(r"(?<=[.!?…:»]) +(?=— ?(?:« ?)?[A-ZÀ-ÝŒ])|(?<=\.\.\.) +(?=— ?[A-ZÀ-ÝŒ])")
_SENTENCE_END = re.compile(r"[.!?…][»”\s]*$")
_FIRST_LETTER = re.compile(r"^[\W\d_]*?(?<!\d)([^\W\d_])")


def ends_a_sentence(text):
    """Dit si ce qui suit `text` commence une phrase."""
    return not text.strip() or bool(_SENTENCE_END.search(text))


def typeset(text, capital=True):
    """Renvoie la liste des paragraphes de `text`, composés ; chaque réplique a le sien.

    `capital` met une majuscule au premier mot ; non, si le texte continue une phrase.
    """
    paragraphs = []
    for line in text.splitlines():
        for paragraph in _REPLY.split(normalise(line)):
            for pattern, replacement in _RULES:
                paragraph = pattern.sub(replacement, paragraph)
            if paragraph:
                paragraphs.append(paragraph)
    if paragraphs and capital:
        paragraphs[0] = _FIRST_LETTER.sub(lambda match: match.group()[:-1] + match[1].upper(), paragraphs[0])
    return paragraphs
