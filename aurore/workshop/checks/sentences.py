"""Ce que l'on dit d'une réponse : pourquoi elle ne va pas, et quoi faire."""


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
    if name not in call.variables and call.error and f"'{name}'" not in str(call.error):
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


# (sorte d'erreur, mots de son message, pourquoi, quoi faire) : la première qui convient.
_ACCIDENTS = (
    (IndentationError, "", "les espaces en début de ligne ne vont pas ({text})",
     "Alignez la ligne {line} sur ses voisines, avec des espaces"),
    (SyntaxError, "", "Python ne comprend pas cette ligne ({text})",
     "Cherchez à la ligne {line}, ou juste avant, une parenthèse, un guillemet, deux points qui manquent"),
    (SystemExit, "", "sys.exit, exit ou quit arrête tout le script", "Retirez-le : le script s'arrête tout seul"),
    (UnboundLocalError, "", "une variable sert avant d'avoir reçu une valeur ({text})", "Corrigez la ligne {line}"),
    (NameError, "", "le nom « {name} » n'existe pas",
     "Cherchez une faute de frappe à la ligne {line} ; sinon, c'est un import qui manque en haut du fichier"),
    (ImportError, "", "import impossible ({text})", "Corrigez son nom, ou retirez-le : l'exercice n'en demande pas"),
    (EOFError, "", "input attend que l'on tape quelque chose", "Écrivez la valeur dans le script"),
    (LookupError, "nltk", "cette fonction de NLTK demande un modèle à télécharger",
     "Employez sentence_tokenizer, qui est déjà prêt"),
    (KeyError, "", "la clé {text} n'existe pas dans ce dictionnaire", "Affichez-le avec print pour voir ses clés"),
    (IndexError, "", "ce rang n'existe pas : le premier élément a le rang 0", "Corrigez la ligne {line}"),
    (TypeError, "list indices must be", "un élément d'une liste se prend par son rang, et non par une clé",
     "Prenez d'abord un élément de la liste, [0] par exemple, puis sa clé"),
    (AttributeError, "'nonetype'", "« {name} » est demandé à une variable qui vaut None",
     "Ne gardez pas le résultat d'une méthode qui modifie sur place (append, extend, sort) : c'est None"),
    (AttributeError, "", "un objet « {owner} » n'a pas de « {name} »",
     "Cherchez une faute de frappe à la ligne {line}, ou l'objet qui sait faire cela"),
    (BaseException, "", "Python s'arrête ({kind} : {text})", "Corrigez la ligne {line}"),
)


def explain(error, line):
    """Renvoie (pourquoi, quoi faire) pour une erreur de Python survenue à la ligne `line`, ou None si on l'ignore."""
    text = getattr(error, "msg", None) or str(error)
    why, advice = next((why, advice) for sort, words, why, advice in _ACCIDENTS
                       if isinstance(error, sort) and words in text.lower())
    known = {"text": text, "line": line, "kind": type(error).__name__, "name": getattr(error, "name", None),
             "owner": type(getattr(error, "obj", None)).__name__}
    place = f"ligne {line} : " if line else ""
    return place + why.format(**known), (advice if line else "Relisez votre réponse").format(**known)
