"""Ce que les scripts disent : le titre d'une étape, un avis encadré, une erreur qui aide.

Importer ce module suffit : l'affichage survit à un terminal Windows, et une erreur prévue
s'affiche en une phrase, sans trace d'appels. Une erreur imprévue garde sa trace : c'est
celle du code que l'on est en train d'écrire.
"""

import errno
import re
import sys
import textwrap
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

from workshop import interruption, paths
from workshop.errors import Unfinished, WorkshopError

WIDTH = 88

_announced: set[str] = set()  # les TODO facultatifs dont on a dit qu'ils attendent
translators: list[Callable] = []  # ils renvoient la phrase d'une erreur de leur bibliothèque, ou None

_DISK_ERRORS = {
    errno.ENOSPC: "Le disque est plein : impossible d'écrire {name}.\n"
                  "Libérez de la place, puis relancez la même commande ; rien n'a été abîmé.",
    errno.EDQUOT: "Votre quota de disque est atteint : impossible d'écrire {name}.\n"
                  "Libérez de la place, puis relancez la même commande ; rien n'a été abîmé.",
    errno.EROFS: "Le dossier est en lecture seule : impossible d'écrire {name}.\n"
                 + ("Montez le volume sans « :ro »" if paths.IN_CONTAINER else
                    "Copiez le projet dans un dossier où vous pouvez écrire")
                 + ", puis relancez la même commande.",
    errno.EACCES: "Vous n'avez pas le droit d'ouvrir ou d'écrire {name}.\n"
                  + ("Lancez le conteneur avec --user \"$(id -u)\"" if paths.IN_CONTAINER else
                     "Rendez ce dossier accessible à votre utilisateur")
                  + ", puis relancez la même commande.",
}
_DISK_ERRORS[errno.EEXIST] = _DISK_ERRORS[errno.ENOTDIR] = (
    "Un fichier occupe la place d'un dossier : {name}.\nRenommez-le ou effacez-le, puis relancez la même commande.")
_DISK_ERRORS[errno.EPERM] = _DISK_ERRORS[errno.EACCES]


def todo(number, *_ingredients, **otherwise):
    """Tient la place d'une réponse, dans un exercice : lève une Unfinished.

    `_ingredients` est ce dont la réponse peut se servir, pour l'avoir sous les yeux. Une réponse
    facultative peut avoir une valeur en attendant, `otherwise` : elle est annoncée une fois, et renvoyée.
    """
    if otherwise:
        if number not in _announced:
            _announced.add(number)
            print(f"TODO {number} : pas encore fait ; en attendant, sa valeur est {otherwise['otherwise']!r}.")
        return otherwise["otherwise"]
    place = traceback.extract_stack(limit=2)[0]
    name = paths.shown(Path(place.filename).resolve())  # dans l'image, Python dit « //aurore »
    raise Unfinished(f"À vous ! TODO {number}, dans {name}, ligne {place.lineno}.\n"
                     "Écrivez votre réponse à la place de narration.todo(...), puis relancez la même commande.\n"
                     f"Un indice :  python aurore/verify.py --hint {number.split()[0]}")


def step(number, title):
    """Affiche le nom de l'étape : une erreur qui suit vient d'elle, pas de la précédente."""
    print(f"\n=== Étape {number} sur 5 : {title} ===", flush=True)


def section(title):
    """Affiche un intertitre."""
    print(f"\n--- {title} ---", flush=True)


def next_step(lesson, script):
    """Affiche la commande de l'étape `lesson` : sa solution si `script` en est une, sinon l'exercice."""
    suffix = "_solution" if Path(script).stem.endswith("_solution") else ""
    say(f"Étape suivante :  python aurore/{lesson}{suffix}.py")


def from_here(text):
    """Renvoie `text`, où une commande, écrite pour la racine du projet, devient celle que l'on tape d'où l'on est."""
    return re.sub(r"python aurore/(\w+\.py)", lambda match: f"python {paths.here(paths.AURORE / match[1])}", text)


def say(text, file=None):
    """Affiche `text`, avec des commandes que l'on peut taper d'où l'on est."""
    print(from_here(text), file=file, flush=True)


def notice(text, file=None):
    """Affiche un avis encadré ; `text` peut avoir plusieurs paragraphes, un par ligne."""
    print(file=file)
    print("+" + "-" * (WIDTH - 2) + "+", file=file)
    for paragraph in from_here(text).splitlines():
        for line in textwrap.wrap(paragraph, WIDTH - 4, break_long_words=False, break_on_hyphens=False) or [""]:
            print(f"| {line:<{WIDTH - 4}} |", file=file)
    print("+" + "-" * (WIDTH - 2) + "+", file=file, flush=True)


def ask(question):
    """Pose une question dont la réponse est oui ou non ; la réponse par défaut, et hors d'un terminal, est oui."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    try:
        return not input(f"\n{question} [O/n] ").strip().lower().startswith("n")
    except EOFError:  # Ctrl-D
        print()
        return True


def table(header, rows):
    """Affiche un petit tableau, la première colonne à gauche, les autres à droite."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    for number, row in enumerate(cells):
        first, *others = [cell.ljust(width) if index == 0 else cell.rjust(width)
                          for index, (cell, width) in enumerate(zip(row, widths))]
        print("   ".join([first, *others]).rstrip())
        if number == 0:
            print("   ".join("-" * width for width in widths))


def count(number):
    """Renvoie un nombre entier à la française : 12 345."""
    return f"{number:,}".replace(",", " ")


def decimal(number, digits=2):
    """Renvoie un nombre décimal à la française : 1,56."""
    return f"{number:.{digits}f}".replace(".", ",")


def short(number, digits=3):
    """Renvoie un nombre à la française, sans les zéros qui le finiraient : 0,8."""
    return f"{round(number, digits):g}".replace(".", ",")


def duration(seconds):
    """Renvoie une durée à la française : « 45 s », « 8 min », « 1 h 05 »."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02}"


def _disk_sentence(error):
    """Renvoie la phrase qui explique une erreur de disque, ou None si ce n'en est pas une.

    L'erreur de disque est souvent la cause d'une autre (pyarrow, safetensors, Keras) : on
    remonte la chaîne.
    """
    while error is not None:
        name = getattr(error, "filename", None)
        if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
            return _DISK_ERRORS[error.errno].format(name=f"« {name} »" if name else "un fichier")
        if "No space left on device" in str(error) or "os error 28" in str(error):
            return _DISK_ERRORS[errno.ENOSPC].format(name="un fichier")
        error = error.__cause__ or error.__context__
    return None


def _explain(kind, error, trace):
    """Remplace la trace d'appels par une phrase, quand l'erreur est prévue."""
    if issubclass(kind, KeyboardInterrupt):
        interruption.tell(sys.stderr)
        raise SystemExit(interruption.EXIT_CODE)
    if isinstance(error, Unfinished):
        notice(str(error), file=sys.stderr)
        raise SystemExit(2)
    sentence = next(filter(None, (translate(error) for translate in translators)), None) or (
        str(error) if isinstance(error, WorkshopError) else _disk_sentence(error))
    if sentence is None:
        sys.__excepthook__(kind, error, trace)
        return
    say(f"\nERREUR. {sentence}", file=sys.stderr)
    raise SystemExit(2)


for _stream in (sys.stdout, sys.stderr):
    if hasattr(_stream, "reconfigure"):  # pytest remplace ces flux par les siens
        _stream.reconfigure(errors="replace")
sys.excepthook = _explain
interruption.leave_at_once()
warnings.filterwarnings("ignore", category=FutureWarning, module="pyarrow")    # appelé par datasets
warnings.filterwarnings("ignore", category=RuntimeWarning, module="tf_keras")  # fichier vide reçu
