"""Envoyer sur Hugging Face ce qu'une étape a fait, sous HUGGING_FACE_PSEUDO, avec sa fiche.

    sharing.push("model", PUSH_TO_HUB)

L'envoi vient après l'artefact, et n'y touche pas : s'il échoue, tout est encore là, et aurore/share.py recommence.
Les fichiers arrivent tous ou pas du tout : ils ne font qu'un commit, le dernier geste.
"""

import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import requests
from datasets import load_from_disk
from huggingface_hub import CommitOperationAdd, HfApi, configure_http_backend, constants

from workshop.artefacts import newest_model, reading
from workshop.credentials import read_pseudo, read_token
from workshop.errors import WorkshopError
from workshop.learning import cards
from workshop.paths import DATA, MODEL, TOKENIZER, shown
from workshop.sources import EMBEDDED, source_mode, through_kit

PATIENCE_SECONDS = (10, 60)  # pour se connecter, puis pour chaque réponse


_NO_RIGHT = ("ce jeton n'a pas le droit d'écrire chez « {pseudo} ». Vérifiez HUGGING_FACE_PSEUDO, et que le jeton est "
             "de sorte « Write ».")
_BROKEN = "Hugging Face est en panne (réponse {code}). Réessayez plus tard."
_REFUSED = "Hugging Face refuse l'envoi (réponse {code}). Regardez votre compte, sur huggingface.co."
_REFUSALS = {  # par code HTTP
    401: "Hugging Face ne reconnaît pas ce jeton. {remark} Créez-en un autre, de sorte « Write ».",
    403: _NO_RIGHT,
    404: _NO_RIGHT,  # un dépôt privé d'un autre compte : il ne dit pas qu'il existe
    429: "Hugging Face reçoit trop de demandes. Attendez quelques minutes.",
}


class Kind(NamedTuple):
    """Une sorte de chose à envoyer."""

    name: str        # en tête d'une phrase
    folder: Path
    made_by: str
    repo_type: str


KINDS = {
    "data": Kind("Le jeu de données", DATA, "1_prepare_dataset_solution.py", "dataset"),
    "tokenizer": Kind("Le tokenizer", TOKENIZER, "2_tokenize_solution.py", "model"),
    "model": Kind("Le réseau", MODEL, "3_train_solution.py", "model"),
}


class NotSent(WorkshopError):
    """Rien n'est parti ; l'artefact est intact."""


def push(kind, wanted):
    """Envoie « data », « tokenizer » ou « model » si `wanted` (PUSH_TO_HUB) le demande : True, en privé ; "public".

    Lève une WorkshopError qui dit pourquoi rien n'est parti, et quoi taper ensuite.
    """
    if wanted is False:
        return
    public = wanted == "public"
    again = f"python aurore/share.py {kind}{' public' if public else ''}"
    pseudo, token = check(wanted, again)
    name, what = f"{pseudo}/aurore-{kind}", KINDS[kind]
    with tempfile.TemporaryDirectory() as folder:
        with reading(what.folder, what.made_by):
            files = _FILES[kind](name, Path(folder))
        print(f"\nEnvoi sur Hugging Face de {name}...", flush=True)
        try:
            address = _send({"repo_id": name, "repo_type": what.repo_type}, files, private=not public, token=token)
        except (OSError, ValueError, RuntimeError) as error:  # requests et huggingface_hub en lèvent des trois sortes
            raise NotSent(f"{what.name} n'est pas parti : {_reason(error, pseudo)}\n"
                          f"Il est toujours dans {shown(what.folder)}. Ensuite, tapez :  {again}") from error
    print(f"{what.name} est sur Hugging Face, {'pour tout le monde' if public else 'en privé'} : {address}")
    if kind == "model":
        from workshop.learning import hub  # pylint: disable=import-outside-toplevel  # lent à s'importer
        hub.forget(name)
        print(f'Pour qu\'il écrive aux étapes 4 et 5, ici ou ailleurs, mettez en haut :  MODEL_NAME = "{name}"')


def check(wanted, again=None):
    """Renvoie (pseudo, jeton) ; lève une WorkshopError si `wanted` n'a pas de sens, ou si l'on ne peut rien envoyer.

    `again` est la commande à taper ensuite ; sans elle, c'est le même script.
    """
    if wanted is False:
        return None, None
    if not (wanted is True or wanted == "public"):
        raise WorkshopError(f'PUSH_TO_HUB vaut {wanted!r} : choisissez False, True (en privé) ou "public", en haut du '
                            "script, puis relancez.")
    then = f"Ensuite, tapez :  {again}" if again else "Puis relancez la même commande (ou avec PUSH_TO_HUB = False)."
    if source_mode() == EMBEDDED:
        raise NotSent("Rien n'est parti sur Hugging Face : AURORE_SOURCE=embedded interdit toute connexion. Retirez "
                      f"cette variable.\n{then}")
    if through_kit():
        raise NotSent("Rien n'est parti sur Hugging Face : avec AURORE_KIT, un portable de la salle en tient lieu, et "
                      f"il ne doit voir aucun jeton. Retirez cette variable.\n{then}")
    token, pseudo = read_token(), read_pseudo()
    for given, what in ((token, "un jeton"), (pseudo, "votre pseudo")):
        if given.value is None:
            raise NotSent(f"Rien n'est parti sur Hugging Face : il y faut {what}. {given.remark}\n{then}")
    return pseudo.value, token.value


# --- Ce qui part --------------------------------------------------------------------------

def _data_files(name, folder):
    """Les trois parties en Parquet, que load_dataset ouvre partout ; ni les livres entiers, ni les caches."""
    dataset = load_from_disk(DATA)
    for part, rows in dataset.items():
        rows.to_parquet(folder / f"{part}.parquet")
    return _with_card([*folder.iterdir(), *DATA.glob("*.png")], cards.of_data(dataset, name))


def _tokenizer_files(name, _):
    from transformers import AutoTokenizer  # pylint: disable=import-outside-toplevel  # l'étape 1 s'en passe
    with reading(DATA, KINDS["data"].made_by):
        card = cards.of_tokenizer(AutoTokenizer.from_pretrained(TOKENIZER), load_from_disk(DATA), name)
    return _with_card(_files_of(TOKENIZER), card)


def _model_files(name, _):
    folder = newest_model()
    if folder is None:
        raise WorkshopError(f"Il n'y a pas de réseau entier dans {shown(MODEL)}.\n"
                            f"Entraînez-en un d'abord :  python aurore/{KINDS['model'].made_by}")
    return _with_card(_files_of(folder), cards.of_network(folder, name))


_FILES = {"data": _data_files, "tokenizer": _tokenizer_files, "model": _model_files}


def _files_of(folder):
    return [path for path in folder.iterdir() if path.is_file() and path.name[0] != "."]


def _with_card(files, card):
    """Renvoie {nom: chemin ou octets} ; la fiche y prend la place du README.md local, qui reste comme il est."""
    return {**{path.name: path for path in sorted(files)}, "README.md": card.encode()}


# --- Le voyage ----------------------------------------------------------------------------

def _send(repository, files, private, token):
    """Envoie `files` en un seul commit, dans un dépôt créé s'il le faut, et renvoie son adresse."""
    if constants.HF_HUB_OFFLINE:  # demandé, ou constaté par offline.py : le reste de la séance n'attend plus le réseau
        raise ConnectionError
    api = HfApi(token=token)
    with _patience():
        address = api.create_repo(**repository, private=private, exist_ok=True)
        if bool(api.repo_info(**repository).private) != private:  # il existait déjà
            api.update_repo_settings(**repository, private=private)
        api.create_commit(**repository, commit_message="Envoyé par l'atelier Aurore",
                          operations=[CommitOperationAdd(path, content) for path, content in files.items()])
    return str(address)


@contextmanager
def _patience():
    """Donne un délai aux requêtes où huggingface_hub n'en met pas : un serveur muet ne retient personne."""
    def session():
        opened = requests.Session()
        opened.request = partial(opened.request, timeout=PATIENCE_SECONDS)
        return opened
    configure_http_backend(session)
    try:
        yield
    finally:
        configure_http_backend()


def _reason(error, pseudo):
    """Renvoie pourquoi l'envoi a échoué, et quoi y faire ; ne cite rien de ce que le serveur a répondu."""
    causes = [error]
    while cause := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(cause)
    code = next((cause.response.status_code for cause in causes if getattr(cause, "response", None) is not None), None)
    if code:
        return _REFUSALS.get(code, _BROKEN if code >= 500 else _REFUSED).format(
            code=code, pseudo=pseudo, remark=read_token().remark)
    if any(isinstance(cause, (requests.ConnectionError, requests.Timeout, ConnectionError)) for cause in causes):
        return "Hugging Face est injoignable, ou la connexion s'est coupée. Vérifiez-la."
    return ("ce qui a répondu n'est pas Hugging Face. Si le Wi-Fi demande de s'identifier, faites-le dans votre "
            "navigateur.")
