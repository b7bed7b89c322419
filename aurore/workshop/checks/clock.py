"""Le temps qu'une réponse prend au processeur : ni l'attente d'une machine occupée, ni les imports n'en sont.

Un fil regarde, dix fois par seconde, ce que le processus a calculé depuis le début d'un essai. Au-delà de la
limite, il écrit où en est le calcul, et arrête tout. Il ne peut pas regarder quand une fonction écrite en C garde
Python pour elle : faulthandler, qui n'a pas besoin de Python, arrête alors le processus après `SILENCE` secondes.
Tant que le processus calcule, il rafraîchit la date du fichier `pulse` : qui l'a lancé sait qu'il n'attend pas.
"""

import builtins
import faulthandler
import importlib
import os
import threading
from time import process_time, sleep

SILENCE = 60  # secondes


class Clock:
    """Un compte à rebours de processeur ; `trace` est le fichier où dire où en était le calcul, `pulse` un chemin."""

    def __init__(self, limit, trace, pulse):
        self._limit, self._trace, self._pulse = limit, trace, pulse
        self._importing = None  # quand a commencé l'import en cours
        self.restart()
        builtins.__import__ = self._outside(builtins.__import__)
        importlib.import_module = self._outside(importlib.import_module)
        threading.Thread(target=self._watch, daemon=True).start()

    def restart(self):
        """Commence un nouvel essai."""
        self._start = process_time()

    def _outside(self, load):
        """Renvoie `load`, une fonction qui importe, dont le temps n'est pas compté."""
        def load_outside(*arguments, **named):
            if self._importing is not None:
                return load(*arguments, **named)
            self._importing = process_time()
            try:
                return load(*arguments, **named)
            finally:
                self._start += process_time() - self._importing
                self._importing = None
        return load_outside

    def _watch(self):
        beat = 0.0
        while True:
            faulthandler.dump_traceback_later(SILENCE, exit=True, file=self._trace)
            sleep(0.1)
            if process_time() - beat > 0.05:
                beat = process_time()
                os.utime(self._pulse)
            now = self._importing
            if (process_time() if now is None else now) - self._start > self._limit:
                faulthandler.dump_traceback(file=self._trace)
                os._exit(1)
