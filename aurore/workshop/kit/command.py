"""La ligne de commande de kit.py : faire un kit, le vérifier, le servir."""

import argparse
import inspect
import sys
from pathlib import Path

from workshop import narration  # en premier : règle l'affichage
from workshop.errors import WorkshopError
from workshop.kit.manifest import Manifest, extra_files, state_of
from workshop.paths import AURORE

USUAL_FOLDER = AURORE.parent / "kit"
USUAL_PORT = 8000


class _Parser(argparse.ArgumentParser):
    """argparse, qui refuse en français."""

    def error(self, message):
        raise WorkshopError(f"Cette commande ne se comprend pas ({message}).\nL'aide :  python aurore/kit.py --help")


def _parse(arguments, script):
    parser = _Parser(add_help=False, allow_abbrev=False)
    serve, arguments = arguments[:1] == ["serve"], arguments[arguments[:1] == ["serve"]:]
    parser.set_defaults(serve=serve)
    if serve:
        parser.add_argument("--port", type=int, default=USUAL_PORT)
    else:
        parser.add_argument("--check", action="store_true")
        parser.add_argument("--models", nargs="+", default=[])
        parser.add_argument("--platforms", nargs="+")
        parser.add_argument("--pythons", nargs="+")
    parser.add_argument("folder", nargs="?", type=Path, default=USUAL_FOLDER)
    if {"-h", "--help", "--aide"} & set(arguments):
        print(inspect.cleandoc(script))
        sys.exit(0)
    return parser.parse_args(arguments)


def main(arguments, script):
    """Fait ce que dit la ligne de commande, et renvoie le code de sortie ; `script` est l'aide."""
    options = _parse(arguments, script)
    kit = options.folder.resolve()
    if options.serve:
        from workshop.kit import server  # pylint: disable=import-outside-toplevel  # Flask : inutile au reste
        server.serve(kit, options.port)
        return 0
    if options.check:
        return check(kit)
    # Ceux-là importent huggingface_hub et transformers, inutiles pour vérifier et pour servir.
    from workshop.kit import gather, targets  # pylint: disable=import-outside-toplevel
    wanted = targets.chosen(options.platforms or targets.USUAL_PLATFORMS, options.pythons or targets.PYTHONS)
    return gather.gather(kit, options.models, wanted)


def check(kit):
    """Relit tout le kit, et dit ce qui manque, ce qui est abîmé, ce qui est en trop ; renvoie le code de sortie."""
    manifest = Manifest.of(kit)
    print(f"Relecture de {len(manifest.files)} fichiers, dans {kit}...", flush=True)
    states = {entry.path: state_of(kit, entry) for entry in manifest.files.values()}
    wrong = [(state, path) for path, state in states.items() if state]
    wrong += [("en trop", path) for path in extra_files(kit, manifest)]
    for state, path in wrong:
        print(f"  {state:<8} {path}")
    if wrong:
        narration.say("Pour remplacer ce qui manque ou est abîmé, relancez sur une machine qui a du réseau :\n"
              "  python aurore/kit.py\nCe qui est en trop peut être effacé.")
        return 1
    narration.section("Le kit est entier")
    return 0
