"""Le projet, tel que chacun le reçoit : exercices à faire, aucun jeton, rien de ce que les étapes écrivent."""

import configparser
import io
import os
import re
import shutil
import subprocess
from pathlib import Path

from workshop.credentials import PLACEHOLDER
from workshop.exercises import LESSONS, exercise
from workshop.kit.part import Part
from workshop.paths import AURORE

FOLDER = "project"
INSTALLER = Path(__file__).with_name("install.py")
_TOKEN = re.compile(rb"\bhf_[A-Za-z0-9]{20,}")
_NOT_OURS = {".git", ".venv", ".venv-recipe", ".venv-current", "__pycache__", ".pytest_cache", ".ruff_cache",
             ".mypy_cache", "node_modules"}
_WRITTEN = ("aurore/data/", "aurore/tokenizer/", "aurore/model/")


def plan(kit, root=AURORE.parent):
    """Renvoie la Part du projet de `root`, et de install.py."""
    contents = {}
    part = Part("le projet", lambda kit, manifest: _copy(kit, manifest, contents))
    for name in _names(root, kit):
        content = _fresh(root, name)
        if _TOKEN.search(content):
            part.missing.append(f"{name} : il contient un jeton ; effacez-le du fichier, puis relancez.")
        else:
            contents[name] = content
    part.size = sum(map(len, contents.values()))
    return part


def _names(root, kit):
    """Renvoie les chemins des fichiers du projet : ceux que git suit, ou à défaut tout ce qui n'est pas un reste."""
    git = shutil.which("git")
    if git and (root / ".git").exists():
        listing = subprocess.run([git, "ls-files", "-z"], cwd=root, check=False, capture_output=True, encoding="utf-8")
        if listing.returncode == 0:
            return [name for name in listing.stdout.split("\0") if name and (root / name).is_file()]
    names = []
    for folder, folders, files in os.walk(root):
        folder = Path(folder)
        folders[:] = sorted(name for name in folders if name not in _NOT_OURS and folder / name != Path(kit).resolve())
        names += [(folder / name).relative_to(root).as_posix() for name in sorted(files)
                  if not name.endswith((".pyc", ".copie"))]
    return [name for name in names if not name.startswith(_WRITTEN)]


def _fresh(root, name):
    """Renvoie les octets du fichier `name`, tel qu'un participant doit le trouver."""
    path = root / name
    if name in {f"aurore/{lesson}.py" for lesson in LESSONS}:  # pas les réponses de qui prépare la salle
        return exercise(path.with_name(f"{path.stem}_solution.py").read_text(encoding="utf-8")).encode()
    if name == "aurore/credentials.ini":
        return _without_values(path)
    return path.read_bytes()


def _without_values(path):
    """Renvoie les octets de credentials.ini, où chaque valeur redevient XXXX."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # garde les majuscules
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
    except (configparser.Error, UnicodeDecodeError):
        parser = configparser.ConfigParser()
        parser.optionxform = str
        parser["hugging_face"] = {"TOKEN": "", "HUGGING_FACE_PSEUDO": ""}
    for section in parser.values():
        for key in section:
            section[key] = PLACEHOLDER
    text = io.StringIO()
    parser.write(text, space_around_delimiters=False)
    return (text.getvalue().strip() + "\n").encode()


def _copy(kit, manifest, contents):
    """Écrit les fichiers du projet dans le kit, à la place de ceux d'avant."""
    shutil.rmtree(kit / FOLDER, ignore_errors=True)
    manifest.files = {path: entry for path, entry in manifest.files.items() if not path.startswith(f"{FOLDER}/")}
    for name, content in contents.items():
        path = kit / FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        licence = "CC-BY-4.0" if name.startswith("aurore/embedded/") else "MIT"
        manifest.add(kit, f"{FOLDER}/{name}", source="ce projet", licence=licence, to=name)
    for source, name in ((INSTALLER, "install.py"), (INSTALLER.with_name("LISEZMOI.txt"), "LISEZMOI.txt")):
        shutil.copyfile(source, kit / name)
        manifest.add(kit, name, source="ce projet", licence="MIT")
