"""Des scripts qui démarrent à chaud : les bibliothèques lentes sont déjà importées, l'atelier ne l'est pas.

L'étape 3 met cinq secondes à importer TensorFlow et transformers, et les tests lancent cent fois une leçon. Un serveur
les importe une fois, et se dédouble pour chaque script : celui-ci a son dossier, son environnement, ses sorties, ses
signaux, son code de sortie, et lit l'atelier de sa copie. Rien de l'atelier n'est importé d'avance, sauf ses réglages
(workshop/__init__.py), que ces bibliothèques lisent à leur import : un script qui en a d'autres demande un autre
serveur. Démarrent à froid l'atelier entier que les tests se partagent, et ce qui s'interrompt pendant un import
(`cold=True`).
"""

import ctypes
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

AURORE = Path(__file__).resolve().parent.parent / "aurore"
LIBRARIES = ("tensorflow", "tf_keras", "transformers.modeling_tf_utils", "transformers.data.data_collator",
             "transformers.pipelines", "transformers.models.auto", "datasets", "nltk", "matplotlib.figure", "requests")
READ_LATER = {"TF_CONFIG", "TMPDIR", "GUTENBERG_MIRROR"}  # ce que ces bibliothèques ne lisent pas à leur import
SERVERS = 2  # à la fois, par processus de tests : un demi-gigaoctet chacun
_BECOME_PARENT_OF_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER, de prctl(2)


_asked = Counter()  # combien de scripts ont eu ces réglages
_servers = {}       # {réglages: (de quoi parler au serveur, son processus)}, le dernier employé à la fin


def start_script(arguments, cold=False, **options):
    """Lance le script `arguments` ([script, ...]) et renvoie son processus ; `options` : celles de subprocess.Popen.

    Sauf si `cold`, il naît d'un serveur à partir du deuxième qui a ces réglages, car un serveur coûte un démarrage à
    froid. Sous `make coverage`, qui suit chaque processus depuis son début, aucun.
    """
    if not cold and sys.platform == "linux" and not any(name.startswith("COVERAGE_PROCESS") for name in os.environ):
        settings = _read_at_import(options["env"])
        _asked[settings] += 1
        if _asked[settings] > 1:
            return WarmPopen(arguments, **options)
    return subprocess.Popen([sys.executable, *arguments], **options)


def _read_at_import(environment):
    return tuple(sorted(item for item in environment.items() if item[0] not in READ_LATER))


def _server(environment):
    """Renvoie le serveur de ces réglages, (de quoi lui parler, son processus) ; le lance s'il n'y en a pas."""
    settings = _read_at_import(environment)
    _servers[settings] = _servers.pop(settings, None) or _launch(environment)
    while len(_servers) > SERVERS:
        channel, process = _servers.pop(next(iter(_servers)))
        channel.close()
        process.communicate()
    return _servers[settings]


def _launch(environment):
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with there:  # ses sorties sont des tuyaux, comme celles d'un script
        process = subprocess.Popen(  # pylint: disable=consider-using-with  # il finit avec nous
            [sys.executable, __file__, str(there.fileno())], env=environment, pass_fds=[there.fileno()],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return here, process


class WarmPopen(subprocess.Popen):
    """Un subprocess.Popen dont `args` est [script, ...] : tout y est, sauf la façon dont le processus naît.

    Des options de Popen, le script reçoit cwd, env, start_new_session et ses trois tuyaux.
    """

    # pylint: disable-next=arguments-differ  # les autres, par leur rang
    def _execute_child(self, args, *others):
        # pylint: disable=attribute-defined-outside-init  # c'est ici que Popen pose les siens
        cwd, env, pipes, new_session = others[4], others[5], others[9:15], others[20]
        channel, server = _server(env)
        prctl = ctypes.CDLL(None).prctl
        prctl(_BECOME_PARENT_OF_ORPHANS, 1)  # le script naît d'un intermédiaire qui meurt : il devient notre enfant
        try:
            outputs = [given if given >= 0 else own for given, own in zip((pipes[0], pipes[3], pipes[5]), (0, 1, 2))]
            socket.send_fds(channel, [json.dumps([args, str(cwd), env, new_session]).encode()], outputs)
            self.pid = int(channel.recv(100))
        except (ConnectionError, ValueError):
            raise RuntimeError(f"Le serveur de warm_start.py s'est arrêté :\n{server.stdout.read().decode()}") from None
        finally:
            prctl(_BECOME_PARENT_OF_ORPHANS, 0)
        self._child_created = True
        self._close_pipe_fds(*pipes)  # pylint: disable=no-member  # pylint lit subprocess comme sous Windows


def _serve(channel):
    """Se dédouble à chaque demande ; ne revient que dans le processus d'un script, avec ce qu'il doit être."""
    while True:
        message, outputs, *_ = socket.recv_fds(channel, 1 << 18, 3)
        if not message:  # les tests sont finis
            os._exit(0)
        read, write = os.pipe()
        if not (between := os.fork()):
            if not (child := os.fork()):
                channel.close()
                os.close(read)
                os.close(write)
                return *json.loads(message), outputs
            os.write(write, str(child).encode())
            os._exit(0)
        os.waitpid(between, 0)
        channel.send(os.read(read, 100))
        for descriptor in (read, write, *outputs):
            os.close(descriptor)


def _become(arguments, folder, environment, new_session, outputs):
    """Devient le processus que Python aurait lancé pour `arguments` ; renvoie le script à exécuter."""
    for rank, descriptor in enumerate(outputs):
        os.dup2(descriptor, rank)
        os.close(descriptor)
    if new_session:
        os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = arguments
    sys.path[0] = os.path.dirname(os.path.abspath(arguments[0]))
    return arguments[0]


def _main(descriptor):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # le Ctrl-C d'un test n'est pas pour lui
    sys.path.insert(1, str(AURORE))
    importlib.import_module("workshop")  # ses réglages
    for name in LIBRARIES:
        importlib.import_module(name)
    for name in [name for name in sys.modules if name.split(".")[0] == "workshop"]:
        del sys.modules[name]
    del sys.path[1]
    gc.collect()
    gc.freeze()  # ne pas recopier dans chaque processus ce que le ramasse-miettes ne ferait que parcourir
    return _become(*_serve(socket.socket(fileno=descriptor)))


if __name__ == "__main__":
    import runpy
    runpy.run_path(_main(int(sys.argv[1])), run_name="__main__")
