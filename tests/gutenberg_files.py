"""De petits fichiers au format de Project Gutenberg, inventés : ce que l'auteur a écrit, et tout ce qu'on y ajoute."""

from typing import NamedTuple

PROSE = "\n\n".join(
    f"Le {day} du mois, la meunière ferma l'écluse, compta ses sacs, et s'en fut par le chemin creux;\n"
    f"elle pensait à sa sœur, partie depuis {day} ans, et qui n'écrivait plus." for day in range(2, 32))
VERSE = "\n\n".join(
    f"    {number}\n\n  La mare est noire sous les ormes,\n      Le vent s'endort,\n"
    f"  Et {number} crapauds, gros et difformes,\n      Pleurent encor." for number in range(12, 48))
DRAMA = "SCÈNE PREMIÈRE\n\nGERMAIN, MARIE.\n\n" + "\n\n".join(
    f"GERMAIN, _à part_.\n\nElle m'a dit {number} fois qu'elle partirait. [Il s'assied.]\n\n"
    "MARIE.\n\nMonsieur Germain!... Je m'en vais. (Elle sort.)" for number in range(3, 33))
LETTERS = "\n\n".join(
    f"LETTRE {number}\n\nNohant, le {number} juin.\n\nMon ami, vos notes m'ont fait rire. Je n'ai plus d'encre;\n"
    "corrigez mes fautes, et gardez mon orthographe pour vous.\n\n    Votre A." for number in range(1, 21))
STORIES = {"prose": PROSE, "vers": VERSE, "théâtre": DRAMA, "lettres": LETTERS}

PGDP = ("Produced by Jeanne Martin and the Online Distributed\nProofreading Team at https://www.pgdp.net (This\n"
        "file was produced from images generously made available by The\nInternet Archive)")


class File(NamedTuple):
    """Ce qui entoure le livre dans un fichier."""

    front: str = PGDP
    back: str = ""
    start: str = "*** START OF THE PROJECT GUTENBERG EBOOK LES ORMES ***"
    end: str = "*** END OF THE PROJECT GUTENBERG EBOOK LES ORMES ***"
    header: str = "The Project Gutenberg eBook of Les ormes\n\nTitle: Les ormes\n\nLanguage: French"

    def text(self, book):
        """Renvoie le texte du fichier où ces choses entourent `book`."""
        return "\n\n".join(part for part in (self.header, self.start, self.front, book, self.back, self.end,
                                             "Section 1. General Terms of Use") if part) + "\n"


FILES = {
    "note de transcription en tête": File(front=f"""{PGDP}


Note sur la transcription: Les erreurs clairement introduites par le
typographe ont été corrigées. L'orthographe d'origine a été conservée.

Les notes de bas de page ont été renumérotées et placées en fin de chapitre.

Les numéros des pages blanches n'ont pas été repris."""),
    "au lecteur, puis des modifications": File(front=f"""{PGDP}

    Au lecteur

    Cette version numérisée reproduit dans son intégralité la version
    originale. La ponctuation n'a pas été modifiée.

    Seuls quelques mots ont été modifiés. La liste des modifications
    se trouve à la fin du texte.""", back="""Liste des modifications:

page 12: «ormaux» remplacé par «ormeaux»

page 15: «crapeaux» par «crapauds»"""),
    "au lecteur, sans un mot de la transcription": File(front=f"""{PGDP}

  Au lecteur:

    Les mots en _italiques_ sont entourés de tirets bas, les mots en
    =gras= de signes égal.

    Des corrections sont signalées à la fin de l'ouvrage."""),
    "transcriber's notes en liste": File(front="""Produced by Jeanne Martin

TRANSCRIBER'S NOTES

  - Obvious printer's errors have been corrected.

  - Original spelling and punctuation have been retained.

  - Footnotes have been moved to the end of each chapter."""),
    "transcriber's note entre crochets": File(front="""[Transcriber's Note: This text was prepared
from the 1868 edition.

Italic text is denoted by _underscores_.]"""),
    "transcriber's note encadrée à la fin": File(back="""+--------------------------------------------------+
| TRANSCRIBER'S NOTE                               |
|                                                  |
| Inconsistent hyphenation has been retained.      |
| Page 12: ormaux changed to ormeaux.              |
+--------------------------------------------------+"""),
    "corrections en anglais": File(back="""Transcriber's Notes:

Page 3, "ormaux" changed to "ormeaux" (sous les ormeaux)

Page 9, "crapeaux" changed to "crapauds" (les crapauds)"""),
    "corrections par partie": File(back="""Au lecteur.

Ce fichier numérique suit l'édition imprimée, à ceci près:

PREMIÈRE PARTIE

Page IX: «ormaux» remplacé par «ormeaux».

DEUXIÈME PARTIE

Page 21: «ente» remplacé par «entre» (entre les deux)."""),
    "on a effectué": File(back="""On a effectué les corrections suivantes:

Pages 3, 7: «Germin» corrigé en «Germain».

Page 22: point ajouté."""),
    "errata": File(back="""ERRATA

Page 12, ligne 3, au lieu de: ormaux, lisez: ormeaux.

Page 20, ligne 9, lisez: crapauds."""),
    "métadonnées après le repère": File(front="""This etext was produced by Somebody.

Author: Jeanne Martin
Title: Les ormes

Release Date: May, 2004

Character set encoding: UTF-8"""),
    "métadonnées en français": File(front="""Produced by Somebody

Auteur: Jeanne Martin
Titre: Les ormes"""),
    "éditeur de livres électroniques": File(back="""À propos de cette édition électronique

Texte libre de droits.

Corrections, édition, conversion informatique et publication par le groupe:

Ebooks libres et gratuits

http://www.example.org/livres"""),
    "bibliothèque municipale": File(front="""Saisie du texte : J. Martin pour la collection électronique de la
Bibliothèque Municipale (12.V.1996)

Relecture : A. Dupont

Adresse : Place de la République, courriel : livres@example.org"""),
    "bibliophiles universels": File(front="""---------------- DEBUT DU FICHIER ormes1 ----------------

<IDENT_AUTEURS martinj>

<TITRE Les ormes>""", back="------------------------- FIN DU FICHIER ormes1 --------------------------------"),
    "couverture et domaine public": File(back="""Note de transcription

L'image de couverture a été réalisée pour cette édition électronique. Elle appartient au domaine public."""),
    "note au lecteur de ce fichier": File(front=f"""{PGDP}

[Note au lecteur de ce fichier digital:

Seules les erreurs clairement introduites par le typographe ont été corrigées.]"""),
    "repère au numéro seul": File(start="*** START OF THE PROJECT GUTENBERG EBOOK 12345 ***",
                                  end="*** END OF THE PROJECT GUTENBERG EBOOK 12345 ***"),
    "repère de fin sur deux lignes": File(end="End of the\nProject Gutenberg EBook of Les ormes, by Jeanne Martin"),
    "repère de fin en français": File(end="Fin du Projet Gutenberg: Les ormes, de Jeanne Martin"),
    "fin de cet e-text": File(end="End of this Etext of Les ormes"),
    "small print en tête": File(
        header="***The Project Gutenberg Etext of Les ormes, by Jeanne Martin***\n#1 in our series by Jeanne Martin\n\n"
               "Please take a look at the important information in this header.\n\n"
               "***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***\nWhy is this here?",
        start="*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*",
        front="This etext was prepared by Jeanne Martin, martin@example.org",
        end="End of The Project Gutenberg Etext of Les ormes, by Jeanne Martin"),
    "small print à la fin": File(
        header="The Project Gutenberg EBook of Les ormes, by Jeanne Martin\n(#1 in our series by Jeanne Martin)\n\n"
               "Copyright laws are changing all over the world. Be sure to check the\nlaws for your country.\n\n"
               "**Welcome To The World of Free Plain Vanilla Electronic Texts**\n\nTitle: Les ormes\n\n"
               "Author: Jeanne Martin\n\nRelease Date: May, 2003 [EBook #1234]\n\nEdition: 10\n\nLanguage: French",
        start="", front="", end="The Project Gutenberg EBook of Les ormes, by Jeanne Martin\n\n"
        "***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN EBOOKS**START***\nWhy is this here?\n\n"
        "*END THE SMALL PRINT! FOR PUBLIC DOMAIN EBOOKS*Ver.02/11/02*END*"),
    "small print sur deux lignes": File(
        header="**The Project Gutenberg Etext of Les ormes**",
        start="*END THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.10/04/01*END*",
        front="The Project Gutenberg Etext of Les ormes",
        end="End of this Project\nGutenberg Etext of Les ormes"),
}
