"""La belle typographie française, de la forme sobre que lit le réseau à celle d'un livre.

L'inverse de `workshop.text.typography`. Tout est du texte, jamais du HTML : c'est au gabarit de
l'échapper. `static/generate/typesetting.js` suit les mêmes règles pendant que le texte s'écrit ;
`tests/typesetting_samples.json` les vérifie toutes les deux.
"""

import re

NO_BREAK = "\u00a0"   # espace insécable : dans les guillemets, devant « : », après le tiret de dialogue
THIN = "\u202f"       # insécable et fine : devant « ; », « ! » et « ? »
CAPITAL = "A-ZÀ-ÖØ-ÞŒŸ"

# Dans l'ordre où elles s'appliquent.
_RULES = [(re.compile(pattern), replacement) for pattern, replacement in (
    (r"\s+", " "),
    (r"\.{3,}", "…"),
    (r"'", "’"),
    (r"« *", f"«{NO_BREAK}"),
    (r" *»", f"{NO_BREAK}»"),
    (r"(?<![ —«(]) *([;!?]+)", rf"{THIN}\1"),
    (r"(?<![ —«(]) *:(?= |$)", f"{NO_BREAK}:"),                             # mais « 10:30 » reste ainsi
    (rf"\b(MM?\.|Mmes?|Mlles?|Mgr|Dr) (?=[{CAPITAL}])", rf"\1{NO_BREAK}"),  # un titre ne quitte pas son nom
)]
# Après une phrase finie ou un deux-points, un tiret suivi d'une majuscule ouvre une réplique ; sinon
# c'est une incise.
_REPLY = re.compile(rf"(?<=[.!?…:»]) ?— ?(?=[«{CAPITAL}])")
_OPENING_DASH = re.compile(rf"^— ?(?=[«{CAPITAL}])")
_FIRST_LETTER = re.compile(r"^[^\w]*[^\W\d_]")
_SENTENCE_END = re.compile(r"[.!?…]\s*(?:»\s*)?$")


def typeset(text: str) -> list[str]:
    """Renvoie la liste des paragraphes de `text`, composés ; chaque réplique a le sien."""
    paragraphs = []
    for line in re.split(r"\n+", text):
        for pattern, replacement in _RULES:
            line = pattern.sub(replacement, line)
        paragraphs += _REPLY.sub("\n— ", line).split("\n")
    # Les espaces ordinaires seulement : un paragraphe peut commencer par une insécable et « ? ».
    paragraphs = [_OPENING_DASH.sub(f"—{NO_BREAK}", paragraph.strip(" ")) for paragraph in paragraphs]
    return [paragraph for paragraph in paragraphs if paragraph]


def capitalised(paragraphs: list[str]) -> list[str]:
    """Renvoie `paragraphs`, une majuscule à la première lettre : ils commencent une phrase."""
    if not paragraphs:
        return []
    return [_FIRST_LETTER.sub(lambda match: match.group().upper(), paragraphs[0]), *paragraphs[1:]]


def ends_a_sentence(text: str) -> bool:
    """Dit si ce qui suit `text` commence une phrase."""
    return bool(_SENTENCE_END.search(text))


def link(raw: str, first: str) -> str:
    """Renvoie ce qui sépare l'amorce de sa suite, de texte `raw` et de premier paragraphe `first` : une espace, rien,
    ou une fin de ligne devant une réplique."""
    if first.startswith(f"—{NO_BREAK}"):
        return "\n"
    return " " if raw[:1].isspace() and not first[:1].isspace() else ""
