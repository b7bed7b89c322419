"""Envoyer sur Hugging Face ce que l'on a déjà fait, sans le refaire.

    python aurore/share.py data             le jeu de données (étape 1)
    python aurore/share.py tokenizer        le tokenizer (étape 2)
    python aurore/share.py model            le dernier réseau entraîné (étape 3)
    python aurore/share.py model public     le même, pour tout le monde

C'est ce que fait aussi PUSH_TO_HUB, en haut des étapes. Le jeton et le pseudo sont dans
aurore/credentials.ini.
"""

import sys

from workshop import narration  # pylint: disable=unused-import  # une erreur prévue s'affiche en une phrase
from workshop.errors import WorkshopError
from workshop.learning import sharing


def main(arguments):
    """Envoie ce que nomme la ligne de commande."""
    kind, *options = arguments or [""]
    if kind not in sharing.KINDS or options not in ([], ["public"]):
        raise WorkshopError(f"Dites quoi envoyer : {', '.join(sharing.KINDS)}.\n"
                            "Par exemple :  python aurore/share.py model")
    sharing.push(kind, "public" if options else True)


if __name__ == "__main__":
    main(sys.argv[1:])
