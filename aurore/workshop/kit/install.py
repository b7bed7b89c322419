# -*- coding: utf-8 -*-
"""Installe l'atelier depuis un kit, sans connexion :  python3 install.py [DOSSIER] [--kit http://192.168.0.10:8000]

DOSSIER est « atelier », dans le dossier personnel, si l'on n'en donne pas. --kit prend le kit d'un portable qui le
sert (python aurore/kit.py serve). Relancé, il finit ce qui manque et ne remplace aucun fichier déjà là. Le code de
sortie est celui de la dernière vérification : 0 si la machine est prête, 1 sinon, 2 si rien n'a pu être fait.
"""
# La bibliothèque standard seule, sur un Python nu ; et n'importe lequel doit pouvoir lire ce fichier, pour dire
# lequel convient : ni f-string, ni rien de récent.
# pylint: disable=consider-using-f-string

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys

OLDEST, NEWEST = (3, 11), (3, 13)
HERE = os.path.dirname(os.path.abspath(__file__))
ROOM = 3 * 10 ** 9  # octets : les bibliothèques une fois déballées
SYSTEMS = {("Linux", "x86_64"): "linux", ("Linux", "aarch64"): "linux-arm", ("Darwin", "arm64"): "macos",
           ("Windows", "AMD64"): "windows"}


class Refusal(Exception):
    """Ce qui empêche d'installer, et quoi faire."""


def say(text):
    """Affiche une ligne, dans un terminal qui ne connaît pas forcément les accents."""
    encoding = sys.stdout.encoding or "utf-8"
    if sys.version_info[0] > 2:
        text = text.encode(encoding, "replace").decode(encoding)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Kit(object):  # pylint: disable=useless-object-inheritance  # pour Python 2
    """Un kit, sur une clé ou servi par un autre portable."""

    def __init__(self, place):
        self.place = place.rstrip("/")
        self.served = place.startswith(("http://", "https://"))
        with self.open("manifest.json") as file:
            self.manifest = json.loads(file.read().decode("utf-8"))
        self.files = self.manifest["files"]

    def open(self, path):
        """Ouvre un fichier du kit."""
        if not self.served:
            return open(os.path.join(self.place, *path.split("/")), "rb")
        from urllib import parse, request  # pylint: disable=import-outside-toplevel  # Python 2 ne les a pas
        opener = request.build_opener(request.ProxyHandler({}))  # le portable est dans la salle
        return opener.open("%s/%s" % (self.place, parse.quote(path)), timeout=30)

    def copy(self, entry, destination):
        """Copie un fichier du kit, sous un nom d'attente jusqu'à ce que son empreinte soit la bonne."""
        folder = os.path.dirname(destination)
        if not os.path.isdir(folder):
            os.makedirs(folder)
        waiting, digest = destination + ".incoming", hashlib.sha256()
        with self.open(entry["path"]) as source, open(waiting, "wb") as file:
            for chunk in iter(lambda: source.read(1 << 18), b""):
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != entry["sha256"]:
            os.remove(waiting)
            raise Refusal("Le fichier %s du kit est abîmé.\nRefaites-le, ou vérifiez-le sur la machine qui l'a fait :  "
                          "python aurore/kit.py --check" % entry["path"])
        os.replace(waiting, destination)

    def has(self, path):
        """Dit si le kit contient ce fichier."""
        return any(entry["path"] == path for entry in self.files)


def target():
    """Renvoie ce qu'est cette machine, dans les mots du manifeste : « linux 3.11 » ; None s'il n'en a pas."""
    system = SYSTEMS.get((platform.system(), platform.machine()))
    return system and "%s %d.%d" % ((system,) + tuple(sys.version_info[:2]))


def why_not_python(kit):
    """Renvoie None si ce Python peut installer les paquets du kit, sinon la phrase qui dit pourquoi."""
    if not OLDEST <= tuple(sys.version_info[:2]) <= NEWEST:
        return ("Ce Python est le %d.%d, et l'atelier demande Python 3.11, 3.12 ou 3.13."
                % tuple(sys.version_info[:2]))
    if sys.maxsize < 2 ** 32:
        return "Ce Python est en 32 bits, et TensorFlow demande un Python en 64 bits."
    if (platform.system(), platform.machine()) == ("Darwin", "x86_64"):
        return "TensorFlow n'existe plus pour les Mac à processeur Intel : il y faut Docker."
    if target() not in kit.manifest["targets"]:
        return "Ce kit n'a pas les paquets de cette machine (%s), mais seulement : %s." % (
            target() or "%s %s" % (platform.system(), platform.machine()),
            ", ".join(kit.manifest["targets"]) or "aucun")
    return None


def put_files(kit, root):
    """Met dans `root` le projet, les livres et les réseaux ; ce qui y est déjà n'est jamais remplacé."""
    say("Le projet, les livres et les réseaux...")
    wanted = [entry for entry in kit.files if entry["to"]]
    # La marque d'un réseau entier vient après lui.
    wanted.sort(key=lambda entry: entry["path"].endswith("/.complete"))
    kept = []
    for entry in wanted:
        destination = os.path.join(root, *entry["to"].split("/"))
        if not os.path.exists(destination):
            kit.copy(entry, destination)
        elif os.path.getsize(destination) != entry["size"] or digest_of(destination) != entry["sha256"]:
            kept.append(entry["to"])
    if kept:
        say("%d fichier(s) déjà là, et différents de ceux du kit, ont été gardés : %s%s" % (
            len(kept), ", ".join(kept[:3]), "..." if len(kept) > 3 else ""))


def digest_of(path):
    """Renvoie l'empreinte SHA-256 d'un fichier."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 18), b""):
            digest.update(chunk)
    return digest.hexdigest()


def install_libraries(kit, root):
    """Fait .venv, et y met les paquets du kit ; renvoie le Python de cet environnement."""
    folder = os.path.join(root, ".venv")
    python = os.path.join(folder, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))
    if not os.path.exists(python) and subprocess.call([sys.executable, "-m", "venv", folder]) != 0:
        raise Refusal("L'environnement virtuel n'a pas pu être créé.\nSur Debian ou Ubuntu :  "
                      "sudo apt install python3-venv\npuis relancez la même commande.")
    say("Les bibliothèques : quelques minutes...")
    # Ni l'index, ni le cache, ni les réglages de cette machine : ce que dit le kit, et rien d'autre.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment["PIP_CONFIG_FILE"] = os.devnull
    if kit.served:
        host = kit.place.split("://")[1].split("/")[0].rsplit(":", 1)[0]
        where = ["--index-url", kit.place + "/simple/", "--trusted-host", host, "--proxy", ""]
    else:
        where = ["--no-index", "--find-links", os.path.join(kit.place, "wheels")]
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir",
               "--require-hashes", "--only-binary", ":all:", "--requirement", os.path.join(root, "requirements.txt")]
    if subprocess.call(command + where, env=environment) != 0:
        raise Refusal("pip n'a pas pu installer les paquets du kit (voir ci-dessus).\nVérifiez le kit :  "
                      "python aurore/kit.py --check, puis relancez la même commande.")
    with open(os.path.join(folder, "atelier-installed"), "wb"):  # « make » ne les réinstallera pas
        pass
    return python


def load_image(kit):
    """Donne à Docker l'image du kit ; renvoie faux s'il n'y a pas de Docker, ou pas d'image."""
    docker = getattr(shutil, "which", lambda name: None)("docker")
    if not docker or not kit.has("image/text-gen.tar"):
        return False
    say("L'image Docker : une minute ou deux...")
    # pylint: disable-next=consider-using-with  # Python 2 ne le permet pas
    process = subprocess.Popen([docker, "load"], stdin=subprocess.PIPE)
    with kit.open("image/text-gen.tar") as source:
        shutil.copyfileobj(source, process.stdin)
    process.stdin.close()
    if process.wait() != 0:
        raise Refusal("Docker n'a pas pu prendre l'image (voir ci-dessus). Est-il démarré ?\n"
                      "Ouvrez Docker Desktop, attendez, puis relancez la même commande.")
    return True


def install(kit, root):
    """Installe l'atelier dans `root`, et renvoie le code de sortie de la vérification."""
    problem = why_not_python(kit)
    if problem and not (kit.has("image/text-gen.tar") and getattr(shutil, "which", lambda name: None)("docker")):
        raise Refusal("%s\nInstallez un Python qui convient (python.org), puis relancez avec lui :  python3.12 "
                      "install.py\nou installez Docker%s." % (
                          problem, "" if kit.has("image/text-gen.tar") else ", et refaites le kit avec l'image"))
    needed = sum(entry["size"] for entry in kit.files if entry["to"]) + ROOM
    if not os.path.isdir(root):
        os.makedirs(root)
    if hasattr(shutil, "disk_usage") and not os.path.exists(os.path.join(root, ".venv", "atelier-installed")):
        free = shutil.disk_usage(root).free
        if free < needed:
            raise Refusal("Il reste %.1f Go dans %s, et il en faut %.1f.\nLibérez de la place, ou donnez un autre "
                          "dossier :  python3 install.py DOSSIER" % (free / 1e9, root, needed / 1e9))
    put_files(kit, root)
    if problem:
        say("%s\nDocker le remplace." % problem)
        load_image(kit)
        run = ["docker", "run", "--rm", "-v", os.path.join(root, "aurore") + ":/aurore", "text-gen", "python"]
    else:
        run = [install_libraries(kit, root)]
    code = subprocess.call(run + ["aurore/verify.py", "--machine"], cwd=root)
    say("\nL'atelier est dans %s. Allez-y :\n  cd \"%s\"" % (root, root))
    say("  %s aurore/1_prepare_dataset.py" % " ".join(
        os.path.relpath(part, root) if part.startswith(root + os.sep + ".venv") else part for part in run))
    return code


def main(arguments):
    """Fait ce que dit la ligne de commande ; renvoie le code de sortie."""
    place, folders = HERE, []
    arguments = list(arguments)
    while arguments:
        argument = arguments.pop(0)
        if argument == "--kit" and arguments:
            place = arguments.pop(0)
        elif argument.startswith("-"):
            say(__doc__)
            return 0 if argument in ("-h", "--help", "--aide") else 2
        else:
            folders.append(argument)
    root = os.path.abspath(os.path.expanduser(folders[0] if folders else os.path.join("~", "atelier")))
    try:
        try:
            kit = Kit(place)
        except (IOError, OSError, ValueError, KeyError) as error:
            # pylint: disable-next=raise-missing-from  # Python 2 n'a pas « from »
            raise Refusal("Il n'y a pas de kit à lire dans %s (%s).\nLancez install.py depuis le dossier du kit, ou "
                          "donnez l'adresse du portable qui le sert :  --kit http://192.168.0.10:8000"
                          % (place, type(error).__name__))
        return install(kit, root)
    except Refusal as error:
        say("\nERREUR. %s" % error)
    except (IOError, OSError) as error:
        say("\nERREUR. %s\nVérifiez la clé ou le Wi-Fi, la place et les droits, puis relancez la même commande : elle "
            "reprendra." % error)
    except KeyboardInterrupt:
        say("\nInterrompu. Relancez la même commande : elle reprendra.")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
