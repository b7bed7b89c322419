"""Importe TensorFlow sans les messages en anglais qu'il écrit avant d'être réglé.

TF_CPP_MIN_LOG_LEVEL fait taire TensorFlow une fois lancé, mais pas pendant son import : il y
signale qu'il n'a pas trouvé de carte graphique. Importer ce module avant tout autre qui
utilise TensorFlow.
"""

import contextlib
import os

from workshop import narration  # pylint: disable=unused-import  # pour que Ctrl-C soit déjà traduit


@contextlib.contextmanager
def _silent_standard_error():
    saved = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


with _silent_standard_error():
    import tensorflow  # pylint: disable=unused-import  # importé pour que la suite le trouve prêt
