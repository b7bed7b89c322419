"""D'un fichier de Project Gutenberg aux seules lignes de l'auteur."""

import re

import pytest

from gutenberg_files import FILES, STORIES
from workshop.downloads import cache_name
from workshop.errors import WorkshopError
from workshop.text import gutenberg as books

STORY = "Il était une fois une meunière qui chantait au bord de la rivière.\n" * 60


def gutenberg_file(story=STORY, start="*** START OF THE PROJECT GUTENBERG EBOOK UN CONTE ***",
                   end="*** END OF THE PROJECT GUTENBERG EBOOK UN CONTE ***", language="French"):
    """Renvoie le texte d'un petit fichier au format de Project Gutenberg."""
    return (f"Header in English, with words.\n\nTitle: Un conte\n\nLanguage: {language}\n\n{start}\n\n"
            f"Produced by Somebody and the Online Distributed\nProofreading Team at http://www.pgdp.net\n\n\n"
            f"UN CONTE\n\nNOTICE\n\n{story}\nFIN\n\n{end}\n\n" + "Section 1. Terms of use, in English.\n" * 150)


def author_text(text):
    """Renvoie, en une chaîne, ce que la coupe garde de `text`."""
    return "".join(books.keep_author_lines(text.splitlines(keepends=True)))


@pytest.mark.parametrize("start, end", [
    ("*** START OF THIS PROJECT GUTENBERG EBOOK UN CONTE ***", "End of the Project Gutenberg EBook of Un conte"),
    ("***START OF THE PROJECT GUTENBERG EBOOK UN CONTE***", "***END OF THE PROJECT GUTENBERG EBOOK UN CONTE***"),
    ("*** START OF THE PROJECT GUTENBERG EBOOK UN CONTE DONT LE TITRE\nDÉBORDE ***",
     "End of Project Gutenberg's Un conte, by Somebody"),
    ("*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*",
     "End of The Project Gutenberg Etext of Un conte"),
])
def test_every_kind_of_marker_is_known(start, end):
    text = author_text(gutenberg_file(start=start, end=end))
    assert text.startswith("UN CONTE\n")
    assert text.rstrip().endswith("FIN")
    assert "NOTICE" in text and STORY in text
    assert not re.search("English|Produced|DÉBORDE|pgdp", text)


@pytest.mark.parametrize("note", [
    "Note de transcription: Les erreurs clairement introduites par le\ntypographe ont été corrigées.",
    "[Transcriber's Note: Obvious printer errors have been corrected.]",
    "Au lecteur\n\nCette version électronique reproduit la version originale.\n\nLa ponctuation n'a pas été modifiée.",
    "+------------------------------------+\n| Notes du transcripteur :           |\n"
    "| l'orthographe a été conservée.     |\n+------------------------------------+",
    "Produit par Quelqu'un",
    "[Notes sur cette version électronique:\n\nOn a suivi les épreuves.\n\nElles sont à la fin.]",
    "    Au lecteur.\n\n    Le texte en italiques est indiqué ici comme _italiques_.\n\n"
    "    On trouvera d'autres précisions à la fin du texte.",
    "Au lecteur\n\nCe texte est conforme à l'édition papier.\nSeules les fautes d'impression ont été corrigées.",
    "(This file was produced from images generously made available\nby the Internet Archive)",
])
def test_notes_of_transcribers_are_removed(note):
    text = author_text(gutenberg_file(story=f"{note}\n\n{STORY}"))
    assert text.count("\n\n") < 6 and STORY in text
    assert not re.search("transcri|électronique|ponctuation|orthographe|lecteur|Produit|images|Obvious|épreuves"
                         "|à la fin|papier", text, re.I)


@pytest.mark.parametrize("note", [
    "Text file produced by David Someone", "Digitised by Somebody", "Credits: Somebody",
    "OCR et relecture par Quelqu'un",
    "Ce texte provient de Wikisource", "Remarques du transcripteur\n\nOn a conservé l'orthographe de l'original.",
    "[This text is encoded in ISO-8859-1]", "Produced by X\n\nHTML version by Somebody",
])
def test_other_credits_are_removed_at_both_ends(note):
    for story in (f"{note}\n\n{STORY}", f"{STORY}\n\n{note}\n"):
        text = author_text(gutenberg_file(story=story))
        assert text.split() == author_text(gutenberg_file()).split()


@pytest.mark.parametrize("paragraph", [
    "Préparé par de longues veilles, il entra.", "Produit par une société malade, ce livre est un cri.",
    "Tous les hommes commettent des erreurs, et ceux qui s'aiment les conservent.", "Il rejeta la couverture.",
    "Il apprit à lire en gardant ses moutons.", "Il fut remplacé par un homme de Paris.", "— Corrections?",
    "CORRECTIONS", "Au lecteur", "NOTE", "CHAPITRE XVII Comment, au lieu d'un moulin, il fut forcé d'en lire deux.",
    "AVIS\n\nAu lieu de lire, elle chantait: «Ah!» fut remplacé par «oh!» dans ses prières.",
    "ERRATA\n\nJ'ai tant erré.",
    "Title, dit l'Anglais: c'est un titre.", "Remarque: il pleuvait.", "End of June", "Fin de la première partie.",
    "NOTES\n\nPage 12. Le moulin d'Angibault existe encore.", "    Au bord de la mare\n    j'ai perdu mes notes.",
 "M. Dupin fit une note au crayon.", "»", ". . . . .",
])
@pytest.mark.parametrize("place", ["start", "middle", "end"])
def test_paragraphs_of_the_author_survive(paragraph, place):
    long_story = STORY.replace(".\n", ".\n\n") * 2
    half = len(long_story) // 2
    half = long_story.index("\n\n", half) + 2
    story = {"start": f"{paragraph}\n\n{long_story}",
             "middle": f"{long_story[:half]}{paragraph}\n\n{long_story[half:]}",
             "end": f"{long_story}{paragraph}\n\n"}[place]
    text = author_text(gutenberg_file(story=story))
    assert text.split() == f"UN CONTE NOTICE {story} FIN".split()


NUMBERED = """  5  La mare est noire sous les ormes,
     Le vent s'endort,                              [6]
     Et vingt crapauds, gros et difformes,
                                             (8)
     Pleurent encor.

     Elle mourut en                                 1876
     Nohant, le 8 juin.                             10

 12  Vingt-trois, rien 7  et   rien."""


@pytest.mark.parametrize("written, kept", [
    (NUMBERED, "La mare est noire sous les ormes, Le vent s'endort, Et vingt crapauds, gros et difformes, "
               "Pleurent encor. Elle mourut en 1876 Nohant, le 8 juin. Vingt-trois, rien 7 et rien."),
    ("Paris,          1848\n\n        12", "Paris, 1848 12"),  # un nombre sans voisin est de l'auteur
    ("Chapitre 5\n\nChapitre 10\n\n5 juin, 10 juin.", "Chapitre 5 Chapitre 10 5 juin, 10 juin."),
])
def test_the_numbers_of_verses_are_removed_and_no_others(written, kept):
    text = author_text(gutenberg_file(story=f"{written}\n\n{STORY}"))
    assert text.split() == f"UN CONTE NOTICE {kept} {STORY} FIN".split()


def test_a_number_in_the_margin_does_not_cut_a_stanza():
    kept = author_text(gutenberg_file(story=f"{NUMBERED}\n\n{STORY}"))
    assert "difformes,\n     Pleurent" in kept


def test_notes_in_the_middle_and_boxes_are_removed():
    box = "+-----+\n| Notes du transcripteur |\n\n| On a gardé les graphies anciennes. |\n+-----+"
    story = f"{box}\n\n{STORY}\n[Note du transcripteur: il manque ici une page.]\n\n{STORY}"
    text = author_text(gutenberg_file(story=story))
    assert "graphies" not in text and "manque" not in text and text.count(STORY) == 2


def test_markup_over_several_paragraphs_is_removed():
    story = ("M^{me} Dupin[Pg 12] vit =tout=.\n\n[Illustration: LE CHÂTEAU\n\nDessin [gravure] de Quelqu'un.]\n\n"
             "[Note 1: première\n\nseconde]\n\n") + STORY
    text = author_text(gutenberg_file(story=story))
    assert "Mme Dupin vit tout." in text and "Dessin" not in text and not re.search(r"[\[\]^=]", text)
    assert "première" in text and "seconde" in text


def test_a_paragraph_too_long_for_a_note_is_the_author_s():
    sentence = "Les fautes de sa jeunesse, l'âge ne les avait pas corrigées.\n"
    for times, kept in ((1, 0), (100, 100)):
        text = author_text(gutenberg_file(story=f"Produit par Quelqu'un\n\n{sentence * times}\n{STORY}"))
        assert "Produit par" not in text and text.count(sentence) == kept


def test_a_list_of_corrections_at_the_end_is_removed():
    story = STORY + ("\nFIN DU CONTE.\n\nListe des modifications:\n\npage 13: l'aure remplacé par l'autre\n\n"
                     "page 50: ente\n")
    text = author_text(gutenberg_file(story=story))
    assert "FIN DU CONTE." in text and "page" not in text


@pytest.mark.parametrize("heading", [
    "Corrections.", "Corrections.\n\nLes défauts d'impression ont été tacitement\ncorrigés.\n\n"
    "De plus, les corrections suivantes ont été apportées.",
])
def test_a_long_list_in_one_paragraph_is_removed(heading):
    entries = "".join(f"    Page {page:3}: «aure» remplacé par «autre» (puis un\n              autre vint).\n"
                      for page in range(100))
    text = author_text(gutenberg_file(story=f"{STORY}\nFIN DU CONTE.\n\n{heading}\n\n{entries}\n"))
    assert text.rstrip().endswith("FIN DU CONTE.\n\nFIN")


def test_a_long_paragraph_that_quotes_two_corrections_is_the_author_s():
    paragraph = "Page 3: «aure» remplacé par «autre»\n" + "La meunière corrigeait ses épreuves.\n" * 60
    assert paragraph in author_text(gutenberg_file(story=f"CORRECTIONS\n\n{paragraph}\n{STORY}"))


def test_corrections_word_by_word_go_with_their_heading():
    listed = "=aure= remplacé par =autre=\n=pui= remplacé par =puis=\n"
    story = STORY + f"\nFIN DU CONTE.\n\nErreurs typographiques:\n\n{listed}\n"
    assert author_text(gutenberg_file(story=story)).rstrip().endswith("FIN DU CONTE.\n\nFIN")
    assert "Louis remplacé par Philippe" in author_text(gutenberg_file(story=f"Louis remplacé par Philippe\n\n{STORY}"))


def test_a_heading_needs_no_credit_above_it():
    note = "Au lecteur\n\nCette version numérisée reproduit la version originale."
    start = f"*** START OF THE PROJECT GUTENBERG EBOOK UN CONTE ***\n\n{note}\n"
    lines = gutenberg_file().splitlines()
    story = "\n".join(lines[next(rank for rank, line in enumerate(lines) if line.startswith("UN CONTE")):])
    assert author_text(f"{start}\n{story}").startswith("UN CONTE")


def test_the_title_of_the_last_notes_may_share_their_paragraph():
    long_story = STORY.replace(".\n", ".\n\n")
    notes = "Notes du transcripteur:\nLe nom Morein a été changé en Morin.\n\nIl naquit plutôt en 1804.\n"
    text = author_text(gutenberg_file(story=f"{long_story}\nFIN DU CONTE.\n\n{notes}"))
    assert text.rstrip().endswith("FIN DU CONTE.")


def test_a_note_in_the_middle_does_not_cut_the_book():
    long_story = STORY.replace(".\n", ".\n\n") * 2
    text = author_text(gutenberg_file(story=f"{long_story}Note du transcripteur: mot illisible.\n\n{long_story}"))
    assert text.count("\n\n") > long_story.count("\n\n") * 2


def test_a_caption_that_explains_its_picture_is_the_author_s():
    caption = "LE MOULIN.--" + "La roue tourne sous l'eau qui tombe, et la meule\nécrase le grain. " * 3
    text = author_text(gutenberg_file(story=f"[Illustration: {caption}]\n\n[Illustration: Le moulin\n\n(p. 12)]\n\n"
                                            f"{STORY}"))
    assert text.split() == f"UN CONTE NOTICE {caption} {STORY} FIN".split()


def test_long_notes_at_the_end_are_removed():
    notes = "".join(f"p. {page}: «aure» devient «autre»\n\n" for page in range(100))
    story = STORY.replace(".\n", ".\n\n") + f"\nFIN DU CONTE.\n\nNotes du transcripteur\n\n{notes}"
    text = author_text(gutenberg_file(story=story))
    assert text.rstrip().endswith("FIN DU CONTE.")


@pytest.mark.parametrize("written, kept", [
    ("Elle chantait[a]. Elle rit [sic].", "Elle chantait. Elle rit [sic]."),
    ("[a] C'était une chanson du pays.", "C'était une chanson du pays."),
    ("[1: Voyez les chansons du Berry.]", "Voyez les chansons du Berry."),
    ("[Note 3. Voyez plus haut.]", "Voyez plus haut."), ("[Footnote B: Ici.]", "Ici."), ("[*: Là.]", "Là."),
    ("Il vint[*], puis[(2)], puis[12a].", "Il vint, puis, puis."), ("[A]insi fit l[e] roi.", "[A]insi fit l[e] roi."),
    ("[A]Là-bas, [B]Germain.", "Là-bas, Germain."), ("[Note 4; Plus bas.]", "Plus bas."),
    ("M{me} Dupin, au XIX{e} siècle.", "Mme Dupin, au XIXe siècle."),
    ("L'eau chante,  } bis.\nLe vent pleure. }", "L'eau chante, bis. Le vent pleure."),
    ("<tb>", ""), ("Il la vit.\n<tb>\nElle <em>rit</em>.", "Il la vit. Elle rit."), ("<Là>", "<Là>"),
    ('["]Il vint[.]["]', '"Il vint."'), ("[Marque d'éditeur: J. M.]", ""),
    ("Une verste* [*Mesure russe.] plus loin.", "Une verste [Mesure russe.] plus loin."),
    ("[* Mesure russe.]", "[Mesure russe.]"),
    ("[Musique]", ""), ("[Vignette: un moulin]", ""),
    ("[Carte du Berry: les moulins]", "[Carte du Berry: les moulins]"),
    ("[Figure 3]", ""), ("[Planche XII: la mare.]", ""), ("[Frontispice]", ""),
    ("[Il sort, musique.]", "[Il sort, musique.]"),
    ("[Musique: Sur le pont\n\non y danse.]", "Sur le pont on y danse."),
    ("La {p. 12}mare [Pg 13]et {pg 14}le pont.", "La mare et le pont."),
    ("[Note du transcripteur: mot illisible.] Il partit.", "Il partit."), ("Il vint. [TN: sic]", "Il vint."),
    ("Un habit frippé[spelling: > fripé] et vieux.[**sic]", "Un habit frippé et vieux."),
    ("Le c[oe]ur, et l'[OE]uvre d'[AE]lis.", "Le cœur, et l'Œuvre d'Ælis."),
    ("Il lut [Grec: choros] et [Greek: aulê].", "Il lut choros et aulê."), ("Il lut [grec].", "Il lut ."),
    ("[Sidenote: Le roi.] Il vint. [Note en marge: 1793] Il vit.", "Le roi. Il vint. 1793 Il vit."),
    ("[Lettre ornée] Il vint. [Pg xii] [Page 12]", "Il vint."),
    ("On criait *à l'eau* chez M. de ***, à g*****, et chez M. D*** de B***.",
     "On criait à l'eau chez M. de ***, à g*****, et chez M. D*** de B***."),
    ("| GERMAIN. | MARIE. |\n| Oui.     | Non.   |", "GERMAIN. MARIE. Oui. Non."),
    ("a | b", "a | b"),
])
def test_marks_of_notes_pages_and_pictures_are_removed(written, kept):
    text = author_text(gutenberg_file(story=f"{STORY}\n{written}\n\n{STORY}"))
    assert text.split() == f"UN CONTE NOTICE {STORY} {kept} {STORY} FIN".split()


def test_illustrations_italics_and_note_calls_are_removed():
    story = ("Une _belle_ journée[12], disait-il[A].\n\n[Illustration: la meunière\nsur le pont]\n\n"
             "[Note 12: C'était en mai.]\n\n") + STORY
    text = author_text(gutenberg_file(story=story))
    assert "Une belle journée, disait-il." in text
    assert "sur le pont" not in text and "C'était en mai." in text


@pytest.mark.parametrize("content, sentence", [
    (b"", "vide"),
    (b"<!DOCTYPE html><html>Connectez-vous</html>", "page web"),
    ("Un texte quelconque.\n".encode() * 500, "pas un livre de Project Gutenberg"),
    (gutenberg_file().partition("FIN\n")[0].encode(), "tronqué"),
    (gutenberg_file(story="Trop court.\n").encode(), "tronqué"),
    (gutenberg_file().encode("latin-1"), "Latin-1"),
    (gutenberg_file(start="*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*", end="FIN").encode(),
     "forme ancienne"),
    (f"The Project Gutenberg Etext of Un conte\n\n{STORY}\nFIN\n".encode(), "forme ancienne"),
])
def test_what_is_not_a_whole_book_is_refused(tmp_path, content, sentence):
    path = tmp_path / "book.txt"
    path.write_bytes(content)
    with pytest.raises(WorkshopError, match=sentence):
        books.check_book(path)


def test_a_folder_is_not_a_book(tmp_path):
    with pytest.raises(WorkshopError, match="est un dossier"):
        books.check_book(tmp_path)


@pytest.mark.parametrize("kind", STORIES)
@pytest.mark.parametrize("name", FILES)
def test_a_file_gives_its_author_s_words_and_no_other(tmp_path, name, kind):
    book = f"LES ORMES\n\npar\n\nJEANNE MARTIN\n\n{STORIES[kind]}\n\nFIN"
    path = tmp_path / "ormes.txt"
    path.write_text(FILES[name].text(book), encoding="utf-8")
    books.check_book(path)
    assert author_text(FILES[name].text(book)).split() == book.replace("_", "").split()


def test_file_names_suit_windows():
    assert cache_name("Lélia : «1833»?", "https://host/files/39738/39738-0.txt") == "lelia_1833_39738-0.txt"


def test_the_slides_cut_is_compared_with_the_markers():
    lines = gutenberg_file().splitlines(keepends=True)
    assert books.compare_with_markers(lines, lines)[0] == 155 and books.compare_with_markers(lines, lines)[1] == 0
    left, lost = books.compare_with_markers(lines[50:-100], lines)
    assert left == 51 and lost > 30


# --- Les neuf vrais livres ----------------------------------------------------------------

ENGLISH_BOILERPLATE = re.compile(
    r"gutenberg|produced by|proofread|pgdp|transcriber|ebook|e-text|http:|www\.|images generously|\bthe\b.*\bof\b")


def french_books(folder):
    """Les livres de `folder` qui sont en français."""
    paths = sorted(folder.rglob("*.txt"))
    assert len(paths) == 9
    return [path for path in paths if "Language: French" in path.read_text(encoding="utf-8-sig")]


def lines_of(path):
    """Les lignes d'un livre, telles que readlines() les rend à l'étape 1."""
    return path.read_text(encoding="utf-8-sig").splitlines(keepends=True)


def test_real_books_keep_no_boilerplate(gutenberg):
    for path in french_books(gutenberg):
        author_lines = books.keep_author_lines(lines_of(path))
        assert not [line for line in author_lines if ENGLISH_BOILERPLATE.search(line.lower())], path


def test_real_books_lose_no_line_of_the_author(gutenberg):
    """Ce qui disparaît entre les repères tient en peu de mots, que l'on reconnaît tous."""
    expected = re.compile(
        r"^[\W_\d]*$|produced by|proofread|produced from|images|biblioth|gallica|google|produit par|internet archive"
        r"|^team\.|au lecteur|version (?:électronique|originale)|ponctuation|mineures|orthographe|modifi|^page +\d+"
        r"|transcription|typographe|harmonisée|illustration|from the google|page \d+\.\)|générations\.\]|rastko"
        r"|\d+[.)]+\]?$|sténio\.\.\. \(page", re.I)
    for path in french_books(gutenberg):
        lines = lines_of(path)
        start, end = books.find_markers(lines)
        kept = {re.sub(r"\W", "", line) for line in books.keep_author_lines(lines)}
        note = re.compile(r"\[(?:\d{1,3}|[A-Z*])\]|\[Note \w+ *[.:]|_")
        lost = [line.strip() for line in lines[start:end]
                if line.strip() and re.sub(r"\W", "", note.sub("", line)) not in kept]
        assert not [line for line in lost if not expected.search(line)], path


def test_real_books_give_whole_sentences(gutenberg, lesson):
    split_text_to_list = lesson("1_prepare_dataset_solution").split_text_to_list
    for path in french_books(gutenberg):
        for sentence in split_text_to_list(books.keep_author_lines(lines_of(path))):
            letter = re.search(r"[^\W\d_]", sentence)
            assert not re.search(r"(?:^|\s)(?:M|MM|Mme|Mlle|Mgr|Dr|St|Ste)\.$", sentence), sentence
            assert sentence.strip("«»—. ") or re.search(r"\w", sentence), sentence
            assert letter is None or not letter.group().islower() or sentence[0].isdigit(), sentence
            assert not sentence.startswith("»") and not sentence.endswith("«"), sentence


def test_real_books_declare_their_language(gutenberg):
    indiana = gutenberg / "files" / "63445" / "63445-0.txt"
    assert books.language_of(indiana.read_text(encoding="utf-8-sig").splitlines()) == "English"
    assert len(french_books(gutenberg)) == 8
