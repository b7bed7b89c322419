"""Ce que partagent plusieurs pages derrière un même relais : le secret de leurs cookies, et ce que chacun a demandé.

Une page seule n'en a pas besoin : son secret est tiré au hasard, ses comptes sont en mémoire, et s'en vont avec elle.
"""

import hashlib
import logging
import os
import secrets
import time
from typing import Any

from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from workshop.errors import WorkshopError

SHORTEST_SECRET = 16   # signes
SILENCE = 1.0          # secondes sans réponse de Redis, après quoi on ne l'attend plus
REST = 10.0            # secondes avant de lui demander de nouveau


def secret_key() -> bytes:
    """Renvoie ce qui signe les cookies : tiré d'AURORE_SECRET, le même pour toutes les pages, ou du hasard."""
    secret = os.environ.get("AURORE_SECRET", "").strip()
    if not secret:
        return secrets.token_bytes(32)
    if len(secret) < SHORTEST_SECRET:
        raise WorkshopError(f"AURORE_SECRET est trop court : il lui faut {SHORTEST_SECRET} signes, tirés au hasard.\n"
                            'Par exemple :  python -c "import secrets; print(secrets.token_hex())"')
    return hashlib.sha256(secret.encode()).digest()


class Counts:
    """Combien de fois chacun a fait quelque chose, comme FixedWindowRateLimiter, dans le Redis d'AURORE_REDIS.

    Tant qu'il ne répond pas, chaque page compte pour elle : personne n'attend, et rien ne s'arrête.
    """

    def __init__(self) -> None:
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._shared, self._asleep_until = _shared_counts(), 0.0

    def test(self, *what: Any) -> bool:
        """Dit si une fois de plus serait permise."""
        return self._ask("test", what)

    def hit(self, *what: Any) -> bool:
        """Compte une fois de plus, et dit si elle était permise."""
        return self._ask("hit", what)

    def seconds_left(self, *what: Any) -> float:
        """Renvoie dans combien de secondes le compte repart de zéro."""
        return self._ask("get_window_stats", what).reset_time - time.time()

    def _ask(self, question: str, what: tuple) -> Any:
        if self._shared and time.monotonic() >= self._asleep_until:
            try:
                return getattr(self._shared, question)(*what)
            except StorageError:
                self._asleep_until = time.monotonic() + REST
                logging.getLogger(__name__).warning("Redis ne répond pas : cette page compte pour elle.")
        return getattr(self._own, question)(*what)


def _shared_counts() -> FixedWindowRateLimiter | None:
    address = os.environ.get("AURORE_REDIS", "").strip()
    if not address:
        return None
    try:
        return FixedWindowRateLimiter(storage_from_string(
            address, wrap_exceptions=True, socket_timeout=SILENCE, socket_connect_timeout=SILENCE))
    except (ConfigurationError, ValueError) as error:
        raise WorkshopError(f"AURORE_REDIS vaut « {address} » : il faut l'adresse d'un serveur Redis, par exemple "
                            "redis://127.0.0.1:6379/0") from error
