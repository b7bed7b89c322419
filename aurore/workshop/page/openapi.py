"""La description de l'API au format OpenAPI 3.1, pour les gens et pour les outils.

Les premières adresses, sans /v1, n'y sont plus : elles répondent comme les nouvelles.
"""

from typing import Any, Iterable

from workshop.page import completion_request, error_codes
from workshop.page.contract import ENDINGS, ERRORS, FIELDS, LOOK_FIELDS, OPTIONAL

Schema = dict[str, Any]

_TEXT = {"type": "string"}
_WHOLE = {"type": "integer", "minimum": 0}
_PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1}


def _object(properties: Schema, optional: Iterable[str] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _list(items: Schema, sentence: str = "") -> Schema:
    return {"type": "array", "items": items, **({"description": sentence} if sentence else {})}


def _escaped(schema: Schema) -> Schema:
    """Renvoie `schema`, dont les motifs nomment les signes invisibles au lieu de les contenir : YAML les refuse."""
    def escaped(name: str, value: Any) -> Any:
        if name == "pattern":
            return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in value)
        if isinstance(value, dict):
            return _escaped(value)
        return [escaped("", one) for one in value] if isinstance(value, list) else value
    return {name: escaped(name, value) for name, value in schema.items()}


def _demand(properties: Schema, optional: Iterable[str]) -> Schema:
    """Une demande : un champ qui n'y est pas est refusé par son nom."""
    return {**_object(properties, optional), "additionalProperties": False}


def _or_null(schema: Schema) -> Schema:
    """Chez OpenAI, null vaut absent : des clients envoient tous les champs."""
    return {"description": schema["description"], "anyOf": [schema, {"type": "null"}]}


def _json(schema: Schema, sentence: str, **others: Schema) -> Schema:
    return {"description": sentence, "content": {"application/json": {"schema": schema}, **others}}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _errors(*codes: int, shape: str = "Erreur") -> Schema:
    retry = {"Retry-After": {"description": "Secondes à attendre.", "schema": _WHOLE}}
    return {str(code): {**_json(_reference(shape), ERRORS[code][1]),
                        **({"headers": retry} if code in (429, 503) else {})} for code in codes}


_WISH = ("longueur", "audace", "top_k", "top_p", "graine")
_CANDIDATES = _list(_object({"texte": _TEXT, "p": _PROBABILITY}))
_HESITATION = {"type": "number", "minimum": 0, "description": "L'entropie du tirage, en bits."}
_NUMBER = {**_WHOLE, "description": "Laquelle des suites, s'il y en a plusieurs."}
_TOKENS = {"type": "boolean", "default": False,
           "description": "Recevoir aussi les tokens, avec leurs probabilités : « stream » les donne toujours."}
_STORY = {
    "amorce": _TEXT,
    "suite": {**_TEXT, "description": "Tout ce que le réseau a écrit, tel quel, suite reçue comprise."},
    "paragraphes": _list(_TEXT, "La suite composée, jusqu'à la fin de sa dernière phrase."),
    "avertissement": {"type": ["string", "null"]},
    "fin": {**_TEXT, "enum": list(ENDINGS),
            "description": " ".join(f"{name} : {sentence}" for name, sentence in ENDINGS.items())},
    "reseau": _reference("Reseau"),
    "reglages": {**_object({name: FIELDS[name].schema for name in _WISH}),
                 "description": "Avec le même réseau et le même texte, ils redonnent les mêmes mots."},
    "tokens": _list(_reference("Token"), "Si on les demande."),
}
_STORIES = {
    "Reseau": _object({
        "id": {**_TEXT, "description": "Ce par quoi on le demande."}, "nom": _TEXT,
        "date": {"type": ["string", "null"]},
        "note": {"type": ["number", "null"], "description": "Bits par caractère sur le livre de test."},
        "parent": {"type": ["string", "null"], "description": "Le nom du réseau dont il est parti."}}),
    "Reseaux": _object({"reseaux": _list(_reference("Reseau"), "Celui qui écrit d'ordinaire d'abord.")}),
    "Suite": _object(_STORY, optional=("tokens",)),
    "Histoire": _object({**_STORY, "autres": _list(_reference("Suite"), "Les autres, si l'on en demande plusieurs.")},
                        optional=("tokens", "autres")),
    "Place": _object({"place": {"type": "integer", "minimum": 1}, "numero": _NUMBER}, optional=("numero",)),
    "Token": _object({"texte": _TEXT, "p": _PROBABILITY, "candidats": _CANDIDATES, "hesitation": _HESITATION,
                      "numero": _NUMBER}, optional=("p", "candidats", "hesitation", "numero")),
    "Regard": _object({
        "tokens": _list(_reference("Token"), "Ceux du texte."),
        "ensuite": {**_CANDIDATES, "description": "Ce qui suivrait : les probabilités du réseau, avant l'audace."},
        "reseau": _reference("Reseau")}),
    "Attention": _object({
        "avant": {**_TEXT, "description": "Le début du texte : trop loin pour être lu, ou détaillé."},
        "tokens": _list(_reference("Token"), "Ceux qui le suivent."),
        "couches": _list(_list(_list({**_WHOLE, "maximum": 1000}, "La part de chaque token, pour mille."),
                               "Par tête : ses parts font 1000, si rien n'en va au début."), "Par couche."),
        "reseau": _reference("Reseau")}),
    "Erreur": _object({"code": {**_TEXT, "enum": error_codes.EVERY,
                                "description": "Pour un programme : il ne change pas."},
                       "message": {**_TEXT, "description": "Pour une personne."}}),
}
_LOGARITHM = {"type": ["number", "null"], "maximum": 0}
_OPENAI = {
    "Model": _object({"id": _TEXT, "object": {**_TEXT, "enum": ["model"]}, "created": _WHOLE, "owned_by": _TEXT}),
    "Models": _object({"object": {**_TEXT, "enum": ["list"]}, "data": _list(_reference("Model"))}),
    "Logprobs": _object({
        "tokens": _list(_TEXT), "token_logprobs": _list(_LOGARITHM),
        "top_logprobs": _list({"type": ["object", "null"], "additionalProperties": _LOGARITHM}),
        "text_offset": _list(_WHOLE)}),
    "Choice": _object({
        "index": _WHOLE, "text": _TEXT, "logprobs": {"anyOf": [_reference("Logprobs"), {"type": "null"}]},
        "finish_reason": {"type": ["string", "null"], "enum": ["stop", "length", None]}}),
    "Completion": _object({
        "id": _TEXT, "object": {**_TEXT, "enum": ["text_completion"]}, "created": _WHOLE, "model": _TEXT,
        "choices": _list(_reference("Choice")), "usage": _reference("Usage")}, optional=("usage",)),
    "Usage": _object({"prompt_tokens": _WHOLE, "completion_tokens": _WHOLE, "total_tokens": _WHOLE}),
    "Error": _object({"error": _object({
        "message": _TEXT, "type": _TEXT, "param": {"type": ["string", "null"]}, "code": _TEXT})}),
}


def description(root: str, networks: list[str]) -> Schema:
    """Renvoie la description ; `root` est l'adresse de la page, `networks` les noms des réseaux."""
    asked = {name: _escaped(field.schema) for name, field in FIELDS.items()}
    asked["reseau"] = {**asked["reseau"], "enum": ["", *networks]}
    completed = {**completion_request.SCHEMAS, "prompt": _escaped(completion_request.PROMPT),
                 "stop": completion_request.STOP}
    completed["model"] = {**completed["model"], "enum": ["", *networks]}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Aurore", "version": "1",
                 "description": "Un petit réseau de neurones continue votre phrase à la manière de George Sand."},
        "servers": [{"url": root}],
        "paths": {**_writing_paths(asked), **_completion_paths(networks), **_health_paths()},
        "components": {"schemas": {
            "Demande": _demand({**asked, "tokens": _TOKENS}, [*OPTIONAL, "tokens"]),
            "Texte": _demand({name: asked[name] for name in LOOK_FIELDS}, OPTIONAL),
            "CompletionRequest": _demand({name: _or_null(schema) for name, schema in completed.items()}, completed),
            **_STORIES, **_OPENAI}},
    }


_CODE = {"name": "X-Access-Code", "in": "header", "schema": _TEXT,
         "description": "Le code de la salle, s'il y en a un."}


def _post(name: str, sentence: str, sent: str, received: str, **stream: Schema) -> Schema:
    return {"parameters": [_CODE], "post": {
        "operationId": name, "summary": sentence,
        "requestBody": {"required": True, "content": {"application/json": {"schema": _reference(sent)}}},
        "responses": {"200": _json(_reference(received), "La réponse.", **stream),
                      **_errors(400, 401, 413, 415, 429, 500, 503)}}}


def _get(name: str, sentence: str, received: str) -> Schema:
    return {"parameters": [_CODE], "get": {
        "operationId": name, "summary": sentence,
        "responses": {"200": _json(_reference(received), "La réponse."), **_errors(401, 429)}}}


def _writing_paths(asked: Schema) -> Schema:
    stream = {"text/event-stream": {"schema": _object({
        "event": {**_TEXT, "enum": ["avertissement", "place", "token", "fin", "erreur"]},
        "data": {**_TEXT, "description": "Un objet JSON : Place, Token, Histoire (fin), Erreur (erreur), ou "
                                         "{message} (avertissement)."}})}}
    asked_in_address = [{"name": name, "in": "query", "required": name not in OPTIONAL, "schema": asked[name]}
                        for name in asked if name not in ("suites", "stream")]
    last = {"name": "Last-Event-ID", "in": "header", "schema": _TEXT,
            "description": "Le dernier « id » reçu : le texte reprend après lui, avec la même graine."}
    return {
        "/api/v1/generate": _post("generate", "Continuer une histoire.", "Demande", "Histoire", **stream),
        "/api/v1/stream": {"parameters": [_CODE, *asked_in_address, last], "get": {
            "operationId": "stream", "summary": "La même, mot à mot, pour EventSource : une simple adresse.",
            "responses": {"200": {"description": "Les mots, un à un.", "content": stream},
                          "204": {"description": "Tout était déjà dit."}, **_errors(400, 401, 429, 500, 503)}}},
        "/api/v1/look": _post("look", "Voir ce que le réseau pense de chaque token, et du suivant.", "Texte", "Regard"),
        "/api/v1/attention": _post("attention", "Voir ce que le réseau regarde d'un texte pour deviner la suite.",
                                   "Texte", "Attention"),
        "/api/v1/models": _get("models", "Les réseaux à qui l'on peut demander d'écrire.", "Reseaux"),
        "/api/v1/model": _get("model", "Le réseau qui écrit d'ordinaire.", "Reseau"),
    }


def _completion_paths(networks: list[str]) -> Schema:
    """Ce que parlent les clients d'OpenAI."""
    chunks = {"text/event-stream": {"schema": _object({
        "data": {**_TEXT, "description": "Des Completion, puis [DONE]."}})}}
    completions = _post("create_completion", "Continuer un texte, dans la forme d'OpenAI.", "CompletionRequest",
                        "Completion", **chunks)
    completions["post"]["responses"].update(_errors(400, 401, 404, 413, 415, 429, 500, 503, shape="Error"))
    listed, one = (_get(*what) for what in (("list_models", "Les réseaux, dans la forme d'OpenAI.", "Models"),
                                            ("retrieve_model", "L'un d'eux.", "Model")))
    for path in (listed, one):
        path["get"]["responses"].update(_errors(401, 404, 429, shape="Error"))
    asked = {"name": "model", "in": "path", "required": True, "schema": {**_TEXT, "enum": networks}}
    one["parameters"] = [_CODE, asked]
    return {"/v1/completions": completions, "/v1/models": listed, "/v1/models/{model}": one}


def _health_paths() -> Schema:
    def path(name: str, sentence: str, schema: Schema) -> Schema:
        return {"get": {"operationId": name, "summary": sentence, "responses": {"200": _json(schema, "Oui.")}}}
    status = {"status": {**_TEXT, "enum": ["ok"]}}
    return {"/health": path("health", "Dire si la page est debout.", _object(status)),
            "/ready": path("ready", "Dire si le réseau est prêt à écrire.", _object({**status, "reseau": _TEXT}))}
