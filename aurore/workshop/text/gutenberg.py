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

SHORTEST_BOOK = 2_000  # caractères entre les repères ; en deçà, le fichier est tronqué
CREDITS_REACH = 40     # paragraphes où chercher crédits et notes, à chaque bout du livre
LONGEST_NOTE = 1_500   # caractères ; un paragraphe plus long est de l'auteur

_START = re.compile(r"\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG", re.I)
_SMALL_PRINT_ENDS = re.compile(r"\*END ?\*? ?THE SMALL PRINT", re.I)
_END = re.compile(r"\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG"
                  r"|^\W*(?:this is )?(?:the )?end of (?:the |this )?(?:project gutenberg|e-?text|e-?book)"
                  r"|^\W*fin (?:de|du|de l'|de cet?te?) ?.{0,60}(?:project gutenberg|e-?text|e-?book)"
                  r"|\*START\W*THE SMALL PRINT|\*\*\* ?START: FULL LICENSE", re.I)
_OLD_FOOTER = re.compile(r"^\W*(?:the )?project gutenberg(?:'s)? e-?(?:text|book) of\b", re.I)
_OLD_HEADER = re.compile(r"project gutenberg|\be-?(?:text|book)s?\b|^[\s*]*\*{3,}[\s*]*$", re.I)
_ENGLISH = re.compile(r"\b(?:the|of|and|this|to|you|for|is|are|with|by|be|in|or|on|please|do|not|all)\b", re.I)
# Les lignes « Author: … » que d'anciens fichiers répètent après le repère.
_METADATA = re.compile(
    r"(?:Author|Title|Subtitle|Alternate title|Remarks?|Language|(?:Character set )?Encoding|(?:Release|Posting) date"
    r"|Edition|Illustrator|Translator|Editor|Contributor|Commentator|Annotator|Publisher|Series|Volume|Subjects?"
    r"|Original publication|Most recently updated|Copyright status|Credits|E-?(?:text|book) (?:no\.?|number|#)) *: ",
    re.I)
_FRENCH_METADATA = re.compile(r"(?:Auteur|Titre|Langue|Encodage|Éditeur|Édition|Date de publication|Remarque) *: ")

# Ce que seuls des transcripteurs écrivent, en anglais puis en français.
_CREDIT = re.compile(
    r"project gutenberg|gutenberg\.(?:org|net)|\bpgdp\b|proofread(?:ing|ers?)\b|\be-?texts?\b|\be-?books?\b"
    r"|\b(?:produced|prepared|transcribed|scanned|digiti[sz]ed|updated|html version|text file)\b.{0,20}\bby\b"
    r"|produced from|^\W*credits:|https?://|\bwww\.|\bocr\b|iso-8859|internet archive|google (?:print|books)"
    r"|images? generously|generously made available|images of the original pages|character set encoding"
    r"|cover image|\btranscribers?\b|transcription notes?|printer'?s'? errors|typographical errors|hyphenation"
    r"|\btranscripteurs?\b|(?:notes?|remarques?) (?:de|du|des|sur)(?: la)? transcription"
    r"|\bgallica\b|bibliothèque nationale de france|wikisource|bibliophiles universels|^\W*mise en page par\b"
    r"|(?:version|édition|livre|texte|collection) (?:électronique|numérique)|fichi?er (?:digital|numérique|électronique)"
    r"|^\W*(?:saisie du texte|texte (?:numérisé|saisi)|numérisation|relecture) ?(?::|par\b)|[\w.]@[\w.]"
    r"|<(?:ident|titre|auteur|copiste|notesprod|droits|archive|version)|-{3,} (?:fin de l'en-t.te|(?:d.but|fin) du fichier)",
    re.I)
_SIGNED_CREDIT = re.compile(r"\W*(?:Produit|Numérisé|Transcrit|Préparé) par [A-ZÀ-Ü]")

# Ce qu'ils disent de la façon dont le fichier montre l'italique, le gras, les exposants.
_RENDERING = re.compile(
    r"(?:italiques?|\bgras\b|petites capitales|exposants?|bold|italics?|small.cap\w*|superscript).{0,160}"
    r"(?:traits? bas|tirets? bas|underscores?|soulignés? (?:ainsi|_)|signes? ég\w+|equals? signs?|accolades|caret\b"
    r"|astérisques|asterisks?|entourée?s (?:de|par|d')|encadrée?s (?:de|par|d')|surrounded by|enclosed (?:in|by|between)"
    r"|denoted by|en capitales ici|all.caps)", re.I | re.S)

# Ce qu'ils disent de leurs corrections ; ne compte qu'à côté de ce qui précède.
_CHANGE = (r"(?:corrigée?s?|conservée?s?|modifiée?s?|harmonisée?s?|respectée?s?|maintenue?s?|rectifiée?s?"
           r"|normalisée?s?|corrected|retained|changed|preserved|kept)")
_MISPRINT = (r"(?:erreurs?|fautes?|coquilles?|orthographe|ponctuation|typographi\w+|graphies?|accentuation"
             r"|spelling|punctuation|misprints?|typos?|errors?)")
_CORRECTION_NOTE = re.compile(rf"\b{_MISPRINT}\b.{{0,200}}\b{_CHANGE}\b|\b{_CHANGE}\b.{{0,200}}\b{_MISPRINT}\b"
                              r"|^\W*p(?:age|\.) *\d+ ?[:,]", re.I | re.S)
_OPENS_A_CORRECTION_NOTE = re.compile(r"\W*(?:L'orthographe|La ponctuation|(?:Seules )?[Ll]es (?:erreurs|fautes|coquilles)"
                                      r"|(?:On a|Nous avons) (?:conservé|respecté|corrigé))\b")
# Une correction, une seule : « Page 11: «aure» remplacé par «autre» », « p. 3, ligne 2, lisez: … »
_CORRECTION = re.compile(
    r"^\W*(?:pages?|pp?\.|lignes?|lig\.|l\.|chap(?:itre|\.)|tome|vers) *[\dIVXLC]+\b.{0,200}?"
    r"(?:remplac\w+|au lieu d|\blire\b|\blisez\b|corrig\w+|corrected|changed|replaced|devient|→|[=-]>|» par «)"
    r"|^\W*[«\"][^»\"]{1,60}[»\"].{0,30}(?:remplac\w+|corrigé\w*|changé\w*|changed|corrected|replaced) (?:par|en|to|by|with)\b",
    re.I | re.S)
_LAST_NOTES = re.compile(  # un titre que suivent, jusqu'à la fin du fichier, des notes de transcription
    r"[^\w—–\[-]*(?:liste? des (?:modifications|corrections|changements|(?:erreurs|fautes) corrigées)"
    r"|list of (?:changes|corrections)|(?:on a effectué )?les corrections suivantes|corrections (?:effectuées|apportées)"
    r"|à propos de cette édition électronique|notes? (?:de|du|des|sur la) transcript\w+|transcriber'?s'? ?notes?)", re.I)
_NOTE_HEADING = re.compile(r"\W*(?:au lecteur|notes?|avis|remarques?|errata|erratum|corrections?|liste)\b", re.I)
_ABOUT_THE_FILE = re.compile(r"\b(?:listes?|corrections?|italiques?|transcri\w+|orthographe|ponctuation|original\w*"
                             r"|table des matières|notes|fichier|édition|version)\b", re.I)
LONGEST_HEADING = 60   # caractères

_ILLUSTRATION = re.compile(
    r"\[ *(?:illustrations?|images?|frontispice|décoration)\b(?:[^\[\]]|\[[^\[\]]{0,200}\]){0,1500}\]"
    r"|\[ *(?:musique|music|partition|vignette|gravure|figure|fig\.|planche|carte|plan|portrait|photo(?:graphie)?|dessin"
    r"|cul-de-lampe|lettrine|fleuron|ornement|bandeau|blason|armoiries|sceau|signature|fac-similé|couverture|cover"
    r"|logo|symbole?|page blanche|blank page|tailpiece|headpiece|diagramme|schéma|croquis|estampe)"
    r"(?: *[\dIVXLC]+)?\.? *(?::(?:[^\[\]]|\[[^\[\]]{0,200}\]){0,1500})?\]", re.I)
_BRACKETED_NOTE = re.compile(
    r"\[[^\]:]{0,40}\b(?:transcripteur|transcriber|correcteur|transcription|fichi?er (?:digital|numérique|électronique))"
    r"(?:[^\[\]]|\[[^\[\]]{0,200}\]){0,1500}\]|\[TN:[^\]]*\]", re.I)
_MARK = r"(?:\d{1,4}[a-z]?|[A-Za-z]|[*†‡§]+)"
_NOTE_OPENING = re.compile(rf"\[(?:(?:note|footnote|nt)(?: de bas de page)? *[\w*]* ?[.:]|{_MARK} *:) *", re.I)
_NOTE_CALL = re.compile(
    r"\[(?:\d{1,4}[a-z]?|\(\d+\)|[A-Z]|[*†‡§]+|(?:note|nt|fn) *\d+|Pg?\.? ?\d+|p(?:age|\.) ?\d+)\](?![^\W\d_])"
    r"|(?<=[^\s\[(])\[[a-z]\](?![^\W\d_])|^\[[a-z]\](?= )", re.M)
_PAGE_NUMBER = re.compile(r"\{(?:p(?:age|\.)? *)?\d{1,4}\}")
_EXPONENT = re.compile(r"\^\{?(\w+)\}?")       # M^{me}
_BOLD = re.compile(r"=([^=\n]+)=")
_BOX = re.compile(r"^[+|\s-]*$|^ *\||\| *$", re.M)


def check_book(path):
    """Lève une WorkshopError si `path` n'est pas un livre entier au format Gutenberg, en UTF-8.

    OutOfReach si c'est une page web : quelque chose répond à la place du serveur.
    """
    path = Path(path)
    if path.is_dir():
        raise WorkshopError(f"{shown(path)} est un dossier : donnez l'adresse du fichier du livre.")
    try:
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
    last = None
    for number, line in enumerate(lines):
        if _OLD_HEADER.search(line) or (last is not None and _METADATA.match(line)):
            last = number
        elif line.strip() and len(_ENGLISH.findall(line)) < 2:
            break
    return None if last is None else last + 1


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
    text = "".join(line.rstrip("\r\n") + "\n" for line in lines[start:end])
    text = _BRACKETED_NOTE.sub("", _ILLUSTRATION.sub("", text))
    cleaned = [_without_markup(paragraph) for paragraph in paragraphs(text.splitlines(keepends=True))]
    kept = _without_transcriber_notes([paragraph for paragraph in cleaned if paragraph])
    return [line for paragraph in kept for line in (*paragraph, "\n")]


def _without_markup(paragraph):
    """Retire d'un paragraphe les appels de note, l'italique, le gras et les lignes d'ornement."""
    text = _PAGE_NUMBER.sub("", _NOTE_CALL.sub("", _NOTE_OPENING.sub("", "".join(paragraph))))
    text = _BOLD.sub(r"\1", _EXPONENT.sub(r"\1", text)).replace("_", "")
    if text.count("]") > text.count("["):  # la fin d'une note dont le début vient d'être retiré
        text = "".join(text.rpartition("]")[::2])
    return [line for line in text.splitlines(keepends=True) if re.search(r"[\w«».…]", line)]


def _without_transcriber_notes(texts):
    """Retire les paragraphes que les transcripteurs ont ajoutés : crédits, notes, corrections."""
    plain = [_BOX.sub(" ", "".join(paragraph)).replace("’", "'").strip() for paragraph in texts]
    last = _start_of_last_notes(plain)
    dropped = []
    for number, text in enumerate(plain[:last]):
        after_a_dropped = number > 0 and dropped[-1]
        near_an_edge = min(number, len(plain) - 1 - number) < CREDITS_REACH
        dropped.append(
            "project gutenberg" in text.lower()
            or (near_an_edge and _is_note(text, number))
            or (near_an_edge and _is_correction_note(text, after_a_dropped, at_end=number >= last - 3))
            or (after_a_dropped and _continues_note(texts[number - 1], texts[number], text))
            or (_is_correction(text) and _is_under_heading(plain, dropped, after_a_dropped)))
    for number in reversed(range(1, last - 1)):
        if dropped[number + 1] and not dropped[number] and (
                _is_note_heading(plain[number])  # le titre d'une note s'en va avec elle
                or (dropped[number - 1] and _is_heading(plain[number]) and _is_correction(plain[number + 1]))):
            dropped[number] = True
    return [paragraph for paragraph, gone in zip(texts, dropped) if not gone]


def _start_of_last_notes(plain):
    """Renvoie le rang du titre des notes de transcription finales, ou le nombre de paragraphes."""
    first = min(CREDITS_REACH, len(plain) // 2)
    return next((number for number in range(first, len(plain))
                 if _is_heading(plain[number]) and _LAST_NOTES.match(plain[number])), len(plain))


def _is_heading(text):
    return len(text) < LONGEST_HEADING


def _is_note_heading(text):
    return len(text) < 40 and bool(_NOTE_HEADING.match(text))


def _is_under_heading(plain, dropped, after_a_dropped):
    """Dit si le paragraphe qui suit `dropped` est dans une liste de corrections, sous un titre ou un sous-titre."""
    number = len(dropped)
    return after_a_dropped or (number > 0 and _is_heading(plain[number - 1]) and (
        bool(_NOTE_HEADING.match(plain[number - 1]))
        or (number > 1 and (dropped[-2] or bool(_NOTE_HEADING.match(plain[number - 2]))))))


def _is_note(text, number):
    """Dit si `text`, près d'un bout du livre, parle du fichier : crédit, façon d'écrire l'italique, correction."""
    if len(text) > LONGEST_NOTE:
        return False
    return (bool(_CREDIT.search(text) or _RENDERING.search(text)) or _is_correction(text)
            or (number <= 5 and len(text) < 200 and bool(_SIGNED_CREDIT.match(text)))
            or (number < 20 and all(map(_METADATA.match, text.splitlines()))))


def _is_correction(text):
    return len(text) <= LONGEST_NOTE and bool(_CORRECTION.search(text))


def _is_correction_note(text, after_a_dropped, at_end):
    if len(text) > LONGEST_NOTE or not (after_a_dropped or (at_end and _OPENS_A_CORRECTION_NOTE.match(text))):
        return False
    return bool(_CORRECTION_NOTE.search(text))


def _continues_note(previous, paragraph, text):
    """Dit si `paragraph` poursuit la note `previous` : même cadre, ou même retrait pour parler encore du fichier."""
    if all(line.lstrip()[:1] in "|*+" for line in paragraph):
        return True
    if all(map(_FRENCH_METADATA.match, text.splitlines())):
        return True
    margins = {len(line) - len(line.lstrip()) for line in (*previous[-1:], *paragraph)}
    return (len(margins) == 1 and min(margins) >= 2 and len(text) < 300
            and not text.isupper() and bool(_ABOUT_THE_FILE.search(text)))
