"""Le contrat de la page : ce qu'on peut lui demander, dans quelles bornes, et ce qu'elle répond d'une erreur.

Tout est dit ici, et nulle part ailleurs : le formulaire, l'API, sa description OpenAPI, les gabarits et, par eux,
le JavaScript s'en servent. (pydantic ou APIFlask le feraient aussi ; mais cinq champs n'en demandent pas tant, et
leurs refus ne sont pas des phrases.)
"""

from typing import Any, NamedTuple

LONGEST_PROMPT = 500        # caractères
LONGEST_SUITE = 20_000      # caractères : une dizaine de pages déjà écrites
LARGEST_BODY = 256 * 1024   # octets : 20 000 signes, échappés en JSON, en font 120 000
PER_PERSON = 40             # histoires demandées en une minute par une personne
PER_ADDRESS = 1200          # et par toute une salle, qui sort souvent par une seule adresse

# Les signes refusés, qui sont donc aussi ceux que le réseau n'écrit pas.
BIDIRECTIONAL = "\u202a-\u202e\u2066-\u2069"
CONTROLS = "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufffd"
FORBIDDEN = BIDIRECTIONAL + CONTROLS


# --- Les réglages d'une histoire ----------------------------------------------------------

class Length(NamedTuple):
    """Une longueur, telle qu'on la choisit."""

    label: str
    sentence: str
    tokens: int   # écrits avant de chercher la fin d'une phrase


LENGTHS = {
    "court": Length("Court", "Quelques phrases.", 40),
    "moyen": Length("Moyen", "Un paragraphe.", 90),
    "long": Length("Long", "Une demi-page.", 200),
}
PATIENCE = 60   # tokens de plus, au pire, pour trouver la fin d'une phrase
TOP_K = 50      # ne tirer qu'entre les 50 tokens les plus probables


class Range(NamedTuple):
    """Les bornes d'un réglage."""

    lowest: float
    highest: float
    usual: float

    def nearest(self, value: float) -> float:
        """Renvoie `value`, ramenée entre les bornes ; ce qui n'est pas un nombre vaut la plus petite."""
        return min(self.highest, max(self.lowest, value))


BOLDNESS = Range(0.1, 1.5, 0.8)   # la température : près de 0, le mot le plus probable ; au-delà de 1, l'aventure
SLIDER = Range(0.3, 1.3, 0.8)     # ce qu'en offre le curseur de la page
USUAL_LENGTH = "moyen"


# --- Une demande --------------------------------------------------------------------------

class Field(NamedTuple):
    """Un champ d'une demande : ce qu'il peut valoir (en JSON Schema), et la phrase qui refuse le reste."""

    schema: dict[str, Any]
    refusal: str

    def accepts(self, value: object) -> bool:
        """Dit si `value` convient ; la longueur et les signes d'un texte ont leurs phrases dans prompts.py."""
        if type(value) not in _TYPES[self.schema["type"]]:   # True n'est pas un nombre
            return False
        if "enum" in self.schema:
            return value in self.schema["enum"]
        return "minimum" not in self.schema or self.schema["minimum"] <= value <= self.schema["maximum"]  # type: ignore


_TYPES = {"string": (str,), "number": (int, float), "boolean": (bool,)}
_TEXTS = "« amorce » (le début de l'histoire) et « suite » doivent être des textes."
# Ce qu'accepte workshop.page.prompts : aucun signe invisible, et au moins une lettre ou un chiffre. (Il refuse aussi
# plus de 30 accents de suite, ce que personne n'écrit.)
_SIGN = f"[^{FORBIDDEN}]"

FIELDS = {
    "amorce": Field({"type": "string", "minLength": 1, "maxLength": LONGEST_PROMPT,
                     "pattern": f"^{_SIGN}*[0-9A-Za-zÀ-ÖØ-öø-ÿ]{_SIGN}*$",
                     "description": "Le début de l'histoire, en français.", "example": "Le soir, la meunière"}, _TEXTS),
    "suite": Field({"type": "string", "maxLength": LONGEST_SUITE, "pattern": f"^{_SIGN}*$", "default": "",
                    "description": "Ce que le réseau a déjà écrit, tel quel : il continue à partir de là."}, _TEXTS),
    "longueur": Field({"type": "string", "enum": list(LENGTHS), "default": USUAL_LENGTH},
                      f"« longueur » doit être l'une de : {', '.join(LENGTHS)}."),
    "audace": Field({"type": "number", "minimum": BOLDNESS.lowest, "maximum": BOLDNESS.highest,
                     "default": BOLDNESS.usual,
                     "description": "Près de 0, le mot le plus probable ; au-delà de 1, l'aventure."},
                    f"« audace » doit être un nombre entre {BOLDNESS.lowest} et {BOLDNESS.highest}."),
    "stream": Field({"type": "boolean", "default": False, "description": "Recevoir les mots un à un."},
                    "« stream » doit être true ou false."),
}
DEFAULTS = {name: field.schema["default"] for name, field in FIELDS.items() if "default" in field.schema}


class Malformed(Exception):
    """Le JSON reçu n'a pas la forme attendue ; le message dit quel champ corriger."""


def read_json(body: object) -> dict[str, Any]:
    """Renvoie les champs de la demande `body`, complétés de leurs valeurs par défaut ; lève Malformed."""
    if not isinstance(body, dict):
        raise Malformed("Il faut un objet JSON, par exemple {\"amorce\": \"Le soir, la meunière\"}.")
    asked = {**DEFAULTS, **body}
    for name, field in FIELDS.items():
        if not field.accepts(asked.get(name)):
            raise Malformed(field.refusal)
    return asked


# --- Les réponses -------------------------------------------------------------------------

# Pourquoi un texte s'est arrêté, et comment la page le dit.
ENDINGS = {
    "phrase": "Le réseau pose la plume.",
    "longueur": "Le réseau s'arrête au milieu d'une phrase.",
    "texte": "Le réseau a mis le mot fin.",
    "arret": "Le serveur s'est arrêté : voici ce qui était écrit.",
}

# Par code HTTP : un titre, une phrase.
ERRORS = {
    400: ("Demande incomprise", "La page n'a pas compris cette demande. Revenez au début et réessayez."),
    401: ("Code d'accès", "Cette page demande le code de la salle : rechargez-la pour le donner "
                          "(pour l'API, en-tête X-Access-Code)."),
    404: ("Page introuvable", "Il n'y a rien à cette adresse. L'histoire continue ailleurs."),
    405: ("Demande incomprise", "Cette adresse ne se visite pas de cette façon."),
    413: ("Texte trop long", "C'est beaucoup plus que ce que la page sait lire. Raccourcissez, puis réessayez."),
    415: ("Format inconnu", "L'API lit du JSON : envoyez l'en-tête Content-Type: application/json."),
    429: ("Un peu de patience", "Vous demandez beaucoup d'histoires. Reprenez votre souffle, puis réessayez."),
    500: ("La plume s'est cassée", "Quelque chose n'a pas marché, de notre côté. Réessayez dans un instant."),
    503: ("Salle comble", "Trop de lecteurs attendent déjà leur histoire. Réessayez dans un instant."),
}
EXPIRED = "La page était ouverte depuis longtemps. Votre texte est toujours là : appuyez encore une fois sur Générer."
