"""Un modèle du catalogue : local, cache, réseau, embarqué ; avec le vrai client huggingface_hub."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file
from transformers import AutoTokenizer, GPT2Config, TFAutoModelForCausalLM, TFGPT2LMHeadModel

from workshop import credentials
from workshop.errors import WorkshopError
from workshop.learning import hub
from workshop.paths import BASE_MODEL
from workshop.sources import OutOfReach

NAME = "quelquun/gpt2-petit"


@pytest.fixture(name="cache", autouse=True)
def _cache(tmp_path, monkeypatch):
    """Un cache vide et aucun jeton."""
    monkeypatch.setattr(hub, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(hub, "read_token", lambda: credentials.read_token(tmp_path / "credentials.ini"))
    return tmp_path / "cache"


@pytest.fixture(scope="session", name="tiny_model")
def _tiny_model():
    """Un GPT-2 minuscule, aux poids tirés au hasard."""
    model = TFGPT2LMHeadModel(GPT2Config(vocab_size=8192, n_positions=32, n_embd=16, n_layer=2, n_head=2))
    model.build_in_name_scope()
    return model


def files_of(folder):
    """Renvoie {nom: octets} des fichiers de `folder`."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def logits(model):
    """Ce que répond le modèle à une suite fixe de tokens."""
    return model(np.array([[5, 17, 300, 8000, 2]])).logits.numpy()


@pytest.fixture(name="repository", params=["safetensors", "h5"])
def _repository(request, tiny_model, tmp_path):
    """Les fichiers d'un dépôt aux poids PyTorch (safetensors) ou TensorFlow (h5)."""
    folder = tmp_path / "repository"
    folder.mkdir()
    tokenizer = AutoTokenizer.from_pretrained(BASE_MODEL)
    hub.save_model(tiny_model, tokenizer, folder)
    if request.param == "h5":
        (folder / "model.safetensors").unlink()
        tiny_model.save_pretrained(folder)
    return {**files_of(folder), "README.md": b"une fiche", "flax_model.msgpack": b"x" * 1000}


def test_a_model_is_downloaded_once_then_never_calls(hub_server, repository, tiny_model, cache):
    hub_server.repositories[NAME] = repository
    folder = hub.local_copy(NAME)
    assert folder.is_relative_to(cache)
    assert not (folder / "flax_model.msgpack").exists()
    model = TFAutoModelForCausalLM.from_pretrained(folder)
    np.testing.assert_allclose(logits(model), logits(tiny_model), atol=1e-5)
    hub_server.requests.clear()
    assert hub.local_copy(NAME) == folder and not hub_server.requests


def test_the_tokenizer_alone_is_light(hub_server, repository):
    hub_server.repositories[NAME] = repository
    folder = hub.local_copy(NAME, tokenizer_only=True)
    assert AutoTokenizer.from_pretrained(folder)("Bonjour").input_ids
    assert not list(folder.glob("*.safetensors")) and not list(folder.glob("*.h5"))
    hub.local_copy(NAME)
    assert list(folder.glob("*.safetensors")) or list(folder.glob("*.h5"))


def test_a_bin_only_model_asks_for_torch(hub_server, repository, monkeypatch):
    files = {name: body for name, body in repository.items() if not name.endswith((".safetensors", ".h5"))}
    hub_server.repositories[NAME] = {**files, "pytorch_model.bin": b"poids"}
    monkeypatch.setattr(hub.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WorkshopError, match="pip install torch=="):
        hub.local_copy(NAME)
    monkeypatch.setattr(hub.importlib.util, "find_spec", lambda name: "torch")
    assert hub.only_torch_can_read(hub.local_copy(NAME))


@pytest.mark.parametrize("name", ["quelquun/inconnu", "nom impossible", "trop/de/barres"])
def test_an_unknown_model_is_an_error_even_with_a_fallback(hub_server, name):
    assert hub_server.url
    with pytest.raises(WorkshopError, match="n'existe pas") as caught:
        hub.local_copy(name)
    assert not isinstance(caught.value, OutOfReach)


@pytest.mark.parametrize("content, sentence", [
    (None, "n'existe pas ; créez-le"),
    ("un dossier", "est un dossier"),
    ("[hugging_face\nTOKEN", "mal écrit"),
    ("[autre]\nTOKEN=hf_bon", "mal écrit"),
    ("[hugging_face]\nTOKEN=XXXX\nHUGGING_FACE_PSEUDO=XXXX", "à la place de XXXX"),
    ("[hugging_face]\nTOKEN=\n", "à la place de XXXX"),
    ("[hugging_face]\nTOKEN=hf_mauvais\n", "faux ou périmé"),
])
def test_a_private_model_says_what_is_wrong_with_the_token(hub_server, tmp_path, content, sentence):
    hub_server.repositories["secret/gpt2"] = {"config.json": b"{}"}
    if content == "un dossier":
        (tmp_path / "credentials.ini").mkdir()
    elif content is not None:
        (tmp_path / "credentials.ini").write_text(content, encoding="utf-8")
    with pytest.raises(WorkshopError) as caught:
        hub.local_copy("secret/gpt2")
    assert sentence in str(caught.value) and "hf_mauvais" not in str(caught.value)


@pytest.mark.parametrize("giver", ["file", "variable"])
def test_a_private_model_opens_with_the_token(hub_server, repository, tmp_path, monkeypatch, giver):
    hub_server.repositories["secret/gpt2"] = repository
    if giver == "variable":
        monkeypatch.setenv("HF_TOKEN", "hf_bon")
    else:
        (tmp_path / "credentials.ini").write_text("[hugging_face]\nTOKEN = hf_bon\n", encoding="utf-8-sig")
    assert (hub.local_copy("secret/gpt2") / "config.json").is_file()


def test_a_token_is_never_shown(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_bon")
    token = credentials.read_token()
    assert "hf_bon" not in f"{token} {token!r} {token.remark}"


@pytest.mark.parametrize("failure", [500, 503, 429])
def test_a_broken_hub_falls_back_with_a_notice(hub_server, capsys, failure):
    hub_server.failure = failure
    assert hub.local_copy(NAME) == BASE_MODEL
    assert f"réponse {failure}" in capsys.readouterr().out


def test_an_unreachable_hub_falls_back_unless_refused(monkeypatch, capsys):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    assert hub.local_copy(NAME) == BASE_MODEL
    assert "injoignable" in capsys.readouterr().out
    monkeypatch.setenv("AURORE_SOURCE", "network")
    with pytest.raises(OutOfReach):
        hub.local_copy(NAME)


@pytest.mark.parametrize("cuts", [{1}, {2}, {5}, {1, 4}])
def test_a_connection_that_is_cut_is_asked_for_again(hub_server, repository, cuts):
    hub_server.repositories[NAME] = repository
    hub_server.cuts = cuts
    present = {path.name for path in hub.local_copy(NAME).iterdir()}
    assert present >= repository.keys() - {"README.md", "flax_model.msgpack"}


def test_a_silent_hub_is_not_waited_for(hub_server, repository, monkeypatch, capsys):
    hub_server.repositories[NAME] = repository
    hub_server.delay = 2
    monkeypatch.setattr(hub, "PATIENCE_SECONDS", 0.3)
    assert hub.local_copy(NAME) == BASE_MODEL and "injoignable" in capsys.readouterr().out


def test_the_embedded_mode_asks_nothing(hub_server, monkeypatch):
    monkeypatch.setenv("AURORE_SOURCE", "embedded")
    assert hub.local_copy(NAME) == BASE_MODEL and not hub_server.requests


def test_an_interrupted_download_is_taken_up_again(hub_server, repository, capsys):
    weights = next(name for name in repository if name.endswith((".safetensors", ".h5")))
    hub_server.repositories[NAME] = repository
    hub_server.truncated = {weights}
    assert hub.local_copy(NAME) == BASE_MODEL, "un fichier coupé n'est pas un modèle"
    assert "injoignable" in capsys.readouterr().out
    hub_server.truncated = set()
    assert (hub.local_copy(NAME) / weights).read_bytes() == repository[weights]


def test_only_what_was_downloaded_may_be_erased(tmp_path, cache):
    """« aurore/model » n'est pas un modèle ; conseiller de l'effacer ferait perdre tous ceux que l'on a entraînés."""
    downloaded = cache / "models" / NAME.replace("/", "--")
    for folder in (downloaded, tmp_path / "model"):
        folder.mkdir(parents=True)
    (downloaded / ".complete").touch()
    with pytest.raises(WorkshopError, match="Effacez-le"):
        hub.local_copy(NAME)
    with pytest.raises(WorkshopError, match="Vérifiez le nom ou le dossier") as caught:
        hub.local_copy(str(tmp_path / "model"))
    assert "Effacez" not in str(caught.value)
    with pytest.raises(WorkshopError, match="MODEL_NAME est vide"):
        hub.local_copy(" ")


def test_a_network_has_a_name(cache):
    assert hub.known_as(str(BASE_MODEL)) == "aurore-mini"
    assert hub.known_as(str(cache / "models" / NAME.replace("/", "--"))) == NAME


@pytest.mark.parametrize("config, sentence", [
    ({"model_type": "bert"}, "pas un GPT-2"), ("pas du JSON", "config.json lisible"), ([], "config.json lisible"),
    ({"model_type": "gpt2"}, "pas de tokenizer")])
def test_another_kind_of_model_is_refused(tmp_path, config, sentence):
    content = config if isinstance(config, str) else json.dumps(config)
    (tmp_path / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(WorkshopError, match=sentence):
        hub.local_copy(str(tmp_path))


def test_weights_are_saved_under_pytorch_names(tiny_model, tmp_path):
    hub.save_model(tiny_model, AutoTokenizer.from_pretrained(BASE_MODEL), tmp_path)
    written = load_file(tmp_path / "model.safetensors")
    assert (tmp_path / "model.safetensors").stat().st_mode & 0o044 == 0o044, "lisible par tous"
    reference = load_file(BASE_MODEL / "model.safetensors")  # écrit par PyTorch
    assert set(written) == {name for name in reference if not any(f".h.{n}." in name for n in range(2, 12))}
    for name, array in written.items():
        assert array.ndim == reference[name].ndim, name
    assert written["transformer.h.0.attn.c_attn.weight"].shape == (16, 48)
    np.testing.assert_allclose(logits(TFAutoModelForCausalLM.from_pretrained(tmp_path)), logits(tiny_model), atol=1e-5)
