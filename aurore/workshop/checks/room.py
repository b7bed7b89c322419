"""Dire au tableau de la salle où l'on en est : seulement si AURORE_SALLE donne l'adresse de la page de qui anime.

Il ne part que des numéros de TODO, leur état et, d'une réponse à revoir, la phrase qui nomme la faute, sans les mots
qu'elle cite du code. L'envoi se fait à côté : une page éteinte ne fait attendre personne.
"""

import json
import os
import re
import sys
import threading
import urllib.request

from workshop.checks.apart import exercise_path, solution_path
from workshop.checks.judge import WRONG
from workshop.paths import DATA

FILE = DATA / "prenom.txt"
WAIT_SECONDS = 0.3      # au plus, avant de rendre la main
TIMEOUT_SECONDS = 2     # au-delà, l'envoi est abandonné
_OURS = re.compile(r"[^\W_]\w*")


def tell(results, wait=WAIT_SECONDS):
    """Envoie {exercice: {TODO: Verdict}} au tableau, si AURORE_SALLE le demande ; n'échoue jamais."""
    address = os.environ.get("AURORE_SALLE", "").strip().rstrip("/")
    if not address:
        return
    name = _name()
    if not name:
        return
    body = json.dumps({"prenom": name, "todos": [_row(exercise, *row) for exercise, verdicts in results.items()
                                                 for row in verdicts.items()]})
    sending = threading.Thread(target=_send, args=(f"{address.removesuffix('/salle')}/salle/avis", body), daemon=True)
    sending.start()
    sending.join(wait)


def _row(exercise, number, verdict):
    sentence = _without_their_words(verdict.why, exercise) if verdict.state == WRONG else ""
    return [f"{exercise}.*" if number == "*" else number, verdict.state, sentence]


def _without_their_words(sentence, exercise):
    """Renvoie `sentence`, où chaque mot que la personne a écrit, et que n'a pas la solution, devient « … »."""
    try:
        theirs = set(_OURS.findall(exercise_path(exercise).read_text(encoding="utf-8", errors="replace")))
    except OSError:
        return sentence
    theirs -= set(_OURS.findall(solution_path(exercise).read_text(encoding="utf-8")))
    sentence = re.sub(r"^ligne \d+ : ", "", sentence)
    return _OURS.sub(lambda word: "…" if word.group() in theirs else word.group(), sentence)


def _name():
    """Renvoie le prénom : AURORE_PRENOM, sinon celui que l'on a déjà donné, sinon celui que l'on demande."""
    name = os.environ.get("AURORE_PRENOM", "").strip()
    if name:
        return name
    try:
        return FILE.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        pass
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        print("Le tableau de la salle attend votre prénom : donnez-le dans AURORE_PRENOM. Rien n'est envoyé.")
        return ""
    try:
        name = input("\nLe tableau de la salle attend votre prénom (rien : ne pas y être) : ").strip()
    except EOFError:
        name = ""
    try:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(name, encoding="utf-8")
    except OSError:
        pass  # il sera redemandé
    return name


def _send(address, body):
    """Envoie `body`, sans passer par le relais de l'école : la page est dans la salle."""
    try:
        request = urllib.request.Request(address, body.encode(), {"Content-Type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=TIMEOUT_SECONDS):
            pass
    except Exception:  # pylint: disable=broad-exception-caught  # une page éteinte, une adresse mal tapée : peu importe
        pass
