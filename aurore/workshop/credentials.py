"""Le jeton Hugging Face : HF_TOKEN, sinon aurore/credentials.ini ; jamais affiché."""

import configparser
import os
from typing import NamedTuple

from workshop.paths import CREDENTIALS, shown

PLACEHOLDER = "XXXX"
_EXAMPLE = "[hugging_face]\nTOKEN=hf_votre_jeton\nHUGGING_FACE_PSEUDO=votre_pseudo"


class Token(NamedTuple):
    """Un jeton et, quand il manque, la phrase qui dit pourquoi et comment le donner."""

    value: str | None
    remark: str

    def __repr__(self):
        return f"Token({'donné' if self.value else 'absent'})"


def read_token(path=CREDENTIALS):
    """Renvoie le `Token` à présenter à Hugging Face.

    Un fichier absent ou mal écrit n'est pas une erreur : les modèles publics n'ont pas
    besoin de jeton. La remarque sert à qui demande un modèle privé.
    """
    value = os.environ.get("HF_TOKEN", "").strip()
    if value not in ("", PLACEHOLDER) and value.isascii():
        return Token(value, "Le jeton vient de la variable HF_TOKEN.")
    name = shown(path)
    parser = configparser.ConfigParser(interpolation=None)
    if path.is_dir():
        return Token(None, f"{name} est un dossier (Docker en crée un à la place d'un fichier absent) ; effacez-le, "
                           f"puis créez un fichier de ce nom avec ces trois lignes :\n{_EXAMPLE}")
    try:
        with open(path, encoding="utf-8-sig") as file:
            parser.read_file(file)
        value = parser.get("hugging_face", "TOKEN").strip().strip("\"'")
    except FileNotFoundError:
        return Token(None, f"Le fichier {name} n'existe pas ; créez-le avec ces trois lignes :\n{_EXAMPLE}")
    except (configparser.Error, UnicodeDecodeError):
        return Token(None, f"Le fichier {name} est mal écrit ; il doit contenir :\n{_EXAMPLE}")
    if value in ("", PLACEHOLDER) or not value.isascii():
        return Token(None, f"Mettez votre jeton à la place de {PLACEHOLDER} dans {name} "
                           "(compte Hugging Face, rubrique « Access Tokens »).")
    return Token(value, f"Le jeton vient de {name}.")
