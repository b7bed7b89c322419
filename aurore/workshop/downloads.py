"""Les livres : de leur adresse à un fichier sur le disque, demandé jusqu'à l'avoir.

    downloads = Downloads(books)
    for request in downloads.requests():
        with request:
            request.path = download_file(request.url, request.name, request.folder)
            check_book(request.path)
    downloads.paths

Comme dans tenacity, un essai qui échoue revient dans la boucle. Ni tenacity ni urllib3.Retry ne
servent ici : c'est get_file, de Keras, qui télécharge (l'exercice), et un fichier reçu mais tronqué
ou remplacé par un portail Wi-Fi est un échec aussi, que seul l'appelant sait reconnaître.
"""

import errno
import http.client
import os
import re
import shutil
import socket
import ssl
import time
import unicodedata
import urllib.error
from pathlib import Path
from urllib.parse import urlsplit

from workshop.artefacts import INCOMING, remove_leftovers
from workshop.errors import WorkshopError
from workshop.paths import AURORE, BOOKS, shown
from workshop.sources import OutOfReach

ATTEMPTS = 3          # par fichier, si le serveur répond mal
FIRST_PAUSE = 1.0     # secondes avant le deuxième essai ; doublées ensuite
SILENCE_LIMIT = 20.0  # secondes sans un octet, après quoi un serveur est tenu pour muet

_NO_ROUTE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN)


class Unreachable(OutOfReach):
    """L'hôte lui-même est injoignable : inutile de lui demander autre chose."""


class NotThere(WorkshopError):
    """Le serveur répond qu'il n'a pas ce fichier : inutile d'insister."""


class Downloads:
    """Les fichiers de {titre: adresse} : `paths`, {titre: chemin}, se remplit en parcourant `requests()`.

    Une adresse est un fichier local, dont le chemin part de la racine du projet, ou une page du
    réseau, gardée en cache dans BOOKS une fois reçue et vérifiée.
    """

    def __init__(self, files):
        self.paths = {}
        self._files = files
        self._unreachable = set()  # les hôtes à qui l'on ne demande plus rien

    def requests(self):
        """Donne une Request par fichier, et d'autres tant qu'un serveur flanche.

        Lève à la fin une WorkshopError qui nomme chaque fichier manquant, ou OutOfReach s'il n'y
        en a aucun, pas même en cache : un corpus ne rétrécit jamais en silence.
        """
        # get_file, de Keras, importe TensorFlow : que ce soit en silence, et seulement pour télécharger.
        from workshop import quiet_tensorflow  # pylint: disable=import-outside-toplevel,unused-import
        remove_leftovers(BOOKS)
        failures = {}
        for title, url in self._files.items():
            url = _through_mirror(url)
            try:
                self.paths[title] = yield from self._requests(url, BOOKS / cache_name(title, url))
            except WorkshopError as error:
                failures[title] = error
                if isinstance(error, Unreachable):
                    self._unreachable.add(urlsplit(url).netloc)
        if not failures:
            return
        if not self.paths and all(isinstance(reason, OutOfReach) for reason in failures.values()):
            raise OutOfReach(f"Aucun livre n'a pu être obtenu : {list(failures.values())[0]}")
        reasons = "\n".join(f"  - {title} : {reason}" for title, reason in failures.items())
        raise WorkshopError(
            f"Il manque {len(failures)} livre(s) sur {len(self._files)} :\n{reasons}\n"
            "Les autres sont gardés : corrigez l'adresse, ou relancez la même commande quand le réseau répond,\n"
            "indiquez un miroir (variable GUTENBERG_MIRROR), ou travaillez avec les contes embarqués\n"
            "(variable AURORE_SOURCE=embedded).")

    def _requests(self, url, destination):
        """Donne les Request d'un fichier et renvoie son chemin, ou lève ce qui a fait échouer la dernière."""
        if not url.strip():
            raise WorkshopError("l'adresse est vide.")
        if urlsplit(url).scheme not in ("http", "https"):
            return (yield from _local_request(AURORE.parent / url))
        if destination.is_file():
            request = Request(url, destination.name, destination.parent)  # get_file rend tel quel un fichier déjà là
            yield request
            if not request.failure:
                return destination
            print(f"Le fichier {shown(destination)} est abîmé : il est téléchargé de nouveau.")
            destination.unlink()
        if urlsplit(url).netloc in self._unreachable:
            raise _unreachable(url)
        partial = BOOKS / f".{os.getpid()}{INCOMING}"
        try:
            yield from _patient_requests(url, destination.name, partial)
            os.replace(partial / destination.name, destination)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return destination


class Request:
    """Un essai : `with` y garde l'échec du téléchargement ou de la vérification, en français."""

    def __init__(self, url, name, folder):
        self.url, self.name, self.folder = url, name, str(folder)
        self.path = self.failure = self._usual_timeout = None

    def __enter__(self):
        self._usual_timeout = socket.getdefaulttimeout()
        socket.setdefaulttimeout(SILENCE_LIMIT)

    def __exit__(self, _, error, __):
        socket.setdefaulttimeout(self._usual_timeout)
        if isinstance(error, WorkshopError):
            self.failure = error
        elif isinstance(error, OverflowError):  # la barre de progression de Keras devant un fichier de 0 octet
            self.failure = WorkshopError(f"{urlsplit(self.url).netloc} a envoyé un fichier vide.")
        elif isinstance(error, Exception):
            self.failure = _network_failure(self.url, error)
        return self.failure is not None


def _local_request(path):
    """Donne la Request d'un fichier local : get_file, qui le trouve, en renvoie le chemin."""
    if not path.exists():
        raise WorkshopError(f"le fichier {shown(path)} n'existe pas.")
    request = Request(path.resolve().as_uri(), path.name, path.parent)
    yield request
    if request.failure:
        raise request.failure
    return path


def _patient_requests(url, name, folder):
    """Donne des Request de plus en plus espacées, jusqu'à ce que l'une réussisse ; lève l'échec de la dernière."""
    for attempt in range(1, ATTEMPTS + 1):
        shutil.rmtree(folder, ignore_errors=True)  # get_file prendrait un reste pour un cache
        folder.mkdir(parents=True)
        request = Request(url, name, folder)
        yield request
        if request.failure is None:
            return
        if attempt == ATTEMPTS or isinstance(request.failure, NotThere):
            raise request.failure
        pause = FIRST_PAUSE * 2 ** (attempt - 1)
        print(f"\n  {request.failure}\n  Nouvel essai dans {pause:.0f} s.", flush=True)
        time.sleep(pause)


def _through_mirror(url):
    """Remplace l'hôte de `url` par celui de GUTENBERG_MIRROR, s'il est donné."""
    mirror = os.environ.get("GUTENBERG_MIRROR", "").strip().rstrip("/")
    parts = urlsplit(url)
    if not mirror or parts.scheme not in ("http", "https"):
        return url
    if not mirror.startswith(("http://", "https://")):
        raise WorkshopError(f"GUTENBERG_MIRROR vaut « {mirror} » : il faut une adresse complète, "
                            "par exemple http://192.168.0.10:8000")
    return mirror + parts.path


def cache_name(title, url):
    """Renvoie un nom de fichier lisible, sans signe que Windows refuse : « lelia_39738-0.txt »."""
    letters = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "_", letters).strip("_")
    return f"{slug}_{Path(urlsplit(url).path).name}"


def _unreachable(url):
    return Unreachable(f"{urlsplit(url).netloc} est injoignable.")


def _network_failure(url, error):
    """Renvoie, en français, l'échec d'un téléchargement, ou None si ce n'est pas le réseau.

    get_file enveloppe ce qui lui arrive dans une Exception nue : la vraie est dessous.
    """
    host = urlsplit(url).netloc
    while error is not None:
        if isinstance(error, urllib.error.HTTPError):
            return (NotThere(f"{host} n'a pas ce fichier (réponse {error.code}) : {url}") if error.code in (404, 410)
                    else OutOfReach(f"{host} refuse ou ne peut pas répondre (réponse {error.code}) : {url}"))
        if isinstance(error, http.client.InvalidURL):
            return NotThere(f"l'adresse {url} est mal écrite.")
        if isinstance(error, (http.client.HTTPException, ssl.SSLError)):
            return OutOfReach(f"{host} a mal répondu ({type(error).__name__}) : {url}")
        if isinstance(error, urllib.error.ContentTooShortError):
            return OutOfReach(f"{host} s'est interrompu, le fichier reçu est tronqué : {url}")
        if isinstance(error, (urllib.error.URLError, TimeoutError, ConnectionError)) or (
                isinstance(error, OSError) and error.errno in _NO_ROUTE):
            return _unreachable(url)
        error = error.__cause__ or error.__context__
    return None
