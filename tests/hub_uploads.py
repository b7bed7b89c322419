"""Un serveur qui reçoit ce que l'on publie, comme huggingface.co : créer, annoncer, envoyer, valider, relire.

Le protocole est celui du vrai client (huggingface_hub, sans xet) : /api/repos/create, preupload, le « batch » de Git
LFS et ses envois, puis un commit en NDJSON, qui seul rend les fichiers visibles.
"""

import base64
import hashlib
import json
import re
import socket
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from web_servers import COMMIT, HubServer

CUT = "coupé"                # la connexion se ferme au milieu de la demande
PORTAL = "portail"           # un Wi-Fi qui répond à sa place
LFS_SUFFIXES = (".safetensors", ".parquet", ".png")
_ROUTES = [(name, re.compile(pattern)) for name, pattern in {
    "create": r"POST api/repos/create",
    "yaml": r"POST api/validate-yaml",
    "preupload": r"POST api/(?P<kind>models|datasets)/(?P<name>[^/]+/[^/]+)/preupload/main",
    "settings": r"PUT api/(?P<kind>models|datasets)/(?P<name>[^/]+/[^/]+)/settings",
    "commit": r"POST api/(?P<kind>models|datasets)/(?P<name>[^/]+/[^/]+)/commit/main",
    "tree": r"GET api/(?P<kind>models|datasets)/(?P<name>[^/]+/[^/]+)/tree/[^/]+(?:/(?P<path>.*))?",
    "paths": r"POST api/(?P<kind>models|datasets)/(?P<name>[^/]+/[^/]+)/paths-info/[^/]+",
    "info": r"(?:GET|HEAD) api/(?P<kind>models|datasets)/(?P<name>[^/]+/[^/]+?)(?:/revision/[^/]+)?",
    "batch": r"POST (?P<kind>datasets(?=/))?/?(?P<name>[^/]+/[^/]+)[.]git/info/lfs/objects/batch",
    "put": r"PUT lfs/(?P<oid>[0-9a-f]{64})",
    "verify": r"POST lfs/(?P<oid>[0-9a-f]{64})/verify",
    "resolve": r"(?:GET|HEAD) (?P<kind>datasets(?=/))?/?(?P<name>[^/]+/[^/]+)/resolve/[^/]+/(?P<path>.+)",
}.items()]


class SharingHub(HubServer):  # pylint: disable=too-many-instance-attributes  # ce qu'un test regarde ensuite
    """Le même catalogue, où l'on peut écrire. `accounts` : à qui est chaque jeton, qui n'ouvre que chez lui.

    `private` : les dépôts que seule leur propriétaire lit. `planned` : par geste (« create », « put »…), les façons de
    mal répondre, dans l'ordre. `bodies` : tout ce qui a été reçu. `processes` : les lignes de commande de la machine,
    relevées à chaque demande.
    """

    def __init__(self):
        super().__init__()
        self.reset()

    def reset(self):
        """Oublie tout."""
        self.repositories, self.private, self.planned = {}, set(), {}
        self.accounts = {"hf_bon": "jeanne"}
        self.received, self.commits, self.gestures, self.bodies = {}, [], [], []
        self.processes = set()
        self.requests.clear()

    def answer(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)) if not self._cuts(handler) else None
        route = self._route(handler)
        if body is None:
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        self.bodies.append(body)
        self.processes |= _command_lines()
        if route is None:
            super().answer(handler)
            return
        gesture, found = route
        self.gestures.append(gesture)
        planned = self.planned.get(gesture)
        behaviour = planned.pop(0) if planned else None
        if behaviour == PORTAL:
            self.send(handler, b"<html>Identifiez-vous</html>")
        elif behaviour:
            self.send(handler, json.dumps({"error": "no"}).encode(), behaviour, X_Error_Message="no")
        else:
            getattr(self, f"_{gesture}")(handler, found, body)

    def _route(self, handler):
        path = unquote(urlsplit(handler.path).path.strip("/"))
        for gesture, pattern in _ROUTES:
            if found := pattern.fullmatch(f"{handler.command} {path}"):
                return gesture, found.groupdict()
        return None

    def _cuts(self, handler):
        """Lit la moitié de la demande et dit s'il faut couper là."""
        route = self._route(handler)
        planned = self.planned.get(route[0]) if route else None
        if not planned or planned[0] != CUT:
            return False
        planned.pop(0)
        self.gestures.append(f"{route[0]} {CUT}")
        handler.rfile.read(int(handler.headers.get("Content-Length") or 0) // 2)
        return True

    # --- Qui est là -----------------------------------------------------------------------

    def _account(self, handler):
        return self.accounts.get((handler.headers.get("Authorization") or "").removeprefix("Bearer "))

    def _may_write(self, handler, name):
        """Dit si celui qui demande peut écrire dans `name` ; sinon, répond comme huggingface.co."""
        account = self._account(handler)
        if account is None:
            self.send(handler, b'{"error":"Invalid username or password."}', 401,
                      X_Error_Message="Invalid username or password.")
        elif name.removeprefix("datasets/").split("/")[0] != account:
            self.send(handler, b'{"error":"You don\'t have the rights"}', 403, X_Error_Message="no rights")
        return account is not None and name.removeprefix("datasets/").split("/")[0] == account

    def _found(self, handler, found):
        """Renvoie (clé, fichiers) du dépôt, ou répond qu'il n'existe pas à qui n'a pas le droit de le lire."""
        key = ("datasets/" if found["kind"] == "datasets" else "") + found["name"]
        hidden = key in self.private and self._account(handler) != found["name"].split("/", maxsplit=1)[0]
        if key not in self.repositories or hidden or (
                key.startswith("secret/") and handler.headers.get("Authorization") != "Bearer hf_bon"):
            code = 401 if key.startswith("secret/") else 404
            self.send(handler, b"{}", code, X_Error_Code="RepoNotFound", X_Error_Message="Repository not found")
            return key, None
        return key, self.repositories[key]

    # --- Écrire ---------------------------------------------------------------------------

    def _create(self, handler, _, body):
        asked = json.loads(body)
        key = ("datasets/" if asked.get("type") == "dataset" else "") + (
            f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"])
        if not self._may_write(handler, key):
            return
        answer = json.dumps({"url": f"{self.url}/{key}"}).encode()
        if key in self.repositories:
            self.send(handler, answer, 409, X_Error_Message="You already created this repo")
            return
        self.repositories[key] = {".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"}
        if asked["private"]:
            self.private.add(key)
        self.send(handler, answer)

    def _settings(self, handler, found, body):
        key, files = self._found(handler, found)
        if files is not None and self._may_write(handler, key):
            (self.private.add if json.loads(body)["private"] else self.private.discard)(key)
            self.send(handler, b"{}")

    def _yaml(self, handler, _, body):
        content = json.loads(body)["content"]
        known = re.search(r"^license: (cc-by-4.0|mit|other)$", content, re.M) or "license:" not in content
        if content.startswith("---\n") and known:
            self.send(handler, b'{"errors":[],"warnings":[]}')
        else:
            self.send(handler, b'{"errors":[{"message":"bad"}],"warnings":[]}', 400)

    def _preupload(self, handler, found, body):
        key, files = self._found(handler, found)
        if files is not None and self._may_write(handler, key):
            modes = [{"path": one["path"], "shouldIgnore": False,
                      "uploadMode": "lfs" if one["path"].endswith(LFS_SUFFIXES) else "regular"}
                     for one in json.loads(body)["files"]]
            self.send(handler, json.dumps({"files": modes}).encode())

    def _batch(self, handler, found, body):
        key, files = self._found(handler, found)
        asked = json.loads(body)
        if files is None or not self._may_write(handler, key):
            return
        assert "xet" not in asked["transfers"]
        objects = [{**one, "actions": {"upload": {"href": f"{self.url}/lfs/{one['oid']}?signature=secrete"},
                                       "verify": {"href": f"{self.url}/lfs/{one['oid']}/verify"}}}
                   if one["oid"] not in self.received else one for one in asked["objects"]]
        self.send(handler, json.dumps({"transfer": "basic", "objects": objects}).encode())

    def _put(self, handler, found, body):
        right = hashlib.sha256(body).hexdigest() == found["oid"] and "Authorization" not in handler.headers
        if right:
            self.received[found["oid"]] = body
        self.send(handler, status=200 if right else 400)

    def _verify(self, handler, found, body):
        asked = json.loads(body)
        right = len(self.received[found["oid"]]) == asked["size"]
        self.send(handler, b"{}", 200 if right else 400)

    def _commit(self, handler, found, body):
        key, files = self._found(handler, found)
        if files is None or not self._may_write(handler, key):
            return
        header, *lines = map(json.loads, body.splitlines())
        new = {}
        for line in lines:
            value = line["value"]
            new[value["path"]] = (base64.b64decode(value["content"]) if line["key"] == "file"
                                  else self.received[value["oid"]])
        files.update(new)
        self.commits.append((key, header["value"]["summary"], sorted(new)))
        self.send(handler, json.dumps({"commitUrl": f"{self.url}/{key}/commit/{COMMIT}", "commitOid": COMMIT}).encode())

    # --- Relire ---------------------------------------------------------------------------

    def _info(self, handler, found, _):
        key, files = self._found(handler, found)
        if files is not None:
            self.send(handler, json.dumps({
                "id": found["name"], "sha": COMMIT, "private": key in self.private, "tags": [], "downloads": 0,
                "cardData": {"license": "mit"}, "siblings": [{"rfilename": name} for name in files]}).encode())

    def _tree(self, handler, found, _):
        _, files = self._found(handler, found)
        if files is not None:
            assert parse_qs(urlsplit(handler.path).query) is not None
            self.send(handler, json.dumps([_entry(path, body) for path, body in files.items()
                                           if path.startswith(found["path"] or "")]).encode())

    def _paths(self, handler, found, body):
        _, files = self._found(handler, found)
        if files is not None:
            wanted = re.findall(r"paths=([^&]+)", unquote(body.decode())) or json.loads(body or b"{}").get("paths", [])
            self.send(handler, json.dumps([_entry(path, files[path]) for path in wanted if path in files]).encode())

    def _resolve(self, handler, found, _):
        _, files = self._found(handler, found)
        if files is None:
            return
        body = files.get(found["path"])
        if body is None:
            self.send(handler, status=404, X_Error_Code="EntryNotFound")
            return
        sent = body[:len(body) // 4] if found["path"] in self.truncated else body
        self.send(handler, sent, Content_Length=len(body), X_Repo_Commit=COMMIT,
                  ETag=f'"{hashlib.sha1(body).hexdigest()}"')


def _entry(path, body):
    return {"type": "file", "path": path, "size": len(body), "oid": hashlib.sha1(body).hexdigest()}


def _command_lines():
    """Renvoie les lignes de commande que montre « ps », là où /proc le permet."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found.add((process / "cmdline").read_bytes())
        except OSError:
            continue
    return found
