"""D'un fichier de Project Gutenberg aux seules lignes de l'auteur.

Un fichier contient, dans l'ordre : un en-tête en anglais, la ligne « *** START OF … *** »,
les crédits de ceux qui l'ont numérisé, le livre, parfois des notes de transcription, la ligne
« *** END OF … *** », et la licence, en anglais. Avant 2003, la licence (« small print ») est
en tête ou à la fin, et les repères sont autres. La notice, la préface et les titres de
chapitres sont de l'auteur : ils restent.
"""

import re
from collections import Counter
from itertools import groupby
from pathlib import Path

from workshop.errors import WorkshopError
from workshop.paths import shown
from workshop.sources import OutOfReach
from workshop.text.transcribers import METADATA, without_transcriber_notes

MOST_BYTES = 2 ** 26     # vingt fois un long roman ; au-delà, ce n'en est pas un
SHORTEST_BOOK = 2_000  # caractères entre les repères ; en deçà, le fichier est tronqué
LONGEST_CAPTION = 150  # caractères du titre d'une image

_START = re.compile(r"\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG", re.I)
_SMALL_PRINT_ENDS = re.compile(r"\*END ?\*? ?THE SMALL PRINT", re.I)
_END = re.compile(r"\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG"
                  r"|^\W*(?:this is )?(?:the )?end of (?:the |this )?(?:project gutenberg|e-?text|e-?book)"
                  r"|^\W*fin (?:de|du) ?.{0,60}(?:proje[ct]+ gutenberg|e-?text|e-?book)"
                  r"|\*START\W*THE SMALL PRINT|\*\*\* ?START: FULL LICENSE", re.I)
_OLD_FOOTER = re.compile(r"^\W*(?:the )?project gutenberg(?:'s)? e-?(?:text|book) of\b", re.I)
_OLD_HEADER = re.compile(r"project gutenberg|\be-?(?:text|book)s?\b|^[\s*]*\*{3,}[\s*]*$", re.I)
_ENGLISH = re.compile(r"\b(?:the|of|and|this|to|you|for|is|are|with|by|be|please)\b", re.I)
_ILLUSTRATION = re.compile(
    r"\[ *(?:illustrations?|images?|frontispice|décoration)\b(?:[^\[\]]|\[[^\[\]]{0,200}\]){0,1500}\]"
    r"|\[ *(?:musique|music|vignette|gravure|figure|fig\.|planche|carte|plan|portrait|photo(?:graphie)?|dessin"
    r"|cul-de-lampe|lettrine|fleuron|ornement|bandeau|blason|armoiries|sceau|signature|fac-similé|couverture|cover"
    r"|lettre ornée|décor|logo|symbole?|page blanche|blank page|tailpiece|headpiece|diagramme|schéma|croquis|estampe"
    r"|marque d(?:'|e l')(?:éditeur|imprimeur))"
    r"(?: *[\dIVXLC]+)?\.? *(?:(?<!musique)(?<!music):(?:[^\[\]]|\[[^\[\]]{0,200}\]){0,1500})?\]", re.I)
_BRACKETED_NOTE = re.compile(
    r"\[[^\]:]{0,40}\b(?:transcripteur|transcriber|correcteur|transcription|fichi?er (?:digital|numérique)"
    r"|version (?:électronique|numéri\w+)|project gutenberg)\b"
    r"(?:[^\[\]]|\[[^\[\]]{0,200}\]){0,1500}\]"
    r"|\[(?:TN:|\*\*|error:|spelling:)[^\]]*\]", re.I)
_MARK = r"(?:\d{1,4}[a-z]?|[A-Za-z]|[*†‡§]+)"
_NOTE_OPENING = re.compile(
    rf"\[(?:(?:note|footnote|nt|musique|music|sidenote)(?: de bas de page| en marge| marginale)? *[\w*]* ?[.:;]"
    rf"|{_MARK} *:) *", re.I)
_WHOLE_NOTE = re.compile(rf"(?:{_NOTE_OPENING.pattern})([^\[\]]*)\]", re.I)
_NOTE_CALL = re.compile(  # une lettre seule suit un mot : dans « l[e] roi » ou « [A]insi », elle est de l'auteur
    r"\[(?:\d{1,4}[a-z]?|\(\d+\)|[*†‡§]+|(?:note|nt|fn) *\d+|[Pp](?:g|age)?\.? ?(?:\d+|[ivxlcIVXLC]+))\]"
    r"|(?:(?<=[^\W\d_]{3})|(?<=[».,;:!?)]))\[[a-z]\](?![^\W\d_])|\[[A-Z]\](?![^\W\d_])|^\[[a-z]\](?= )"
    r"|\[[A-Z]\](?=[^\W\d_a-zà-ÿœ][a-zà-ÿœ])", re.M)  # « [A]Là-bas »
_PAGE_NUMBER = re.compile(r"\{(?:p(?:g|age|\.)? *)?(?:v\d-)?\d{1,4}\}")
_EXPONENT = re.compile(r"\^\{?(\w+)\}?")       # M^{me}
_BRACES = re.compile(r"[{}]")                  # M{me}, et l'accolade qui réunit deux vers
_TAG = re.compile(r"</?(?:tb|br|hr|p|em|strong|sc|f|g|su[bp]|small|big|center) ?/?>", re.I)
_RESTORED_SIGN = re.compile(r'\[([.,;:"«»])\]')  # oublié par l'imprimeur, rendu par le transcripteur
_STARRED_NOTE = re.compile(r"(?<=\w)\*(?= ?\[\*)|(?<=\[)\* ?(?=\w)")  # « une verste* [*Mesure russe.] »
_BOLD = re.compile(r"=([^=\n]+)=")
_STARRED = re.compile(r"(?<![\w*])\*(?![\s*])([^*\n]{1,200})(?<!\s)\*(?![\w*])")  # et non « M. de *** »
_FOREIGN = re.compile(r"\[(?:grec|greek|hébreu|hebrew|arabe|arabic)(?:: *([^\[\]]*))?\]", re.I)
_LIGATURES = {"[oe]": "œ", "[Oe]": "Œ", "[OE]": "Œ", "[ae]": "æ", "[Ae]": "Æ", "[AE]": "Æ"}
_CELLS = re.compile(r"^\s*\|.*\|\s*$")
# Le numéro d'un vers, dans la marge de droite ou de gauche : « Ma fortune va prendre une face nouvelle;      10 »
_VERSE_NUMBER = re.compile(r"(?:(?<=\S) {3,}|^ {8,})[\[(]?(\d{1,4})[\])]?$|^ *(\d{1,4}) {2,}(?=\S)")


def check_book(path):
    """Lève une WorkshopError si `path` n'est pas un livre entier au format Gutenberg, en UTF-8.

    OutOfReach si c'est une page web : quelque chose répond à la place du serveur.
    """
    path = Path(path)
    if path.is_dir():
        raise WorkshopError(f"{shown(path)} est un dossier : donnez l'adresse du fichier du livre.")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise WorkshopError(f"ce n'est pas un livre : il pèse {path.stat().st_size // 10 ** 6} Mo, et un long "
                                "roman trois.")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise WorkshopError(f"le fichier {shown(path)} n'existe pas.") from None
    except UnicodeDecodeError:
        raise WorkshopError(
            "ce fichier n'est pas en UTF-8 mais sans doute en Latin-1 (ISO-8859-1). Sur Project "
            "Gutenberg, prenez l'adresse qui finit par « -0.txt » ou « .txt.utf-8 ».") from None
    if not text.strip():
        raise WorkshopError("le fichier est vide.")
    if re.match(r"\s*(?:<!doctype|<html|<\?xml)", text, re.I):
        raise OutOfReach("le serveur a envoyé une page web à la place du livre (portail Wi-Fi, "
                         "page d'erreur ?).")
    lines = text.splitlines()
    start, end = find_markers(lines)
    if start is None and not any("project gutenberg" in line.lower() for line in lines[:20]):
        raise WorkshopError("ce n'est pas un livre de Project Gutenberg (pas de ligne "
                            "« *** START OF … *** »).")
    if start is None or (end is None and not _START.search(text)):
        raise WorkshopError("ce fichier de Project Gutenberg est d'une forme ancienne, sans ligne qui dise où le livre "
                            "commence ou finit : prenez-en une version récente, à l'adresse qui finit par « -0.txt ».")
    if end is None or sum(map(len, lines[start:end])) < SHORTEST_BOOK:
        raise WorkshopError("le fichier est tronqué (trop court, ou sans la ligne « *** END OF … *** »).")


def find_markers(lines):
    """Renvoie (premier, dernier) : le livre est dans lines[premier:dernier] ; None si absent."""
    start = next((number for number, line in enumerate(lines) if _START.search(line)), None)
    if start is None:
        start = _old_start(lines)
        if start is None:
            return None, None
    else:
        while start < len(lines) - 1 and not lines[start].rstrip().endswith("*") and lines[start].strip():
            start += 1  # un long titre déborde sur la ligne suivante
        start += 1
    return start, _end(lines, start)


def _old_start(lines):
    """Renvoie le rang de la première ligne du livre, dans un fichier d'avant « *** START OF … *** »."""
    for number, line in enumerate(lines):
        if _SMALL_PRINT_ENDS.search(line):
            after = lines[number + 1:_end(lines, number + 1)]
            if sum(map(len, after)) >= SHORTEST_BOOK:  # sinon, la licence est à la fin du fichier
                return number + 1
    start = number = 0
    for blank, group in groupby(lines, key=lambda line: not line.strip()):
        paragraph = list(group)
        header = [rank for rank, line in enumerate(paragraph, start=number + 1)
                  if _OLD_HEADER.search(line) or (start and METADATA.match(line))]
        if not blank and not header and len(_ENGLISH.findall(" ".join(paragraph))) < 2:
            break
        number += len(paragraph)
        start = max([start, *header])
    return start or None


def _end(lines, start):
    """Renvoie le rang de la ligne qui suit le livre, ou None ; elle déborde parfois sur la suivante."""
    length = 0
    for number in range(start, len(lines)):
        line = lines[number].strip()
        following = lines[number + 1].strip() if number + 1 < len(lines) else ""
        match = _END.search(f"{line} {following}" if len(line) < 40 else line)
        if match and match.start() < len(line):
            return number
        if length >= SHORTEST_BOOK and _OLD_FOOTER.match(line):  # en tête, ce n'est que le titre
            return number
        length += len(line)
    return None


def compare_with_markers(kept, lines):
    """Compare `kept`, une coupe du fichier `lines`, à ce que délimitent les repères.

    Renvoie (lignes étrangères au livre que la coupe laisse, lignes du livre qu'elle emporte),
    sans compter les lignes vides.
    """
    start, end = find_markers(lines)
    book, kept = Counter(filter(str.strip, lines[start:end])), Counter(filter(str.strip, kept))
    return (kept - book).total(), (book - kept).total()


def language_of(lines):
    """Renvoie la langue que déclare l'en-tête (« French »), ou None s'il n'en dit rien."""
    for line in lines[:60]:
        if line.startswith("Language:"):
            return line.split(":", 1)[1].strip()
        if _START.search(line):
            break
    return None


def foreign_language(lines, language):
    """Renvoie la langue que déclare l'en-tête si ce n'est pas `language`, sinon None."""
    declared = language_of(lines)
    return declared if declared and language not in declared else None


def paragraphs(lines):
    """Donne les paragraphes : des listes de lignes que séparent des lignes vides."""
    for blank, group in groupby(lines, key=lambda line: not line.strip()):
        if not blank:
            yield list(group)


def keep_author_lines(lines):
    """Renvoie les lignes de l'auteur : ni en-tête, ni crédits, ni notes de transcription, ni licence.

    Une ligne vide sépare deux paragraphes. Lève une WorkshopError si un repère manque.
    """
    start, end = find_markers(lines)
    if end is None:
        raise WorkshopError("Les repères « *** START OF … *** » et « *** END OF … *** » manquent : "
                            "ce n'est pas un fichier de Project Gutenberg complet.")
    text = "\n".join(_without_verse_numbers([line.rstrip() for line in lines[start:end]]))
    for written, meant in _LIGATURES.items():
        text = text.replace(written, meant)
    text = _BRACKETED_NOTE.sub("", _ILLUSTRATION.sub(_long_caption, text))
    cleaned = [_without_markup(paragraph) for paragraph in paragraphs(text.splitlines(keepends=True))]
    kept = without_transcriber_notes([paragraph for paragraph in cleaned if paragraph])
    return [line for paragraph in kept for line in (*paragraph, "\n")]


def _long_caption(illustration):
    """Renvoie les paragraphes d'une légende qui expliquent l'image, et sont de l'auteur : un titre est plus court."""
    caption = illustration[0][1:-1].partition(":")[2]
    return "\n\n".join(paragraph.strip() for paragraph in re.split(r"\n\s*\n", caption)
                       if len(" ".join(paragraph.split())) > LONGEST_CAPTION)


def _without_verse_numbers(lines):
    """Retire les numéros de vers : de deux en deux à dix en dix, ils ont un voisin ; seul, un nombre est à l'auteur."""
    found = {rank: int(match[1] or match[2]) for rank, match in enumerate(map(_VERSE_NUMBER.search, lines)) if match}
    numbers = set(found.values())
    in_margin = {rank for rank, number in found.items()
                 if any({number - step, number + step} & numbers for step in (2, 3, 4, 5, 10))}
    cleaned = [_VERSE_NUMBER.sub("", line) if rank in in_margin else line for rank, line in enumerate(lines)]
    return [line for rank, line in enumerate(cleaned) if line or rank not in in_margin]


def _without_markup(paragraph):
    """Retire d'un paragraphe les appels de note, l'italique, le gras et les lignes d'ornement."""
    text = "".join(paragraph)
    text = _PAGE_NUMBER.sub("", _NOTE_CALL.sub("", _NOTE_OPENING.sub("", _WHOLE_NOTE.sub(r"\1", text))))
    text = _BRACES.sub("", _EXPONENT.sub(r"\1", _FOREIGN.sub(r"\1", _TAG.sub("", text))))
    text = _BOLD.sub(r"\1", text).replace("_", "")
    text = _STARRED.sub(r"\1", _STARRED_NOTE.sub("", _RESTORED_SIGN.sub(r"\1", text)))
    if all(map(_CELLS.match, text.splitlines())):  # un tableau
        text = text.replace("|", " ")
    if text.count("]") > text.count("["):  # la fin d'une note dont le début vient d'être retiré
        text = "".join(text.rpartition("]")[::2])
    return [line for line in text.splitlines(keepends=True) if re.search(r"[\w«».…]", line)]
