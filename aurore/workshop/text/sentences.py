"""Des phrases françaises : les couper avec NLTK, et recoller ce qu'il a coupé à tort."""

import re

# Après ces mots, un point ne finit pas une phrase. Ces quelques mots, que Punkt reçoit
# sans modèle à télécharger, coupent ces romans mieux que son modèle français tout fait.
ABBREVIATIONS = ("m", "mm", "mr", "mme", "mmes", "mlle", "mlles", "mgr", "mrs", "messrs", "dr", "me", "st", "ste",
                 "sr", "vve", "vves", "exc", "capt", "lieut", "ch", "chap", "liv", "p", "pp", "n", "t", "cf", "éd", "v",
                 "j.-j", "j.-b", "ph", "th")

_ENDS_IN_ABBREVIATION = re.compile(
    r"(?:^|[\s'«(—-])(?:MM?|Mr|Mmes?|Mlles?|Mgr|Mrs|Messrs|Dr|Ste?|Sr|Vves?|Me|Exc|Capt|Lieut|J\.-[JB]|cf|chap|liv)\.$",
    re.I)
# Ceux-ci n'en sont que devant un nombre : « l'art. 5 », mais « Il aimait l'art. Elle aussi. »
_ENDS_BEFORE_NUMBER = re.compile(r"(?:^|[\s'«(—-])(?:n[o°]s?|art|vol|fig|pl|tom|pag|sect|sc)\.$", re.I)
_NUMBER = re.compile(r"\s*(?:\d|[IVXLC]+(?:[\s,;.)]|$))")
_FIRST_LETTER = re.compile(r"[^\W\d_]")
# Le signe qui en suit un autre ne commence rien : sinon, une page de « ! » serait relue depuis chacun d'eux.
_SENTENCE_END = re.compile(r"(?<![.!?])[.!?]+»?(?=\s|$)")


def french_sentence_tokenizer():
    """Renvoie un découpeur NLTK qui connaît les abréviations françaises."""
    from nltk.tokenize.punkt import (  # pylint: disable=import-outside-toplevel
        PunktParameters, PunktSentenceTokenizer)  # la page, qui finit les phrases sans les couper, s'ouvre sans lui
    parameters = PunktParameters()
    parameters.abbrev_types.update(ABBREVIATIONS)
    return PunktSentenceTokenizer(parameters)


def mend_sentences(sentences):
    """Recolle les morceaux d'une même phrase et renvoie la nouvelle liste.

    Un morceau rejoint le précédent quand il commence par une minuscule (« Oh! » « dit-il. »),
    quand il n'est fait que de ponctuation (un « ou un » seul), ou quand le précédent finit par
    une abréviation (« M. »).
    """
    mended, parts = [], []  # phrases finies ; morceaux de la phrase en cours
    for piece in map(str.strip, sentences):
        if piece.startswith("»") and parts:  # le guillemet fermant appartient à ce qu'il ferme
            parts.append("»")
            piece = piece[1:].lstrip()
        if not piece:
            continue
        if parts and not _belongs_to_previous(parts, piece):
            mended.append("".join(parts))
            parts = []
        elif parts and not parts[-1].endswith("«"):
            parts.append(" ")
        parts.append(piece)
    if parts:
        mended.append("".join(parts))
    if mended and _starts_in_lower_case(mended[0]):
        mended[0] = _FIRST_LETTER.sub(lambda match: match.group().upper(), mended[0], count=1)
    return mended


def _belongs_to_previous(parts, piece):
    """Dit si `piece` continue la phrase dont les morceaux sont `parts`."""
    if not re.search(r"\w", piece) or not any(re.search(r"\w", part) for part in parts):
        return True  # l'un des deux n'est que de la ponctuation : un guillemet, un tiret
    if parts[-1].endswith("«") or _starts_in_lower_case(piece):
        return True
    return _is_abbreviated(parts[-1], piece)


def _is_abbreviated(before, after):
    """Dit si le point qui finit `before` est celui d'une abréviation, et non d'une phrase."""
    return bool(_ENDS_IN_ABBREVIATION.search(before)
                or (_ENDS_BEFORE_NUMBER.search(before) and _NUMBER.match(after)))


def _starts_in_lower_case(text):
    letter = _FIRST_LETTER.search(text)
    return bool(letter) and letter.group().islower() and not re.search(r"\d", text[:letter.start()])


def finished(text, start=0):
    """Renvoie `text` jusqu'à la fin de sa dernière phrase, cherchée après les `start` premiers signes.

    S'il n'en finit aucune, des points de suspension remplacent le dernier mot, peut-être coupé ;
    les `start` premiers signes, l'amorce, restent entiers.

    >>> finished("Il pleuvait. Elle dit: «Entrez!» Puis elle se")
    'Il pleuvait. Elle dit: «Entrez!»'
    >>> finished("Un roi. Cette femme était assise sur un ban", start=len("Un roi. Cette femme"))
    'Un roi. Cette femme était assise sur un...'
    """
    ends = [match.end() for match in _SENTENCE_END.finditer(text) if match.end() > start
            and not _is_abbreviated(text[max(0, match.end() - 12):match.end()], text[match.end():match.end() + 12])]
    if ends:
        return text[:ends[-1]]
    last_space = text.rfind(" ", start)
    return text[:start] + text[start:max(start, last_space)].rstrip(" ,;:—-") + "..."
