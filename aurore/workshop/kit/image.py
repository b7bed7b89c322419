"""L'image Docker de l'atelier, si Docker est là et qu'elle a été construite : pour qui n'a pas de Python."""

import shutil
import subprocess

from workshop.artefacts import one_file
from workshop.kit.part import Part

NAME = "text-gen"
FILE = f"image/{NAME}.tar"


def plan(kit, manifest):
    """Renvoie la Part de l'image ; sans Docker, ou sans image, le kit s'en passe."""
    part = Part("l'image Docker", lambda kit, manifest: None)
    docker = shutil.which("docker")
    known = docker and subprocess.run([docker, "image", "inspect", NAME, "--format", "{{.Id}} {{.Size}}"], check=False,
                                      capture_output=True, encoding="utf-8")
    if not known or known.returncode != 0:
        why = f"« docker build -t {NAME} . » ne l'a pas encore faite" if docker else "Docker n'est pas ici"
        part.remarks.append(f"l'image Docker : {why} ; le kit s'en passe.")
        return part
    identity, size = known.stdout.split()
    source = f"docker save {NAME} ({identity})"
    if manifest.holds(kit, FILE) and manifest.files[FILE].source == source:
        part.here = manifest.files[FILE].size
        return part
    part.size, part.estimated = int(size), True
    part.gather = lambda kit, manifest: _gather(kit, manifest, docker, source, part)
    return part


def _gather(kit, manifest, docker, source, part):
    path = kit / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    print("docker save : une minute ou deux...", flush=True)
    try:
        with one_file(path) as file:
            subprocess.run([docker, "save", NAME], check=True, stdout=file, stderr=subprocess.PIPE)
    except subprocess.CalledProcessError as error:
        part.missing.append(f"l'image Docker : {error.stderr.decode(errors='replace').strip().splitlines()[-1]}")
        return
    manifest.add(kit, FILE, source=source, licence="celles de ses paquets (voir /usr/share/doc et wheels/)")
