"""Les codes des erreurs de l'API : ce qu'un programme lit, à côté de la phrase. Ils ne changent pas d'une version à
l'autre."""

# Par code HTTP.
CODES = {
    400: "demande_incomprise",
    401: "code_de_la_salle",
    404: "introuvable",
    405: "methode_refusee",
    413: "trop_long",
    415: "format_inconnu",
    429: "trop_de_demandes",
    500: "panne",
    503: "salle_comble",
}
# Et ceux qui disent pourquoi une demande (400) est refusée.
UNKNOWN_FIELD = "champ_inconnu"
WRONG_FIELD = "champ_refuse"
REFUSED_TEXT = "texte_refuse"

EVERY = [*CODES.values(), UNKNOWN_FIELD, WRONG_FIELD, REFUSED_TEXT]

# Les adresses qui répondent en JSON ; à la seconde, dans la forme d'OpenAI.
API, OPENAI = "/api/", "/v1/"
# Ce que ses clients attendent à la place.
OPENAI_TYPES = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error", 500: "server_error",
                502: "server_error", 503: "overloaded_error"}


def of_status(status: int) -> str:
    """Renvoie le code d'une réponse HTTP `status`."""
    return CODES.get(status, CODES[500 if status >= 500 else 400])


def as_json(path: str, status: int, code: str, sentence: str) -> dict[str, object]:
    """Renvoie l'erreur, dans la forme que l'on attend à cette adresse."""
    return openai_error(status, code, sentence) if path.startswith(OPENAI) else {"code": code, "message": sentence}


def openai_error(status: int, code: str, sentence: str) -> dict[str, object]:
    """Renvoie l'erreur dans la forme d'OpenAI."""
    return {"error": {"message": sentence, "type": OPENAI_TYPES.get(status, "invalid_request_error"), "param": None,
                      "code": code}}
