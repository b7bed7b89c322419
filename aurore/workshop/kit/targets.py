"""Les machines de la salle, telles que pip les voit : les paquets qu'elles demandent, les fichiers qu'elles lisent."""

import re
from dataclasses import dataclass

from packaging import tags
from packaging.requirements import Requirement

from workshop.errors import WorkshopError

PYTHONS = ("3.11", "3.12", "3.13")
_OLDEST_GLIBC = 28  # 2.28, celle de 2018 : TensorFlow n'en veut pas de plus ancienne que 2.27
_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


def _linux(machine):
    wide = [name for minor in range(_OLDEST_GLIBC, 4, -1)
            for name in (f"manylinux_2_{minor}_{machine}", f"{_LEGACY.get(minor)}_{machine}")]
    return [name for name in wide if not name.startswith("None")] + [f"linux_{machine}"]


# Ce que vaut un marqueur de requirements.txt sur chacune, et les noms de plateforme qu'elle accepte.
_MARKERS = ("os_name", "sys_platform", "platform_system", "platform_machine")
PLATFORMS = {
    "linux": (("posix", "linux", "Linux", "x86_64"), _linux("x86_64")),
    "linux-arm": (("posix", "linux", "Linux", "aarch64"), _linux("aarch64")),
    "macos": (("posix", "darwin", "Darwin", "arm64"), list(tags.mac_platforms((12, 0), "arm64"))),
    "windows": (("nt", "win32", "Windows", "AMD64"), ["win_amd64"]),
}
USUAL_PLATFORMS = ("linux", "macos", "windows")


@dataclass(frozen=True)
class Pin:
    """Une ligne de requirements.txt : un paquet, sa version, ses empreintes."""

    requirement: Requirement
    hashes: frozenset[str]

    @property
    def version(self):
        """La version, seule permise."""
        return next(iter(self.requirement.specifier)).version


@dataclass(frozen=True)
class Target:
    """Un système et un Python : « windows 3.12 »."""

    platform: str
    python: str

    def __str__(self):
        return f"{self.platform} {self.python}"

    def wants(self, pin):
        """Dit si ce paquet se met sur cette machine, d'après son marqueur ; pip, lui, répondrait pour la sienne."""
        values = dict(zip(_MARKERS, PLATFORMS[self.platform][0]))
        values |= {"python_version": self.python, "python_full_version": f"{self.python}.0",
                   "implementation_name": "cpython", "platform_python_implementation": "CPython"}
        return pin.requirement.marker is None or pin.requirement.marker.evaluate(values)

    def tags(self):
        """Renvoie {étiquette de wheel: rang}, de la plus précise à la plus large."""
        version = tuple(map(int, self.python.split(".")))
        platforms = PLATFORMS[self.platform][1]
        readable = [*tags.cpython_tags(version, platforms=platforms),
                    *tags.compatible_tags(version, f"cp{''.join(map(str, version))}", platforms)]
        return {tag: rank for rank, tag in reversed(list(enumerate(readable)))}


def pins(text):
    """Renvoie les Pin du texte d'un requirements.txt verrouillé."""
    found = []
    for line in re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.M)).splitlines():
        wanted, *hashes = re.split(r"\s--hash=sha256:", line.strip())
        if wanted:
            found.append(Pin(Requirement(wanted), frozenset(value.strip() for value in hashes)))
    return found


def chosen(platforms, pythons):
    """Renvoie les Target demandées ; lève une WorkshopError devant un nom inconnu."""
    for kind, values, known in (("système", platforms, PLATFORMS), ("Python", pythons, PYTHONS)):
        for value in values:
            if value not in known:
                raise WorkshopError(f"« {value} » n'est pas un {kind} de l'atelier : choisissez parmi "
                                    f"{', '.join(known)}.")
    return [Target(platform, python) for platform in platforms for python in pythons]
