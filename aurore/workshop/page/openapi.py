"""La description de l'API au format OpenAPI 3.1, pour les gens et pour les outils."""

from typing import Any, Iterable

from workshop.page.contract import ENDINGS, ERRORS, FIELDS, LOOK_FIELDS, OPTIONAL

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


_WISH = ("longueur", "audace", "top_k", "top_p", "graine")
_STORY = {
    "amorce": _TEXT,
    "suite": {**_TEXT, "description": "Tout ce que le réseau a écrit, tel quel, suite reçue comprise."},
    "paragraphes": {"type": "array", "items": _TEXT,
                    "description": "La suite composée, jusqu'à la fin de sa dernière phrase."},
    "avertissement": {"type": ["string", "null"]},
    "fin": {**_TEXT, "enum": list(ENDINGS),
            "description": " ".join(f"{name} : {sentence}" for name, sentence in ENDINGS.items())},
    "reseau": _reference("Reseau"),
    "reglages": {**_object({name: FIELDS[name].schema for name in _WISH}),
                 "description": "Avec le même réseau et le même texte, ils redonnent les mêmes mots."},
}
_CANDIDATES = {"type": "array", "items": _object({"texte": _TEXT, "p": _PROBABILITY})}
_HESITATION = {"type": "number", "minimum": 0, "description": "L'entropie du tirage, en bits."}
_NUMBER = {"type": "integer", "minimum": 0, "description": "Laquelle des suites, s'il y en a plusieurs."}
_SCHEMAS = {
    "Reseau": _object({
        "id": {**_TEXT, "description": "Ce par quoi on le demande."}, "nom": _TEXT,
        "date": {"type": ["string", "null"]},
        "note": {"type": ["number", "null"], "description": "Bits par caractère sur le livre de test."},
        "parent": {"type": ["string", "null"], "description": "Le nom du réseau dont il est parti."}}),
    "Reseaux": _object({"reseaux": {"type": "array", "items": _reference("Reseau"),
                                    "description": "Celui qui écrit d'ordinaire d'abord."}}),
    "Histoire": _object({**_STORY, "autres": {"type": "array", "items": _object(_STORY),
                                              "description": "Les autres suites, si l'on en demande plusieurs."}},
                        optional=("autres",)),
    "Place": _object({"place": {"type": "integer", "minimum": 1}, "numero": _NUMBER}, optional=("numero",)),
    "Token": _object({"texte": _TEXT, "p": _PROBABILITY, "candidats": _CANDIDATES, "hesitation": _HESITATION,
                      "numero": _NUMBER}, optional=("p", "candidats", "hesitation", "numero")),
    "Regard": _object({
        "tokens": {"type": "array", "items": _reference("Token"), "description": "Ceux du texte."},
        "ensuite": {**_CANDIDATES, "description": "Ce qui suivrait : les probabilités du réseau, avant l'audace."},
        "reseau": _reference("Reseau")}),
    "Erreur": _object({"message": _TEXT}),
}


def description(root: str, networks: list[str]) -> Schema:
    """Renvoie la description ; `root` est l'adresse de la page, `networks` les noms des réseaux."""
    asked = {name: field.schema for name, field in FIELDS.items()}
    asked["reseau"] = {**asked["reseau"], "enum": ["", *networks]}
    looked = {name: asked[name] for name in LOOK_FIELDS}
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
            "/api/look": {"parameters": [code], "post": {
                "operationId": "look", "summary": "Voir ce que le réseau pense de chaque token, et du suivant.",
                "requestBody": {"required": True, "content": {"application/json": {"schema": _reference("Texte")}}},
                "responses": {"200": _json(_reference("Regard"), "Ce qu'il en pense."),
                              **_errors(400, 401, 413, 415, 429, 500, 503)}}},
            "/api/models": {"parameters": [code], "get": {
                "operationId": "models", "summary": "Les réseaux à qui l'on peut demander d'écrire.",
                "responses": {"200": _json(_reference("Reseaux"), "Leur nom, leur date, leur note."),
                              **_errors(401, 429)}}},
            "/api/model": {"parameters": [code], "get": {
                "operationId": "model", "summary": "Le réseau qui écrit d'ordinaire.",
                "responses": {"200": _json(_reference("Reseau"), "Son nom, sa date, sa note."), **_errors(401, 429)}}},
        },
        "components": {"schemas": {
            "Demande": _object(asked, OPTIONAL), "Texte": _object(looked, OPTIONAL), **_SCHEMAS}},
    }
