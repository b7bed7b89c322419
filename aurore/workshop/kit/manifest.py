"""Ce que contient un kit : manifest.json, une ligne par fichier, et de quoi vérifier qu'il n'y manque rien.

`install.py`, qui ne peut importer que la bibliothèque standard, lit le même fichier.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath

from workshop.artefacts import INCOMING, one_file
from workshop.errors import WorkshopError

FILE = "manifest.json"


@dataclass(frozen=True)
class Entry:
    """Un fichier du kit."""

    path: str          # depuis la racine du kit, avec des « / »
    size: int          # octets
    sha256: str
    source: str        # son adresse, ou d'où il a été copié
    licence: str
    to: str | None = None  # où install.py le met, depuis la racine du projet ; None : il reste dans le kit


@dataclass
class Manifest:
    """Les fichiers d'un kit, par chemin ; les réseaux et leur révision ; les machines qu'il installe."""

    files: dict[str, Entry] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)  # {"benjamin/gpt2-wechsel-french": révision}
    targets: list[str] = field(default_factory=list)      # ["linux 3.11", ...]
    made: str = ""

    @classmethod
    def read(cls, kit):
        """Renvoie le manifeste du dossier `kit`, vide s'il n'en a pas ; lève une WorkshopError s'il est abîmé."""
        path = Path(kit) / FILE
        if not path.is_file():
            return cls()
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            entries = [Entry(**entry) for entry in content.pop("files")]
            if not all(_stays_inside(entry.path) for entry in entries):
                raise ValueError(FILE)
            return cls({entry.path: entry for entry in entries}, **content)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise WorkshopError(f"Le fichier {path} est abîmé, ou n'est pas celui d'un kit.\n"
                                "Effacez-le, puis relancez :  python aurore/kit.py") from None

    @classmethod
    def of(cls, kit):
        """Renvoie le manifeste d'un kit qui existe ; lève une WorkshopError si `kit` n'en est pas un."""
        if not (Path(kit) / FILE).is_file():
            raise WorkshopError(f"Il n'y a pas de kit dans {kit} (pas de {FILE}).\n"
                                "Faites-en un, sur une machine qui a du réseau :  python aurore/kit.py")
        return cls.read(kit)

    def write(self, kit):
        """Écrit le manifeste dans le dossier `kit`, en entier ou pas du tout."""
        content = {"made": date.today().isoformat(), "models": self.models, "targets": sorted(set(self.targets)),
                   "files": [asdict(self.files[path]) for path in sorted(self.files)]}
        with one_file(Path(kit) / FILE) as file:
            file.write(json.dumps(content, ensure_ascii=False, indent=1).encode())

    def add(self, kit, path, **known):
        """Ajoute le fichier `path` du dossier `kit`, tel qu'il est sur le disque."""
        file = Path(kit) / path
        self.files[path] = Entry(path, file.stat().st_size, sha256_of(file), **known)

    def holds(self, kit, path):
        """Dit si `path` est connu, et intact sur le disque."""
        entry = self.files.get(path)
        return entry is not None and state_of(kit, entry) is None


def _stays_inside(path):
    """Dit si `path` ne peut pas sortir du kit."""
    parts = PurePosixPath(path)
    return bool(path) and not parts.is_absolute() and ".." not in parts.parts and not {"\\", ":"} & set(path)


def sha256_of(path):
    """Renvoie l'empreinte SHA-256 d'un fichier, en hexadécimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def state_of(kit, entry):
    """Renvoie None si le fichier est intact, sinon ce qu'il a : « manque » ou « abîmé »."""
    path = Path(kit) / entry.path
    if not path.is_file():
        return "manque"
    return None if path.stat().st_size == entry.size and sha256_of(path) == entry.sha256 else "abîmé"


def extra_files(kit, manifest):
    """Renvoie les chemins des fichiers du dossier `kit` que le manifeste ne connaît pas."""
    found = (path.relative_to(kit).as_posix() for path in sorted(Path(kit).rglob("*")) if path.is_file())
    return [path for path in found if path not in manifest.files and path not in (FILE, FILE + INCOMING)]
