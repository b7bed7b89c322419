"""L'index où pip prend les paquets (PEP 503 et 691) : quels fichiers il a d'un paquet, où, de quelle taille.

`pip download` répondrait aux marqueurs de requirements.txt pour la machine où il tourne, et non pour celle que l'on
prépare ; il ne dit pas non plus d'avance ce qu'il va peser. On lit donc l'index, celui que pip est réglé pour lire.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit, urlunsplit

import requests
from packaging.utils import canonicalize_name

PATIENCE = 20  # secondes
_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"


@dataclass(frozen=True)
class IndexFile:
    """Un fichier de l'index ; `size` est None s'il ne la dit pas."""

    name: str
    url: str
    sha256: str | None
    size: int | None


class _Links(HTMLParser):
    """Les liens d'une page de l'index : [(adresse, texte)]."""

    def __init__(self, html):
        super().__init__()
        self.links, self._href = [], None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self._href = dict(attrs).get("href")

    def handle_data(self, data):
        if self._href:
            self.links.append((self._href, data.strip()))
            self._href = None


def index_url():
    """Renvoie l'adresse de l'index que pip lirait ici : PIP_INDEX_URL, son fichier de réglages, ou celui d'usage."""
    given = os.environ.get("PIP_INDEX_URL", "").strip()
    if not given:
        found = (re.search(r"^(?:global|download|install)\.index-url='(.+)'$", _pip("config", "list"), re.M)
                 or re.search(r"--index-url <url>[^(]*\(default\s+(\S+)\)", _pip("download", "--help")))
        given = found[1] if found else ""
    return given.rstrip("/")


def _pip(*arguments):
    """Renvoie ce que pip répond ; dans son aide, l'index d'usage est le seul à n'avoir pas de mot de passe à taire."""
    return subprocess.run([sys.executable, "-m", "pip", *arguments], check=False, capture_output=True,
                          encoding="utf-8", env={**os.environ, "COLUMNS": "200"}).stdout or ""


def files_of(index, name, session=requests):
    """Renvoie les IndexFile du paquet `name` ; lève une requests.RequestException si l'index ne répond pas."""
    url = f"{index}/{canonicalize_name(name)}/"
    answer = session.get(url, headers={"Accept": _ACCEPT}, timeout=PATIENCE)
    answer.raise_for_status()
    if "json" in answer.headers.get("Content-Type", ""):
        return [IndexFile(file["filename"], urljoin(answer.url, file["url"]), file["hashes"].get("sha256"),
                          file.get("size")) for file in answer.json()["files"]]
    found = []
    for href, text in _Links(answer.text).links:
        target, fragment = urldefrag(urljoin(answer.url, href))
        found.append(IndexFile(text, target, fragment.removeprefix("sha256=") or None, None))
    return found


def without_credentials(url):
    """Renvoie `url` sans nom, mot de passe ni question : un index privé en met, et le manifeste se lit."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
