"""La description de l'API au format OpenAPI 3.1, pour les gens et pour les outils."""

from typing import Any, Iterable

from workshop.page.contract import DEFAULTS, ENDINGS, ERRORS, FIELDS

Schema = dict[str, Any]

_TEXT = {"type": "string"}
_PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1}


def _object(properties: Schema, optional: Iterable[str] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _json(schema: Schema, sentence: str, **others: Schema) -> Schema:
    return {"description": sentence, "content": {"application/json": {"schema": schema}, **others}}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _errors(*codes: int) -> Schema:
    retry = {"Retry-After": {"description": "Secondes à attendre.", "schema": {"type": "integer", "minimum": 0}}}
    return {str(code): {**_json(_reference("Erreur"), ERRORS[code][1]),
                        **({"headers": retry} if code in (429, 503) else {})} for code in codes}


_SCHEMAS = {
    "Demande": _object({name: field.schema for name, field in FIELDS.items()}, optional=DEFAULTS),
    "Reseau": _object({
        "nom": _TEXT, "date": {"type": ["string", "null"]},
        "note": {"type": ["number", "null"], "description": "Bits par caractère sur le livre de test."}}),
    "Histoire": _object({
        "amorce": _TEXT,
        "suite": {**_TEXT, "description": "Tout ce que le réseau a écrit, tel quel, suite reçue comprise."},
        "paragraphes": {"type": "array", "items": _TEXT,
                        "description": "La suite composée, jusqu'à la fin de sa dernière phrase."},
        "avertissement": {"type": ["string", "null"]},
        "fin": {**_TEXT, "enum": list(ENDINGS),
                "description": " ".join(f"{name} : {sentence}" for name, sentence in ENDINGS.items())},
        "reseau": _reference("Reseau")}),
    "Place": _object({"place": {"type": "integer", "minimum": 1}}),
    "Token": _object({"texte": _TEXT, "p": _PROBABILITY, "candidats": {
        "type": "array", "items": _object({"texte": _TEXT, "p": _PROBABILITY})}}, optional=("p", "candidats")),
    "Erreur": _object({"message": _TEXT}),
}


def description(root: str) -> Schema:
    """Renvoie la description ; `root` est l'adresse de la page."""
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
        "servers": [{"url": root}],
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
        "components": {"schemas": _SCHEMAS},
    }
