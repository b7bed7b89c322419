"""Le serveur : assez de fils pour une salle, des bornes pour tout le reste, un arrêt qui prévient."""

import select
import signal
import sys
import threading

from flask import Flask
from waitress.server import BaseWSGIServer, MultiSocketServer

from workshop.errors import WorkshopError
from workshop.page.connections import open_listeners
from workshop.page.contract import LARGEST_BODY
from workshop.page.events import Writer
from workshop.page.guards import CROWD
from workshop.page.prompts import warm_up

THREADS = CROWD.size + 16  # qui lit ou attend son tour, et les autres pages : un fil chacun
CONNECTIONS = 800          # ouvertes à la fois, au plus ; les suivantes attendent leur tour
GRACE = 4                  # secondes laissées aux textes en cours ; waitress n'en attend que cinq


def most_connections() -> int:
    """Renvoie combien de connexions cette machine laisse ouvrir à la fois, `CONNECTIONS` au plus."""
    if not hasattr(select, "poll"):
        return 400  # Windows n'en surveille que 512, tout compris
    import resource  # pylint: disable=import-outside-toplevel  # absent de Windows
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)  # 256 sur un Mac
    return CONNECTIONS if files == resource.RLIM_INFINITY else max(50, min(CONNECTIONS, files - 150))


def open_server(app: Flask, host: str, port: str) -> BaseWSGIServer | MultiSocketServer:
    """Renvoie le serveur de `app`, qui écoute déjà ; lève une WorkshopError si le port ne va pas."""
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise WorkshopError(f"AURORE_PORT vaut « {port} » : il faut un numéro de port, par exemple 8080.")
    try:
        return open_listeners(
            app, host=host, port=int(port), threads=THREADS, connection_limit=most_connections(),
            asyncore_use_poll=True,
            channel_timeout=30, cleanup_interval=1,    # qui n'envoie plus rien s'en va
            channel_request_lookahead=1,               # pour savoir qu'un visiteur est parti pendant qu'on lui écrit
            max_request_header_size=32 * 1024,
            max_request_body_size=4 * LARGEST_BODY,    # Flask refuse bien avant, par une page
            clear_untrusted_proxy_headers=False,       # surroundings.py dit s'il faut les croire
            ident=None)
    except OSError as error:
        raise WorkshopError(f"Impossible d'ouvrir le port {port} : une autre page s'en sert déjà, ou il "
                            "faut être administrateur.\nFermez l'autre page, ou choisissez un autre port "
                            "(variable AURORE_PORT, par exemple 8081).") from error


def serve(app: Flask, generator: Writer, host: str, port: str) -> None:
    """Sert `app`, où écrit `generator`, jusqu'à Ctrl-C ou « docker stop » ; abrège alors les textes en cours."""
    server = open_server(app, host, port)
    address = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}{'' if port == '80' else f':{port}'}/generate"
    print(f"Réseau : {generator.network.name}\nLa page : {address}  (Ctrl-C pour arrêter)", flush=True)
    threading.Thread(target=warm_up, daemon=True).start()  # la page s'ouvre sans l'attendre

    def stop(*_: object) -> None:
        threading.Thread(target=generator.stop, args=(GRACE,), daemon=True).start()
        raise KeyboardInterrupt  # waitress n'accepte plus personne, et attend ceux qui écrivent

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    server.run()
    print("La page est fermée.")


def has_option(name: str) -> bool:
    """Dit si la commande porte l'option `name` ; lève une WorkshopError si elle en porte une autre."""
    others = [option for option in sys.argv[1:] if option != name]
    if others:
        raise WorkshopError(f"« {' '.join(others)} » : cette étape ne connaît que l'option {name}.\n"
                            "Relancez sans :  python aurore/5_flask.py")
    return name in sys.argv
