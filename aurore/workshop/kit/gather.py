"""Faire un kit : dire ce qu'il va peser, le remplir partie par partie, puis nommer ce qui n'a pas pu venir."""

import shutil

from workshop import narration
from workshop.errors import WorkshopError
from workshop.kit import books, contents, image, models, project, wheels
from workshop.kit.manifest import Manifest
from workshop.kit.targets import pins
from workshop.sources import EMBEDDED, source_mode


def gather(kit, names, targets):
    """Remplit le dossier `kit` ; `names` sont les réseaux en plus de celui de l'étape 3. Renvoie le code de sortie."""
    if source_mode() == EMBEDDED:
        raise WorkshopError("AURORE_SOURCE=embedded interdit toute connexion, et le kit se fait avec.\n"
                            "Retirez cette variable, puis relancez.")
    narration.section(f"Le kit, dans {kit}")
    print("Combien cela va-t-il peser ?", flush=True)
    kit.mkdir(parents=True, exist_ok=True)
    manifest = Manifest.read(kit)
    parts = _plan(kit, manifest, list(dict.fromkeys([contents.model_name(), *names])), targets)
    _announce(kit, parts)
    manifest.targets = [target for target in manifest.targets if target not in map(str, targets)]
    try:
        for part in parts:
            if part.size or part.unknown or not part.here:
                print(f"\n{part.name[0].upper()}{part.name[1:]}...", flush=True)
            part.gather(kit, manifest)
            manifest.write(kit)
    finally:
        manifest.write(kit)  # même interrompu, ce qui est là est connu
    return _conclude(kit, manifest, parts)


def _plan(kit, manifest, names, targets):
    requirements = wheels.REQUIREMENTS.read_text(encoding="utf-8")
    return [project.plan(kit), books.plan(kit, manifest, contents.books()),
            *(models.plan(kit, manifest, name) for name in names),
            wheels.plan(kit, manifest, pins(requirements), targets), image.plan(kit, manifest)]


def _announce(kit, parts):
    """Dit le poids de chaque partie ; lève une WorkshopError si le disque ne peut pas tout tenir."""
    def weight(part):
        sign = "environ " if part.estimated else ""
        more = f" + {part.unknown} fichiers de taille inconnue" if part.unknown else ""
        return "-" if not part.size and not part.unknown else f"{sign}{megabytes(part.size)}{more}"
    total = sum(part.size for part in parts)
    narration.table(("", "à prendre", "déjà là"), [
        *((part.name, weight(part), megabytes(part.here) if part.here else "-") for part in parts),
        ("en tout", megabytes(total), megabytes(sum(part.here for part in parts)))])
    if shutil.disk_usage(kit).free < total:
        raise WorkshopError(f"Il reste {megabytes(shutil.disk_usage(kit).free)} là où est {kit} : c'est trop peu.\n"
                            "Libérez de la place, donnez un autre dossier, ou demandez moins (--platforms, --pythons).")


def _conclude(kit, manifest, parts):
    narration.section("Le kit")
    print(f"{len(manifest.files)} fichiers, {megabytes(sum(entry.size for entry in manifest.files.values()))}, "
          f"dans {kit}")
    if manifest.targets:
        print(f"Sans connexion, il installe : {', '.join(sorted(set(manifest.targets)))}.")
    for part in parts:
        for remark in part.remarks:
            print(f"  - {remark}")
    missing = [reason for part in parts for reason in part.missing]
    if missing:
        print("\nIL MANQUE :")
        for reason in missing:
            print(f"  - {reason}")
        return 1
    narration.say("Sur un portable :  python install.py, dans ce dossier.\n"
                  "Pour toute la salle :  python aurore/kit.py serve")
    return 0


def megabytes(size):
    """Renvoie une taille à la française : « 14,6 Mo », « 1,2 Go »."""
    if size >= 1e9:
        return f"{narration.decimal(size / 1e9, 1)} Go"
    return f"{narration.decimal(size / 1e6, 1)} Mo"
