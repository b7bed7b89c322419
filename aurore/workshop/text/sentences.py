"""Des phrases françaises : NLTK les coupe, une seule règle dit où elles finissent vraiment."""

import re
from itertools import takewhile

# Ces quelques mots, que Punkt reçoit sans modèle à télécharger, coupent ces romans mieux que
# son modèle français tout fait. Après eux vient un nom : leur point ne finit jamais une phrase.
_TITLES = ("mm mr mme mmes mde mlle mlles melle mgr mgrs mrs messrs dr drs me sr sgr st ste sts stes vve vves cf "
           "voy").split()
# Des mots et des prénoms écourtés : leur point finit une phrase si ce qui suit ne peut être un nom.
_SHORTENED = ("éd édit coll trad ms mss av apr exc em capt capit lieut gén prof rév pr bd boul r prosp aug alex alf "
              "eug ed ém fréd vict théod théoph phil jos guill ll ss nn rr pp aa").split()
# Des unités et des renvois : seulement devant un nombre. « L'art. 5 », mais « Il aimait l'art. Elle aussi. »
_BEFORE_NUMBER = ("m n no nos n° art vol fig pl tom t liv l ch chap p pag sect sc lib cap v f fol fr c cent kil h min "
                  "janv févr avr juill sept oct nov déc var").split()

_CAPITAL = r"[^\W\d_a-zà-ÿœ]"
_CONSONANT = "[bcdfghjklmnpqrstvwxz]"
_HEAD = r"(?:^|[\s'«(\[—-])"
_ENDS_IN_TITLE = re.compile(rf"{_HEAD}(?:M|(?i:{'|'.join(_TITLES)}))\.$")
_ENDS_BEFORE_NUMBER = re.compile(rf"{_HEAD}(?:{'|'.join(_BEFORE_NUMBER)})\.$", re.I)
# « Jean W. », « Th. », « J.-J. », « J.-C. » ; et « Mme de R... », « la comtesse de Gr... »
_ENDS_IN_INITIAL = re.compile(
    rf"{_HEAD}(?:(?:{_CAPITAL}\.-?)*(?:{_CAPITAL}|{_CONSONANT.upper()}{_CONSONANT})(?:\.|\.\.\.)"
    rf"|(?i:{'|'.join(_SHORTENED)})\.)$")
_NUMBER = re.compile(r"\d|I(?:er|re)\b|[IVXLC]+(?:[\s,;.:)]|$)")
# Ce qui ouvre une phrase, et ne suit pas un prénom écourté.
_OPENING = re.compile(
    r"[\W_]*[—«]|(?:Ils?|Elles?|On|Je|Tu|Nous|Vous|Ce|Cela|Ça|Cet|Cette|Ces|Une?|Les?|La|Mon|Ma|Mes|Ton|Ta|Tes|Son|Sa"
    r"|Ses|Notre|Nos|Votre|Vos|Leurs?|Et|Mais|Où|Ni|Car|Donc|Puis|Alors|Ainsi|Aussi|Après|Avant|Quand|Lorsque|Comme|Si"
    r"|Que|Qui|Quel|Quelle|Quoi|Pourquoi|Comment|À|Au|Dans|En|Par|Pour|Sur|Sous|Sans|Avec|Depuis|Pendant|Enfin|Bientôt"
    r"|Cependant|Pourtant|Oui|Non|Ne|Tout|Tous|Toute|Toutes|Là|Ici|Voici|Voilà)\b(?![-.])|(?:[CJLSNQ]|Qu|Lorsqu)'")
_NUMERAL = re.compile(r"[IVXLC]+\.")  # seul dans son paragraphe, un titre de chapitre
_STAMMER = re.compile(r"\b([^\W\d_])\.\.\. \1")  # « J... Je ne sais. »
_FIRST_LETTER = re.compile(r"[^\W\d_]")
# Le signe qui en suit un autre ne commence rien : sinon, une page de « ! » serait relue depuis chacun d'eux.
_POSSIBLE_END = re.compile(r"(?<![.!?])[.!?]+[»)\]\"]*(?=\s|$)")
_PAGE = 1000  # caractères parcourus d'un coup, depuis la fin
_REACH = 24  # caractères que la règle regarde de part et d'autre d'une fin possible


def french_sentence_tokenizer():
    """Renvoie un découpeur NLTK qui connaît les abréviations françaises."""
    from nltk.tokenize.punkt import (  # pylint: disable=import-outside-toplevel
        PunktParameters, PunktSentenceTokenizer)  # la page, qui finit les phrases sans les couper, s'ouvre sans lui
    parameters = PunktParameters()
    parameters.abbrev_types.update(["m"], _TITLES, _SHORTENED)
    return PunktSentenceTokenizer(parameters)


def mend_sentences(sentences):
    """Renvoie les phrases entières que forment les morceaux `sentences`, coupés par NLTK.

    Deux morceaux que la règle ne sépare pas sont recollés (« Oh! » « dit-il. », « M. » « Dupin. »,
    un « ou un » seul), et un morceau où elle voit la fin d'une phrase est recoupé : sans modèle,
    Punkt ne coupe jamais après « ... ».
    """
    mended, parts = [], []  # phrases finies ; morceaux de la phrase en cours
    for piece in map(str.strip, sentences):
        if piece.startswith("»") and parts:  # le guillemet fermant appartient à ce qu'il ferme
            parts.append("»")
            piece = piece[1:].lstrip()
        if not piece:
            continue
        if parts and re.search(r"\w", piece) and (
                (_NUMERAL.fullmatch(parts[-1]) and not _starts_in_lower_case(piece))
                or not _goes_on("".join(parts[-2:])[-_REACH:], piece)):
            mended.extend(_cut("".join(parts)))
            parts = []
        elif parts and not parts[-1].endswith("«") and piece[0] not in "),;:]":
            parts.append(" ")
        parts.append(piece)
    mended.extend(_cut("".join(parts)))
    if mended and _starts_in_lower_case(mended[0]):
        mended[0] = _FIRST_LETTER.sub(lambda match: match.group().upper(), mended[0], count=1)
    return mended


def finished(text, start=0):
    """Renvoie `text` jusqu'à la fin de sa dernière phrase, cherchée après les `start` premiers signes.

    S'il n'en finit aucune, des points de suspension remplacent le dernier mot, peut-être coupé ;
    les `start` premiers signes, l'amorce, restent entiers.

    >>> finished("Il pleuvait. Elle dit: «Entrez!» Puis elle se")
    'Il pleuvait. Elle dit: «Entrez!»'
    >>> finished("Un roi. Cette femme était assise sur un ban", start=len("Un roi. Cette femme"))
    'Un roi. Cette femme était assise sur un...'
    """
    end = _last_end(text, start)
    if end is not None:
        return text[:end]
    last_space = text.rfind(" ", start)
    return text[:start] + text[start:max(start, last_space)].rstrip(" ,;:—-") + "..."


def _ends(text):
    """Donne les rangs où finit une phrase de `text`."""
    for possible in _POSSIBLE_END.finditer(text):
        end = possible.end()
        if _is_end(text, end):
            yield end


def _last_end(text, start):
    """Renvoie le dernier rang, après `start`, où finit une phrase de `text`, ou None ; le cherche depuis la fin : d'un
    long texte, elle est presque toujours là."""
    above = len(text)
    while above > 0:
        below = max(0, above - _PAGE)
        possible = [match.end() for match in takewhile(lambda match, above=above: match.start() < above,
                                                       _POSSIBLE_END.finditer(text, below))]
        for end in reversed(possible):
            if end <= start:
                return None
            if _is_end(text, end):
                return end
        above = below
    return None


def _is_end(text, end):
    return not _goes_on(text[max(0, end - _REACH):end], text[end:end + _REACH])


def _cut(text):
    """Donne les phrases de `text` ; ce qui suit la dernière fin, s'il a un mot, en est une aussi."""
    begin = 0
    for end in _ends(text):
        if re.search(r"\w", text[end:]):
            yield text[begin:end].lstrip()
            begin = end
    if text[begin:].strip():
        yield text[begin:].strip()


def _goes_on(before, after):
    """Dit si la phrase qui s'arrête à `before` se poursuit avec `after` : la règle de tout ce module."""
    before, after = before.rstrip("»)]\" "), after.lstrip()
    if not re.search(r"\w", before) or before.endswith("«"):
        return True   # elle n'a encore qu'un guillemet ou un tiret
    if _ENDS_IN_TITLE.search(before) or _starts_in_lower_case(after) or re.match(r"[.!?,;:)\]]", after):
        return True
    if _ENDS_BEFORE_NUMBER.search(before) and _NUMBER.match(after):
        return True
    if _ENDS_IN_INITIAL.search(before):
        return not (_OPENING.match(after) or _NUMERAL.fullmatch(after)) or bool(_STAMMER.search(f"{before} {after}"))
    return False


def _starts_in_lower_case(text):
    letter = _FIRST_LETTER.search(text)
    return bool(letter) and letter.group().islower() and not re.search(r"\d", text[:letter.start()])
