"""Ce que les transcripteurs ajoutent à un livre : crédits, notes au lecteur, listes de corrections.

Rien ne les sépare du texte. On les reconnaît à ce que l'auteur n'a pu écrire : « Produced by »,
« entre traits bas », « «aure» remplacé par «autre» ». Une phrase plus ordinaire (« La ponctuation
a été respectée. ») ne compte qu'à côté d'une autre que l'on a reconnue : dans le doute, elle est
de l'auteur.
"""

import re

REACH = 40            # paragraphes où chercher crédits et notes, à chaque bout du livre
LONGEST_NOTE = 1_500  # caractères ; un paragraphe plus long est de l'auteur
LONGEST_HEADING = 60  # caractères


def _any(*patterns):
    return re.compile("|".join(patterns), re.I | re.S)


# Les lignes « Author: … » que d'anciens fichiers répètent après le repère.
METADATA = re.compile(
    r"(?:Author|Title|Subtitle|Alternate title|Remarks?|Language|(?:Character set )?Encoding|(?:Release|Posting) date"
    r"|Edition|Illustrator|Translator|Editor|Contributor|Commentator|Annotator|Publisher|Series|Volume|Subjects?"
    r"|Original publication|Most recently updated|Copyright status|Credits|E-?(?:text|book) (?:no\.?|number|#)) *: ",
    re.I)
_FRENCH_METADATA = re.compile(r"(?:Auteur|Titre|Langue|Encodage|Éditeur|Édition|Date de publication|Remarque) *: ")

_CREDIT = _any(
    r"project gutenberg|gutenberg\.(?:org|net)|\bpgdp\b|proofread(?:ing|ers?)\b|\be-?texts?\b|\be-?books?\b",
    r"\b(?:produced|prepared|transcribed|scanned|digiti[sz]ed|updated|html version|text file)\b.{0,20}\bby\b",
    r"produced from|^\W*credits:|https?://|\bwww\.|[\w.]@[\w.]|\bocr\b|iso-8859|character set encoding",
    r"internet archive|google (?:print|books)|images? generously|generously made available",
    r"images of the original pages|cover image|\btranscribers?\b|transcription notes?",
    r"printer'?s'? errors|typographical errors|hyphenation",
    r"\btranscripteurs?\b|(?:notes?|remarques?) (?:de|du|des|sur)(?: la)? transcription",
    r"\bgallica\b|bibliothèque nationale de france|wikisource|bibliophiles universels|^\W*mise en page par\b",
    r"(?:version|édition|livre|texte|collection) (?:électronique|numéri(?:que|sée?))",
    r"fichi?er (?:digital|numérique|électronique)|conformes? à l'édition papier",
    r"^\W*(?:saisie du texte|texte (?:numérisé|saisi)|numérisation|relecture) ?(?::|par\b)",
    r"<(?:ident|titre|auteur|copiste|notesprod|droits|archive|version)",
    r"-{3,} (?:fin de l'en-t.te|(?:d.but|fin) du fichier)")
_SIGNED_CREDIT = re.compile(r"\W*(?:Produit|Numérisé|Transcrit|Préparé) par [A-ZÀ-Ü]")

# La façon dont le fichier montre l'italique, le gras, les exposants.
_RENDERING = _any(
    r"(?:italiques?|\bgras\b|petites capitales|exposants?|bold|italics?|small.cap\w*|superscript).{0,160}"
    r"(?:traits? bas|tirets? bas|underscores?|signes? ég\w+|equals? signs?|accolades|caret\b|ast[ée]ris\w+"
    r"|(?:entouré|encadré)e?s (?:de|par|d')|(?:indiqu|marqu|rend|représent)\w* (?:ici )?comme\b"
    r"|surrounded by|enclosed (?:in|by|between)|denoted by|all.caps)")

# Une correction, une seule : « Page 11: «aure» remplacé par «autre» », « p. 3, ligne 2, lisez: … », « aure=> autre »
_CORRECTION = _any(
    r"^\W*(?:pages?|pp?\.|lignes?|lig\.) *[\dIVXLC]+\b.{0,200}?"
    r"(?:remplac\w+|au lieu d.{0,60}(?:\blire\b|\blisez\b)|\blisez ?:|corrig\w+|corrected|changed|replaced|devient|→"
    r"|» par «)",
    r"^\W*[«\"][^»\"]{1,60}[»\"].{0,30}"
    r"(?:remplac\w+|corrigé\w*|changé\w*|changed|corrected|replaced) (?:par|en|to|by|with)\b",
    r"\w[.,;!?]? ?=> ?\w")

# Les mêmes, en un paragraphe qui peut être bien plus long qu'une note, et sans guillemets ni page.
_LISTED_CORRECTION = re.compile(
    r"^[^\w\n]*(?:pages?|pp?\.) *\d+ ?: *[«\"][^»\"]*[»\"]\s+(?:remplacée?s?\s+)?par\s+[«\"]", re.I | re.M)
_WORD_BY_WORD = re.compile(r"\W*[\w'-]+ (?:remplacé|corrigé) (?:par|en) [\w'-]+\W*")

# Ce qui ne compte qu'à côté d'une note.
_CHANGE = (r"(?:corrigée?s?|conservée?s?|modifiée?s?|harmonisée?s?|respectée?s?|maintenue?s?|rectifiée?s?"
           r"|normalisée?s?|corrected|retained|changed|preserved|kept)")
_MISPRINT = (r"(?:erreurs?|fautes?|coquilles?|défauts d'impression|orthographe|ponctuation|typographi\w+|graphies?"
             r"|accentuation|spelling|punctuation|misprints?|typos?|errors?)")
_BESIDE_A_NOTE = _any(
    rf"\b{_MISPRINT}\b.{{0,200}}\b{_CHANGE}\b|\b{_CHANGE}\b.{{0,200}}\b{_MISPRINT}\b|^\W*p(?:ages?|\.) *\d+ ?[:,]",
    r"\b(?:notes?(?: de bas de page)?|table des matières|numéros? des? \w+|quelques mots|couverture|images?"
    r"|illustrations?|guillemets|tirets|accents?|majuscules)\b.{0,60}\b(?:a|ont)(?: pas)? été\b",
    r"\b(?:footnotes?|page numbers|table of contents|accents|quotation marks|illustrations?)\b.{0,60}"
    r"\b(?:has|have|was|were)\b")
_OPENS_A_CORRECTION_NOTE = re.compile(
    r"\W*(?:L'orthographe|La ponctuation|(?:Seules )?[Ll]es (?:erreurs|fautes|coquilles|défauts d'impression)"
    r"|(?:On a|Nous avons) (?:conservé|respecté|corrigé))\b")
_ABOUT_THE_FILE = _any(
    r"\b(?:listes?|corrections?|italiques?|transcri\w+|orthographe|ponctuation|original\w*|table des matières|notes"
    r"|fichier|édition|version|fin du (?:texte|livre))\b")

_NOTE_HEADING = _any(
    r"\W*(?:au lecteur|notes?|avis|remarques?|errata|erratum|corrections?|liste"
    r"|(?:erreurs|fautes) (?:typographiques|d'impression)|(?:on a effectué |de plus, )?les corrections)\b")
_LAST_NOTES = _any(  # un titre que suivent, jusqu'à la fin du fichier, des notes de transcription
    r"[^\w—–\[-]*(?:liste? des (?:modifications|corrections|changements|(?:erreurs|fautes) corrigées)"
    r"|list of (?:changes|corrections)|à propos de cette édition électronique"
    r"|notes? (?:de|du|des|sur la) transcript\w+|transcriber'?s'? ?notes?)[^:.]{0,30}\W*$")

_BOX = re.compile(r"^[+|\s-]*$|^ *\||\| *$", re.M)


def without_transcriber_notes(paragraphs):
    """Renvoie ceux des `paragraphs`, des listes de lignes, qui sont de l'auteur."""
    texts = [_BOX.sub(" ", "".join(paragraph)).replace("’", "'").strip() for paragraph in paragraphs]
    last = _start_of_last_notes(texts)
    dropped = []
    for number, text in enumerate(texts[:last]):
        beside_a_note = number > 0 and dropped[-1]
        near_an_edge = min(number, len(texts) - 1 - number) < REACH
        dropped.append(
            "project gutenberg" in text.lower()
            or (near_an_edge and _is_note(text, number))
            or (near_an_edge and len(text) <= LONGEST_NOTE and bool(_BESIDE_A_NOTE.search(text)) and (
                beside_a_note or (number >= last - 4 and bool(_OPENS_A_CORRECTION_NOTE.match(text)))))
            or (beside_a_note and _continues(paragraphs[number - 1], paragraphs[number], text))
            or ((_is_correction(text) or all(map(_WORD_BY_WORD.fullmatch, text.splitlines())))
                and _is_in_a_list(texts, dropped)))
    for number in reversed(range(last - 1)):  # le titre d'une note, ou d'une partie de liste, s'en va avec elle
        if dropped[number + 1] and _is_heading(texts[number]):
            dropped[number] |= bool(_NOTE_HEADING.match(texts[number])) or (
                number > 0 and dropped[number - 1] and _is_correction(texts[number + 1]))
    return [paragraph for paragraph, gone in zip(paragraphs, dropped) if not gone]


def _start_of_last_notes(texts):
    """Renvoie le rang du titre des notes de transcription finales, ou le nombre de paragraphes."""
    first = min(REACH, len(texts) // 2)
    headings, left = list(texts), 0
    for number in reversed(range(first, len(texts))):
        left += len(texts[number])
        if left > LONGEST_NOTE:
            break
        headings[number] = texts[number].partition("\n")[0]  # tout près de la fin, le titre ouvre parfois la note
    return next((number for number in range(first, len(texts))
                 if _is_heading(headings[number]) and _LAST_NOTES.match(headings[number])), len(texts))


def _is_heading(text):
    return len(text) < LONGEST_HEADING


def _is_note(text, number):
    """Dit si `text`, près d'un bout du livre, parle du fichier : crédit, façon d'écrire l'italique, correction."""
    if len(text) > LONGEST_NOTE:
        return _is_correction(text)
    return (bool(_CREDIT.search(text) or _RENDERING.search(text)) or _is_correction(text)
            or (number <= 5 and len(text) < 200 and bool(_SIGNED_CREDIT.match(text)))
            or (number < 20 and all(map(METADATA.match, text.splitlines()))))


def _is_correction(text):
    if len(text) > LONGEST_NOTE:  # une liste, si les corrections s'y pressent
        return len(_LISTED_CORRECTION.findall(text)) * 200 >= len(text)
    return bool(_CORRECTION.search(text))


def _is_in_a_list(texts, dropped):
    """Dit si le paragraphe qui suit `dropped` a au-dessus de lui une note, son titre, ou un sous-titre de la liste."""
    number = len(dropped)
    before = [(gone, _is_heading(text), bool(_NOTE_HEADING.match(text)))
              for text, gone in zip(texts[max(0, number - 2):number], dropped[-2:])]
    if not before:
        return False
    gone, heading, note_heading = before[-1]
    return gone or (heading and (note_heading or (len(before) == 2 and (before[0][0] or before[0][2]))))


def _continues(previous, paragraph, text):
    """Dit si `paragraph` poursuit la note `previous` : même cadre, ou même retrait pour parler encore du fichier."""
    if all(line.lstrip()[:1] in "|*+" for line in paragraph) or all(map(_FRENCH_METADATA.match, text.splitlines())):
        return True
    margins = {len(line) - len(line.lstrip()) for line in (*previous[-1:], *paragraph)}
    return (len(margins) == 1 and min(margins) >= 2 and len(text) < 300
            and not text.isupper() and bool(_ABOUT_THE_FILE.search(text)))
