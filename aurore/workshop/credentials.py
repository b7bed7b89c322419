"""Le jeton Hugging Face (HF_TOKEN, sinon aurore/credentials.ini), jamais affiché, et le pseudo qui va avec."""

import configparser
import os
import re
from typing import NamedTuple

from workshop.paths import CREDENTIALS, shown

PLACEHOLDER = "XXXX"
_EXAMPLE = "[hugging_face]\nTOKEN=hf_votre_jeton\nHUGGING_FACE_PSEUDO=votre_pseudo"
_PSEUDO = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")  # ce qu'accepte huggingface.co


class Token(NamedTuple):
    """Un jeton et, quand il manque, la phrase qui dit pourquoi et comment le donner."""

    value: str | None
    remark: str

    def __repr__(self):
        return f"Token({'donné' if self.value else 'absent'})"


class Pseudo(NamedTuple):
    """Le nom d'un compte Hugging Face et, quand il manque, la phrase qui dit comment le donner."""

    value: str | None
    remark: str


def read_token(path=CREDENTIALS):
    """Renvoie le `Token` à présenter à Hugging Face.

    Un fichier absent ou mal écrit n'est pas une erreur : les modèles publics n'ont pas
    besoin de jeton. La remarque sert à qui demande un modèle privé.
    """
    value = os.environ.get("HF_TOKEN", "").strip()
    if value not in ("", PLACEHOLDER) and value.isascii():
        return Token(value, "Le jeton vient de la variable HF_TOKEN.")
    value, remark = _read("TOKEN", path)
    if remark:
        return Token(None, remark)
    if value in ("", PLACEHOLDER) or not value.isascii():
        return Token(None, f"Mettez votre jeton à la place de {PLACEHOLDER} dans {shown(path)} "
                           "(compte Hugging Face, rubrique « Access Tokens »).")
    return Token(value, f"Le jeton vient de {shown(path)}.")


def read_pseudo(path=CREDENTIALS):
    """Renvoie le `Pseudo` sous lequel publier sur Hugging Face."""
    value, remark = _read("HUGGING_FACE_PSEUDO", path)
    if remark:
        return Pseudo(None, remark)
    if value in ("", PLACEHOLDER):
        return Pseudo(None, f"Mettez votre pseudo Hugging Face à la place de {PLACEHOLDER}, à la ligne "
                            f"HUGGING_FACE_PSEUDO de {shown(path)}.")
    if not _PSEUDO.fullmatch(value):
        return Pseudo(None, f"Corrigez la ligne HUGGING_FACE_PSEUDO de {shown(path)} : un pseudo Hugging Face n'a que "
                            "des lettres sans accent, des chiffres et des tirets.")
    return Pseudo(value, f"Le pseudo vient de {shown(path)}.")


def _read(name, path):
    """Renvoie (valeur, "") de la ligne `name` du fichier, ou (None, la phrase qui dit ce qui ne va pas)."""
    parser = configparser.ConfigParser(interpolation=None)
    if path.is_dir():
        return None, (f"{shown(path)} est un dossier (Docker en crée un à la place d'un fichier absent) ; effacez-le, "
                      f"puis créez un fichier de ce nom avec ces trois lignes :\n{_EXAMPLE}")
    try:
        with open(path, encoding="utf-8-sig") as file:
            parser.read_file(file)
        return parser.get("hugging_face", name).strip().strip("\"'"), ""
    except FileNotFoundError:
        return None, f"Le fichier {shown(path)} n'existe pas ; créez-le avec ces trois lignes :\n{_EXAMPLE}"
    except (configparser.Error, UnicodeDecodeError):
        return None, f"Le fichier {shown(path)} est mal écrit ; il doit contenir :\n{_EXAMPLE}"
