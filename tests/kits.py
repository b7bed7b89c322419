"""De petits kits : des paquets faits sur place, un index qui se coupe, un projet de trois fichiers."""

import hashlib
import json
import socket
import threading
import zipfile
from contextlib import contextmanager

from web_servers import _Server
from workshop.kit import server
from workshop.kit.manifest import Manifest

COMMIT = "fedcba9876543210fedcba9876543210fedcba98"
MODEL = "quelquun/gpt2-petit"
BIG = bytes(range(256)) * 4096  # un mégaoctet : assez pour qu'une coupure tombe au milieu


def make_wheel(folder, name="bonjour", tag="py3-none-any", body=b""):
    """Écrit un vrai petit paquet dans `folder`, et renvoie son chemin."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-{tag}.whl"
    information = f"{name}-1.0.dist-info"
    files = {f"{name}.py": b"HERE = True\n", f"{name}.bin": body,
             f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
                                        "License-Expression: MIT\n".encode(),
             f"{information}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()}
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in files.items():
            archive.writestr(zipfile.ZipInfo(file), content)
        archive.writestr(f"{information}/RECORD", "".join(f"{file},,\n" for file in files))
    return path


def requirement(*wheels, marker=""):
    """La ligne de requirements.txt qui demande ces fichiers, tous du même paquet."""
    name, version = wheels[0].name.split("-")[:2]
    hashes = "".join(f" \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}" for wheel in wheels)
    return f"{name}=={version}{marker}{hashes}\n    # via l'essai\n"


class IndexServer(_Server):
    """L'index des paquets de `folder`.

    `cuts` : combien de fois couper chaque fichier à la moitié de ce qui reste, ou chaque page avant le premier mot.
    """

    def __init__(self, folder, as_json=True):
        self.folder, self.as_json, self.cuts, self.ranges = folder, as_json, {}, []
        super().__init__()

    def answer(self, handler):
        name = handler.path.strip("/").split("/")[-1]
        left = self.cuts.get(name, 0)
        self.cuts[name] = max(0, left - 1)
        if handler.path.startswith("/simple/"):
            if left:
                handler.connection.shutdown(socket.SHUT_RDWR)
                return
            found = [path for path in sorted(self.folder.glob("*.whl")) if path.name.startswith(f"{name}-")]
            self._send_page(handler, found)
            return
        body = (self.folder / name).read_bytes()
        start = int((handler.headers.get("Range") or "bytes=0-")[6:-1])
        self.ranges.append((name, start))
        rest = body[start:]
        self.send(handler, rest[:len(rest) // 2] if left else rest, status=206 if start else 200,
                  Content_Length=len(rest), Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}")

    def _send_page(self, handler, found):
        files = [(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size) for path in found]
        if self.as_json:
            page = {"files": [{"filename": name, "url": f"/files/{name}", "hashes": {"sha256": sha}, "size": size}
                              for name, sha, size in files]}
            self.send(handler, json.dumps(page).encode(), Content_Type="application/vnd.pypi.simple.v1+json")
        else:
            page = "".join(f'<a href="../../files/{name}#sha256={sha}">{name}</a><br>' for name, sha, _ in files)
            self.send(handler, page.encode(), Content_Type="text/html")


def make_kit(kit):
    """Fait à la main un kit complet et minuscule : un projet, un paquet, un livre, un réseau, une image."""
    wheel = make_wheel(kit / "wheels")
    files = {
        "project/requirements.txt": requirement(wheel).encode(),
        "project/aurore/verify.py": b"import sys, bonjour\nprint('pret', bonjour.HERE, sys.argv[1:])\n",
        "project/aurore/1_prepare_dataset.py": b"# l'exercice\n",
        "books/files/1/1-0.txt": BIG,
        f"models/{MODEL}/config.json": b'{"model_type": "gpt2"}',
        f"models/{MODEL}/model.safetensors": BIG[::-1],
        f"models/{MODEL}/.complete": b"",
    }
    manifest = Manifest(models={MODEL: COMMIT})
    for path, content in files.items():
        (kit / path).parent.mkdir(parents=True, exist_ok=True)
        (kit / path).write_bytes(content)
        to = path.removeprefix("project/")
        to = to.replace("books/files/1", "aurore/data/books").replace("models/", "aurore/data/cache/models/")
        manifest.add(kit, path, source="l'essai", licence="MIT", to=to)
    manifest.add(kit, f"wheels/{wheel.name}", source="l'essai", licence="MIT")
    manifest.write(kit)
    return kit


@contextmanager
def served_kit(kit):
    """Sert le dossier `kit` comme kit.py le fait, mais dans un fil ; donne son adresse."""
    running = server.open_server(kit, 0, host="127.0.0.1")
    threading.Thread(target=running.run, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{running.effective_port}"
    finally:
        running.close()
