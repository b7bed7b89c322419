"""Prendre un gros fichier par le réseau : sous un nom d'attente, vérifié, et repris là où une coupure l'a laissé."""

import os
import time

import requests

from workshop.artefacts import INCOMING
from workshop.kit.manifest import sha256_of

ATTEMPTS = 4
FIRST_PAUSE = 1.0   # secondes avant le deuxième essai ; doublées ensuite
PATIENCE = 20       # secondes sans un octet
CHUNK = 1 << 18     # octets


class Spoiled(Exception):
    """Ce qui est arrivé n'a pas l'empreinte attendue."""


def fetch(url, path, sha256, progress, session=requests):
    """Met dans `path` le fichier de `url`, d'empreinte `sha256` ; `progress(octets)` suit ce qui arrive.

    Lève Spoiled, ou une requests.RequestException, après ATTEMPTS essais ; ce qui est déjà venu reste pour la
    prochaine fois, sous le nom d'attente.
    """
    incoming = path.with_name(path.name + INCOMING)
    path.parent.mkdir(parents=True, exist_ok=True)
    if incoming.is_file():
        progress(incoming.stat().st_size)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _continue(url, incoming, progress, session)
            if sha256_of(incoming) != sha256:
                progress(-incoming.stat().st_size)
                incoming.unlink()
                raise Spoiled(url)
            os.replace(incoming, path)
            return
        except (requests.RequestException, Spoiled) as error:
            refused = isinstance(error, requests.HTTPError) and error.response.status_code < 500
            if attempt == ATTEMPTS or refused:
                raise
            time.sleep(FIRST_PAUSE * 2 ** (attempt - 1))


def _continue(url, incoming, progress, session):
    """Ajoute à `incoming` ce qui lui manque ; recommence du début si le serveur ne sait pas reprendre."""
    start = incoming.stat().st_size if incoming.is_file() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with session.get(url, headers=headers, stream=True, timeout=PATIENCE) as answer:
        if answer.status_code == 416:  # il n'y a rien après : tout était déjà là
            return
        answer.raise_for_status()
        resumed = answer.status_code == 206
        if start and not resumed:
            progress(-start)
        with open(incoming, "ab" if resumed else "wb") as file:
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)
                progress(len(chunk))
