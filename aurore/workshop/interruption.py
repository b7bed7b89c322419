"""Ctrl-C : une leçon s'arrête aussitôt, tant que rien n'est à défaire ; ensuite, comme d'habitude.

Pendant que les bibliothèques s'importent et ouvrent un réseau, leur C++ et leurs destructeurs avalent parfois
KeyboardInterrupt, ou en font une autre erreur : la leçon continuerait.
"""

import os
import signal
import sys
from pathlib import Path

from workshop.paths import AURORE

EXIT_CODE = 130


def leave_at_once():
    """Dès maintenant, Ctrl-C arrête la leçon sans rien défaire ; n'y change rien dans un autre script."""
    script = Path(sys.argv[0]).resolve()
    if (script.parent == AURORE and script.name[0].isdigit() and "__mp_main__" not in sys.modules
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler):
        signal.signal(signal.SIGINT, _leave)


def unwind():
    """Dès maintenant, Ctrl-C lève KeyboardInterrupt : ce qui s'écrit s'efface, ou se garde."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def tell(stream):
    """Dit dans `stream` que l'on s'arrête là."""
    print("\nInterrompu (Ctrl-C). Ce que les étapes précédentes ont écrit est intact ; "
          "relancez la même commande quand vous voudrez.", file=stream, flush=True)


def _leave(*_):
    tell(sys.stdout)  # quiet_tensorflow fait taire l'autre sortie
    os._exit(EXIT_CODE)
