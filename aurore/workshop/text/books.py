"""D'un fichier de Project Gutenberg aux seules lignes de l'auteur.

Un fichier contient, dans l'ordre : un en-tête en anglais, la ligne « *** START OF … *** »,
les crédits de ceux qui l'ont numérisé, le livre, parfois des notes de transcription, la ligne
« *** END OF … *** », et la licence, en anglais. La notice, la préface et les titres de
chapitres sont de l'auteur : ils restent.
"""

import os
import re
import unicodedata
from collections import Counter
from itertools import groupby
from pathlib import Path
from urllib.parse import urlsplit

from workshop.artefacts import remove_leftovers
from workshop.errors import WorkshopError
from workshop.paths import BOOKS, shown
from workshop.sources import OutOfReach, Unreachable, fetch_file

SHORTEST_BOOK = 2_000  # caractères entre les repères ; en deçà, le fichier est tronqué
CREDITS_REACH = 40     # paragraphes où chercher crédits et notes, à chaque bout du livre

_START = re.compile(r"\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG|\*END ?\*? ?THE SMALL PRINT", re.I)
_END = re.compile(r"\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG"
                  r"|^\W*(?:this is )?(?:the )?end of (?:the |this )?(?:project gutenberg|etext)"
                  r"|^\W*fin (?:de|du) .{0,40}project gutenberg", re.I)

# Ce que seuls des transcripteurs écrivent, en anglais puis en français.
_CREDIT = re.compile(
    r"project gutenberg|gutenberg\.(?:org|net)|\bpgdp\b|proofread(?:ing|ers?)\b|\be-?text\b|\be-?book\b"
    r"|\b(?:produced|prepared|transcribed|scanned|digiti[sz]ed|updated|html version|text file)\b.{0,20}\bby\b"
    r"|produced from|^\W*credits:|https?://|\bwww\.|\bocr\b|iso-8859|internet archive|google (?:print|books)"
    r"|images? generously|generously made available|images of the original pages|character set encoding"
    r"|\btranscribers?\b|\btranscripteurs?\b|(?:notes?|remarques?) (?:de|du|des|sur)(?: la)? transcription"
    r"|\bgallica\b|bibliothèque nationale de france|wikisource|bibliophiles universels|^\W*mise en page par\b"
    r"|(?:version|édition|livre|texte) (?:électronique|numérique)", re.I)
_SIGNED_CREDIT = re.compile(r"\W*(?:Produit|Numérisé|Transcrit|Préparé) par [A-ZÀ-Ü]")

# Ce qu'ils disent de leurs corrections ; ne compte qu'à côté de ce qui précède.
_CHANGE = (r"(?:corrigée?s?|conservée?s?|modifiée?s?|harmonisée?s?|respectée?s?|maintenue?s?|rectifiée?s?"
           r"|normalisée?s?|corrected|retained|changed)")
_MISPRINT = (r"(?:erreurs?|fautes?|coquilles?|orthographe|ponctuation|typographi\w+|graphies?|accentuation"
             r"|spelling|punctuation|misprints?|typos?|errors?)")
_CORRECTION_NOTE = re.compile(rf"\b{_MISPRINT}\b.{{0,200}}\b{_CHANGE}\b|\b{_CHANGE}\b.{{0,200}}\b{_MISPRINT}\b"
                              r"|^\W*p(?:age|\.) *\d+ ?[:,]", re.I | re.S)
_OPENS_A_CORRECTION_NOTE = re.compile(r"\W*(?:L'orthographe|La ponctuation|Les (?:erreurs|fautes|coquilles)"
                                      r"|(?:On a|Nous avons) (?:conservé|respecté|corrigé))\b")
_LAST_NOTES = re.compile(  # un titre que suivent, jusqu'à la fin du fichier, des notes de transcription
    r"[^\w—–\[-]*(?:liste? des (?:modifications|corrections|changements)|list of (?:changes|corrections)"
    r"|notes? (?:de|du|des|sur la) transcript\w+|transcriber'?s'? ?notes?)", re.I)
_NOTE_HEADING = re.compile(r"\W*(?:au lecteur|notes?|avis|remarques?)\b", re.I)
_BRACKETED_NOTE = re.compile(r"\[[^\]:]{0,40}\b(?:transcripteur|transcriber|correcteur)", re.I)
LONGEST_NOTE = 1_500   # caractères ; un paragraphe plus long est de l'auteur

_ILLUSTRATION = re.compile(
    r"\[ *(?:illustration|image|frontispice|décoration)\b(?:[^\[\]]|\[[^\[\]]{0,200}\]){0,1500}\]", re.I)
_NOTE_OPENING = re.compile(r"\[(?:note|footnote)(?: de bas de page)? *[\w*]* ?[.:] *", re.I)
_NOTE_CALL = re.compile(r"\[(?:\d{1,3}|[A-Z*]|Pg?\.? ?\d+)\]")
_EXPONENT = re.compile(r"\^\{?(\w+)\}?")       # M^{me}
_BOLD = re.compile(r"=([^=\n]+)=")
_BOX = re.compile(r"^[+|\s-]*$|^ *\||\| *$", re.M)


def fetch_books(books, download):
    """Renvoie {titre: chemin} des livres de {titre: adresse}, téléchargés au besoin.

    Lève une WorkshopError qui nomme chaque livre manquant, ou OutOfReach s'il n'y en a aucun,
    pas même en cache : un corpus ne rétrécit jamais en silence.
    """
    BOOKS.mkdir(parents=True, exist_ok=True)
    remove_leftovers(BOOKS)
    paths, failures, unreachable = {}, {}, set()
    for title, url in books.items():
        url = _through_mirror(url)
        try:
            destination = BOOKS / cache_name(title, url)
            paths[title] = fetch_file(url, destination, download, check_book, unreachable)
        except WorkshopError as error:
            failures[title] = error
            if isinstance(error, Unreachable):
                unreachable.add(urlsplit(url).netloc)
    if not failures:
        return paths
    if not paths and all(isinstance(reason, OutOfReach) for reason in failures.values()):
        raise OutOfReach(f"Aucun livre n'a pu être obtenu : {next(iter(failures.values()))}")
    reasons = "\n".join(f"  - {title} : {reason}" for title, reason in failures.items())
    raise WorkshopError(
        f"Il manque {len(failures)} livre(s) sur {len(books)} :\n{reasons}\n"
        "Les autres sont gardés : corrigez l'adresse, ou relancez la même commande quand le réseau répond,\n"
        "indiquez un miroir (variable GUTENBERG_MIRROR), ou travaillez avec les contes embarqués\n"
        "(variable AURORE_SOURCE=embedded).")


def _through_mirror(url):
    """Remplace l'hôte de `url` par celui de GUTENBERG_MIRROR, s'il est donné."""
    mirror = os.environ.get("GUTENBERG_MIRROR", "").strip().rstrip("/")
    parts = urlsplit(url)
    if not mirror or parts.scheme not in ("http", "https"):
        return url
    if not mirror.startswith(("http://", "https://")):
        raise WorkshopError(f"GUTENBERG_MIRROR vaut « {mirror} » : il faut une adresse complète, "
                            "par exemple http://192.168.0.10:8000")
    return mirror + parts.path


def cache_name(title, url):
    """Renvoie un nom de fichier lisible, sans signe que Windows refuse : « lelia_39738-0.txt »."""
    letters = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "_", letters).strip("_")
    return f"{slug}_{Path(urlsplit(url).path).name}"


def check_book(path):
    """Lève une WorkshopError si `path` n'est pas un livre entier au format Gutenberg, en UTF-8.

    OutOfReach si c'est une page web : quelque chose répond à la place du serveur.
    """
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
    if start is None:
        raise WorkshopError("ce n'est pas un livre de Project Gutenberg (pas de ligne "
                            "« *** START OF … *** »).")
    if end is None or sum(map(len, lines[start:end])) < SHORTEST_BOOK:
        raise WorkshopError("le fichier est tronqué (trop court, ou sans la ligne « *** END OF … *** »).")


def find_markers(lines):
    """Renvoie (premier, dernier) : le livre est dans lines[premier:dernier] ; None si absent."""
    start = next((number for number, line in enumerate(lines) if _START.search(line)), None)
    if start is None:
        return None, None
    while start < len(lines) - 1 and not lines[start].rstrip().endswith("*") and lines[start].strip():
        start += 1  # un long titre déborde sur la ligne suivante
    start += 1
    end = next((number for number in range(start, len(lines)) if _END.search(lines[number])), None)
    return start, end


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
    text = _ILLUSTRATION.sub("", "".join(line.rstrip("\r\n") + "\n" for line in lines[start:end]))
    cleaned = [_without_markup(paragraph) for paragraph in paragraphs(text.splitlines(keepends=True))]
    kept = _without_transcriber_notes([paragraph for paragraph in cleaned if paragraph])
    return [line for paragraph in kept for line in (*paragraph, "\n")]


def _without_markup(paragraph):
    """Retire d'un paragraphe les appels de note, l'italique, le gras et les lignes d'ornement."""
    text = _NOTE_CALL.sub("", _NOTE_OPENING.sub("", "".join(paragraph)))
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
        from_edge = min(number, len(plain) - 1 - number)
        dropped.append(
            "project gutenberg" in text.lower() or bool(_BRACKETED_NOTE.match(text))
            or (from_edge < CREDITS_REACH and _is_credit(text, number))
            or (from_edge < CREDITS_REACH and _is_correction_note(text, after_a_dropped, at_end=number >= last - 3))
            or (after_a_dropped and all(line.lstrip()[:1] in "|*+" for line in texts[number])))
    for number in range(last - 1):  # le titre d'une note s'en va avec elle
        if dropped[number + 1] and len(plain[number]) < 30 and _NOTE_HEADING.match(plain[number]):
            dropped[number] = True
    return [paragraph for paragraph, gone in zip(texts, dropped) if not gone]


def _start_of_last_notes(plain):
    """Renvoie le rang du titre des notes de transcription finales, ou le nombre de paragraphes."""
    first = min(CREDITS_REACH, len(plain) // 2)
    return next((number for number in range(first, len(plain))
                 if len(plain[number]) < 60 and _LAST_NOTES.match(plain[number])), len(plain))


def _is_credit(text, number):
    if len(text) > LONGEST_NOTE:
        return False
    return bool(_CREDIT.search(text)) or (number <= 5 and len(text) < 200 and bool(_SIGNED_CREDIT.match(text)))


def _is_correction_note(text, after_a_dropped, at_end):
    if len(text) > LONGEST_NOTE or not (after_a_dropped or (at_end and _OPENS_A_CORRECTION_NOTE.match(text))):
        return False
    return bool(_CORRECTION_NOTE.search(text))
