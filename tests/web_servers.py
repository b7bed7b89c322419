"""Des serveurs : de petits, qui se conduisent comme Project Gutenberg et le catalogue Hugging Face, et la page."""

import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from waitress import create_server

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class _Server:
    """Un serveur HTTP dans un fil à part ; `requests` garde les chemins demandés, dans l'ordre."""

    def __init__(self):
        self.requests = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            """Confie chaque requête à `answer`."""

            def do_GET(self):  # pylint: disable=invalid-name  # nom imposé par http.server
                """Répond à GET."""
                outer.requests.append(self.path)
                outer.answer(self)

            do_HEAD = do_POST = do_PUT = do_GET

            def log_message(self, format, *args):  # pylint: disable=redefined-builtin  # nom imposé
                """Ne rien afficher."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, handler):
        """Répond à une requête."""
        raise NotImplementedError

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @staticmethod
    def send(handler, body=b"", status=200, **headers):
        """Envoie une réponse entière."""
        handler.send_response(status)
        headers.setdefault("Content_Length", len(body))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)


class BookServer(_Server):
    """Sert les octets de `files` ; `behaviours` donne, par chemin, une suite de façons de mal répondre."""

    def __init__(self):
        super().__init__()
        self.files = {}
        self.behaviours = {}

    def answer(self, handler):
        body = self.files.get(handler.path)
        planned = self.behaviours.get(handler.path, [])
        behaviour = planned.pop(0) if planned else None
        if behaviour == "silent":
            time.sleep(3)
        elif behaviour == "truncated":
            self.send(handler, body[:len(body) // 4], Content_Length=len(body))
        elif behaviour is not None:
            self.send(handler, b"erreur", status=behaviour)
        elif body is None:
            self.send(handler, b"introuvable", status=404)
        else:
            self.send(handler, body)


class HubServer(_Server):
    """Sert des dépôts de modèles : `repositories` vaut {nom: {fichier: octets}}.

    Un dépôt dont le nom commence par « secret/ » demande le jeton « hf_bon ».
    """

    def __init__(self):
        super().__init__()
        self.start_again()

    def start_again(self):
        """Oublie tout : un serveur vide, qui répond bien, et à qui l'on n'a rien demandé."""
        self.requests.clear()
        self.repositories = {}
        self.failure = None  # un code HTTP à renvoyer à tout
        self.truncated = set()  # les fichiers dont l'envoi s'arrête au quart
        self.delay = 0  # secondes avant chaque réponse
        self.cuts = set()  # les rangs des requêtes dont la connexion est coupée sans un mot

    def answer(self, handler):
        path = urlsplit(handler.path).path.strip("/")
        is_listing = path.startswith("api/models/")
        parts = (path[len("api/models/"):] if is_listing else path).split("/")
        name = "/".join(parts[:2])
        repository = self.repositories.get(name)
        time.sleep(self.delay)
        if len(self.requests) in self.cuts:
            handler.connection.shutdown(socket.SHUT_RDWR)
        elif self.failure:
            self.send(handler, b"{}", status=self.failure)
        elif repository is None:
            self.send(handler, b"{}", status=404, X_Error_Code="RepoNotFound", X_Error_Message="Repository not found")
        elif name.startswith("secret/") and handler.headers.get("Authorization") != "Bearer hf_bon":
            self.send(handler, b"{}", status=401, X_Error_Message="Invalid username or password.")
        elif is_listing:
            listing = {"id": name, "sha": COMMIT, "siblings": [{"rfilename": file} for file in repository]}
            self.send(handler, json.dumps(listing).encode())
        else:
            body = repository.get("/".join(parts[4:]))
            if body is None:
                self.send(handler, status=404, X_Error_Code="EntryNotFound")
            else:
                sent = body[:len(body) // 4] if parts[-1] in self.truncated else body
                self.send(handler, sent, Content_Length=len(body), X_Repo_Commit=COMMIT,
                          ETag=f'"{hashlib.sha1(body).hexdigest()}"')


class EngineServer(_Server):
    """Parle /v1/completions comme on le lui dit : `says` donne les octets d'une réponse, morceau par morceau.

    Un nombre, parmi eux, est une attente, en secondes. `refusals` est une suite de (code, corps, en-têtes) qui
    répondent d'abord ; `asked` garde les demandes, `keys` la clé de chacune ; `left` se lève quand on s'en va.
    """

    def __init__(self, *says, models=("petit", "grand")):
        self.says, self.models, self.refusals = says, models, []
        self.asked, self.keys, self.left = [], [], threading.Event()
        super().__init__()

    def answer(self, handler):
        self.keys.append(handler.headers.get("Authorization"))
        if handler.path.endswith("/v1/models"):
            self.send(handler, json.dumps({"data": [{"id": name} for name in self.models]}).encode())
            return
        self.asked.append(json.loads(handler.rfile.read(int(handler.headers["Content-Length"]))))
        if self.refusals:
            status, body, headers = self.refusals.pop(0)
            self.send(handler, body.encode(), status, **headers)
            return
        handler.send_response(200)
        handler.end_headers()
        try:
            for said in self.says:
                if isinstance(said, bytes):
                    handler.wfile.write(said)
                else:
                    time.sleep(said)
        except OSError:
            self.left.set()


# --- La page -----------------------------------------------------------------------------

@contextmanager
def served(app):
    """Sert `app` avec waitress, comme en vrai, mais dans un fil ; donne le serveur, et son adresse dans `url`."""
    server = create_server(app, host="127.0.0.1", port=0, threads=6, clear_untrusted_proxy_headers=False)
    server.url = f"http://127.0.0.1:{server.effective_port}"
    threading.Thread(target=server.run, daemon=True).start()
    try:
        yield server
    finally:
        server.close()


def free_port():
    """Un port libre de cette machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(happens, seconds=20):
    """Attend que `happens()` soit vrai."""
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "cela n'arrive pas"
        time.sleep(0.05)


@contextmanager
def page_process(folder, environment):
    """Lance l'étape 5 de l'atelier `folder` comme une personne, et la donne une fois qu'elle a dit son adresse.

    Le processus a deux attributs de plus : `port`, et `said`, ce qu'il a affiché.
    """
    port = free_port()
    with subprocess.Popen([sys.executable, "aurore/5_flask.py"], cwd=folder, encoding="utf-8",
                          env={**environment, "AURORE_PORT": str(port)}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        process.port, process.said = port, ""
        try:
            while "/generate" not in process.said:
                line = process.stdout.readline()
                assert line, process.said
                process.said += line
            yield process
        finally:
            process.kill()
