"""Le contrat de la page : ce qu'on peut lui demander, dans quelles bornes, et ce qu'elle répond d'une erreur.

Tout est dit ici, et nulle part ailleurs : le formulaire, l'API, sa description OpenAPI, les gabarits et, par eux,
le JavaScript s'en servent. (pydantic ou APIFlask le feraient aussi ; mais dix champs n'en demandent pas tant, et
leurs refus ne sont pas des phrases.)
"""

import secrets
from typing import Any, Iterable, Mapping, NamedTuple

LONGEST_PROMPT = 500        # caractères
LONGEST_SUITE = 20_000      # caractères : une dizaine de pages déjà écrites
LONGEST_ADDRESS = 1200      # caractères : au-delà, un téléphone lit mal le code QR
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
TOP_K = Range(1, 100, 50)         # ne tirer qu'entre les tokens les plus probables : tant, au plus
TOP_P = Range(0.05, 1, 1)         # et qui font ensemble cette part des chances
SUITES = Range(1, 3, 1)           # écrites à la fois, à partir du même texte
SEEDS = 1_000_000                 # graines : six chiffres se dictent d'une table à l'autre
USUAL_LENGTH = "moyen"
THE_ONE_WHO_WRITES = ""           # au lieu d'un nom de réseau : celui qui écrit quand on ne demande rien


class Wish(NamedTuple):
    """Comment écrire : la même demande, du même texte, redonne les mêmes mots."""

    network: str = THE_ONE_WHO_WRITES
    seed: int = 0
    length: str = USUAL_LENGTH
    boldness: float = BOLDNESS.usual
    top_k: int = int(TOP_K.usual)
    top_p: float = TOP_P.usual

    def as_json(self) -> dict[str, Any]:
        """Renvoie ces réglages, dans les mots de l'API ; le réseau a sa place ailleurs."""
        return {"longueur": self.length, "audace": self.boldness, "top_k": self.top_k, "top_p": self.top_p,
                "graine": self.seed}


def wish(asked: Mapping[str, Any]) -> Wish:
    """Renvoie ce que demandent les champs `asked`, du formulaire ou de l'API ; sans graine, elle est tirée au sort."""
    seed = asked.get("graine")
    return Wish(asked["reseau"], secrets.randbelow(SEEDS) if seed is None else seed, asked["longueur"],
                asked["audace"], asked["top_k"], asked["top_p"])


# --- Une demande --------------------------------------------------------------------------
def _between(kind: str, bounds: Range, sentence: str) -> dict[str, Any]:
    number = int if kind == "integer" else float
    lowest, highest, usual = map(number, bounds)
    return {"type": kind, "minimum": lowest, "maximum": highest, "default": usual, "description": sentence}


class Field(NamedTuple):
    """Un champ d'une demande : ce qu'il peut valoir (en JSON Schema), et la phrase qui refuse le reste."""

    schema: dict[str, Any]
    refusal: str

    def accepts(self, value: object) -> bool:
        """Dit si `value` convient ; la longueur et les signes d'un texte ont leurs phrases dans prompts.py."""
        if type(value) not in _TYPES[self.schema["type"]]:   # True n'est pas un nombre
            return False
        if self.schema["type"] == "integer" and value % 1:   # type: ignore[operator]  # 2.0 est un entier, en JSON
            return False
        if "enum" in self.schema:
            return value in self.schema["enum"]
        return "minimum" not in self.schema or self.schema["minimum"] <= value <= self.schema["maximum"]


_TYPES = {"string": (str,), "number": (int, float), "integer": (int, float), "boolean": (bool,)}
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
    "audace": Field(_between("number", BOLDNESS, "Près de 0, le mot le plus probable ; au-delà de 1, l'aventure."),
                    f"« audace » doit être un nombre entre {BOLDNESS.lowest} et {BOLDNESS.highest}."),
    "top_k": Field(_between("integer", TOP_K, "Ne tirer qu'entre les tokens les plus probables : tant, au plus."),
                   f"« top_k » doit être un entier entre {TOP_K.lowest} et {TOP_K.highest}."),
    "top_p": Field(_between("number", TOP_P, "Ne tirer qu'entre les plus probables, qui font ensemble cette part."),
                   f"« top_p » doit être un nombre entre {TOP_P.lowest} et {TOP_P.highest}."),
    "graine": Field({"type": "integer", "minimum": 0, "maximum": SEEDS - 1,
                     "description": "La même redonne les mêmes mots ; sans elle, le sort en choisit une."},
                    f"« graine » doit être un entier entre 0 et {SEEDS - 1}."),
    "reseau": Field({"type": "string", "default": THE_ONE_WHO_WRITES,
                     "description": "Le nom (« id ») de celui qui écrira ; sans rien, le dernier entraîné."},
                    "« reseau » doit être le nom d'un réseau, tel que le donne /api/models."),
    "suites": Field(_between("integer", SUITES, "Combien en écrire à la fois ; chacune a sa graine, et elles se "
                                                "suivent."),
                    f"« suites » doit être un entier entre {SUITES.lowest} et {SUITES.highest}."),
    "stream": Field({"type": "boolean", "default": False, "description": "Recevoir les mots un à un."},
                    "« stream » doit être true ou false."),
}
OPTIONAL = [name for name in FIELDS if name != "amorce"]
LOOK_FIELDS = ("amorce", "suite", "reseau")   # ce qu'il faut pour seulement regarder ce que le réseau en pense
DEFAULTS = {name: field.schema["default"] for name, field in FIELDS.items() if "default" in field.schema}


class Malformed(Exception):
    """La demande n'a pas la forme attendue ; le message dit quel champ corriger."""


def read_json(body: object, names: Iterable[str] = tuple(FIELDS)) -> dict[str, Any]:
    """Renvoie les champs `names` de la demande `body`, complétés de leurs valeurs par défaut ; lève Malformed."""
    if not isinstance(body, dict):
        raise Malformed("Il faut un objet JSON, par exemple {\"amorce\": \"Le soir, la meunière\"}.")
    asked = {**DEFAULTS, **body}
    for name in names:
        if (name in asked or name not in OPTIONAL) and not FIELDS[name].accepts(asked.get(name)):
            raise Malformed(FIELDS[name].refusal)
        if name in asked and FIELDS[name].schema["type"] == "integer":
            asked[name] = int(asked[name])
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
