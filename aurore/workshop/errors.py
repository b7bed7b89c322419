"""Les erreurs prévues : celles qui s'affichent en une phrase, sans trace d'appels."""


class WorkshopError(Exception):
    """Une erreur prévue. Son message dit ce qui s'est passé, où, et quoi taper ensuite."""


class Unfinished(NotImplementedError):
    """Un TODO qui attend sa réponse. Son message dit lequel, où, et quoi faire."""
