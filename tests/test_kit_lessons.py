"""Le kit et les leçons : un kit fait depuis de petits serveurs, puis l'étape 1 et un réseau qui viennent de lui."""

import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from conftest import AURORE
from gutenberg_files import PROSE, File
from kits import COMMIT, IndexServer, make_wheel, requirement, served_kit
from workshop.kit import books, command, contents, fetch, gather, models, project, targets, wheels
from workshop.kit.manifest import Manifest
from workshop.learning import sharing

NETWORK = "quelquun/gpt2-petit"


@pytest.fixture(name="project_root")
def _project_root(tmp_path):
    root = tmp_path / "projet"
    (root / "aurore").mkdir(parents=True)
    (root / "aurore" / "leçon.py").write_text("print('bonjour')", encoding="utf-8")
    return root


@pytest.fixture(name="sources")
def _sources(tmp_path, monkeypatch, book_server, hub_server, project_root):
    """Les neuf adresses de l'étape 1, un réseau et un paquet, sur de petits serveurs ; renvoie celui des livres."""
    for url in contents.books().values():
        text = File().text(f"{PROSE}\n\nCe livre est {url}, dit la meunière.")
        book_server.files[urlsplit(url).path] = text.encode()
    folder = AURORE / "embedded" / "base_model"
    hub_server.repositories[NETWORK] = {path.name: path.read_bytes() for path in folder.iterdir()}
    index = tmp_path / "index"
    lock = tmp_path / "requirements.txt"
    lock.write_text(requirement(make_wheel(index)), encoding="utf-8")
    monkeypatch.setattr(wheels, "REQUIREMENTS", lock)
    monkeypatch.setattr(contents, "model_name", lambda: NETWORK)
    monkeypatch.setattr("workshop.downloads.BOOKS", tmp_path / "cache")
    monkeypatch.setattr("workshop.downloads.FIRST_PAUSE", 0.01)
    monkeypatch.setattr(fetch, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(project.plan, "__defaults__", (project_root,))
    monkeypatch.setenv("GUTENBERG_MIRROR", book_server.url)
    monkeypatch.setenv("PATH", str(tmp_path))  # ni git, ni Docker
    with IndexServer(index) as server:
        monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
        book_server.index = server
        yield book_server


def gathered(kit):
    """Fait le kit, pour Linux et Python 3.11."""
    return gather.gather(kit, [], [targets.Target("linux", "3.11")])


def test_a_whole_kit_is_made_then_nothing_is_asked_again(tmp_path, sources, hub_server, capsys):
    kit = tmp_path / "kit"
    assert gathered(kit) == 0
    said = capsys.readouterr().out
    assert "en tout" in said and said.index("à prendre") < said.index("Les livres..."), "le poids est dit avant"
    assert "linux 3.11" in said and "Docker n'est pas ici" in said
    manifest = Manifest.read(kit)
    assert manifest.targets == ["linux 3.11"] and NETWORK in manifest.models
    mare = manifest.files["books/files/23582/23582-0.txt"]
    assert mare.source == "https://www.gutenberg.org/files/23582/23582-0.txt" and "domaine public" in mare.licence
    assert mare.to == "aurore/data/books/la_mare_au_diable_23582-0.txt"
    assert command.check(kit) == 0
    sources.requests.clear()
    hub_server.requests.clear()
    assert gathered(kit) == 0
    assert not sources.requests and not hub_server.requests


@pytest.mark.parametrize("cut", [1, 2, 4])
def test_connections_cut_once_leave_a_whole_kit(tmp_path, sources, hub_server, cut):
    hub_server.cuts = {cut}
    sources.index.cuts = {"bonjour": 1, "bonjour-1.0-py3-none-any.whl": 1}
    assert gathered(tmp_path / "kit") == 0 and len(hub_server.requests) > cut
    assert not any(sources.index.cuts.values()), "tout a bien été coupé"


def test_what_cannot_be_had_is_named_and_the_rest_is_kept(tmp_path, sources, hub_server, capsys):
    lost = "/files/23582/23582-0.txt"
    body = sources.files.pop(lost)
    hub_server.failure = 503
    kit = tmp_path / "kit"
    assert gathered(kit) == 1
    missing = capsys.readouterr().out.partition("IL MANQUE")[2]
    assert "La Mare au Diable" in missing and NETWORK in missing
    assert sum(path.startswith("books/") for path in Manifest.read(kit).files) == 8
    sources.files[lost], hub_server.failure = body, None
    sources.requests.clear()
    assert gathered(kit) == 0
    assert set(sources.requests) == {lost}, "seul ce qui manquait est demandé"


def test_embedded_and_a_kit_do_not_go_together(tmp_path, monkeypatch):
    monkeypatch.setenv("AURORE_SOURCE", "embedded")
    with pytest.raises(Exception, match="interdit toute connexion"):
        gathered(tmp_path / "kit")


def test_nothing_is_shared_through_a_kit(monkeypatch):
    monkeypatch.setenv("AURORE_KIT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", "hf_" + "c" * 34)
    with pytest.raises(sharing.NotSent, match="Retirez cette variable"):
        sharing.check(True)


@pytest.fixture(name="room")
def _room(tmp_path):
    """L'adresse d'un kit de neuf petits livres et d'un réseau, servi."""
    kit, manifest = tmp_path / "servi", Manifest(models={NETWORK: COMMIT})
    files = {books.path_of(url): File().text(PROSE + f"\n\nCe livre est le {rank}e, dit la meunière.").encode()
             for rank, url in enumerate(contents.books().values())}
    folder = AURORE / "embedded" / "base_model"
    files |= {f"{models.FOLDER}/{NETWORK}/{path.name}": path.read_bytes() for path in folder.iterdir()}
    for path, content in files.items():
        (kit / path).parent.mkdir(parents=True, exist_ok=True)
        (kit / path).write_bytes(content)
        manifest.add(kit, path, source="l'essai", licence="MIT")
    manifest.write(kit)
    with served_kit(kit) as address:
        yield address


def test_lesson_1_takes_its_books_from_the_room(atelier, room):
    process = atelier.run("1_prepare_dataset_solution.py", AURORE_SOURCE="network", GUTENBERG_MIRROR="", HF_ENDPOINT="",
                          AURORE_KIT=room.removeprefix("http://"))
    assert process.returncode == 0, process.stdout + process.stderr
    assert len(list((atelier.aurore / "data" / "books").glob("*.txt"))) == 9


def test_a_network_comes_from_the_room_and_no_token_goes_there(atelier, room):
    environment = atelier.environment(AURORE_SOURCE="network", GUTENBERG_MIRROR="", HF_ENDPOINT="", AURORE_KIT=room,
                                      HF_TOKEN="hf_" + "c" * 34)
    code = ("import sys; sys.path.insert(0, 'aurore')\nfrom workshop.learning import hub\nimport requests\n"
            "send = requests.Session.send\n"
            "def spy(self, request, **options):\n"
            "    assert 'authorization' not in {name.lower() for name in request.headers}, request.headers\n"
            "    return send(self, request, **options)\n"
            "requests.Session.send = spy\n"
            f"print(hub.local_copy({NETWORK!r}))\n")
    process = subprocess.run([sys.executable, "-c", code], cwd=atelier.folder, env=environment, check=False,
                             capture_output=True, encoding="utf-8")
    assert process.returncode == 0, process.stdout + process.stderr
    copy = atelier.aurore / "data" / "cache" / "models" / NETWORK.replace("/", "--")
    assert (copy / "model.safetensors").read_bytes() == (AURORE / "embedded/base_model/model.safetensors").read_bytes()
