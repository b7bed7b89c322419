"""La page derrière un vrai nginx, avec un préfixe et sans."""

import json
import os
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from conftest import ROOT
from nginx_server import nginx
from test_flask import addresses
from web_servers import free_port, page_process

OPENING = "Le soir, la meunière"

# Ce que l'on écrirait soi-même ; docs/reference/variables.md en donne l'essentiel.
SITE = """
server {{
  listen 127.0.0.1:{port};
  location {prefix}/ {{
    proxy_pass http://127.0.0.1:{page}/;
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-Prefix "{prefix}";
    proxy_buffering off;
  }}
}}
"""


@contextmanager
def behind_nginx(folder, prefix):
    """Lance la page, et nginx devant elle ; donne l'adresse où nginx la montre."""
    port = free_port()
    with page_process(ROOT, {**os.environ, "AURORE_PROXY": "1"}) as page:
        address = f"http://127.0.0.1:{port}{prefix}"
        with nginx(folder, SITE.format(port=port, prefix=prefix, page=page.port), f"{address}/health"):
            yield address


def get(address, **headers):
    """Renvoie le texte de cette adresse."""
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=60) as answer:
        return answer.read().decode()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Pour lire où mène une redirection, sans y aller."""

    def redirect_request(self, *_):
        """Ne va nulle part."""


def location(address, **headers):
    """Renvoie où cette adresse redirige."""
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.build_opener(NoRedirect).open(urllib.request.Request(address, headers=headers), timeout=60)
    return answer.value.headers["Location"]


@pytest.mark.parametrize("prefix", ["", "/salle/aurore"])
def test_the_page_behind_nginx(tmp_path, prefix):
    with behind_nginx(tmp_path, prefix) as address:
        found = addresses(get(f"{address}/generate"))
        assert len(found) > 4 and all(path.startswith(f"{prefix}/") for path in found)
        style = next(path for path in found if path.endswith(".css"))
        assert get(address.removesuffix(prefix) + style)
        assert json.loads(get(f"{address}/api/v1/openapi.json"))["servers"] == [{"url": f"{prefix}/"}]

        # Les mots passent un à un, et le visiteur est reconnu à son adresse.
        asked = urllib.request.Request(f"{address}/api/v1/generate", json.dumps(
            {"amorce": OPENING, "longueur": "court", "stream": True}).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=60) as answer:
            times = [time.monotonic() for line in answer if line == b"event: token\n"]
        assert len(times) > 20 and times[-1] - times[0] > 0.05

        # Les chiffres restent à la machine ; une redirection ne suit pas l'hôte qu'on lui dit.
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(f"{address}/metrics")
        for host in ("127.0.0.1", "ailleurs.example"):
            assert location(f"{address}/atelier", Host=host) == f"{prefix}/atelier/"
