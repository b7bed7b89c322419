"""Ce qu'un visiteur peut demander au réseau de continuer.

Une amorce inutilisable est refusée par une phrase qui dit pourquoi ; une amorce qui ne semble pas
française est acceptée avec un avertissement. Rien de ce qui a été tapé n'est jamais jeté : c'est à
l'appelant de le remontrer.
"""

import re
import threading
import unicodedata
from itertools import groupby
from typing import NamedTuple

from workshop.page.contract import BIDIRECTIONAL, CONTROLS, LONGEST_PROMPT, LONGEST_SUITE
from workshop.text.typography import normalise

MOST_MARKS = 30           # accents qui se suivent : les remettre en ordre prend le carré de leur nombre
FEWEST_WORDS = 3          # en dessous, aucun détecteur ne reconnaît une langue

EMPTY = "Écrivez d'abord quelques mots : le réseau continuera."
TOO_LONG = f"C'est un peu long : {LONGEST_PROMPT} caractères au plus."
SUITE_TOO_LONG = "Cette histoire est déjà bien longue : recommencez-en une autre."
UNREADABLE = ("Votre texte contient des signes invisibles ou illisibles (un copier-coller, peut-être). "
              "Retapez-le, ou effacez-les.")
RIGHT_TO_LEFT = ("Votre texte contient des signes invisibles qui changent le sens de la lecture. "
                 "Retapez-le : le réseau n'écrit que de gauche à droite.")
UNKIND = "Aurore préfère les histoires où l'on se parle gentiment. Essayez avec d'autres mots ?"
NOT_FRENCH = "Cela ne ressemble pas à du français, la seule langue que le réseau ait lue : sa suite sera étrange."

# Seulement ce qui n'a pas d'autre sens : « chatte », « garce », « bâtard » sont dans les romans.
_INSULTS = re.compile(r"(?<!\w)(?:" + "|".join((
    r"connards?", r"connasses?", r"salopes?", r"salopards?", r"encul[ée]e?s?", r"putes?",
    r"p[ée]tasses?", r"grognasses?", r"pouffiasses?", r"enfoir[ée]e?s?", r"p[ée]d[ée]s?", r"tarlouzes?", r"tafioles?",
    r"gouines?", r"bougnoules?", r"youpins?", r"négros?", r"chinetoques?", r"bicots?", r"branleu(?:rs?|ses?)",
    r"sous-merdes?", r"trous? du cul", r"ferme ta gueule",
    r"niqu(?:e|er) (?:ta|sa|vos?|leurs?|tes) (?:m[èe]res?|races?)", r"va te faire (?:foutre|enculer)",
    r"sales? (?:juifs?|arabes?|noirs?|nègres?)",
)) + r")(?!\w)", re.IGNORECASE)


_ONE_AT_A_TIME = threading.Lock()  # py3langid se charge à la première question : 80 Mo, une seule fois


class Refused(Exception):
    """L'amorce ne peut pas être continuée ; le message est une phrase pour le visiteur."""


class Prompt(NamedTuple):
    """Une amorce acceptée."""

    typed: str            # ce que le visiteur a tapé, à lui remontrer
    opening: str          # la même dans la forme que lit le réseau
    suite: str            # ce que le réseau a déjà écrit ensuite, tel quel
    warning: str | None   # une phrase, si elle ne semble pas française


def readable(text: str) -> str:
    """Renvoie `text` sans demi-caractère (« lone surrogate »), que rien ne sait écrire en UTF-8."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def check(typed: str, suite: str = "") -> Prompt:
    """Renvoie le `Prompt` que forment l'amorce `typed` et la suite déjà écrite ; lève Refused."""
    typed, suite = readable(typed), readable(suite)
    if len(typed.replace("\r\n", "\n")) > LONGEST_PROMPT:
        raise Refused(TOO_LONG)
    if len(suite) > LONGEST_SUITE:
        raise Refused(SUITE_TOO_LONG)
    for text in (typed, suite):
        if re.search(f"[{BIDIRECTIONAL}]", text):
            raise Refused(RIGHT_TO_LEFT)
        if re.search(f"[{CONTROLS}]", text) or _most_marks(text) > MOST_MARKS:
            raise Refused(UNREADABLE)
    opening = normalise(typed)
    if not opening:
        raise Refused(EMPTY)
    if _INSULTS.search(opening):
        raise Refused(UNKIND)
    return Prompt(typed, opening, suite, None if seems_french(opening) else NOT_FRENCH)


def _most_marks(text: str) -> int:
    """Renvoie le plus grand nombre d'accents qui se suivent."""
    return max((len(list(run)) for is_mark, run in groupby(text, lambda sign: unicodedata.combining(sign) > 0)
                if is_mark), default=0)


def seems_french(text: str) -> bool:
    """Dit si `text` est en français, ou trop court pour que l'on en juge."""
    return len(re.findall(r"[^\W\d_]+", text)) < FEWEST_WORDS or language(text) == "fr"


def warm_up() -> None:
    """Prépare le détecteur de langue, dont la première réponse prend une seconde."""
    language("un deux trois")


def language(text: str) -> str:
    """Renvoie le code de la langue de `text`, deux lettres, selon py3langid."""
    import py3langid  # pylint: disable=import-outside-toplevel  # la page s'ouvre sans l'attendre
    with _ONE_AT_A_TIME:
        return py3langid.classify(text)[0]
