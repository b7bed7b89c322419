"""verify.py --machine : une ligne par chose à savoir, son remède, et un code de sortie."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from email.utils import formatdate
from types import SimpleNamespace

import pytest

from conftest import AURORE, CLOSED_PORT
from web_servers import HubServer
from workshop.checks import command, machine
from workshop.checks.machine import LOOK, NOT_READY, READY
from workshop.credentials import Token
from workshop.errors import WorkshopError

TOKEN = "hf_" + "a" * 34


@pytest.fixture(name="calm", autouse=True)
def _calm(monkeypatch):
    """Ni réseau, ni jeton, ni kit, à moins que le test n'en donne."""
    for name in ("AURORE_KIT", "AURORE_PORT", "AURORE_HOST", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GUTENBERG_MIRROR", CLOSED_PORT)
    monkeypatch.setenv("HF_ENDPOINT", CLOSED_PORT)
    monkeypatch.setattr(machine, "read_token", lambda: Token(None, ""))


class Catalogue(HubServer):
    """Un serveur qui a une heure, et qui connaît un jeton."""

    drift = 0

    def answer(self, handler):
        handler.date_time_string = lambda: formatdate(time.time() + self.drift, usegmt=True)
        if handler.path.startswith("/api/whoami"):
            right = handler.headers.get("Authorization") == f"Bearer {TOKEN}"
            self.send(handler, json.dumps({"name": "aurore-dupin"}).encode(), status=200 if right else 401)
        else:
            self.send(handler)


@pytest.fixture(name="catalogue")
def _catalogue(monkeypatch):
    with Catalogue() as server:
        monkeypatch.setenv("GUTENBERG_MIRROR", server.url)
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def called():
    """Les appels du bulletin, une fois finis."""
    calls = machine._Calls()  # pylint: disable=protected-access
    calls.wait()
    return calls


def test_it_says_a_line_each_and_its_code_is_for_a_script(monkeypatch, capsys):
    monkeypatch.setenv("AURORE_SOURCE", "embedded")
    lines = machine.look()
    assert [line.what for line in lines] == [
        "Python", "bibliothèques", "mémoire", "processeur", "disque", "aurore/data", "aurore/tokenizer",
        "aurore/model", "port 8080", "réseau", "horloge", "jeton"]
    assert all(bool(line.cure) == (line.state != READY) for line in lines)
    for state, code in ((READY, 0), (LOOK, 0), (NOT_READY, 1)):
        monkeypatch.setattr(machine, "look", lambda state=state: [machine.Line(state, "clavier", "en place", "Tapez.")])
        assert machine.main(["--machine"]) == code
        assert "clavier" in capsys.readouterr().out


def test_it_starts_without_any_library_and_without_tensorflow(tmp_path):
    aurore = tmp_path / "aurore"
    shutil.copytree(AURORE, aurore, ignore=shutil.ignore_patterns("data", "tokenizer", "model", "embedded",
                                                                  "__pycache__"))
    shutil.copy(machine.REQUIREMENTS, tmp_path)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    # -S : sans les bibliothèques.
    bare = subprocess.run([sys.executable, "-S", "-X", "importtime", aurore / "verify.py", "--machine"],
                          check=False, capture_output=True, encoding="utf-8",
                          env=environment | {"AURORE_SOURCE": "embedded", "PYTHONIOENCODING": "utf-8"})
    assert "tensorflow" not in bare.stderr and "numpy" not in bare.stderr
    assert bare.returncode == 1 and "Traceback" not in bare.stderr
    assert "manquent" in bare.stdout and "install.py" in bare.stdout


@pytest.mark.parametrize("version, state", [((3, 10), NOT_READY), ((3, 11), READY), ((3, 13), READY),
                                            ((3, 14), NOT_READY)])
def test_python(monkeypatch, version, state):
    monkeypatch.setattr(machine.sys, "version_info", (*version, 0))
    assert machine.python_version().state == state


def test_an_intel_mac_takes_docker(monkeypatch):
    monkeypatch.setattr(machine, "platform", SimpleNamespace(
        system=lambda: "Darwin", machine=lambda: "x86_64", python_version=lambda: "3.12.1"))
    assert "Docker" in machine.python_version().cure


@pytest.mark.parametrize("size, state", [(16e9, READY), (7.6e9, READY), (5e9, LOOK), (2e9, NOT_READY), (None, LOOK)])
def test_memory(monkeypatch, size, state):
    monkeypatch.setattr(machine, "total_memory", lambda: size)
    assert machine.memory().state == state


def test_the_memory_of_this_machine_is_believable():
    assert 1e8 < machine.total_memory() < 1e14


@pytest.mark.parametrize("known, state", [({"avx", "avx2"}, READY), ({"avx"}, LOOK), ({"sse"}, NOT_READY),
                                          (None, LOOK)])
def test_processor(monkeypatch, known, state):
    monkeypatch.setattr(machine.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(machine, "instructions", lambda: known)
    assert machine.processor().state == state


def test_a_processor_of_another_kind_has_no_avx_and_needs_none(monkeypatch):
    monkeypatch.setattr(machine.platform, "machine", lambda: "arm64")
    assert machine.processor().state == READY


@pytest.mark.parametrize("free, missing, state", [
    (6e9, {"tensorflow": None}, READY), (3e9, {"tensorflow": None}, NOT_READY), (3e9, {}, READY), (1e9, {}, NOT_READY)])
def test_disk(monkeypatch, free, missing, state):
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    assert machine.disk(missing).state == state


def test_libraries_of_another_version_are_named(monkeypatch, tmp_path):
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("pytest==0.1 \\\n    --hash=sha256:00\nabsente==1 \\\n    --hash=sha256:00\n"
                            "ailleurs==1 ; sys_platform == 'amiga' \\\n    --hash=sha256:00\n", encoding="utf-8")
    monkeypatch.setattr(machine, "REQUIREMENTS", requirements)
    wrong = machine.missing_libraries()
    assert wrong == {"pytest": pytest.__version__, "absente": None}
    assert "absente" in machine.libraries(wrong).seen and machine.libraries(wrong).state == NOT_READY
    assert machine.libraries({}).state == READY


def test_a_folder_that_does_not_exist_yet_is_made_by_its_parent(tmp_path):
    assert machine.writable(tmp_path / "pas" / "encore").state == READY
    assert not (tmp_path / "pas").exists()


def test_a_folder_one_cannot_write_in_is_said(monkeypatch, tmp_path):
    def refuse(**_):
        raise PermissionError(13, "Permission denied")
    monkeypatch.setattr(machine.tempfile, "TemporaryFile", refuse)
    line = machine.writable(tmp_path)
    assert line.state == NOT_READY and ("chown" in line.cure or os.name == "nt")


def test_port(monkeypatch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("AURORE_PORT", str(other.getsockname()[1]))
        assert machine.port().state == NOT_READY and "8081" in machine.port().cure
    monkeypatch.setenv("AURORE_PORT", "douze")
    assert machine.port().state == NOT_READY


@pytest.mark.parametrize("mode, state", [("auto", LOOK), ("network", NOT_READY), ("embedded", READY)])
def test_without_network_the_rule_chosen_decides(monkeypatch, mode, state):
    monkeypatch.setenv("AURORE_SOURCE", mode)
    assert machine.network(called()).state == state


def test_a_network_that_answers(catalogue):
    assert machine.network(called()).state == READY and set(catalogue.requests) == {"/"}


def test_embedded_calls_nobody(monkeypatch, catalogue):
    monkeypatch.setenv("AURORE_SOURCE", "embedded")
    monkeypatch.setattr(machine, "read_token", lambda: Token(TOKEN, ""))
    called()
    assert not catalogue.requests


def test_a_kit_that_does_not_answer_is_not_ready_and_never_sees_the_token(monkeypatch, catalogue):
    monkeypatch.setenv("AURORE_KIT", CLOSED_PORT)
    monkeypatch.setattr(machine, "read_token", lambda: Token(TOKEN, ""))
    called()
    assert not [path for path in catalogue.requests if "whoami" in path]
    monkeypatch.setenv("GUTENBERG_MIRROR", CLOSED_PORT)
    line = machine.network(called())
    assert (line.state, line.what) == (NOT_READY, "kit") and "AURORE_KIT" in line.cure


def test_a_mute_server_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(machine, "PATIENCE", 0.2)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{mute.getsockname()[1]}")
        assert machine.network(called()).state == LOOK


@pytest.mark.parametrize("drift, state", [(0, READY), (600, READY), (-86400, NOT_READY), (86400 * 365, NOT_READY)])
def test_the_clock_agrees_with_a_server(catalogue, drift, state):
    catalogue.drift = drift
    assert machine.clock(called()).state == state


def test_without_network_the_clock_is_at_least_not_before_the_project(monkeypatch):
    assert machine.clock(called()).state == READY
    monkeypatch.setattr(machine.Identity, "read", lambda folder: SimpleNamespace(date="2999-01"))
    assert machine.clock(called()).state == NOT_READY


@pytest.mark.parametrize("value, reached, state", [
    (None, False, READY), (TOKEN, False, READY), ("hf_court", False, NOT_READY), ("pas un jeton", False, NOT_READY),
    (TOKEN, True, READY), ("hf_" + "b" * 34, True, NOT_READY)])
def test_token(monkeypatch, request, value, reached, state):
    if reached:
        request.getfixturevalue("catalogue")
    monkeypatch.setattr(machine, "read_token", lambda: Token(value, "Le jeton vient d'ici."))
    line = machine.token(called())
    assert line.state == state and (value is None or value not in str(line))
    assert ("aurore-dupin" in line.seen) == (reached and state == READY)


def test_it_is_alone_on_its_line_and_close_to_what_one_mistypes():
    with pytest.raises(WorkshopError, match="s'emploie seul"):
        machine.main(["3", "--machine"])
    with pytest.raises(WorkshopError, match="vouliez-vous --machine"):
        command.main(["--machin"])
