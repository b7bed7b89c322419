"""Une partie du kit : ce qu'elle pèse, annoncé avant de commencer, et la fonction qui va la chercher."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Part:  # pylint: disable=too-many-instance-attributes  # ce qu'on en dit avant, ce qu'on en dit après
    """Les livres, un réseau, les paquets... `gather(kit, manifest)` les met dans le kit et les ajoute au manifeste.

    Elle ne lève rien de ce que l'on peut prévoir : ce qu'elle n'a pas pu avoir, elle l'ajoute à `missing`.
    """

    name: str
    gather: Callable
    size: int = 0         # octets à prendre encore
    here: int = 0         # octets déjà dans le kit
    unknown: int = 0      # fichiers dont personne n'a dit la taille
    estimated: bool = False
    missing: list[str] = field(default_factory=list)  # il le fallait : le code de sortie sera 1
    remarks: list[str] = field(default_factory=list)  # bon à savoir, sans plus
