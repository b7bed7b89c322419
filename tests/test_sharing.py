"""Publier sur Hugging Face ce qu'une étape a fait, et le rouvrir : avec le vrai client, et un catalogue à nous."""

import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas
import pytest
from datasets import Dataset, DatasetDict, load_from_disk
from huggingface_hub import constants
from transformers import AutoTokenizer

from conftest import ROOT, Atelier
from hub_uploads import CUT, PORTAL, SharingHub
from small_atelier import save_tiny_network
from web_servers import page_process
from workshop import credentials
from workshop.artefacts import newest_model
from workshop.errors import WorkshopError
from workshop.identity import ExamScore, Identity
from workshop.learning import cards, hub, sharing
from workshop.paths import BASE_MODEL
from workshop.sources import embedded_books

KINDS = {"data": "datasets/jeanne/aurore-data", "tokenizer": "jeanne/aurore-tokenizer", "model": "jeanne/aurore-model"}
INI = "[hugging_face]\nTOKEN=hf_bon\nHUGGING_FACE_PSEUDO=jeanne\n"
PLANTED = "hf_bon"


@pytest.fixture(scope="module", name="house")
def _house(tmp_path_factory):
    """Le dossier aurore/ d'une personne qui a fait les trois étapes, en petit."""
    aurore = tmp_path_factory.mktemp("aurore")
    (aurore / "data" / "cache" / "models").mkdir(parents=True)
    (aurore / "data" / "books").mkdir()
    (aurore / "data" / "books" / "livre.txt").write_text("Un livre entier.", encoding="utf-8")
    title, *_ = embedded_books("train")
    sentences = [f"La petite phrase numéro {rank} du conte." for rank in range(30)]
    rows = Dataset.from_dict({"text": sentences, "book": [title] * 30, "position": list(range(30)),
                              "sentence_length": [7] * 30})
    DatasetDict(train=rows, validation=rows.select(range(5)), test=rows.select(range(3))).save_to_disk(aurore / "data")
    (aurore / "data" / "sentence_lengths.png").write_bytes(b"\x89PNG une image")
    AutoTokenizer.from_pretrained(BASE_MODEL).save_pretrained(aurore / "tokenizer")
    network = aurore / "model" / "2026-07-01_09-05-00"
    shutil.copytree(BASE_MODEL, network)
    Identity("aurore-mini spécialisé", "2026-07-01T09:05:00", "aurore-mini",
             score=ExamScore("La Mare au Diable", 256, 1.139, 19.1)).write(network)
    (network / "README.md").write_text("# Mon réseau\n\nSa note : 1,139.\n", encoding="utf-8")
    return aurore


@pytest.fixture(scope="module", name="server")
def _server():
    with SharingHub() as server:
        yield server


@pytest.fixture(name="catalogue", autouse=True)
def _catalogue(server, house, tmp_path, monkeypatch):
    """Un catalogue vide, où Jeanne a un compte ; donne le serveur."""
    server.reset()
    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    monkeypatch.setattr("huggingface_hub.file_download.HUGGINGFACE_CO_URL_TEMPLATE",
                        server.url + "/{repo_id}/resolve/{revision}/{filename}")
    ini = tmp_path / "credentials.ini"
    ini.write_text(INI, encoding="utf-8")
    for name in ("read_token", "read_pseudo"):
        monkeypatch.setattr(sharing, name, lambda read=getattr(credentials, name): read(ini))
    monkeypatch.setattr(hub, "read_token", lambda: credentials.read_token(ini))
    monkeypatch.setattr(hub, "CACHE", tmp_path / "cache")
    for name in ("DATA", "TOKENIZER", "MODEL"):
        monkeypatch.setattr(sharing, name, house / name.lower())
    monkeypatch.setattr(sharing, "newest_model", lambda: house / "model" / "2026-07-01_09-05-00")
    monkeypatch.setattr(sharing, "KINDS", {name: kind._replace(folder=house / name)
                                           for name, kind in sharing.KINDS.items()})
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # ce que règle workshop, importé avant lui
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
    return server


def contents(folder):
    """{chemin: octets} de tout ce qui est sous `folder`."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_sent_is_read_back_byte_for_byte(catalogue, house, capsys, kind):
    before = contents(house)
    sharing.push(kind, True)
    sent = catalogue.repositories[KINDS[kind]]
    card = sent["README.md"].decode()
    local = house / "model" / "2026-07-01_09-05-00" if kind == "model" else house / kind
    for name, body in sent.items():
        if name.endswith(".parquet"):
            rows = load_from_disk(local)[name.removesuffix(".parquet")]
            assert pandas.read_parquet(io.BytesIO(body)).to_dict("list") == rows.to_dict()
        elif name not in ("README.md", ".gitattributes"):
            assert body == (local / name).read_bytes(), name
    assert {"data": {"train.parquet", "validation.parquet", "test.parquet", "sentence_lengths.png"},
            "tokenizer": {"tokenizer.json", "tokenizer_config.json"},
            "model": {"model.safetensors", "config.json", "tokenizer.json", "network.json", "readings.tsv"}
            }[kind] <= set(sent)
    assert not [name for name in sent if "livre" in name or "cache" in name]
    for said in ("license: cc-by-4.0", "language: fr", "## Licence", "## L'ouvrir", "TensorFlow", "PyTorch",
                 f"jeanne/aurore-{kind}"):
        assert said in card, said
    assert contents(house) == before, "l'envoi a touché aux artefacts"
    assert KINDS[kind] in catalogue.private and "en privé" in capsys.readouterr().out
    assert len(catalogue.commits) == 1


def test_a_second_push_and_a_change_of_mind(catalogue, capsys):
    """Le dépôt existe déjà (409) : un commit de plus. « public » l'ouvre ; True le referme avant d'y rien mettre."""
    for wanted, private in ((True, True), ("public", False), ("public", False), (True, True)):
        sharing.push("tokenizer", wanted)
        assert (KINDS["tokenizer"] in catalogue.private) is private
        assert ("pour tout le monde" in capsys.readouterr().out) is not private
    assert catalogue.gestures.count("settings") == 2
    catalogue.private.discard(KINDS["tokenizer"])
    catalogue.gestures.clear()
    sharing.push("tokenizer", True)
    assert catalogue.gestures.index("settings") < catalogue.gestures.index("preupload")


@pytest.mark.parametrize("gesture, behaviours, sentence", [
    ("create", [401], "ne reconnaît pas ce jeton"),
    ("create", [403, None], "n'a pas le droit d'écrire chez « jeanne »"),
    ("commit", [403], "n'a pas le droit d'écrire chez « jeanne »"),
    ("create", [429], "trop de demandes"),
    ("commit", [429], "trop de demandes"),
    ("create", [500], "est en panne (réponse 500)"),
    ("put", [503] * 6, "est en panne (réponse 503)"),
    ("batch", [413], "refuse l'envoi (réponse 413)"),
    ("verify", [400], "refuse l'envoi (réponse 400)"),
    ("yaml", [PORTAL], "n'est pas Hugging Face"),
    ("create", [PORTAL], "n'est pas Hugging Face"),
    ("create", [CUT], "la connexion s'est coupée"),
    ("put", [CUT] * 6, "la connexion s'est coupée"),
    ("commit", [CUT], "la connexion s'est coupée"),
])
def test_a_refusal_is_a_sentence_and_nothing_is_lost(catalogue, house, gesture, behaviours, sentence):
    before = contents(house)
    catalogue.planned[gesture] = list(behaviours)
    with pytest.raises(WorkshopError) as refusal:
        sharing.push("model", True)
    said = str(refusal.value)
    assert sentence in said and "Ensuite, tapez :  python aurore/share.py model" in said and PLANTED not in said
    assert len(said.splitlines()) == 2
    assert contents(house) == before and not catalogue.commits
    assert set(catalogue.repositories.get(KINDS["model"], {})) <= {".gitattributes"}, "un morceau est visible"
    catalogue.planned.clear()
    sharing.push("model", True)  # ce que la phrase dit de taper suffit
    assert len(catalogue.commits) == 1


def test_a_connection_cut_once_is_taken_up_again(catalogue):
    catalogue.planned["put"] = [CUT, 502]
    sharing.push("model", True)
    weights = (BASE_MODEL / "model.safetensors").read_bytes()
    assert catalogue.repositories[KINDS["model"]]["model.safetensors"] == weights
    assert catalogue.gestures.count(f"put {CUT}") == 1


@pytest.mark.parametrize("why", ["no server", "offline"])
def test_without_a_network_nobody_waits(catalogue, monkeypatch, why):
    if why == "no server":
        monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    else:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(sharing.NotSent, match="injoignable.*\n.*python aurore/share.py model public"):
        sharing.push("model", "public")
    assert not catalogue.gestures


def test_the_embedded_mode_sends_nothing(catalogue, monkeypatch):
    monkeypatch.setenv("AURORE_SOURCE", "embedded")
    with pytest.raises(sharing.NotSent, match="Retirez cette variable.\nEnsuite, tapez :  python aurore/share.py data"):
        sharing.push("data", True)
    assert not catalogue.requests


@pytest.mark.parametrize("ini, sentence", [
    (None, "n'existe pas ; créez-le"),
    ("[hugging_face]\nTOKEN=XXXX\nHUGGING_FACE_PSEUDO=jeanne\n", "Mettez votre jeton"),
    ("[hugging_face]\nTOKEN=hf_bon\nHUGGING_FACE_PSEUDO=XXXX\n", "Mettez votre pseudo"),
    ("[hugging_face]\nTOKEN=hf_bon\n", "mal écrit"),
    ("[hugging_face]\nTOKEN=hf_bon\nHUGGING_FACE_PSEUDO=jeanne/../luc\n", "Corrigez la ligne HUGGING_FACE_PSEUDO"),
    ("[hugging_face]\nTOKEN=hf_bon\nHUGGING_FACE_PSEUDO=jeanne@sand.fr\n", "Corrigez la ligne HUGGING_FACE_PSEUDO"),
])
def test_a_missing_token_or_pseudo_says_where_to_write_it(catalogue, tmp_path, ini, sentence):
    path = tmp_path / "credentials.ini"
    path.unlink()
    if ini:
        path.write_text(ini, encoding="utf-8")
    with pytest.raises(sharing.NotSent) as refusal:
        sharing.push("tokenizer", True)
    assert sentence in str(refusal.value) and "python aurore/share.py tokenizer" in str(refusal.value)
    assert PLANTED not in str(refusal.value) and not catalogue.gestures


@pytest.mark.parametrize("wanted", ["oui", "privé", 1, None, "True"])
def test_another_value_of_the_setting_is_named(catalogue, wanted):
    with pytest.raises(WorkshopError, match="PUSH_TO_HUB vaut"):
        sharing.push("data", wanted)
    assert not catalogue.gestures


def test_false_does_nothing(catalogue, monkeypatch):
    monkeypatch.setattr(sharing, "read_token", lambda: pytest.fail("rien n'a été demandé"))
    assert sharing.push("data", False) is None and not catalogue.requests


def test_someone_else_s_pseudo_is_refused(catalogue, tmp_path):
    (tmp_path / "credentials.ini").write_text(INI.replace("jeanne", "luc"), encoding="utf-8")
    with pytest.raises(sharing.NotSent, match="n'a pas le droit d'écrire chez « luc »"):
        sharing.push("model", True)
    assert not catalogue.repositories


def test_a_pushed_network_opens_by_its_name(house, capsys):
    """Aussi après un second envoi : la copie du premier ne reste pas."""
    sharing.push("model", True)
    assert f'MODEL_NAME = "{KINDS["model"]}"' in capsys.readouterr().out
    folder = hub.local_copy(KINDS["model"])
    trained = house / "model" / "2026-07-01_09-05-00"
    for name in ("model.safetensors", "config.json", "tokenizer.json", "network.json", "readings.tsv"):
        assert (folder / name).read_bytes() == (trained / name).read_bytes()
    assert not (folder / "README.md").exists() and hub.known_as(folder) == KINDS["model"]
    sharing.push("model", True)
    assert not folder.exists() and hub.local_copy(KINDS["model"]) == folder


def test_a_private_network_is_not_opened_without_the_token(tmp_path):
    sharing.push("model", True)
    (tmp_path / "credentials.ini").write_text("[hugging_face]\nTOKEN=XXXX\n", encoding="utf-8")
    with pytest.raises(WorkshopError, match="il faut un jeton"):
        hub.local_copy(KINDS["model"])


# --- Les fiches ---------------------------------------------------------------------------

@pytest.mark.parametrize("parent, licence, sentence", [
    ("aurore-mini", "license: cc-by-4.0", "par « les auteurs d'Aurore »"),
    ("aurore spécialisé", "license: cc-by-4.0", "par « les auteurs d'Aurore »"),
    ("quelquun/gpt2 spécialisé", "license: mit", "`mit`, celle du réseau de départ, quelquun/gpt2"),
    ("quelquun/inconnu", None, "à écrire en tête de cette fiche"),
    (None, None, "à écrire en tête de cette fiche"),
])
def test_a_network_keeps_the_licence_of_its_parent(catalogue, tmp_path, parent, licence, sentence):
    catalogue.repositories["quelquun/gpt2"] = {}
    Identity("le mien", parent=parent).write(tmp_path)
    card = cards.of_network(tmp_path, "jeanne/aurore-model")
    assert sentence in card and "language: fr\n" in card.split("---\n")[1] and "# le mien" in card
    assert (licence in card) if licence else ("license:" not in card)


def test_real_books_are_not_given_the_licence_of_the_tales(house):
    dataset = load_from_disk(house / "data")
    dataset["test"] = dataset["test"].map(lambda row: {**row, "book": "Gabriel"})
    card = cards.of_data(dataset, "jeanne/aurore-data")
    assert "license_name: domaine-public" in card and "Gabriel" in card and "Creative" not in card


# --- Lancé comme par une personne ---------------------------------------------------------

TOKEN = "hf_" + "plantezUnJetonPourVoirSIlRepousse"


@pytest.fixture(scope="module", name="shared")
def _shared(tmp_path_factory, tokenizer):
    """Un atelier dont les étapes 1 à 3 ont envoyé ce qu'elles ont fait, avec un vrai jeton ; et le catalogue, où le
    réseau de départ est minuscule."""
    atelier = Atelier(tmp_path_factory.mktemp("partage"))
    (atelier.aurore / "credentials.ini").write_text(
        f"[hugging_face]\nTOKEN={TOKEN}\nHUGGING_FACE_PSEUDO=jeanne\n", encoding="utf-8")
    with SharingHub() as catalogue:
        catalogue.accounts = {TOKEN: "jeanne"}
        save_tiny_network(atelier.folder / "minuscule", tokenizer, context=256)
        catalogue.repositories["benjamin/gpt2-wechsel-french"] = contents(atelier.folder / "minuscule")
        atelier.change("3_train_solution.py", "BLOCK_LENGTH = 256", "BLOCK_LENGTH = 32")
        settings = {"AURORE_SOURCE": "auto", "HF_ENDPOINT": catalogue.url}
        for script in ("1_prepare_dataset", "2_tokenize", "3_train"):
            atelier.change(f"{script}_solution.py", "PUSH_TO_HUB = False", "PUSH_TO_HUB = True ")
            process = atelier.run(f"{script}_solution.py", **settings)
            assert process.returncode == 0, process.stdout + process.stderr
            atelier.said[script] = process.stdout + process.stderr
        yield atelier, catalogue, settings


def share(atelier, *arguments, **settings):
    """Lance aurore/share.py, et renvoie le processus terminé."""
    return atelier.run("share.py", *arguments, **settings)


def test_the_lessons_send_what_they_made(shared):
    atelier, catalogue, _ = shared
    assert [repository for repository, *_ in catalogue.commits] == list(KINDS.values())
    for kind, said in zip(KINDS, atelier.said.values()):
        assert f"est sur Hugging Face, en privé : {catalogue.url}/{KINDS[kind]}" in said
        assert "Étape suivante" in said.partition("est sur Hugging Face")[2]
    sent = catalogue.repositories[KINDS["model"]]
    trained = newest_model(atelier.aurore / "model")
    assert {name: body for name, body in contents(trained).items() if name != "README.md"} == {
        name: body for name, body in sent.items() if name not in ("README.md", ".gitattributes")}
    card = sent["README.md"].decode()
    assert (trained / "README.md").read_text(encoding="utf-8").strip() in card
    assert "license: mit" in card and "base_model: benjamin/gpt2-wechsel-french" in card
    assert all(title in card for title in embedded_books("train"))


def test_steps_4_and_5_open_it_back_by_its_name(shared):
    atelier, catalogue, settings = shared
    trained = newest_model(atelier.aurore / "model")
    away = trained.with_name("ailleurs")
    trained.rename(away)
    try:
        for script in ("4_generate_solution.py", "5_flask.py"):
            atelier.change(script, 'MODEL_NAME = ""', f'MODEL_NAME = "{KINDS["model"]}"')
        process = atelier.run("4_generate_solution.py", **settings)
        assert process.returncode == 0, process.stderr
        named = "Réseau : benjamin/gpt2-wechsel-french spécialisé"
        assert f"{named}, dans aurore/data/cache/models/jeanne--aurore-model" in process.stdout
        catalogue.requests.clear()
        with page_process(atelier.folder, atelier.environment(**settings)) as page:
            assert named in page.said
        assert not catalogue.requests, "le réseau est en cache"
    finally:
        away.rename(trained)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_card_says_to_type_opens_it(shared, tmp_path, kind):
    """Ailleurs : sans l'atelier, avec les seules bibliothèques, et le jeton de qui l'a fait."""
    _, catalogue, _ = shared
    card = catalogue.repositories[KINDS[kind]]["README.md"].decode()
    block = re.search(r"```python\n(.+?)```", card, re.S)[1]
    script = re.sub(r".*# PyTorch\n", "", block) if kind == "tokenizer" else block.partition("# PyTorch\n")[0]
    environment = {**os.environ, "HF_ENDPOINT": catalogue.url, "HF_TOKEN": TOKEN, "HF_HOME": str(tmp_path),
                   "TF_USE_LEGACY_KERAS": "1", "PYTHONPATH": str(Path(__file__).parent / "offline")}
    process = subprocess.run([sys.executable, "-c", script + "print('ouvert')"], check=False, capture_output=True,
                             encoding="utf-8", cwd=tmp_path, env=environment)
    assert process.returncode == 0, process.stderr
    assert "ouvert" in process.stdout


def test_a_planted_token_grows_nowhere(shared):
    """Ni affiché, ni dans un artefact, une fiche, un envoi, « ps », même quand l'envoi est refusé ou s'interrompt."""
    atelier, catalogue, settings = shared
    said = dict(atelier.said)
    for gesture, behaviour in (("create", 401), ("commit", 403), ("batch", PORTAL)):
        catalogue.planned[gesture] = [behaviour]
        process = share(atelier, "model", **settings)
        assert process.returncode == 2 and "Traceback" not in process.stderr, process.stderr
        assert "Ensuite, tapez :  python aurore/share.py model" in process.stderr
        said[gesture] = process.stdout + process.stderr
    process = share(atelier, "data", "public", **settings)
    assert process.returncode == 0 and "pour tout le monde" in process.stdout
    said["share"] = process.stdout + process.stderr
    token = TOKEN.encode()
    assert token in (atelier.aurore / "credentials.ini").read_bytes()  # on sait le voir
    for name, text in said.items():
        assert TOKEN not in text, name
    for name, body in contents(atelier.folder).items():
        assert token not in body or name == "aurore/credentials.ini", name
    for body in (*catalogue.bodies, *(body for files in catalogue.repositories.values() for body in files.values())):
        assert token not in body
    assert catalogue.processes and not [line for line in catalogue.processes if token in line]
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored.index("aurore/credentials.ini") > ignored.index("!aurore"), "il entrerait dans l'image"


def test_share_says_what_it_can_send(atelier):
    for arguments in ((), ("modele",), ("model", "privé")):
        process = share(atelier, *arguments)
        assert process.returncode == 2 and "data, tokenizer, model" in process.stderr
    empty = share(atelier, "data", AURORE_SOURCE="auto")
    assert empty.returncode == 2 and "Mettez votre jeton" in empty.stderr
    (atelier.aurore / "credentials.ini").write_text(INI, encoding="utf-8")
    empty = share(atelier, "data", AURORE_SOURCE="auto")
    assert empty.returncode == 2 and "python aurore/1_prepare_dataset_solution.py" in empty.stderr
