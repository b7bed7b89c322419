"""Les réglages de l'étape 3 : ceux du haut du script, vérifiés avant tout calcul."""

from numbers import Real
from pathlib import Path
from types import SimpleNamespace

from workshop.errors import WorkshopError
from workshop.learning import sharing

EPOCHS = (1, 2, 3)
# Réglage: (sortes de nombres, le plus petit, le plus grand)
BOUNDS = {
    "DROPOUT": (Real, 0, 0.9),
    "BATCH_SIZE": (int, 1, 1024),
    "BLOCK_LENGTH": (int, 16, 1024),
    "VALIDATION_BLOCKS": (int, 1, 100_000),
    "TIME_BUDGET_MINUTES": (Real, 0.1, 10_000),
    "WARMUP": (Real, 0, 0.9),
    "LEARNT_SHARE": (Real, 0, 1),
    "SEED": (int, 0, 2**32 - 1),
}


def read_settings(script):
    """Renvoie les réglages d'un script (ses noms en capitales), dont `script` est globals().

    Lève une WorkshopError qui nomme le premier qui n'a pas de sens.
    """
    settings = SimpleNamespace(**{name: value for name, value in script.items() if name.isupper()})
    where = f"Modifiez-le en haut de {Path(script['__file__']).name}, puis relancez."
    for name, choices in (("EPOCHS", EPOCHS), ("TOKENIZER", settings.TOKENIZERS)):
        value = getattr(settings, name)
        if isinstance(value, (bool, float)) or value not in choices:  # 1.0 et True valent 1
            *others, last = map(repr, choices)
            raise WorkshopError(f"{name} vaut {value!r} : choisissez {', '.join(others)} ou {last}.\n{where}")
    for name, (kind, least, most) in BOUNDS.items():
        value = getattr(settings, name)
        if isinstance(value, bool) or not isinstance(value, kind) or not least <= value <= most:
            raise WorkshopError(f"{name} vaut {value!r} : choisissez un nombre entre {least} et {most}"
                                f"{', entier' if kind is int else ''}.\n{where}")
    rates = settings.LEARNING_RATES
    if not (isinstance(rates, dict) and rates and float("inf") in rates
            and all(isinstance(rate, Real) and 0 < rate <= 1 for rate in rates.values())):
        raise WorkshopError(f"LEARNING_RATES vaut {rates!r} : c'est un dictionnaire {{nombre maximal de paramètres: "
                            "vitesse}, dont chaque vitesse est entre 0 et 1 (essayez 1e-4) et dont le dernier nombre "
                            f"est float(\"inf\").\n{where}")
    sharing.check(settings.PUSH_TO_HUB)
    return settings
