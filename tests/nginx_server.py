"""Un vrai nginx, devant une page ou plusieurs."""

import os
import shutil
import signal
import subprocess
import time
import urllib.request
from contextlib import contextmanager

from conftest import required


@contextmanager
def nginx(folder, site, health):
    """Un vrai nginx, qui sert la configuration `site` ; prêt quand l'adresse `health` répond."""
    program = required(shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin"),
                       "nginx n'est pas sur cette machine (Debian : nginx-light).")
    paths = "".join(f"{name}_temp_path {folder}/{name};\n"
                    for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; pid {folder}/nginx.pid; events {{}}\nhttp {{ access_log off;\n{paths}{site}}}", encoding="utf-8")
    with subprocess.Popen([program, "-p", folder, "-e", folder / "error.log", "-c", configuration]) as process:
        try:
            wait_until(lambda: visit(health))
            yield
        finally:
            process.send_signal(signal.SIGTERM)


def visit(address):
    """Ouvre cette adresse."""
    with urllib.request.urlopen(address, timeout=20):
        pass


def wait_until(ready):
    """Attend que `ready()` ne lève plus d'erreur de connexion."""
    for _ in range(100):
        try:
            return ready()
        except OSError:
            time.sleep(0.1)
    raise AssertionError(ready)
