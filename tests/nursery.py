"""Lancer les scripts de l'atelier sans repayer chaque fois l'import de TensorFlow : une pépinière.

C'est un processus où les bibliothèques sont déjà importées. À chaque script qu'on lui demande, il fait naître une
copie de lui-même (fork), qui prend le dossier, l'environnement et les sorties demandés, puis exécute le fichier comme
le ferait « python aurore/le_script.py » : mêmes mots, même code de sortie, mêmes signaux.

Trois choses n'y sont pas comme chez une personne : TensorFlow ne dit plus rien en s'important, il l'est déjà ; Ctrl-C
n'arrive plus pendant cet import ; et l'arbre de hachage de Python est le même d'un script à l'autre. Ce qui en dépend
se lance par la vraie commande, comme l'atelier fait une fois de bout en bout (`finished_atelier`).
"""

import contextlib
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

AURORE = Path(__file__).resolve().parent.parent / "aurore"

# Ce que la pépinière importe : rien qui lise, en s'important, un réglage qu'un test change. huggingface_hub,
# transformers et datasets lisent l'adresse du catalogue : chaque script les importe.
READY = ("h5py", "matplotlib.pyplot", "nltk", "pandas", "tensorflow", "tf_keras.layers")
# Ce qu'un test peut changer : personne ne le lit avant le script.
FREE = ("AURORE_", "HF_", "GUTENBERG_MIRROR", "TMPDIR", "TF_CONFIG")


# --- Du côté des tests --------------------------------------------------------------------

class Process:
    """Un script né de la pépinière : ce que les tests demandent à subprocess.Popen, dont il a les noms."""

    def __init__(self, nursery, script, cwd, env, merged):
        """`merged` met ce qu'il dit de ses erreurs avec le reste."""
        self.returncode = None
        self._line, line = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        outputs = [os.pipe()] if merged else [os.pipe(), os.pipe()]
        theirs = [write for _, write in outputs]
        request = json.dumps({"script": script, "cwd": str(cwd), "env": env})
        socket.send_fds(nursery, [request.encode()], [line.fileno(), theirs[0], theirs[-1]])
        for number in theirs:
            os.close(number)
        line.close()
        self.pid = int(self._line.recv(32))
        # pylint: disable-next=consider-using-with  # fermées par __exit__
        self._outputs = [open(read, encoding="utf-8", errors="strict") for read, _ in outputs]
        self.stdout, self.stderr = self._outputs[0], None if merged else self._outputs[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for output in self._outputs:
            output.close()
        self.wait()
        self._line.close()

    def wait(self, timeout=None):
        """Attend la fin du script, et renvoie son code de sortie : celui de Popen, négatif s'il a été tué."""
        if self.returncode is None:
            self._line.settimeout(timeout)
            try:
                self.returncode = int(self._line.recv(32))
            except TimeoutError as error:
                raise subprocess.TimeoutExpired(str(self.pid), timeout) from error
        return self.returncode

    def communicate(self, timeout=None):
        """Attend la fin du script, et renvoie (ce qu'il a dit, ce dont il s'est plaint)."""
        said = [None] * len(self._outputs)

        def read(index):
            said[index] = self._outputs[index].read()
        threads = [threading.Thread(target=read, args=[index], daemon=True) for index in range(len(said))]
        for thread in threads:
            thread.start()
        self.wait(timeout)
        for thread in threads:
            thread.join()
        return said[0], said[1] if self.stderr else None

    def send_signal(self, number):
        """Envoie un signal au script, s'il vit encore."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # fini, sans que personne l'ait encore attendu
                os.kill(self.pid, number)

    def kill(self):
        """Tue le script, sans préavis."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """La pépinière d'un processus de tests, lancée au premier script."""

    def __init__(self):
        self._line = self._environment = self._itself = None

    def takes(self, environment):
        """Dit si un script peut y naître avec cet environnement : ce qui a été lu à l'import doit être le même."""
        # macOS n'aime pas les copies de processus ; « make coverage » suit chaque processus depuis son début.
        if sys.platform != "linux" or any(name.startswith("COVERAGE_PROCESS") for name in environment):
            return False
        self._environment = self._environment or environment
        return _fixed(environment) == _fixed(self._environment)

    def start(self, script, cwd, env, merged=False):
        """Fait naître un script, et renvoie son `Process`."""
        if self._line is None:
            self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:  # elle s'arrête d'elle-même, avec les tests : il n'y aura plus personne au bout
                # Ses sorties sont des tubes, comme celles des scripts : Python n'écrit pas de même dans un fichier.
                self._itself = subprocess.Popen(  # pylint: disable=consider-using-with  # comme ci-dessus
                    [sys.executable, __file__, str(theirs.fileno())], env=self._environment, stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[theirs.fileno()])
        return Process(self._line, script, cwd, env, merged)


def _fixed(environment):
    return {name: value for name, value in environment.items()
            if not name.startswith(FREE)}


# --- Du côté de la pépinière --------------------------------------------------------------

def get_ready():
    """Importe les bibliothèques, sous les réglages de l'atelier, et oublie l'atelier : chaque script a sa copie."""
    sys.path.insert(0, str(AURORE))
    __import__("workshop.quiet_tensorflow")
    for name in READY:
        __import__(name)
    for name in [name for name in sys.modules if name.partition(".")[0] == "workshop"]:
        del sys.modules[name]
    sys.excepthook = sys.__excepthook__
    sys.path.remove(str(AURORE))
    tempfile.tempdir = None  # TMPDIR peut changer
    gc.collect()
    gc.freeze()  # ce que les copies se partagent


def serve(line):
    """Fait naître ce qu'on demande, jusqu'à ce que plus personne ne demande ; renvoie, dans la copie, la demande."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # personne n'attend les gardiens
    while True:
        message, descriptors, _, _ = socket.recv_fds(line, 1 << 18, 3)
        if not message:
            return None
        if os.fork() == 0:
            break
        for number in descriptors:
            os.close(number)
    line.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    with socket.socket(fileno=descriptors[0]) as told:
        if pid:  # le gardien : il dit qui est né, puis comment il finit
            told.send(b"%d" % pid)
            for number in descriptors[1:]:
                os.close(number)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            with contextlib.suppress(OSError):  # qui avait demandé n'attend plus
                told.send(b"%d" % code)
            os._exit(0)
    for number, output in zip(descriptors[1:], (1, 2)):
        os.dup2(number, output)
    for number in set(descriptors[1:]):
        os.close(number)
    return json.loads(message)


def main():
    """Dans la pépinière, sert ; dans une copie, exécute le script, et finit comme lui."""
    get_ready()
    request = serve(socket.socket(fileno=int(sys.argv[1])))
    if request:
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["env"])
        sys.argv = [request["script"]]
        sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
