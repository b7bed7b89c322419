"""D'où vient une chose : fichier local, puis cache, puis réseau, puis ce qui est embarqué.

AURORE_SOURCE choisit la règle : « auto » (par défaut), « embedded » (aucun réseau) ou
« network » (le réseau ou rien).
"""

import errno
import http.client
import os
import shutil
import socket
import ssl
import time
import urllib.error
from pathlib import Path
from urllib.parse import urlsplit

from workshop.artefacts import INCOMING
from workshop.errors import WorkshopError
from workshop.narration import notice
from workshop.paths import AURORE, EMBEDDED_BOOKS, shown

AUTO, EMBEDDED, NETWORK = "auto", "embedded", "network"

ATTEMPTS = 3          # par fichier, si le serveur répond mal
FIRST_PAUSE = 1.0     # secondes avant le deuxième essai ; doublées ensuite
SILENCE_LIMIT = 20.0  # secondes sans un octet, après quoi un serveur est tenu pour muet

_NO_ROUTE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN)


class OutOfReach(WorkshopError):
    """Le réseau ou le serveur ne répond pas : on peut se replier sur ce qui est embarqué."""


class Unreachable(OutOfReach):
    """L'hôte lui-même est injoignable : inutile de lui demander autre chose."""


class NotThere(WorkshopError):
    """Le serveur répond qu'il n'a pas ce fichier : inutile d'insister."""


def source_mode():
    """Renvoie la règle choisie par AURORE_SOURCE."""
    mode = os.environ.get("AURORE_SOURCE", "").strip().lower() or AUTO
    if mode not in (AUTO, EMBEDDED, NETWORK):
        raise WorkshopError(f"AURORE_SOURCE vaut « {mode} », valeur inconnue.\n"
                            f"Choisissez {AUTO}, {EMBEDDED} ou {NETWORK}.")
    return mode


def fall_back(error, instead, consequence):
    """Annonce ce qui était hors d'atteinte, ce qui le remplace et ce que cela change.

    Lève `error` si AURORE_SOURCE interdit de se replier.
    """
    if source_mode() == NETWORK:
        raise error
    notice(f"HORS LIGNE. {error}\nÀ la place : {instead}\nCe que cela change : {consequence}")


def embedded_books(split):
    """Renvoie {titre: chemin} des contes embarqués pour `split` : « train » ou « test »."""
    return {_title(path): str(path) for path in sorted((EMBEDDED_BOOKS / split).glob("*.txt"))}


def _title(path):
    """Le titre que porte l'en-tête d'un livre embarqué."""
    with open(path, encoding="utf-8-sig") as book:
        return next((line[6:].strip() for line in book if line.startswith("Title:")), path.stem)


def fetch_file(url, destination, download, check, unreachable=()):
    """Renvoie le chemin local de `url` : le fichier lui-même, sa copie en cache ou le réseau.

    Le chemin d'un fichier local part de la racine du projet, comme « aurore/livres/conte.txt ».
    `download(url, name, folder)` télécharge et renvoie un chemin ; comme get_file, elle rend tel
    quel un fichier déjà là. `check(path)` lève une WorkshopError si le contenu n'est pas celui
    attendu. Le fichier n'entre dans le cache qu'une fois vérifié. On ne demande plus rien aux
    hôtes de `unreachable`. Lève OutOfReach si le serveur est injoignable, WorkshopError sinon.
    """
    if not url.strip():
        raise WorkshopError("l'adresse est vide.")
    if urlsplit(url).scheme not in ("http", "https"):
        path = AURORE.parent / url
        check(path)
        return Path(download(path.resolve().as_uri(), path.name, str(path.parent)))
    if destination.is_file():
        try:
            check(destination)
            return Path(download(url, destination.name, str(destination.parent)))
        except WorkshopError:
            print(f"Le fichier {shown(destination)} est abîmé : il est téléchargé de nouveau.")
            destination.unlink()
    if urlsplit(url).netloc in unreachable:
        raise _unreachable(url)
    partial = destination.parent / f".{os.getpid()}{INCOMING}"
    try:
        os.replace(_download_with_patience(url, destination.name, partial, download, check), destination)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return destination


def _download_with_patience(url, name, folder, download, check):
    """Télécharge et vérifie, en insistant de plus en plus tard si le serveur flanche."""
    previous = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENCE_LIMIT)
    try:
        for attempt in range(1, ATTEMPTS + 1):
            shutil.rmtree(folder, ignore_errors=True)  # get_file prendrait un reste pour un cache
            folder.mkdir(parents=True)
            failure = _try_download(url, name, folder, download, check)
            if failure is None:
                break
            if attempt == ATTEMPTS or isinstance(failure, NotThere):
                raise failure
            pause = FIRST_PAUSE * 2 ** (attempt - 1)
            print(f"\n  {failure}\n  Nouvel essai dans {pause:.0f} s.", flush=True)
            time.sleep(pause)
    finally:
        socket.setdefaulttimeout(previous)
    return folder / name


def _try_download(url, name, folder, download, check):
    """Renvoie None si le fichier est là et vérifié, sinon l'erreur qui dit pourquoi."""
    try:
        check(Path(download(url, name, str(folder))))
    except WorkshopError as error:
        return error
    except OverflowError:  # la barre de progression de Keras devant un fichier de 0 octet
        return WorkshopError(f"{urlsplit(url).netloc} a envoyé un fichier vide.")
    except Exception as error:  # pylint: disable=broad-exception-caught  # get_file enveloppe ce
        # qui lui arrive dans une Exception nue ; la vraie est dessous.
        return _network_failure(url, error)
    return None


def _unreachable(url):
    return Unreachable(f"{urlsplit(url).netloc} est injoignable.")


def _network_failure(url, error):
    """Traduit l'échec d'un téléchargement ; une erreur qui n'est pas du réseau est relancée."""
    host = urlsplit(url).netloc
    chain = error
    while chain is not None:
        if isinstance(chain, urllib.error.HTTPError):
            if chain.code in (404, 410):
                return NotThere(f"{host} n'a pas ce fichier (réponse {chain.code}) : {url}")
            return OutOfReach(f"{host} refuse ou ne peut pas répondre (réponse {chain.code}) : {url}")
        if isinstance(chain, http.client.InvalidURL):
            return NotThere(f"l'adresse {url} est mal écrite.")
        if isinstance(chain, (http.client.HTTPException, ssl.SSLError)):
            return OutOfReach(f"{host} a mal répondu ({type(chain).__name__}) : {url}")
        if isinstance(chain, urllib.error.ContentTooShortError):
            return OutOfReach(f"{host} s'est interrompu, le fichier reçu est tronqué : {url}")
        if isinstance(chain, (urllib.error.URLError, TimeoutError, ConnectionError)) or (
                isinstance(chain, OSError) and chain.errno in _NO_ROUTE):
            return _unreachable(url)
        chain = chain.__cause__ or chain.__context__
    raise error
