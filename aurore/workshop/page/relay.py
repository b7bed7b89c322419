"""La relève : quand un réseau plus récent apparaît, les nouvelles histoires vont à lui.

Le nouveau s'ouvre à côté de l'ancien, qui finit les textes commencés puis s'en va : on entraîne, on
recharge la page, et c'est le nouveau qui répond, sans relancer quoi que ce soit.
"""

import logging
import threading
import time

from workshop.page.readers import Readers
from workshop.page.signature import read_signature

CHECK_EVERY_SECONDS = 3
OLD_NETWORK_GRACE = 120     # secondes laissées aux textes que l'ancien réseau a commencés


class Relay:
    """Les lecteurs du réseau du moment ; `choose` renvoie le dossier de celui qui doit écrire."""

    def __init__(self, choose):
        self._choose = choose
        self._lock = threading.Lock()
        self._readers = self._folder = self._network = None
        self._refused = None  # un dossier que l'on n'a pas su ouvrir : inutile d'y revenir
        self._checked = time.monotonic()
        self._open(choose())

    @property
    def network(self):
        """Le `Network` qui écrit."""
        self._follow_newest()
        return self._network

    @property
    def active(self):
        """Le nombre de textes en train de s'écrire."""
        return self._readers.active

    @property
    def waiting(self):
        """Le nombre de lecteurs dans la file."""
        return self._readers.waiting

    def join(self, request):
        """Renvoie le lecteur de `request` ; lève Full quand la file est pleine."""
        self._follow_newest()
        with self._lock:  # l'ancien réseau ne s'arrête pas entre le choix et l'entrée
            return self._readers.join(request)

    def stop(self, grace):
        """Laisse `grace` secondes aux textes commencés, puis les arrête."""
        self._readers.stop(grace)

    def _follow_newest(self):
        if time.monotonic() - self._checked < CHECK_EVERY_SECONDS or not self._lock.acquire(blocking=False):
            return  # vérifié il y a peu, ou quelqu'un d'autre s'en occupe
        try:
            self._checked = time.monotonic()
            folder = self._choose()
            if folder not in (self._folder, self._refused):
                self._open(folder)
        except Exception:  # pylint: disable=broad-exception-caught  # quel que soit le défaut du nouveau
            # réseau, l'ancien continue d'écrire.
            self._refused = folder
            logging.getLogger(__name__).exception("Le réseau de %s ne s'ouvre pas ; le précédent continue.", folder)
        finally:
            self._lock.release()

    def _open(self, folder):
        previous, self._readers = self._readers, Readers(folder)
        self._folder, self._network = folder, read_signature(folder)
        if previous:
            threading.Thread(target=previous.stop, args=(OLD_NETWORK_GRACE,), daemon=True).start()
