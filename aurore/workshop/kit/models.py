"""Les réseaux du catalogue Hugging Face : les mêmes fichiers que l'étape 3 y prendrait, à une révision notée."""

import shutil

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

from workshop.kit.part import Part
from workshop.learning.hub import (
    COMPLETE,
    PATIENCE_SECONDS,
    TOKENIZER_FILES,
    WORKSHOP_FILES,
    cached_folder,
    is_the_disk,
    patiently,
    preferred_weights,
    token_to_show,
)
from workshop.paths import AURORE

FOLDER = "models"


def plan(kit, manifest, name):
    """Renvoie la Part du réseau `name` ; un dossier de la machine est déjà dans le projet."""
    part = Part(f"le réseau {name}", lambda kit, manifest: None)
    if (AURORE.parent / name).is_dir():
        part.remarks.append(f"{name} est un dossier du projet : il y est déjà.")
        return part
    mine = [path for path in manifest.files if path.startswith(f"{FOLDER}/{name}/")]
    if name in manifest.models and all(manifest.holds(kit, path) for path in mine):
        part.here = sum(manifest.files[path].size for path in mine)
        return part
    try:
        listing = patiently(HfApi().model_info, name, files_metadata=True, timeout=PATIENCE_SECONDS,
                            token=token_to_show())
    except (RepositoryNotFoundError, HFValidationError):
        part.missing.append(f"« {name} » n'existe pas dans le catalogue Hugging Face, ou il est privé (le jeton ?).")
        return part
    except OSError as error:  # requests et huggingface_hub en héritent
        part.missing.append(f"{name} : le catalogue Hugging Face ne répond pas ({type(error).__name__}).")
        return part
    sizes = {file.rfilename: file.size for file in listing.siblings}
    patterns = [*TOKENIZER_FILES, *WORKSHOP_FILES, *preferred_weights(sizes)]
    wanted = {file: size for file, size in sizes.items() if any(_matches(file, pattern) for pattern in patterns)}
    part.size = sum(size or 0 for size in wanted.values())
    part.unknown = sum(size is None for size in wanted.values())
    part.gather = lambda kit, manifest: _gather(kit, manifest, listing, wanted, part)
    return part


def _matches(file, pattern):
    start, star, end = pattern.partition("*")
    return file.startswith(start) and file.endswith(end) if star else file == pattern


def _gather(kit, manifest, listing, wanted, part):
    """Prend les fichiers `wanted` d'un réseau ; huggingface_hub reprend où une coupure l'a laissé."""
    name = listing.id
    folder = kit / FOLDER / name
    try:
        patiently(snapshot_download, name, revision=listing.sha, local_dir=folder, allow_patterns=list(wanted),
                  max_workers=2, token=token_to_show())
    except OSError as error:
        if is_the_disk(error):
            raise
        part.missing.append(f"{name} : le catalogue s'est interrompu ({type(error).__name__}). "
                            "Relancez la même commande : ce qui est venu est gardé.")
        return
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # ce dont huggingface_hub se sert pour reprendre
    (folder / COMPLETE).touch()
    cached = cached_folder(name).relative_to(AURORE.parent).as_posix()
    licence = getattr(listing.card_data, "license", None) or "voir sa fiche dans le catalogue"
    for file in [*wanted, COMPLETE]:
        manifest.add(kit, f"{FOLDER}/{name}/{file}", licence=str(licence), to=f"{cached}/{file}",
                     source=f"https://huggingface.co/{name}/resolve/{listing.sha}/{file}")
    manifest.models[name] = listing.sha
