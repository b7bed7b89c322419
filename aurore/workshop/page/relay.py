"""La relève : quand un réseau plus récent apparaît, les nouvelles histoires vont à lui.

Le nouveau s'ouvre à côté de l'ancien et fait ses preuves : il écrit un petit texte. L'ancien finit alors ceux
qu'il a commencés, puis s'en va : on entraîne, on recharge la page, et c'est le nouveau qui répond, sans relancer
quoi que ce soit. S'il n'écrit pas, l'ancien reste, et la page le dit.
"""

import contextlib
import logging
import threading
import time
from pathlib import Path
from typing import Callable, Sequence

from workshop.artefacts import is_complete_model, trained_models
from workshop.errors import WorkshopError
from workshop.narration import notice
from workshop.page.readers import Reader, Readers, Request
from workshop.page.signature import Signature, read_signature
from workshop.paths import SAND_MODEL, shown

CHECK_EVERY_SECONDS = 3
OLD_NETWORK_GRACE = 120     # secondes laissées aux textes que l'ancien réseau a commencés


class Relay:  # pylint: disable=too-many-instance-attributes  # deux verrous, et ce qu'ils gardent
    """Les lecteurs du réseau du moment.

    `choose` renvoie le dossier de celui qui doit écrire ; `trained`, ceux des réseaux entraînés ici, complets ou non,
    le plus récent d'abord.
    """

    def __init__(self, choose: Callable[[], Path], trained: Callable[[], Sequence[Path]] = trained_models):
        self._choose, self._trained = choose, trained
        self._checking = threading.Lock()
        self._changing = threading.Lock()
        self._leaving: list[Readers] = []     # ceux des réseaux remplacés, jusqu'à la fin de leurs textes
        self._refused: object = None          # ce que l'on n'a pas su ouvrir : inutile d'y revenir
        self._checked = time.monotonic()
        self.refusal: str | None = None       # la phrase qui le dit au visiteur
        self._folder = choose()
        self._readers, self._signature = self._open_first()

    def _open_first(self) -> tuple[Readers, Signature]:
        """Ouvre le premier réseau ou, s'il n'écrit pas, celui qui est embarqué."""
        try:
            return open_network(self._folder)
        except Exception as error:  # pylint: disable=broad-exception-caught  # quel que soit son défaut
            if self._folder == SAND_MODEL:
                raise
            broken, self._folder = self._folder, SAND_MODEL
            opened = open_network(SAND_MODEL)
            self._refuse(broken, error, opened[1])
            notice(f"{self.refusal}\n{error}\nEntraînez-en un autre (python aurore/3_train.py) : la page le prendra "
                   "d'elle-même.")
            return opened

    @property
    def network(self) -> Signature:
        """Celui qui écrit."""
        self._follow_newest()
        return self._signature

    @property
    def active(self) -> int:
        """Le nombre de textes en train de s'écrire."""
        return sum(readers.active for readers in self._everyone)

    @property
    def waiting(self) -> int:
        """Le nombre de lecteurs dans la file."""
        return sum(readers.waiting for readers in self._everyone)

    @property
    def _everyone(self) -> list[Readers]:
        with self._changing:
            return [self._readers, *self._leaving]

    def serving(self, key: str) -> Readers | None:
        """Renvoie les lecteurs du réseau `key` si c'est lui qui écrit, sinon None."""
        with self._changing:
            return self._readers if key == self._signature.key else None

    def join(self, request: Request, key: str | None = None) -> Reader | None:
        """Renvoie le lecteur de `request`, ou None si ce n'est pas `key` qui écrit ; lève Full quand la file est
        pleine."""
        self._follow_newest()
        with self._changing:  # l'ancien réseau ne s'arrête pas entre le choix et l'entrée
            return self._readers.join(request) if key in (None, self._signature.key) else None

    def stop(self, grace: float) -> None:
        """Laisse `grace` secondes aux textes commencés, quel que soit leur réseau, puis les arrête."""
        stop_together(self._everyone, grace)

    def _follow_newest(self) -> None:
        if time.monotonic() - self._checked < CHECK_EVERY_SECONDS:
            return
        if not self._checking.acquire(blocking=False):  # pylint: disable=consider-using-with  # with attendrait
            return  # quelqu'un d'autre s'en occupe : l'ancien réseau fait encore l'affaire
        try:
            self._checked = time.monotonic()
            with contextlib.suppress(OSError):  # un dossier s'en va pendant qu'on le regarde
                self._look_for_newer()
        finally:
            self._checking.release()

    def _look_for_newer(self) -> None:
        """Prend la relève que donne `choose`, si elle écrit ; sinon, retient pourquoi elle est refusée."""
        folder = self._choose()
        if folder != self._folder and _stamp(folder) != self._refused:
            try:
                self._hand_over(folder, *open_network(folder))
            except Exception as error:  # pylint: disable=broad-exception-caught  # quel que soit le défaut du nouveau
                # réseau, l'ancien continue d'écrire.
                self._refuse(folder, error, self._signature)
        newest = next(iter(self._trained()), self._folder)
        if newest not in (folder, self._folder) and not is_complete_model(newest):  # choose l'a écarté
            if _stamp(newest) != self._refused:
                self._refuse(newest, WorkshopError("Un de ses fichiers manque, ou n'est pas entier."), self._signature)
        elif folder == self._folder:
            self._refused = self.refusal = None

    def _refuse(self, folder: Path, error: Exception, writing: Signature) -> None:
        self._refused = _stamp(folder)
        self.refusal = f"Le réseau de {shown(folder)} n'écrit pas : {writing.name} écrit à sa place."
        reason = error if isinstance(error, WorkshopError) else type(error).__name__
        logging.getLogger(__name__).error("%s Pourquoi : %s", self.refusal, reason)

    def _hand_over(self, folder: Path, readers: Readers, signature: Signature) -> None:
        with self._changing:
            previous, self._readers = self._readers, readers
            self._folder, self._signature, self.refusal = folder, signature, None
            self._leaving.append(previous)
        threading.Thread(target=self._let_finish, args=(previous,), daemon=True).start()

    def _let_finish(self, readers: Readers) -> None:
        readers.stop(OLD_NETWORK_GRACE)
        with self._changing:
            self._leaving.remove(readers)


def stop_together(writing: Sequence["Readers | Relay"], grace: float) -> None:
    """Arrête tous ceux de `writing` en même temps, chacun avec `grace` secondes pour finir ses textes."""
    stopping = [threading.Thread(target=one.stop, args=(grace,)) for one in writing]
    for thread in stopping:
        thread.start()
    for thread in stopping:
        thread.join()


def open_network(folder: Path) -> tuple[Readers, Signature]:
    """Renvoie les lecteurs et la signature du réseau de `folder` ; lève une erreur s'il n'écrit pas."""
    readers = Readers(folder)
    try:
        readers.try_out()
    except Exception:
        readers.stop(grace=0)
        raise
    return readers, read_signature(folder)


def _stamp(folder: Path) -> object:
    """Ce qui change quand on refait le réseau de `folder` au même endroit."""
    return folder, [file.stat().st_mtime_ns for file in sorted(folder.glob("*.*"))]
