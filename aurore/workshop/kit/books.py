"""Les livres de l'étape 1, vérifiés comme elle les vérifie, et rangés aux chemins de Project Gutenberg."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import requests

from workshop.errors import WorkshopError
from workshop.kit.part import Part
from workshop.paths import AURORE, BOOKS

FOLDER = "books"
USUAL_SIZE = 600_000  # octets, quand le serveur n'a rien dit : un roman
PATIENCE = 5          # secondes


def plan(kit, manifest, books):
    """Renvoie la Part des livres de {titre: adresse} ; un livre local est déjà dans le projet."""
    wanted = {title: url for title, url in books.items() if urlsplit(url).scheme in ("http", "https")}
    left = {title: url for title, url in wanted.items() if not manifest.holds(kit, path_of(url))}
    part = Part("les livres", lambda kit, manifest: _gather(kit, manifest, left, part))
    part.here = sum(manifest.files[path_of(url)].size for title, url in wanted.items() if title not in left)
    with ThreadPoolExecutor(9) as pool:
        for size in pool.map(_size, left.values()):
            part.estimated = part.estimated or not size
            part.size += size or USUAL_SIZE
    return part


def path_of(url):
    """Renvoie le chemin d'un livre dans le kit : celui de son adresse."""
    return FOLDER + urlsplit(url).path


def _size(url):
    """Renvoie la taille qu'annonce le serveur, ou None."""
    mirror = os.environ.get("GUTENBERG_MIRROR", "").strip().rstrip("/")
    try:
        answer = requests.head(mirror + urlsplit(url).path if mirror else url, timeout=PATIENCE, allow_redirects=True,
                               headers={"Accept-Encoding": "identity"})
        return int(answer.headers["Content-Length"]) if answer.ok else None
    except (requests.RequestException, KeyError, ValueError):
        return None


def _gather(kit, manifest, books, part):
    if not books:
        return
    # Keras importe TensorFlow, que le reste du kit n'attend pas.
    # pylint: disable=import-outside-toplevel,unused-import
    from workshop import quiet_tensorflow
    from workshop.downloads import Downloads, cache_name
    from workshop.text.gutenberg import check_book

    from tf_keras.utils import get_file  # isort: skip  # après quiet_tensorflow, qui le fait taire
    downloads = Downloads(books)
    try:
        for request in downloads.requests():
            with request:
                request.path = get_file(request.name, origin=request.url, cache_dir=request.folder, cache_subdir="")
                check_book(request.path)
    except WorkshopError as error:
        part.missing.append(str(error))
    for title, path in downloads.paths.items():
        url = books[title]
        copy = kit / path_of(url)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        cached = (BOOKS / cache_name(title, url)).relative_to(AURORE.parent).as_posix()
        manifest.add(kit, path_of(url), source=url, licence="domaine public (Project Gutenberg)", to=cached)
