"""Ce que l'on dit d'une réponse : pourquoi elle ne va pas, et quoi faire."""

import re


class Wrong(Exception):
    """Une réponse à revoir : `why` dit pourquoi en une phrase, `advice` quoi faire ensuite."""

    def __init__(self, why, advice):
        super().__init__(why)
        self.why, self.advice = why, advice


def kind(value):
    """Renvoie ce qu'est une valeur, en français : « une liste »."""
    names = {type(None): "rien (None)", str: "un texte", bytes: "des octets", list: "une liste", tuple: "un tuple",
             dict: "un dictionnaire", bool: "vrai ou faux", int: "un nombre", float: "un nombre"}
    return names.get(type(value), "une fonction" if callable(value) else f"un objet « {type(value).__name__} »")


def value_of(call, name, answer, *kinds, expected):
    """Renvoie la variable `name` après l'appel ; lève Wrong si elle n'a pas un de ces types.

    `expected` : ce que l'on attend, en français, par exemple « une liste de lignes ».
    """
    if name not in call.variables and call.error:
        raise call.error
    if name not in call.variables:
        raise Wrong(f"la variable {name} n'a pas reçu de valeur", f"Écrivez une ligne « {name} = ... » : on attend "
                    f"{expected}")
    value = call.variables[name]
    if value is None:
        raise Wrong(f"{name} vaut None : " + (
            "print affiche, mais ne renvoie rien" if "print(" in answer.text else "votre réponse ne renvoie rien"),
                    f"Donnez à {name} {expected}, sans l'afficher ni le modifier sur place")
    if not isinstance(value, kinds):
        if callable(value) and not isinstance(value, type):
            raise Wrong(f"{name} est une fonction que l'on n'a pas appelée", "Ajoutez les parenthèses")
        raise Wrong(f"{name} est {kind(value)}, et non {expected}", f"Donnez à {name} {expected}")
    return value


def explain(error, line):
    """Renvoie (pourquoi, quoi faire) pour une erreur de Python survenue à la ligne `line`."""
    place = f"ligne {line} : " if line else ""
    text = str(error)
    fix = f"Corrigez la ligne {line}" if line else "Relisez votre réponse"
    name = getattr(error, "name", None)
    if isinstance(error, (IndentationError, TabError)):
        return f"{place}les espaces en début de ligne ne vont pas ({error.msg})", (
            f"Alignez la ligne {line} sur ses voisines, avec des espaces")
    if isinstance(error, SyntaxError):
        return f"{place}Python ne comprend pas cette ligne ({error.msg})", (
            f"Cherchez à la ligne {line}, ou juste avant, une parenthèse, un guillemet, deux points qui manquent")
    if isinstance(error, SystemExit):
        return f"{place}sys.exit, exit ou quit arrête tout le script", "Retirez-le : le script s'arrête tout seul"
    if isinstance(error, UnboundLocalError):
        return f"{place}une variable sert avant d'avoir reçu une valeur ({text})", fix
    if isinstance(error, NameError):
        return f"{place}le nom « {name} » n'existe pas", (
            f"Cherchez une faute de frappe à la ligne {line} ; sinon, c'est un import qui manque en haut du fichier")
    if isinstance(error, ImportError):
        return f"{place}import impossible ({text})", "Corrigez son nom, ou retirez-le : l'exercice n'en demande pas"
    if isinstance(error, EOFError):
        return f"{place}input attend que l'on tape quelque chose", "Écrivez la valeur dans le script"
    if isinstance(error, LookupError) and "nltk" in text.lower():
        return f"{place}cette fonction de NLTK demande un modèle à télécharger", (
            "Employez sentence_tokenizer, qui est déjà prêt")
    if isinstance(error, AttributeError) and (found := re.search(r"'(\w+)' object has no attribute '(\w+)'", text)):
        return f"{place}un objet « {found[1]} » n'a pas de « {found[2]} »", (
            f"Cherchez une faute de frappe à la ligne {line}, ou l'objet qui sait faire cela")
    return f"{place}Python s'arrête ({type(error).__name__} : {text})", fix
