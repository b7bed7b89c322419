"""La relève : quand un réseau plus récent apparaît, les nouvelles histoires vont à lui.

Le nouveau s'ouvre à côté de l'ancien, qui finit les textes commencés puis s'en va : on entraîne, on
recharge la page, et c'est le nouveau qui répond, sans relancer quoi que ce soit.
"""

import logging
import threading
import time

from workshop.narration import notice
from workshop.page.readers import Readers
from workshop.page.signature import read_signature
from workshop.paths import SAND_MODEL, shown

CHECK_EVERY_SECONDS = 3
OLD_NETWORK_GRACE = 120     # secondes laissées aux textes que l'ancien réseau a commencés


class Relay:  # pylint: disable=too-many-instance-attributes  # deux verrous, et ce qu'ils gardent
    """Les lecteurs du réseau du moment ; `choose` renvoie le dossier de celui qui doit écrire."""

    def __init__(self, choose):
        self._choose = choose
        self._checking = threading.Lock()
        self._changing = threading.Lock()
        self._readers = self._folder = self._signature = None
        self._leaving = []    # les lecteurs des réseaux remplacés, jusqu'à la fin de leurs textes
        self._refused = None  # un dossier que l'on n'a pas su ouvrir : inutile d'y revenir
        self._checked = time.monotonic()
        self._open_first(choose())

    def _open_first(self, folder):
        """Ouvre le réseau de `folder` ou, s'il ne s'ouvre pas, aurore."""
        try:
            self._open(folder)
        except Exception as error:  # pylint: disable=broad-exception-caught  # quel que soit son défaut
            if folder == SAND_MODEL:
                raise
            self._refused = folder
            notice(f"Le réseau de {shown(folder)} ne s'ouvre pas.\n{error}\n"
                   "Le réseau embarqué, aurore, écrit à sa place. Entraînez-en un autre "
                   "(python aurore/3_train.py) : la page le prendra d'elle-même.")
            self._open(SAND_MODEL)

    @property
    def network(self):
        """Le `Network` qui écrit."""
        self._follow_newest()
        return self._signature

    @property
    def active(self):
        """Le nombre de textes en train de s'écrire."""
        return sum(readers.active for readers in self._everyone)

    @property
    def waiting(self):
        """Le nombre de lecteurs dans la file."""
        return sum(readers.waiting for readers in self._everyone)

    @property
    def _everyone(self):
        with self._changing:
            return [self._readers, *self._leaving]

    def join(self, request):
        """Renvoie le lecteur de `request` ; lève Full quand la file est pleine."""
        self._follow_newest()
        with self._changing:  # l'ancien réseau ne s'arrête pas entre le choix et l'entrée
            return self._readers.join(request)

    def stop(self, grace):
        """Laisse `grace` secondes aux textes commencés, quel que soit leur réseau, puis les arrête."""
        stopping = [threading.Thread(target=readers.stop, args=(grace,)) for readers in self._everyone]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()

    def _follow_newest(self):
        if time.monotonic() - self._checked < CHECK_EVERY_SECONDS:
            return
        if not self._checking.acquire(blocking=False):  # pylint: disable=consider-using-with  # with attendrait
            return  # quelqu'un d'autre s'en occupe : l'ancien réseau fait encore l'affaire
        folder = None
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
            self._checking.release()

    def _open(self, folder):
        readers, signature = Readers(folder), read_signature(folder)
        with self._changing:
            previous, self._readers = self._readers, readers
            self._folder, self._signature = folder, signature
            if previous:
                self._leaving.append(previous)
        if previous:
            threading.Thread(target=self._let_finish, args=(previous,), daemon=True).start()

    def _let_finish(self, readers):
        readers.stop(OLD_NETWORK_GRACE)
        with self._changing:
            self._leaving.remove(readers)
