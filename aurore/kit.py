"""La clé de la salle : tout ce qu'il faut à un après-midi sans connexion.

    python aurore/kit.py                      le faire, dans le dossier kit (plusieurs Go, une fois)
    python aurore/kit.py /media/cle/kit       ailleurs ; relancé, il ne reprend que ce qui manque
    python aurore/kit.py --models NOM ...     d'autres réseaux que celui de l'étape 3
    python aurore/kit.py --platforms linux macos windows --pythons 3.12     pour moins de machines
    python aurore/kit.py --check [DOSSIER]    tout y est-il, intact ?
    python aurore/kit.py serve [DOSSIER] [--port 8000]    le servir à la salle

Sur chaque portable, depuis le kit :  python install.py
Le code de sortie est 1 quand il manque quelque chose.
"""

import sys

from workshop.kit.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], __doc__))
