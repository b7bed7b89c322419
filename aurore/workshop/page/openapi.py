"""La description de l'API au format OpenAPI 3.1, pour les gens et pour les outils."""

from workshop.page.errors import SENTENCES
from workshop.page.prompts import FORBIDDEN, LONGEST_PROMPT, LONGEST_SUITE

# Ce qu'accepte workshop.page.prompts : aucun signe invisible, et au moins une lettre ou un chiffre. (Il refuse
# aussi plus de 30 accents de suite, ce que personne n'écrit.)
_SIGN = f"[^{FORBIDDEN}]"
_PROMPT = f"^{_SIGN}*[0-9A-Za-zÀ-ÖØ-öø-ÿ]{_SIGN}*$"

_TEXT = {"type": "string"}
_PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1}


def _object(properties, optional=()):
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _json(schema, sentence, **others):
    return {"description": sentence, "content": {"application/json": {"schema": schema}, **others}}


def _reference(name):
    return {"$ref": f"#/components/schemas/{name}"}


def _errors(*codes):
    retry = {"Retry-After": {"description": "Secondes à attendre.", "schema": {"type": "integer", "minimum": 0}}}
    return {str(code): {**_json(_reference("Erreur"), SENTENCES[code][1]),
                        **({"headers": retry} if code in (429, 503) else {})} for code in codes}


def _schemas(lengths, boldness):
    return {
        "Demande": _object({
            "amorce": {**_TEXT, "minLength": 1, "maxLength": LONGEST_PROMPT, "pattern": _PROMPT,
                       "description": "Le début de l'histoire, en français.", "example": "Le soir, la meunière"},
            "suite": {**_TEXT, "maxLength": LONGEST_SUITE, "pattern": f"^{_SIGN}*$", "default": "",
                      "description": "Ce que le réseau a déjà écrit, tel quel : il continue à partir de là."},
            "longueur": {**_TEXT, "enum": list(lengths), "default": "moyen"},
            "audace": {"type": "number", "minimum": boldness[0], "maximum": boldness[1], "default": 0.8,
                       "description": "Près de 0, le mot le plus probable ; au-delà de 1, l'aventure."},
            "stream": {"type": "boolean", "default": False, "description": "Recevoir les mots un à un."},
        }, optional=("suite", "longueur", "audace", "stream")),
        "Reseau": _object({
            "nom": _TEXT, "date": {"type": ["string", "null"]},
            "note": {"type": ["number", "null"], "description": "Bits par caractère sur le livre de test."}}),
        "Histoire": _object({
            "amorce": _TEXT,
            "suite": {**_TEXT, "description": "Tout ce que le réseau a écrit, tel quel, suite reçue comprise."},
            "paragraphes": {"type": "array", "items": _TEXT,
                            "description": "La suite composée, jusqu'à la fin de sa dernière phrase."},
            "avertissement": {"type": ["string", "null"]},
            "fin": {**_TEXT, "enum": ["phrase", "longueur", "texte", "arret"],
                    "description": "phrase : une phrase finie ; longueur : coupée ; texte : le réseau a mis le point "
                                   "final ; arret : interrompue."},
            "reseau": _reference("Reseau")}),
        "Place": _object({"place": {"type": "integer", "minimum": 1}}),
        "Token": _object({"texte": _TEXT, "p": _PROBABILITY, "candidats": {
            "type": "array", "items": _object({"texte": _TEXT, "p": _PROBABILITY})}}),
        "Erreur": _object({"message": _TEXT}),
    }


def description(lengths, boldness):
    """Renvoie la description (un dictionnaire) ; `lengths` et `boldness` sont ce que l'API accepte."""
    stream = {"text/event-stream": {"schema": _object({
        "event": {**_TEXT, "enum": ["avertissement", "place", "token", "fin", "erreur"]},
        "data": {**_TEXT,
                 "description": "Un objet JSON : Place, Token, Histoire (fin), ou Erreur (avertissement, erreur)."}})}}
    code = {"name": "X-Access-Code", "in": "header", "schema": _TEXT,
            "description": "Le code de la salle, s'il y en a un."}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Aurore", "version": "1",
                 "description": "Un petit réseau de neurones continue votre phrase à la manière de George Sand."},
        "servers": [{"url": "/"}],
        "paths": {
            "/api/generate": {"parameters": [code], "post": {
                "operationId": "generate", "summary": "Continuer une histoire.",
                "requestBody": {"required": True, "content": {"application/json": {"schema": _reference("Demande")}}},
                "responses": {"200": _json(_reference("Histoire"), "La suite.", **stream),
                              **_errors(400, 401, 413, 415, 429, 500, 503)}}},
            "/api/model": {"parameters": [code], "get": {
                "operationId": "model", "summary": "Le réseau qui écrit.",
                "responses": {"200": _json(_reference("Reseau"), "Son nom, sa date, sa note."), **_errors(401, 429)}}},
        },
        "components": {"schemas": _schemas(lengths, boldness)},
    }
