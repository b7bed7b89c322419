"""Le serveur : assez de fils pour une salle, des bornes pour tout le reste, un arrêt qui prévient."""

import select
import signal
import threading

from waitress import create_server

from workshop.errors import WorkshopError

THREADS = 32 + 32 + 16     # qui écrit, qui attend son tour, et les autres pages : un fil chacun
CONNECTIONS = 800          # ouvertes à la fois, au plus ; les suivantes attendent leur tour
LARGEST_BODY = 1024 ** 2   # octets ; Flask refuse bien avant, par une page
GRACE = 4                  # secondes laissées aux textes en cours ; waitress n'en attend que cinq


def most_connections():
    """Renvoie combien de connexions cette machine laisse ouvrir à la fois, `CONNECTIONS` au plus."""
    if not hasattr(select, "poll"):
        return 400  # Windows n'en surveille que 512, tout compris
    import resource  # pylint: disable=import-outside-toplevel  # absent de Windows
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)  # 256 sur un Mac
    return CONNECTIONS if files == resource.RLIM_INFINITY else max(50, min(CONNECTIONS, files - 150))


def open_server(app, host, port):
    """Renvoie le serveur de `app`, qui écoute déjà ; lève une WorkshopError si le port est pris."""
    try:
        return create_server(
            app, host=host, port=port, threads=THREADS, connection_limit=most_connections(), asyncore_use_poll=True,
            channel_timeout=30, cleanup_interval=10,   # qui n'envoie plus rien s'en va
            channel_request_lookahead=1,               # pour savoir qu'un visiteur est parti pendant qu'on lui écrit
            max_request_header_size=32 * 1024, max_request_body_size=LARGEST_BODY, ident=None)
    except OSError as error:
        raise WorkshopError(f"Impossible d'ouvrir le port {port} : une autre page s'en sert déjà, ou il "
                            "faut être administrateur.\nFermez l'autre page, ou choisissez un autre port "
                            "(variable AURORE_PORT, par exemple 8081).") from error


def run_until_stopped(server, stop_writing):
    """Sert jusqu'à Ctrl-C ou « docker stop » ; `stop_writing(GRACE)` abrège alors les textes en cours."""
    def stop(*_):
        threading.Thread(target=stop_writing, args=(GRACE,), daemon=True).start()
        raise KeyboardInterrupt  # waitress n'accepte plus personne, et attend ceux qui écrivent

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    server.run()
