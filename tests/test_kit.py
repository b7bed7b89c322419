"""La clé de la salle : faite, reprise, vérifiée, installée sans réseau, servie à dix personnes."""

import ast
import hashlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError

from conftest import AURORE
from kits import BIG, COMMIT, MODEL, IndexServer, make_kit, make_wheel, requirement, served_kit
from workshop.errors import WorkshopError
from workshop.exercises import exercise
from workshop.kit import command, contents, fetch, install, models, package_index, project, server, targets, wheels
from workshop.kit.manifest import Manifest

LINUX = targets.Target("linux", "3.11")
WINDOWS = targets.Target("windows", "3.12")


@pytest.fixture(name="kit")
def _kit(tmp_path):
    return make_kit(tmp_path / "kit")


@pytest.fixture(name="address")
def _address(kit):
    with served_kit(kit) as address:
        yield address


@pytest.fixture(name="index")
def _index(tmp_path, monkeypatch):
    """Un index d'un gros paquet pour tous, d'un autre pour Linux, et d'un troisième que pip ne sait pas lire."""
    monkeypatch.setattr(fetch, "FIRST_PAUSE", 0.01)
    folder = tmp_path / "index"
    make_wheel(folder, "bonjour", body=BIG)
    make_wheel(folder, "vite", "cp311-cp311-manylinux_2_27_x86_64")
    with IndexServer(folder) as index:
        monkeypatch.setenv("PIP_INDEX_URL", f"{index.url}/simple/")
        yield index


def gather_wheels(kit, index, *wanted, marker=""):
    """Prend les deux paquets de l'index pour ces machines ; renvoie (Part, Manifest)."""
    text = "".join(requirement(path, marker=marker if path.name.startswith("vite") else "")
                   for path in sorted(index.folder.glob("*.whl")))
    kit.mkdir(exist_ok=True)
    manifest = Manifest.read(kit)
    part = wheels.plan(kit, manifest, targets.pins(text), wanted)
    part.gather(kit, manifest)
    manifest.write(kit)
    return part, manifest


# --- Faire un kit --------------------------------------------------------------------------

def test_a_marker_answers_for_the_other_machine_and_not_for_this_one():
    pins = targets.pins("a==1 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"
                        "b==2 ; python_full_version >= '3.12' \\\n    --hash=sha256:11 \\\n    --hash=sha256:22\n"
                        "    # via c\nc==3 ; platform_machine == 'arm64' --hash=sha256:33\n")
    wanted = {str(target): [pin.requirement.name for pin in pins if target.wants(pin)]
              for target in targets.chosen(("linux", "macos", "windows"), ("3.11", "3.12"))}
    assert wanted == {"linux 3.11": [], "linux 3.12": ["b"], "macos 3.11": ["c"], "macos 3.12": ["b", "c"],
                      "windows 3.11": ["a"], "windows 3.12": ["a", "b"]}
    assert pins[1].version == "2" and pins[1].hashes == {"11", "22"}


@pytest.mark.parametrize("target, best", [
    (LINUX, "p-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"),
    (targets.Target("linux", "3.13"), "p-1.0-cp312-abi3-manylinux_2_28_x86_64.whl"),
    (WINDOWS, "p-1.0-cp312-cp312-win_amd64.whl"),
    (targets.Target("macos", "3.12"), "p-1.0-cp312-cp312-macosx_11_0_arm64.whl"),
    (targets.Target("macos", "3.11"), "p-1.0-py3-none-any.whl"),
])
def test_each_machine_gets_the_file_pip_would_choose(target, best):
    names = ["p-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "p-1.0-py3-none-any.whl",
             "p-1.0-cp311-cp311-manylinux_2_34_x86_64.whl", "p-1.0-cp312-cp312-win_amd64.whl",
             "p-1.0-cp312-cp312-macosx_11_0_arm64.whl", "p-1.0-cp312-cp312-macosx_14_0_arm64.whl",
             "p-1.0-cp312-abi3-manylinux_2_28_x86_64.whl", "p-1.0.tar.gz",
             "p-2.0-cp311-cp311-manylinux_2_17_x86_64.whl"]
    files = [package_index.IndexFile(name, "", "00", 1) for name in names]
    files.append(package_index.IndexFile("p-1.0-cp313-cp313-manylinux_2_17_x86_64.whl", "", "une autre empreinte", 1))
    pin = targets.pins("p==1.0 --hash=sha256:00\n")[0]
    assert wheels._best(files, pin, target.tags()).name == best  # pylint: disable=protected-access


@pytest.mark.parametrize("as_json", [True, False])
def test_packages_are_gathered_with_their_weight_told_before(tmp_path, index, as_json):
    index.as_json = as_json
    part, manifest = gather_wheels(tmp_path / "kit", index, LINUX)
    weights = [path.stat().st_size for path in index.folder.glob("*.whl")]
    assert (part.size, part.unknown) == ((sum(weights), 0) if as_json else (0, 2))
    assert manifest.targets == ["linux 3.11"] and not part.missing
    entry = manifest.files["wheels/bonjour-1.0-py3-none-any.whl"]
    assert entry.licence == "MIT" and entry.source == f"{index.url}/files/bonjour-1.0-py3-none-any.whl"
    assert command.check(tmp_path / "kit") == 0


def test_a_package_without_a_file_for_a_machine_is_said_and_stops_nothing(tmp_path, index):
    part, manifest = gather_wheels(tmp_path / "kit", index, LINUX, WINDOWS)
    assert not part.missing and manifest.targets == ["linux 3.11"]
    assert "windows 3.12" in part.remarks[0] and "vite" in part.remarks[0]
    part, manifest = gather_wheels(tmp_path / "kit", index, WINDOWS, marker=" ; sys_platform == 'linux'")
    assert "windows 3.12" in manifest.targets and not part.remarks


def test_a_cut_is_resumed_where_it_was(tmp_path, index):
    name = "bonjour-1.0-py3-none-any.whl"
    index.cuts[name] = 2
    part, _ = gather_wheels(tmp_path / "kit", index, LINUX)
    starts = [start for file, start in index.ranges if file == name]
    assert not part.missing and len(starts) == 3 and starts == sorted(set(starts)) and starts[0] == 0


def test_a_kit_cut_for_good_says_so_keeps_what_came_and_takes_only_the_rest_next_time(tmp_path, index):
    name = "bonjour-1.0-py3-none-any.whl"
    index.cuts[name] = fetch.ATTEMPTS
    part, manifest = gather_wheels(tmp_path / "kit", index, LINUX)
    assert "bonjour" in part.missing[0] and not manifest.targets
    assert not (tmp_path / "kit" / "wheels" / name).exists(), "un fichier coupé n'a pas son nom"
    index.ranges.clear()
    part, manifest = gather_wheels(tmp_path / "kit", index, LINUX)
    ((_, start),) = [asked for asked in index.ranges if asked[0] == name]
    assert start > 0 and not part.missing and manifest.targets == ["linux 3.11"]
    index.ranges.clear()
    part, _ = gather_wheels(tmp_path / "kit", index, LINUX)
    assert not index.ranges and part.size == 0 and part.here > len(BIG)


def test_a_file_that_is_not_the_locked_one_is_refused(tmp_path, index):
    def swap(handler):
        if handler.path.startswith("/files/bonjour"):
            index.send(handler, b"tout autre chose")
        else:
            IndexServer.answer(index, handler)
    index.answer = swap
    part, manifest = gather_wheels(tmp_path / "kit", index, LINUX)
    assert "bonjour" in part.missing[0] and "empreinte" in part.missing[0] and not manifest.targets
    assert [path.name for path in (tmp_path / "kit" / "wheels").iterdir()] == ["vite-1.0-cp311-cp311-"
                                                                              "manylinux_2_27_x86_64.whl"]


def test_an_index_out_of_reach_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    part = wheels.plan(tmp_path, Manifest(), targets.pins("a==1 --hash=sha256:00\n"), [LINUX])
    assert "l'index ne répond pas" in part.missing[0]


def test_the_password_of_a_private_index_is_not_in_the_manifest():
    url = "https://moi:secret@index.example/files/a.whl?jeton=secret#secret"
    assert package_index.without_credentials(url) == "https://index.example/files/a.whl"


def test_the_index_is_the_one_of_pip(monkeypatch, tmp_path):
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    settings = tmp_path / "pip.conf"
    settings.write_text("[global]\nindex-url = http://127.0.0.1:9/miroir/simple/\n", encoding="utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    assert package_index.index_url() == "http://127.0.0.1:9/miroir/simple"
    settings.write_text("", encoding="utf-8")
    assert re.fullmatch(r"https://[a-z.]+/simple", package_index.index_url()), "celui d’usage"


def test_the_contents_are_read_in_the_lessons():
    books = contents.books()
    assert len(books) == 9 and books["La Mare au Diable"].endswith("/files/23582/23582-0.txt")
    assert contents.model_name() == "benjamin/gpt2-wechsel-french"


@pytest.mark.parametrize("arguments", [["--platforms", "amiga"], ["--pythons", "2.7"], ["--gateau"],
                                       ["serve", "--port", "douze"], ["--check", "/nulle/part"]])
def test_a_command_that_cannot_be_understood_is_answered_in_french(arguments):
    with pytest.raises(WorkshopError, match=r"kit\.py|choisissez parmi"):
        command.main(arguments, "l'aide")


# --- Le réseau -----------------------------------------------------------------------------

def plan_model(kit, hub_server, name=MODEL):
    """Prépare le réseau `name` depuis le catalogue de l'essai."""
    del hub_server
    return models.plan(kit, Manifest.read(kit), name)


def test_a_network_is_gathered_at_a_revision_and_only_what_the_lessons_open(tmp_path, hub_server):
    hub_server.repositories[MODEL] = {"config.json": b"{}", "tokenizer.json": b"{}", "model.safetensors": BIG,
                                      "pytorch_model.bin": BIG, "README.md": b"une fiche"}
    manifest = Manifest()
    part = plan_model(tmp_path, hub_server)
    part.gather(tmp_path, manifest)
    names = {path.removeprefix(f"models/{MODEL}/") for path in manifest.files}
    assert names == {"config.json", "tokenizer.json", "model.safetensors", ".complete"} and not part.missing
    assert manifest.models[MODEL] == HfApi().model_info(MODEL).sha
    entry = manifest.files[f"models/{MODEL}/config.json"]
    assert entry.to == "aurore/data/cache/models/quelquun--gpt2-petit/config.json"
    manifest.write(tmp_path)
    assert command.check(tmp_path) == 0
    hub_server.repositories.clear()
    assert not plan_model(tmp_path, hub_server).missing, "ce qui est là n'est plus demandé"


def test_a_network_cut_or_unknown_is_named(tmp_path, hub_server):
    assert "n'existe pas" in plan_model(tmp_path, hub_server).missing[0]
    hub_server.repositories[MODEL] = {"config.json": b"{}", "model.safetensors": BIG}
    part, manifest = plan_model(tmp_path, hub_server), Manifest()
    hub_server.failure = 503
    part.gather(tmp_path, manifest)
    assert "s'est interrompu" in part.missing[0] and not manifest.models
    assert "ne répond pas" in plan_model(tmp_path, hub_server).missing[0]


# --- Le projet -----------------------------------------------------------------------------

@pytest.fixture(name="root")
def _root(tmp_path):
    """Un petit projet, où quelqu'un a déjà travaillé."""
    root = tmp_path / "projet"
    (root / "aurore" / "data").mkdir(parents=True)
    shutil.copy(AURORE / "4_generate_solution.py", root / "aurore")
    (root / "aurore" / "4_generate.py").write_text("mes réponses", encoding="utf-8")
    (root / "aurore" / "data" / "livre.txt").write_text("un livre", encoding="utf-8")
    (root / "aurore" / "credentials.ini").write_text(
        "[hugging_face]\nTOKEN=hf_" + "a" * 34 + "\nHUGGING_FACE_PSEUDO=moi\n[atelier]\nACCESS_CODE=berry\n",
        encoding="utf-8")
    (root / "README.md").write_text("lisez-moi", encoding="utf-8")
    return root


@pytest.mark.parametrize("with_git", [True, False])
def test_the_project_is_given_as_new_and_without_a_secret(tmp_path, root, with_git):
    kit = root / "kit"  # dans le projet, et pourtant pas dans le kit
    kit.mkdir()
    (kit / "vieux.txt").write_text("un kit d'avant", encoding="utf-8")
    if with_git:
        subprocess.run(["git", "init", "-q"], cwd=root, check=True)
        subprocess.run(["git", "add", "README.md", "aurore/4_generate.py", "aurore/4_generate_solution.py",
                        "aurore/credentials.ini"], cwd=root, check=True)
    manifest = Manifest()
    part = project.plan(kit, root)
    part.gather(kit, manifest)
    del tmp_path
    given = {path.removeprefix("project/") for path in manifest.files if path.startswith("project/")}
    assert given == {"README.md", "aurore/4_generate.py", "aurore/4_generate_solution.py", "aurore/credentials.ini"}
    solution = (AURORE / "4_generate_solution.py").read_text(encoding="utf-8")
    assert (kit / "project/aurore/4_generate.py").read_text(encoding="utf-8") == exercise(solution)
    assert (kit / "project/aurore/credentials.ini").read_text(encoding="utf-8") == (
        "[hugging_face]\nTOKEN=XXXX\nHUGGING_FACE_PSEUDO=XXXX\n\n[atelier]\nACCESS_CODE=XXXX\n")
    everything = b"".join(path.read_bytes() for path in kit.rglob("*") if path.is_file())
    assert b"hf_aaaa" not in everything and b"berry" not in everything


def test_a_token_left_in_a_script_is_refused(tmp_path, root):
    (root / "essai.py").write_text("TOKEN = 'hf_" + "b" * 34 + "'", encoding="utf-8")
    part, manifest = project.plan(tmp_path / "kit", root), Manifest()
    part.gather(tmp_path / "kit", manifest)
    assert "essai.py" in part.missing[0] and "project/essai.py" not in manifest.files


# --- Vérifier ------------------------------------------------------------------------------

def test_check_finds_what_is_missing_spoiled_or_extra(kit, capsys):
    assert command.main(["--check", str(kit)], "") == 0
    book = kit / "books/files/1/1-0.txt"
    book.write_bytes(BIG[:1000] + bytes([BIG[1000] ^ 1]) + BIG[1001:])
    (kit / "project/aurore/verify.py").unlink()
    (kit / "virus.exe").write_bytes(b"!")
    capsys.readouterr()
    assert command.main(["--check", str(kit)], "") == 1
    said = capsys.readouterr().out
    assert [line.split() for line in said.splitlines() if line.startswith("  ") and "kit.py" not in line] == [
        ["abîmé", "books/files/1/1-0.txt"], ["manque", "project/aurore/verify.py"], ["en", "trop", "virus.exe"]]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"files": [{}]}', '{"files": 3}',
                                     '{"files": [{"path": "../x", "size": 1, "sha256": "", "source": "", '
                                     '"licence": ""}]}'])
def test_a_manifest_that_is_not_one_is_a_sentence(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(WorkshopError, match="abîmé"):
        Manifest.read(tmp_path)


# --- Servir --------------------------------------------------------------------------------

def raw(address, path, method="GET"):
    """Demande un chemin tel quel : requests et les navigateurs l'arrangeraient."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
    connection.putrequest(method, path, skip_host=False)
    connection.endheaders()
    return connection.getresponse()


@pytest.mark.parametrize("path", [
    "/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/books/../../secret.txt", "/dossier/secret.txt",
    "/books/%2e%2e/%2e%2e/secret.txt", "/files/../../../secret.txt", "/wheels/..%5c..%5csecret.txt", "/lien.txt",
    "//etc/passwd", "/etc/passwd",
    f"/{MODEL}/resolve/main/../../../../secret.txt", f"/{MODEL}/resolve/main/%2e%2e/%2e%2e/secret.txt",
    "/simple/..%2fsecret/", "/oublie.txt", "/books", "/books/", "/manifest.json/x", "/%00"])
def test_nothing_outside_the_kit_comes_out(kit, path):
    (kit.parent / "secret.txt").write_text("le secret", encoding="utf-8")
    (kit / "lien.txt").symlink_to(kit.parent / "secret.txt")
    (kit / "dossier").symlink_to(kit.parent)
    (kit / "oublie.txt").write_text("le secret", encoding="utf-8")
    manifest = Manifest.read(kit)
    manifest.add(kit, "lien.txt", source="", licence="")  # même nommé, un lien ne sort pas
    manifest.write(kit)
    with served_kit(kit) as address:
        answer = raw(address, path)
        assert answer.status in (404, 400) and b"le secret" not in answer.read()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_it_is_read_only(address, method):
    assert raw(address, "/books/files/1/1-0.txt", method).status == 405


def test_a_range_and_a_resumption_are_answered(address):
    url = f"{address}/files/1/1-0.txt"
    whole = requests.get(url, timeout=10)
    assert whole.content == BIG and whole.headers["Accept-Ranges"] == "bytes"
    assert requests.head(url, timeout=10).headers["Content-Length"] == str(len(BIG))
    tag = whole.headers["ETag"]
    part = requests.get(url, headers={"Range": "bytes=1000-1999", "If-Range": tag}, timeout=10)
    assert part.status_code == 206 and part.content == BIG[1000:2000]
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(BIG)}"
    changed = requests.get(url, headers={"Range": "bytes=1000-", "If-Range": '"un autre"'}, timeout=10)
    assert changed.status_code == 200 and changed.content == BIG
    assert requests.get(url, headers={"If-None-Match": tag}, timeout=10).status_code == 304
    assert requests.get(url, headers={"Range": f"bytes={len(BIG)}-"}, timeout=10).status_code == 416


def test_ten_clients_at_once_and_one_cut_in_the_middle(address):
    url, received = f"{address}/{MODEL}/resolve/main/model.safetensors", {}
    start = threading.Barrier(10)

    def client(number):
        start.wait()
        if number == 0:  # son Wi-Fi tombe au milieu, puis revient
            with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as cut:
                cut.sendall(f"GET /{MODEL}/resolve/main/model.safetensors HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                first = cut.recv(100_000).partition(b"\r\n\r\n")[2]
            rest = requests.get(url, headers={"Range": f"bytes={len(first)}-"}, timeout=20)
            assert rest.status_code == 206
            received[number] = first + rest.content
        else:
            received[number] = requests.get(url, timeout=20).content

    clients = [threading.Thread(target=client, args=(number,)) for number in range(10)]
    for one in clients:
        one.start()
    for one in clients:
        one.join(30)
    assert len(received) == 10 and set(received.values()) == {BIG[::-1]}


@pytest.mark.parametrize("mine, said", [(["192.168.0.10", "10.0.0.4"], "http://192.168.0.10"),
                                        ([], "http://127.0.0.1")])
def test_whoever_serves_the_kit_reads_what_the_room_must_type(address, monkeypatch, mine, said):
    monkeypatch.setattr(server, "addresses", lambda: mine)
    page = requests.get(address, timeout=10).text
    assert f"AURORE_KIT={said}:{address.rpartition(':')[2]}<" in page and all(other in page for other in mine)


def test_the_home_page_says_what_to_type(address, monkeypatch):
    monkeypatch.setattr(server, "addresses", lambda: [])
    page = requests.get(address, timeout=10)
    assert f"AURORE_KIT={address}" in page.text and f"install.py --kit {address}" in page.text and MODEL in page.text
    assert "docker load" not in page.text, "ce kit n'a pas d'image"
    assert requests.get(f"{address}/simple/", timeout=10).text.count("<a ") == 1
    assert requests.get(f"{address}/simple/inconnu/", timeout=10).status_code == 404


def test_pip_reads_the_index(kit, address, tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    process = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check",
         "--index-url", f"{address}/simple/", "--require-hashes", "--requirement", kit / "project/requirements.txt",
         "--target", tmp_path / "site"], check=False, capture_output=True, encoding="utf-8",
        env=environment | {"PIP_CONFIG_FILE": os.devnull})
    assert process.returncode == 0, process.stderr
    assert (tmp_path / "site" / "bonjour.py").is_file()


def test_the_client_of_hugging_face_downloads_from_the_kit(address, tmp_path):
    api = HfApi(endpoint=address, token=False)
    listing = api.model_info(MODEL)
    assert listing.sha == COMMIT and {file.rfilename for file in listing.siblings} == {"config.json",
                                                                                     "model.safetensors"}
    folder = snapshot_download(MODEL, endpoint=address, local_dir=tmp_path / "ici", token=False)
    assert (tmp_path / "ici" / "model.safetensors").read_bytes() == BIG[::-1]
    cached = snapshot_download(MODEL, endpoint=address, cache_dir=tmp_path / "cache", token=False)
    assert COMMIT in cached and folder
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("quelquun/inconnu")
    with pytest.raises(RevisionNotFoundError):
        snapshot_download(MODEL, revision="autre", endpoint=address, cache_dir=tmp_path / "x", token=False)
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download(MODEL, "absent.txt", cache_dir=tmp_path / "x")
    assert [file.path for file in api.list_repo_tree(MODEL)] == ["config.json", "model.safetensors"]


def test_the_command_serves_the_kit_and_says_where(kit, monkeypatch, capsys):
    served = []
    monkeypatch.setattr(server, "addresses", lambda: ["192.168.0.10"])
    monkeypatch.setattr(server, "create_server", lambda app, **settings: served.append(settings) or SimpleNamespace(
        run=lambda: None))
    assert command.main(["serve", str(kit), "--port", "8123"], "") == 0
    assert served[0]["port"] == 8123 and served[0]["threads"] >= 30
    assert "AURORE_KIT=http://192.168.0.10:8123" in capsys.readouterr().out


def test_the_addresses_are_those_the_room_can_type(monkeypatch):
    monkeypatch.setattr(server, "_OUTSIDE", ("127.0.0.1", 9))
    monkeypatch.setattr(server.socket, "gethostbyname_ex", lambda name: (name, [], ["127.0.1.1", "192.168.0.10"]))
    assert server.addresses() == ["192.168.0.10"]
    monkeypatch.setattr(server.socket, "gethostbyname_ex", lambda name: (name, [], ["127.0.1.1"]))
    assert not server.addresses()


def test_a_taken_port_is_a_sentence(kit):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(WorkshopError, match="--port 8001"):
            server.open_server(kit, taken.getsockname()[1])


# --- Installer -----------------------------------------------------------------------------

def run_installer(kit, home, *arguments):
    """Lance install.py comme sur un portable neuf : ni réglage de pip, ni réseau autre que la machine."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "HF_", "PYTHON"))}
    environment |= {"HOME": str(home), "USERPROFILE": str(home), "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
    return subprocess.run([sys.executable, kit / "install.py", *arguments], check=False, capture_output=True,
                          encoding="utf-8", env=environment, cwd=home)


@pytest.fixture(name="ready_kit")
def _ready_kit(kit):
    """Le petit kit, avec install.py et les paquets de cette machine-ci."""
    shutil.copyfile(install.__file__, kit / "install.py")
    manifest = Manifest.read(kit)
    manifest.add(kit, "install.py", source="", licence="")
    manifest.targets = [install.target() or pytest.skip("L'atelier n'a pas de paquets pour cette machine.")]
    manifest.write(kit)
    return kit


def test_install_makes_a_working_atelier_and_finishes_what_is_missing(ready_kit, tmp_path, monkeypatch):
    monkeypatch.setattr(install, "ROOM", 0)
    process = run_installer(ready_kit, tmp_path)
    said = process.stdout + process.stderr
    assert process.returncode == 0, said
    root = tmp_path / "atelier"
    assert "pret True ['--machine']" in said and f'cd "{root}"' in said
    assert (root / "aurore/data/books/1-0.txt").read_bytes() == BIG
    assert (root / f"aurore/data/cache/models/{MODEL}/.complete").is_file()
    assert (root / ".venv" / "atelier-installed").is_file()
    (root / "aurore/1_prepare_dataset.py").write_text("ma réponse", encoding="utf-8")
    (root / "aurore/data/books/1-0.txt").unlink()
    with served_kit(ready_kit) as address:  # et, cette fois, depuis le portable qui sert le kit
        process = run_installer(ready_kit, tmp_path, "--kit", address, str(root))
    assert process.returncode == 0, process.stdout + process.stderr
    assert (root / "aurore/1_prepare_dataset.py").read_text(encoding="utf-8") == "ma réponse"
    assert (root / "aurore/data/books/1-0.txt").read_bytes() == BIG
    assert "1 fichier(s) déjà là" in process.stdout


def refusal(capsys, *arguments):
    """Ce que répond install.py quand il refuse."""
    assert install.main(arguments) == 2
    said = capsys.readouterr().out
    assert "\nERREUR. " in said and "Traceback" not in said
    return said


def test_a_wrong_python_is_a_sentence(ready_kit, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(install.shutil, "which", lambda name: None)
    monkeypatch.setattr(install.sys, "version_info", (3, 9, 2))
    assert "Python est le 3.9" in refusal(capsys, "--kit", str(ready_kit), str(tmp_path / "x"))
    monkeypatch.setattr(install.sys, "version_info", (3, 13, 0))
    monkeypatch.setattr(install.platform, "system", lambda: "Plan9")
    assert "Ce kit n'a pas les paquets de cette machine (Plan9" in refusal(
        capsys, "--kit", str(ready_kit), str(tmp_path / "x"))
    assert not (tmp_path / "x").exists()


def test_any_python_can_read_the_installer():
    source = Path(install.__file__).read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 4))
    assert source.startswith("# -*- coding: utf-8 -*-\n")
    assert not [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.JoinedStr, ast.AnnAssign))]
    imported = {alias.name.split(".")[0] for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import)
                for alias in node.names}
    assert imported <= sys.stdlib_module_names


def test_a_spoiled_or_absent_kit_is_a_sentence(ready_kit, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(install, "ROOM", 0)
    assert "Il n'y a pas de kit" in refusal(capsys, "--kit", str(tmp_path / "rien"))
    assert "Il n'y a pas de kit" in refusal(capsys, "--kit", "http://127.0.0.1:9")
    (ready_kit / "books/files/1/1-0.txt").write_bytes(BIG[:-1] + b"!")
    assert "books/files/1/1-0.txt du kit est abîmé" in refusal(capsys, "--kit", str(ready_kit), str(tmp_path / "x"))
    assert not (tmp_path / "x/aurore/data/books/1-0.txt").exists()


@pytest.mark.skipif(os.name == "nt", reason="le faux Docker est un script de shell")
def test_docker_replaces_a_python_that_does_not_fit(ready_kit, tmp_path, monkeypatch, capfd):
    (ready_kit / "image").mkdir()
    (ready_kit / "image/text-gen.tar").write_bytes(b"une image")
    manifest = Manifest.read(ready_kit)
    manifest.add(ready_kit, "image/text-gen.tar", source="", licence="")
    manifest.write(ready_kit)
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(f'#!/bin/sh\necho "docker $@" >> {tmp_path}/appels\n[ "$1" = load ] && cat > {tmp_path}/image\n'
                      "exit 0\n", encoding="utf-8")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{docker.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(install, "ROOM", 0)
    monkeypatch.setattr(install.sys, "version_info", (3, 9, 2))
    assert install.main(["--kit", str(ready_kit), str(tmp_path / "x")]) == 0
    assert (tmp_path / "image").read_bytes() == b"une image" and "Docker le remplace" in capfd.readouterr().out
    assert "docker run" in (tmp_path / "appels").read_text(encoding="utf-8")


def test_the_manifest_says_all_of_each_file(kit):
    for entry in json.loads((kit / "manifest.json").read_text(encoding="utf-8"))["files"]:
        path = kit / entry["path"]
        assert entry["size"] == path.stat().st_size and entry["source"] and entry["licence"]
        assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
