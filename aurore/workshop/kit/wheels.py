"""Les paquets de requirements.txt, pour d'autres machines que celle-ci : un fichier .whl par paquet et par genre."""

import email
import zipfile
from concurrent.futures import ThreadPoolExecutor

import requests
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version
from tqdm import tqdm
from urllib3.util import Retry

from workshop.kit import package_index
from workshop.kit.fetch import Spoiled, fetch
from workshop.kit.manifest import sha256_of
from workshop.kit.part import Part
from workshop.paths import AURORE

FOLDER = "wheels"
REQUIREMENTS = AURORE.parent / "requirements.txt"
_AT_ONCE = 8  # pages de l'index lues à la fois
_PATIENCE = Retry(3, backoff_factor=0.3)  # une connexion coupée est redemandée


def plan(kit, manifest, pins, targets):
    """Renvoie la Part des paquets `pins` pour les machines `targets`."""
    wanted = {target: [pin for pin in pins if target.wants(pin)] for target in targets}
    part = Part("les paquets Python", lambda kit, manifest: None)
    names = sorted({canonicalize_name(pin.requirement.name) for pins in wanted.values() for pin in pins})
    try:
        pages = _pages(package_index.index_url(), names)
    except requests.RequestException as error:
        part.missing.append(f"les paquets Python : l'index ne répond pas ({type(error).__name__}). Le réseau, ou "
                            "« pip config list » ?")
        return part
    chosen, complete = {}, []
    for target, its_pins in wanted.items():
        ranks = target.tags()
        found = {str(pin.requirement): _best(pages[canonicalize_name(pin.requirement.name)], pin, ranks)
                 for pin in its_pins}
        chosen |= {file.name: file for file in found.values() if file}
        lacking = [name for name, file in found.items() if file is None]
        if lacking:
            part.remarks.append(f"{target} : pas de paquet tout prêt pour {', '.join(lacking)} ; cette machine-là "
                                "prendra Docker.")
        complete.append((target, [file.name for file in found.values() if file], not lacking))
    left = [file for file in chosen.values() if not _is_here(kit, manifest, file)]
    part.here = sum((kit / FOLDER / file.name).stat().st_size for file in chosen.values() if file not in left)
    part.size = sum(file.size or 0 for file in left)
    part.unknown = sum(file.size is None for file in left)
    part.gather = lambda kit, manifest: _gather(kit, manifest, (chosen, left, complete), part)
    return part


def _pages(index, names):
    """Renvoie {nom: ses IndexFile}."""
    with requests.Session() as session, ThreadPoolExecutor(_AT_ONCE) as pool:
        patient = requests.adapters.HTTPAdapter(pool_maxsize=_AT_ONCE, max_retries=_PATIENCE)
        for scheme in ("http://", "https://"):
            session.mount(scheme, patient)
        return dict(zip(names, pool.map(lambda name: package_index.files_of(index, name, session), names)))


def _best(files, pin, ranks):
    """Renvoie l'IndexFile que pip choisirait, ou None : la bonne version, une empreinte permise, le meilleur rang."""
    ranked = []
    for file in files:
        if file.sha256 in pin.hashes and file.name.endswith(".whl"):
            try:
                _, version, build, tags = parse_wheel_filename(file.name)
            except InvalidWheelFilename:
                continue
            rank = min((ranks[tag] for tag in tags if tag in ranks), default=None)
            if rank is not None and version == Version(pin.version):
                ranked.append((rank, [-part for part in build[:1]], file))
    return min(ranked, key=lambda one: one[:2])[2] if ranked else None


def _is_here(kit, manifest, file):
    path = kit / FOLDER / file.name
    return manifest.holds(kit, f"{FOLDER}/{file.name}") or (path.is_file() and sha256_of(path) == file.sha256)


def _gather(kit, manifest, planned, part):
    chosen, left, complete = planned
    with tqdm(total=part.size or None, unit="o", unit_scale=True, unit_divisor=1000, desc="paquets",
              disable=not left) as progress, requests.Session() as session:
        for file in sorted(left, key=lambda file: file.name):
            try:
                fetch(file.url, kit / FOLDER / file.name, file.sha256, progress.update, session)
            except Spoiled:
                part.missing.append(f"{file.name} : ce que l'index envoie n'a pas l'empreinte de requirements.txt.")
            except requests.RequestException as error:
                part.missing.append(f"{file.name} : l'index s'est interrompu ({type(error).__name__}). Relancez la "
                                    "même commande : ce qui est venu est gardé.")
                if not isinstance(error, requests.HTTPError):
                    break  # plus de réseau : inutile d'insister pour les suivants
    for name, file in chosen.items():
        path = kit / FOLDER / name
        if path.is_file() and f"{FOLDER}/{name}" not in manifest.files:
            manifest.add(kit, f"{FOLDER}/{name}", source=package_index.without_credentials(file.url),
                         licence=_licence(path))
    for target, names, whole in complete:
        if whole and all((kit / FOLDER / name).is_file() for name in names):
            manifest.targets.append(str(target))


def _licence(wheel):
    """Renvoie la licence que déclare un paquet, dans ses métadonnées."""
    with zipfile.ZipFile(wheel) as archive:
        name = next((name for name in archive.namelist() if name.endswith(".dist-info/METADATA")), None)
        metadata = email.message_from_bytes(archive.read(name)) if name else {}
    classifiers = [line.rpartition(" :: ")[2] for line in metadata.get_all("Classifier", [])
                   if line.startswith("License :: ")] if name else []
    declared = metadata.get("License-Expression") or ", ".join(classifiers) or metadata.get("License") or "non déclarée"
    return declared.strip().splitlines()[0]
