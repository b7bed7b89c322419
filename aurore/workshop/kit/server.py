"""Un portable sert le kit à la salle : livres comme Gutenberg, réseaux comme Hugging Face, paquets comme PyPI.

N'en sort que ce que le manifeste nomme, en lecture seule ; Flask répond aux reprises (Range, If-Range), et waitress
tient la salle. Rien n'est noté de qui demande quoi.
"""

import os
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, abort, jsonify, render_template, request, send_from_directory
from packaging.utils import canonicalize_name
from waitress import create_server

from workshop.errors import WorkshopError
from workshop.kit import books, models, wheels
from workshop.kit.manifest import FILE, Manifest

THREADS = 40       # trente personnes, dont chacune peut tenir un fil tant que dure une reprise
CONNECTIONS = 100  # un Mac n'ouvre que 256 fichiers à la fois, et chaque envoi en prend deux
_ANY_ADDRESS = "0.0.0.0"
_OUTSIDE = ("192.0.2.1", 9)  # une adresse que personne n'a (RFC 5737), et à qui l'on n'envoie rien


def create_app(kit):
    """Renvoie l'application qui sert le dossier `kit`."""
    kit = Path(kit).resolve()
    manifest = Manifest.of(kit)
    app = Flask(__name__, template_folder=".", static_folder=None)
    app.json.sort_keys = False

    def send(path, **headers):
        """Envoie un fichier du kit ; 404 s'il n'est pas au manifeste, ou si un lien le ferait sortir du kit."""
        entry = manifest.files.get(path)
        if entry is None or not (kit / path).resolve().is_relative_to(kit):
            abort(404)
        answer = send_from_directory(kit, path, etag=entry.sha256, conditional=True, max_age=0)
        answer.headers.update(headers)
        return answer

    @app.get("/")
    def home():
        return render_template("home.html", addresses=_to_type(request.host_url.rstrip("/")), manifest=manifest,
                               image=any(path.startswith("image/") for path in manifest.files))

    @app.get(f"/{FILE}")
    def show_manifest():
        return send_from_directory(kit, FILE, conditional=True, max_age=0)

    @app.get("/<path:path>")
    def show_file(path):
        if path.startswith(("files/", "cache/epub/")):  # les chemins de Gutenberg
            path = f"{books.FOLDER}/{path}"
        return send(path)

    _serve_wheels(app, manifest)
    _serve_models(app, manifest, send)

    @app.after_request
    def harden(answer):
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
        return answer

    return app


def _serve_wheels(app, manifest):
    """Un index simple (PEP 503), que pip lit."""
    names = {}
    for path, entry in manifest.files.items():
        folder, _, name = path.partition("/")
        if folder == wheels.FOLDER:
            names.setdefault(canonicalize_name(name.split("-")[0]), {})[name] = entry

    def page(links):
        return "<!DOCTYPE html>\n<title>simple</title>\n" + "\n".join(links)

    @app.get("/simple/")
    def index():
        return page(f'<a href="/simple/{name}/">{name}</a>' for name in sorted(names))

    @app.get("/simple/<name>/")
    def package(name):
        files = names.get(canonicalize_name(name), {})
        if not files:
            abort(404)
        return page(f'<a href="/{entry.path}#sha256={entry.sha256}">{file}</a>'
                    for file, entry in sorted(files.items()))


def _serve_models(app, manifest, send):
    """Le catalogue Hugging Face, en lecture : ce que huggingface_hub demande pour télécharger un réseau."""
    def files_of(repository, revision):
        """Renvoie les fichiers d'un réseau, {nom: Entry} ; répond 404, dans les mots du catalogue, s'il n'y est pas."""
        commit = manifest.models.get(repository)
        if commit is None:
            abort(_not_found("RepoNotFound"))
        if revision not in ("main", commit):
            abort(_not_found("RevisionNotFound"))
        start = f"{models.FOLDER}/{repository}/"
        return {path.removeprefix(start): entry for path, entry in manifest.files.items()
                if path.startswith(start) and not path.endswith(f"/{models.COMPLETE}")}

    @app.get("/api/models/<path:repository>")
    @app.get("/api/models/<path:repository>/revision/<revision>")
    def listing(repository, revision="main"):
        files = files_of(repository, revision)
        siblings = [{"rfilename": name, "size": entry.size} for name, entry in files.items()]
        return jsonify(id=repository, modelId=repository, sha=manifest.models[repository], private=False, gated=False,
                       disabled=False, downloads=0, likes=0, tags=[], siblings=siblings)

    @app.get("/api/models/<path:repository>/tree/<revision>")
    @app.get("/api/models/<path:repository>/tree/<revision>/<path:folder>")
    def tree(repository, revision, folder=""):
        inside = {name: entry for name, entry in files_of(repository, revision).items()
                  if not folder or name.startswith(f"{folder}/")}
        if not inside:
            abort(_not_found("EntryNotFound"))
        return jsonify([{"type": "file", "path": name, "size": entry.size, "oid": entry.sha256}
                        for name, entry in inside.items()])

    @app.get("/<path:repository>/resolve/<revision>/<path:name>")
    def resolve(repository, revision, name):
        entry = files_of(repository, revision).get(name)
        if entry is None:
            abort(_not_found("EntryNotFound"))
        return send(entry.path, **{"X-Repo-Commit": manifest.models[repository]})


def _not_found(code):
    answer = jsonify(error=code)
    answer.status_code, answer.headers["X-Error-Code"] = 404, code
    return answer


def addresses():
    """Renvoie les adresses de cette machine dans le réseau de la salle, la plus probable d'abord."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_OUTSIDE)  # sans connexion ni envoi : dit seulement par où l'on sortirait
            found.append(probe.getsockname()[0])
        except OSError:
            pass
    try:
        found += socket.gethostbyname_ex(socket.gethostname())[2]
    except OSError:
        pass
    return [address for address in dict.fromkeys(found) if not re.match(r"127\.|0\.", address)]


def _to_type(asked):
    """Renvoie les adresses à taper dans la salle, d'après celle `asked` à laquelle la page a été demandée."""
    host = urlsplit(asked)
    if host.hostname not in ("127.0.0.1", "localhost"):
        return [asked]
    return [f"http://{address}:{host.port or 80}" for address in addresses()] or [asked]  # celui qui sert la regarde


def open_server(kit, port, host=_ANY_ADDRESS):
    """Renvoie le serveur du dossier `kit`, qui écoute déjà ; lève une WorkshopError si le port ne va pas."""
    if not 0 <= port < 65536:
        raise WorkshopError(f"« {port} » n'est pas un numéro de port : par exemple --port 8000.")
    try:
        return create_server(create_app(kit), host=host, port=port, threads=THREADS, connection_limit=CONNECTIONS,
                             asyncore_use_poll=True, channel_timeout=60, max_request_body_size=1024, ident=None)
    except OSError as error:
        raise WorkshopError(f"Impossible d'ouvrir le port {port} ({os.strerror(error.errno or 0)}).\n"
                            "Choisissez-en un autre :  python aurore/kit.py serve --port 8001") from error


def serve(kit, port):
    """Sert le kit jusqu'à Ctrl-C, et dit à quelle adresse."""
    server = open_server(kit, port)
    places = [f"http://{address}:{port}" for address in addresses()] or [f"http://127.0.0.1:{port}"]
    print(f"Le kit est servi à la salle, en lecture seule :  {'  ou  '.join(places)}\n"
          f"Chacun ouvre cette adresse dans son navigateur, qui lui dit quoi taper ; ou pose AURORE_KIT={places[0]}\n"
          "(Ctrl-C pour arrêter ; le pare-feu de cette machine doit laisser entrer Python.)", flush=True)
    server.run()
    print("Le kit n'est plus servi.")
