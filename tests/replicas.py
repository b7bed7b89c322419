"""Plusieurs pages derrière un vrai nginx, leurs comptes dans un vrai Redis : ce que compose.yaml met en place."""

import os
import shutil
import subprocess
from contextlib import ExitStack, contextmanager

from conftest import ROOT, required
from nginx_server import nginx
from web_servers import free_port, page_process


@contextmanager
def redis_server(port):
    """Un Redis à nous, qui ne garde rien."""
    program = required(shutil.which("redis-server"), "Redis n'est pas sur cette machine (Debian : redis-server).")
    with subprocess.Popen([program, "--port", str(port), "--save", "", "--bind", "127.0.0.1"],
                          stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def relay(folder, *pages):
    """Le nginx de compose.yaml devant ces pages ; donne son port."""
    port, site = free_port(), (ROOT / "docs" / "reference" / "nginx.conf").read_text(encoding="utf-8")
    server, = [line for line in site.splitlines() if "server page:80" in line]
    site = site.replace(server, "\n".join(server.replace("page:80", f"127.0.0.1:{page.port}") for page in pages))
    site = site.replace("listen 80;", f"listen 127.0.0.1:{port};")
    with nginx(folder, site, f"http://127.0.0.1:{port}/health"):
        yield port


@contextmanager
def several_pages(folder, count):
    """Lance `count` pages qui partagent tout ; donne (le port du relais, les processus des pages)."""
    port = free_port()
    environment = {**os.environ, "AURORE_PROXY": "1", "AURORE_REDIS": f"redis://127.0.0.1:{port}/0",
                   "AURORE_SECRET": "un secret de seize signes au moins"}
    with ExitStack() as running:
        running.enter_context(redis_server(port))
        pages = [running.enter_context(page_process(ROOT, environment)) for _ in range(count)]
        yield running.enter_context(relay(folder, *pages)), pages
