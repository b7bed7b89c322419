"""Cette machine est-elle prête ? Une ligne par chose à savoir, son remède dessous, et un code de sortie.

La bibliothèque standard seule : on demande surtout cela là où il n'y a encore rien. Chaque vérification renvoie une
Line ; ce qui n'est pas prêt fait un code 1, ce qui est « à voir » n'empêche pas de travailler.
"""

import ctypes
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NamedTuple

from workshop import interpreter, narration
from workshop.credentials import read_token
from workshop.errors import WorkshopError
from workshop.identity import Identity
from workshop.paths import AURORE, BOOKS, DATA, MODEL, SAND_MODEL, TOKENIZER, shown
from workshop.sources import EMBEDDED, NETWORK, source_mode, through_kit

READY, LOOK, NOT_READY = "oui", "à voir", "NON"

MEMORY, SCARCE_MEMORY = 7e9, 4e9      # octets : un portable de 8 Go en montre un peu moins ; l'étape 3 en prend 2
LIBRARIES_SIZE, WORK_SIZE = 2.5e9, 2.5e9  # octets : .venv, puis ce que les étapes écrivent
PATIENCE = 1.8                        # secondes données au réseau, tout compris
DRIFT = 3600                          # secondes d'écart d'horloge au-delà desquelles un certificat peut être refusé
REQUIREMENTS = AURORE.parent / "requirements.txt"
GUTENBERG = "https://www.gutenberg.org"
CATALOGUE = "https://huggingface.co"
INSTALL = "python -m pip install --require-hashes -r requirements.txt"


class Line(NamedTuple):
    """Ce que l'on a vu d'une chose, et le remède quand elle n'est pas prête."""

    state: str
    what: str
    seen: str
    cure: str = ""


def main(arguments):
    """Affiche le bulletin de cette machine ; renvoie 0 si elle est prête, 1 sinon."""
    if [argument for argument in arguments if argument != "--machine"]:
        raise WorkshopError("--machine s'emploie seul :  python aurore/verify.py --machine")
    lines = look()
    narration.section("Cette machine est-elle prête ?")
    for line in lines:
        print(f"  {line.state:<7} {line.what:<17} {line.seen}")
        if line.cure:
            narration.say(f"  {'':<7} {'':<17} → {line.cure}")
    wrong = sum(line.state == NOT_READY for line in lines)
    narration.say(f"\nPas encore : {wrong} chose(s) à régler, puis relancez :  python aurore/verify.py --machine"
                  if wrong else "\nElle est prête.")
    return 1 if wrong else 0


def look():
    """Renvoie les Line de cette machine ; le réseau est essayé pendant que l'on regarde le reste."""
    calls = _Calls()
    missing = missing_libraries()
    lines = [python_version(), libraries(missing), memory(), processor(), disk(missing),
             *(writable(folder) for folder in (DATA, TOKENIZER, MODEL)), port()]
    calls.wait()
    return [*lines, network(calls), clock(calls), token(calls)]


# --- La machine ---------------------------------------------------------------------------

def python_version():
    """Le bon Python, en 64 bits, sur un système où TensorFlow existe encore."""
    seen = f"{platform.python_version()}, {64 if sys.maxsize > 2 ** 32 else 32} bits, {platform.system()} " \
           f"{platform.machine()}"
    if not interpreter.OLDEST <= sys.version_info[:2] <= interpreter.NEWEST or sys.maxsize < 2 ** 32:
        return Line(NOT_READY, "Python", seen, "Installez Python 3.11, 3.12 ou 3.13, en 64 bits (python.org).")
    if (platform.system(), platform.machine()) == ("Darwin", "x86_64"):
        return Line(NOT_READY, "Python", seen, "TensorFlow n'existe plus pour les Mac à processeur Intel : prenez "
                                               "Docker (README.md).")
    return Line(READY, "Python", seen)


def missing_libraries():
    """Renvoie les paquets de requirements.txt absents ou d'une autre version : {nom: version trouvée ou None}."""
    if not REQUIREMENTS.is_file():  # le seul dossier aurore, copié sans le reste
        return {name: None for name in interpreter.LIBRARIES if importlib.util.find_spec(name) is None}
    pins = re.findall(r"^([A-Za-z0-9._-]+)==(\S+) *\\?$", REQUIREMENTS.read_text(encoding="utf-8"), re.M)
    wrong = {}
    for name, version in pins:  # les autres lignes ont un marqueur : elles ne valent pas partout
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = None
        if found != version:
            wrong[name] = found
    return wrong


def libraries(wrong):
    """Les bibliothèques sont là, aux versions de requirements.txt. Les importer toutes prendrait dix secondes."""
    if not wrong:
        return Line(READY, "bibliothèques", "celles de requirements.txt")
    names = ", ".join(f"{name} {found}" if found else name for name, found in list(wrong.items())[:4])
    seen = f"{len(wrong)} manquent ou ne sont pas de la bonne version : {names}{'...' if len(wrong) > 4 else ''}"
    return Line(NOT_READY, "bibliothèques", seen,
                f"Depuis un kit :  python install.py ; avec du réseau :  {INSTALL}")


def memory():
    """La mémoire de la machine, ou celle que le conteneur lui laisse."""
    size = total_memory()
    if size is None:
        return Line(LOOK, "mémoire", "inconnue", "Il en faut 8 Go.")
    seen = f"{narration.decimal(size / 1e9, 1)} Go"
    if size >= MEMORY:
        return Line(READY, "mémoire", seen)
    return Line(LOOK if size >= SCARCE_MEMORY else NOT_READY, "mémoire", seen,
                "Il en faut 8 Go : fermez le reste ; avec Docker Desktop, donnez-lui-en plus "
                "(Settings, Resources, Memory).")


def total_memory():
    """Renvoie la mémoire en octets, ou None."""
    try:
        if os.name == "nt":
            return _windows_memory()
        if sys.platform == "darwin":
            return int(subprocess.run(["sysctl", "-n", "hw.memsize"], check=True, capture_output=True).stdout)
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        limit = Path("/sys/fs/cgroup/memory.max")  # celle d'un conteneur ; « max » s'il n'y en a pas
        allowed = limit.read_text(encoding="ascii").strip() if limit.is_file() else ""
        return min(size, int(allowed)) if allowed.isdigit() else size
    except (OSError, ValueError, AttributeError, subprocess.SubprocessError):
        return None


def _windows_memory():
    class Status(ctypes.Structure):  # pylint: disable=too-few-public-methods  # une structure en C
        """MEMORYSTATUSEX, de l'API de Windows."""
        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong),
                    *((name, ctypes.c_ulonglong) for name in (
                        "total", "available", "page_total", "page_available", "virtual_total", "virtual_available",
                        "extended"))]
    status = Status(length=ctypes.sizeof(Status))
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        raise OSError("GlobalMemoryStatusEx")
    return status.total


def processor():
    """Les instructions du processeur : TensorFlow s'arrête net sans AVX."""
    cores = f"{os.cpu_count() or 1} cœur(s)"
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return Line(READY, "processeur", f"{cores}, {platform.machine()}")
    known = instructions()
    if known is None:
        return Line(LOOK, "processeur", f"{cores}, instructions inconnues", "TensorFlow demande AVX.")
    if "avx" not in known:
        return Line(NOT_READY, "processeur", f"{cores}, sans AVX",
                    "TensorFlow ne peut pas y tourner : prenez une autre machine, ou faites équipe.")
    if "avx2" not in known:
        return Line(LOOK, "processeur", f"{cores}, AVX sans AVX2", "L'entraînement y sera plus lent.")
    return Line(READY, "processeur", f"{cores}, AVX2")


def instructions():
    """Renvoie les instructions qui nous importent ({"avx", "avx2"}), ou None si on ne sait pas."""
    try:
        if os.name == "nt":
            has = ctypes.windll.kernel32.IsProcessorFeaturePresent
            return {name for name, number in (("avx", 39), ("avx2", 40)) if has(number)}
        if sys.platform == "darwin":
            said = subprocess.run(["sysctl", "-n", "machdep.cpu.features", "machdep.cpu.leaf7_features"], check=False,
                                  capture_output=True, encoding="utf-8").stdout.lower()
            return {"avx" if word.startswith("avx1") else word for word in said.split()}
        flags = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
        return set(flags[1].split()) if flags else None
    except (OSError, AttributeError):
        return None


def disk(wrong_libraries):
    """La place qu'il reste là où les étapes écrivent, moins les bibliothèques si elles sont déjà là."""
    needed = WORK_SIZE + (LIBRARIES_SIZE if wrong_libraries else 0)
    free = shutil.disk_usage(AURORE).free
    seen = f"{narration.decimal(free / 1e9, 1)} Go libres"
    if free >= needed:
        return Line(READY, "disque", seen)
    return Line(NOT_READY, "disque", seen, f"Il en faut {narration.decimal(needed / 1e9, 1)} : libérez de la place.")


def writable(folder):
    """Les étapes peuvent écrire dans `folder`, qui n'existe pas forcément encore."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            return Line(READY, shown(folder), "on peut y écrire")
    except OSError as error:
        cure = ("Avec Docker, montez le volume sans « :ro », et ajoutez --user \"$(id -u)\" sous Linux ; sinon, "
                f"rendez-le à votre utilisateur :  sudo chown -R \"$USER\" {shown(there)}")
        if os.name == "nt":
            cure = "Mettez le projet dans votre dossier personnel, et non dans Program Files."
        return Line(NOT_READY, shown(folder), f"on ne peut pas y écrire ({os.strerror(error.errno or 0)})", cure)


def port():
    """Le port de la page est libre."""
    number, host = os.environ.get("AURORE_PORT", "8080").strip(), os.environ.get("AURORE_HOST", "127.0.0.1").strip()
    what = f"port {number}"
    if not number.isdigit() or not 0 < int(number) < 65536:
        return Line(NOT_READY, what, "ce n'est pas un port", "Choisissez AURORE_PORT=8080.")
    with socket.socket() as probe:
        if os.name != "nt":  # un port que l'on vient de quitter est libre ; sous Windows, l'option dirait l'inverse
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(number)))
        except PermissionError:
            return Line(NOT_READY, what, "il faut être administrateur", "Choisissez AURORE_PORT=8080.")
        except OSError:
            return Line(NOT_READY, what, "un autre programme s'en sert",
                        "Fermez-le (une page restée ouverte ?), ou choisissez AURORE_PORT=8081.")
    return Line(READY, what, "libre, pour la page")


# --- Le réseau, l'horloge, le jeton -------------------------------------------------------

class _Calls:  # pylint: disable=too-many-instance-attributes  # trois appels, et ce que chacun a appris
    """Les appels du bulletin, tous à la fois et en PATIENCE secondes ; aucun avec AURORE_SOURCE=embedded."""

    def __init__(self):
        self.began = time.monotonic()
        self.mode = source_mode()
        self.kit = through_kit()
        self.books = os.environ.get("GUTENBERG_MIRROR", "").strip().rstrip("/") or GUTENBERG
        self.models = os.environ.get("HF_ENDPOINT", "").strip().rstrip("/") or CATALOGUE
        self.token = read_token()
        self.dates, self.reached, self.identity = {}, set(), None
        wanted = [] if self.mode == EMBEDDED else [(self._greet, self.books), (self._greet, self.models)]
        if wanted and self.token.value and not self.kit:  # jamais le jeton au kit d'un voisin
            wanted.append((self._ask_who, f"{self.models}/api/whoami-v2"))
        # Des démons : une résolution de nom qui ne finit pas ne retient personne.
        self._threads = [threading.Thread(target=task, args=(url,), daemon=True) for task, url in wanted]
        for thread in self._threads:
            thread.start()

    def wait(self):
        """Attend les réponses, sans passer PATIENCE."""
        for thread in self._threads:
            thread.join(max(0, self.began + PATIENCE - time.monotonic()))

    def _greet(self, url):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=PATIENCE) as answer:
                headers = answer.headers
        except urllib.error.HTTPError as refusal:  # il répond, et c'est tout ce que l'on voulait savoir
            headers = refusal.headers
        except (OSError, ValueError):
            return
        self.reached.add(url)
        self.dates[url] = headers.get("Date")

    def _ask_who(self, url):
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self.token.value}"})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                self.identity = json.loads(answer.read(100_000)).get("name", "")
        except urllib.error.HTTPError as refusal:
            self.identity = False if refusal.code in (401, 403) else None
        except (OSError, ValueError, AttributeError):
            pass


def network(calls):
    """Le kit de la salle ou le réseau, selon AURORE_SOURCE."""
    if calls.mode == EMBEDDED:
        return Line(READY, "réseau", "aucun, comme le veut AURORE_SOURCE=embedded")
    what = "kit" if calls.kit else "réseau"
    silent = [url for url in dict.fromkeys((calls.books, calls.models)) if url not in calls.reached]
    if not silent:
        return Line(READY, what, f"réponse de {' et de '.join(dict.fromkeys((calls.books, calls.models)))}")
    seen = f"{' et '.join(silent)} : pas de réponse"
    if calls.kit:
        return Line(NOT_READY, what, seen, "Le même Wi-Fi que le portable qui le sert ? Son adresse (AURORE_KIT) ?")
    if calls.mode == NETWORK:
        return Line(NOT_READY, what, seen, "Retirez AURORE_SOURCE=network, ou cherchez pourquoi (portail du Wi-Fi ?).")
    books = sum(1 for _ in BOOKS.glob("*.txt")) if BOOKS.is_dir() else 0
    return Line(LOOK, what, seen, f"{books} livre(s) déjà là, et ce qui est embarqué, suffisent-ils ? Sinon, le "
                                  "Wi-Fi, ou AURORE_KIT=http://… dans la salle.")


def clock(calls):
    """L'horloge : d'accord avec un serveur, ou du moins pas d'avant le projet."""
    now = datetime.now(timezone.utc)
    seen = f"{datetime.now():%d/%m/%Y %H:%M}"
    cure = "Réglez la date et l'heure de la machine : les adresses https les vérifient."
    for said in filter(None, calls.dates.values()):
        try:
            drift = abs((now - parsedate_to_datetime(said)).total_seconds())
        except (ValueError, TypeError):
            continue
        if drift > DRIFT:
            return Line(NOT_READY, "horloge", f"{seen}, à {narration.duration(drift)} d'un serveur", cure)
        return Line(READY, "horloge", seen)
    born = Identity.read(SAND_MODEL).date or ""
    if f"{now:%Y-%m}" < born[:7]:
        return Line(NOT_READY, "horloge", f"{seen}, avant que ce projet existe ({born[:7]})", cure)
    return Line(READY, "horloge", seen)


def token(calls):
    """Le jeton Hugging Face, s'il y en a un : sa forme, et ce qu'en dit le catalogue s'il a répondu."""
    if not calls.token.value:
        return Line(READY, "jeton", "aucun, et les modèles publics n'en demandent pas")
    renew = f"{calls.token.remark} Créez-en un autre dans votre compte Hugging Face, ou retirez-le."
    if calls.identity is False:
        return Line(NOT_READY, "jeton", "le catalogue le refuse", renew)
    if calls.identity is not None:
        return Line(READY, "jeton", f"accepté par le catalogue ({calls.identity})")
    if not re.fullmatch(r"hf_[A-Za-z0-9]{30,}", calls.token.value):
        return Line(NOT_READY, "jeton", "il n'a pas la forme d'un jeton (hf_ et une trentaine de signes)", renew)
    return Line(READY, "jeton", "il en a la forme (le catalogue n'a pas été interrogé)")
