"""Ce que l'on dit d'une réponse : pourquoi elle ne va pas, et quoi faire."""

import re


class Wrong(Exception):
    """Une réponse à revoir : `why` dit pourquoi en une phrase, `advice` quoi faire ensuite."""

    def __init__(self, why, advice):
        super().__init__(why)
        self.why, self.advice = why, advice


class Beside(Wrong):
    """Une réponse qui n'est pas à sa place, entre ses repères."""


class Remark(Exception):
    """Une réponse juste, dont il y a pourtant quelque chose à dire."""


def tell(rows, seen):
    """Lève Wrong pour la première ligne de `rows` qui convient à ce que l'on a vu, `seen`.

    Une ligne est (ce qui a été fait, pourquoi c'est faux, quoi faire) ; le premier est une fonction de
    `seen`, qui ne convient pas si elle échoue. Les phrases citent les attributs de `seen` entre accolades.
    """
    for fits, why, advice in rows:
        try:
            found = fits(seen)
        except Exception:  # pylint: disable=broad-exception-caught  # une valeur d'une autre sorte n'est pas ce cas-là
            continue
        if found:
            raise Wrong(why.format(**vars(seen)), advice.format(**vars(seen)))


_KINDS = {type(None): "rien (None)", str: "un texte", bytes: "des octets", list: "une liste", tuple: "un tuple",
          dict: "un dictionnaire", set: "un ensemble", bool: "vrai ou faux", int: "un nombre",
          float: "un nombre à virgule", range: "une suite de nombres"}
_KINDS_BY_NAME = {
    "BatchEncoding": "le dictionnaire entier", "Dataset": "une partie du jeu de données", "DatasetDict":
    "le jeu de données", "Column": "une colonne", "module": "un module", "type": "une classe", "generator":
    "un générateur", "map": "le résultat de map", "filter": "le résultat de filter", "ndarray": "un tableau de NumPy",
    "PosixPath": "un chemin", "WindowsPath": "un chemin", "TextIOWrapper": "un fichier ouvert",
    "PunktSentenceTokenizer": "le découpeur de phrases", "GPT2Config": "une configuration", "Pipeline": "pipe lui-même",
    "TextGenerationPipeline": "pipe", "reversed": "le résultat de reversed", "SentenceTokenizer": "le découpeur"}


def kind(value):
    """Renvoie ce qu'est une valeur, en français : « une liste »."""
    name = type(value).__name__
    if type(value) in _KINDS or name in _KINDS_BY_NAME:
        return _KINDS.get(type(value)) or _KINDS_BY_NAME[name]
    if "Tokenizer" in name:
        return "un tokenizer"
    if isinstance(value, type):
        return "une classe"
    if name.startswith("TF"):
        return "un réseau"
    return "une fonction" if callable(value) else "un objet d'une autre sorte"


def _owner(error):
    """Renvoie à qui un attribut a été demandé, en français, d'après une AttributeError."""
    value = getattr(error, "obj", None)
    if isinstance(value, type):
        return f"la classe {value.__name__}"
    name = re.search(r"'(\w+)' object|^(\w+) has no attribute", str(error))
    if value is None and name:
        name = name[1] or name[2]
        return next((words for sort, words in _KINDS.items() if sort.__name__ == name),
                    "un tokenizer" if "Tokenizer" in name else _KINDS_BY_NAME.get(name, "cet objet"))
    if type(value).__name__ == "module":
        return f"le module {value.__name__.rpartition('.')[2]}"
    return kind(value)


def value_of(call, name, answer, *kinds, expected, returned=None):
    """Renvoie la variable `name` après l'appel ; lève Wrong si elle n'a pas un de ces types.

    `expected` : ce que l'on attend, en français, par exemple « une liste de lignes ». `returned` tire cette
    valeur de ce que la fonction renvoie, là où la réponse peut aussi bien finir par return.
    """
    if call.left:
        if returned is None:
            raise Wrong("return quitte la fonction ici : la suite ne s'exécuterait plus",
                        f"Retirez return, et gardez {expected} : {name} = ...")
        value = returned(call.returned)
        if value is None:
            raise Wrong(f"return renvoie {kind(call.returned)}, et ce n'est pas ce que la suite attend",
                        f"Retirez return, et donnez à {name} {expected}")
    elif name not in call.variables:
        _complain_of_absence(call, name, answer, expected)
    else:
        value = call.variables[name]
    if value is None:
        raise Wrong(f"{name} vaut None : " + (
            "print affiche, mais ne renvoie rien" if "print(" in answer.text else "votre réponse ne renvoie rien"),
                    f"Donnez à {name} {expected}, sans l'afficher ni le modifier sur place")
    if not isinstance(value, kinds):
        if callable(value) and not isinstance(value, type) and kind(value) == "une fonction":
            raise Wrong(f"{name} est une fonction que l'on n'a pas appelée", "Ajoutez les parenthèses")
        raise Wrong(f"{name} est {kind(value)}, et non {expected}", f"Donnez à {name} {expected}")
    return value


def _complain_of_absence(call, name, answer, expected):
    """Lève Wrong : la réponse n'a pas donné de valeur à `name`."""
    if re.search(rf"^\s*{name}\s*==", answer.text, re.M):
        raise Wrong("== compare deux valeurs, et ne donne rien à garder", f"Pour donner une valeur à {name}, "
                    "n'écrivez qu'un signe =")
    others = [other for other in answer.given if other != name]
    if "print(" in answer.text:
        raise Wrong(f"print affiche, mais ne garde rien : {name} n'a pas reçu de valeur",
                    f"Écrivez « {name} = ... » : on attend {expected}")
    if len(others) == 1 and others[0] not in call.wanted:
        raise Wrong(f"le résultat est dans « {others[0]} » : {name} n'a pas reçu de valeur",
                    f"Nommez-le {name}, comme la suite l'attend (majuscules et minuscules comptent)")
    raise Wrong(f"la variable {name} n'a pas reçu de valeur", f"Écrivez une ligne « {name} = ... » : on attend "
                f"{expected}")


# --- Les erreurs de Python ----------------------------------------------------------------

# (sorte d'erreur, mots de son message ou de la ligne, pourquoi, quoi faire) : la première qui convient. Les groupes
# de l'expression se citent {0}, {1}... La ligne est lue après le message, et une fin de ligne : « message\nligne ».
_ACCIDENTS = (
    (IndentationError, "tab", "des tabulations et des espaces sont mêlées en début de ligne",
     "Remplacez les tabulations par des espaces, comme sur les lignes voisines"),
    (IndentationError, "", "les espaces en début de ligne ne vont pas",
     "Alignez la ligne {line} sur ses voisines, avec des espaces"),
    (SyntaxError, r"invalid character '([«»“”‘’„])'", "« {0} » n'est pas un guillemet pour Python",
     "Écrivez des guillemets droits, \"...\" : ceux de la touche 3"),
    (SyntaxError, r"invalid (?:non-printable )?character.*U\+(00A0|202F|2009|200B|FEFF)",
     "une espace insécable s'est glissée dans cette ligne", "Effacez les espaces de la ligne {line}, puis retapez-les"),
    (SyntaxError, r"invalid character '(.)'", "le signe « {0} » n'a pas de sens pour Python",
     "Remplacez-le : guillemets droits, tirets du 6, virgules ordinaires"),
    (SyntaxError, r"Missing parentheses in call to 'print'", "print est une fonction : il lui faut des parenthèses",
     "Écrivez print(...), ce qu'il faut afficher entre les parenthèses"),
    (SyntaxError, r"(?s)(?:string literal|invalid syntax|forgot a comma).*\n.*'[^'\"\n]*\w'\w",
     "l'apostrophe du texte ferme les guillemets simples avant la fin",
     "Entourez ce texte de guillemets doubles : \"...\""),
    (SyntaxError, "unterminated .*string", "un guillemet ouvert n'est jamais refermé",
     "Ajoutez le guillemet qui manque à la fin du texte, ligne {line}"),
    (SyntaxError, r"(?s)\n.*\b(\d{1,3}) (\d{3})\b", "Python n'admet pas d'espace dans un nombre",
     "Écrivez {0}{1}, ou {0}_{1}"),
    (SyntaxError, "'return' outside function", "return n'a de sens que dans une fonction", "Retirez-le"),
    (SyntaxError, "'(break|continue)'", "{0} n'a de sens que dans une boucle", "Retirez-le"),
    (SyntaxError, r"was never closed|unexpected EOF", "une parenthèse ou un crochet n'est jamais refermé",
     "Refermez-le à la ligne {line}"),
    (SyntaxError, r"unmatched '(.)'", "« {0} » ferme quelque chose qui n'a pas été ouvert",
     "Retirez-le, ou ouvrez-le plus tôt sur la ligne {line}"),
    (SyntaxError, r"expected ':'", "il manque deux points à la fin de cette ligne", "Ajoutez « : » ligne {line}"),
    (SyntaxError, "cannot assign to|Maybe you meant '=='", "on ne peut pas donner de valeur à cela",
     "À gauche du signe =, n'écrivez que le nom d'une variable"),
    (SyntaxError, "positional argument follows keyword", "un argument sans nom vient après un argument nommé",
     "Mettez-le avant, ou nommez-le ; un dictionnaire de réglages se donne avec deux étoiles (**) devant lui"),
    (SyntaxError, r"\n\s*\w+ *= *[^\W\d_]+ [^\W\d_]+", "un texte s'écrit entre guillemets",
     "Ajoutez-les au début et à la fin du texte, ligne {line}"),
    (SyntaxError, "forgot a comma", "Python ne comprend pas cette ligne : il manque peut-être une virgule",
     "Cherchez à la ligne {line} une virgule, un guillemet ou un opérateur qui manque"),
    (SyntaxError, "", "Python ne comprend pas cette ligne",
     "Cherchez à la ligne {line}, ou juste avant, une parenthèse, un guillemet, deux points qui manquent"),
    (SystemExit, "", "sys.exit, exit ou quit arrête tout le script", "Retirez-le : le script s'arrête tout seul"),
    (KeyboardInterrupt, "", "la réponse s'interrompt elle-même", "Retirez KeyboardInterrupt"),
    (UnboundLocalError, "", "« {name} » sert avant d'avoir reçu une valeur",
     "Donnez-lui d'abord une valeur, ou cherchez une faute de frappe à la ligne {line}"),
    (NameError, r"'(join|r?strip|lstrip|split|readlines?|extend|append|tokenize|fit|summary|from_pretrained"
     r"|convert_ids_to_tokens|train_new_from_iterator|save_pretrained)'",
     "« {0} » est une méthode : elle s'écrit à la suite d'un objet et d'un point, objet.{0}(...)",
     "Cherchez dans la phrase du TODO quel objet sait faire cela"),
    (NameError, r"'(os|re|np|tf|nltk|keras|tf_keras|tensorflow|datasets|transformers|itertools|numpy|pathlib|Path"
     r"|(?:TF|Auto|GPT2|Dataset)\w+)'", "le nom « {0} » n'existe pas : il n'est pas importé",
     "Employez ce que nomme la phrase du TODO ; sinon, c'est un import qui manque en haut du fichier"),
    (NameError, "", "le nom « {name} » n'existe pas",
     "Cherchez une faute de frappe, ou des guillemets oubliés, à la ligne {line} ; sinon, c'est un import qui manque "
     "en haut du fichier"),
    (ImportError, "Unable to convert output|return_tensors",
     "return_tensors donne un tableau à deux dimensions, et non "
     "une liste", "Retirez return_tensors"),
    (ImportError, r"(\w+) requires the PyTorch library", "{0} demande PyTorch, que l'atelier n'emploie pas",
     "Employez la classe de TensorFlow, dont le nom commence par TF"),
    (ImportError, "No module named 'torch'", "from_pt=True demande PyTorch, que l'atelier n'emploie pas",
     "Retirez from_pt=True : les poids d'aujourd'hui s'ouvrent sans"),
    (ImportError, r"cannot import name '(\w+)'", "import impossible : ce module n'a pas de « {0} »",
     "Corrigez son nom, ou retirez-le : l'exercice n'en demande pas"),
    (ImportError, r"No module named '([\w.]+)'", "import impossible : le module « {0} » n'existe pas",
     "Corrigez son nom, ou retirez-le : l'exercice n'en demande pas"),
    (ImportError, "", "import impossible", "Retirez cet import : l'exercice n'en demande pas"),
    (EOFError, "", "input attend que l'on tape quelque chose", "Écrivez la valeur dans le script"),
    (LookupError, "nltk", "cette fonction de NLTK demande un modèle à télécharger",
     "Employez sentence_tokenizer, qui est déjà prêt"),
    (OSError, r"(Auto\w+) is designed to be instantiated", "{0} ne s'instancie pas directement : elle ne saurait pas "
     "quoi ouvrir", "Écrivez {0}.from_pretrained(...)"),
    (TypeError, r"(Auto\w+)\.__init__\(\)", "{0} ne s'instancie pas directement : elle ne saurait pas quoi ouvrir",
     "Écrivez {0}.from_pretrained(...)"),
    (OSError, r"« ([^»\n]{1,60}) » n'est pas sur cette machine|Le dossier (\S+) n'existe pas|"
     r"^(\S+) is not a local folder|Can't load .{1,30} for '([^'\n]{1,60})'",
     "from_pretrained n'a pas trouvé « {place} » sur cette machine", "Donnez-lui model_path, sans guillemets"),
    ((OSError, ValueError),
     "n'est pas sur cette machine|Can't load|couldn't connect|does not appear|local folder|Repo id",
     "from_pretrained n'a pas reçu le dossier du réseau", "Donnez-lui model_path, sans guillemets"),
    (ValueError, "^load_dataset", "load_dataset lit des fichiers bruts, et ce dossier vient de save_to_disk",
     "Employez load_from_disk"),
    (ValueError, r"list\.remove|is not in list", "remove et index cherchent une valeur, et non un rang, dans la liste",
     "Pour prendre un morceau de liste, employez un slice : [début:fin]"),
    (ValueError, "infinite dataset", "repeat fait un jeu de données sans fin", "Donnez-le tel quel, sans repeat()"),
    (ValueError, "pipe attend", "pipe n'a pas reçu la liste des débuts", "Écrivez pipe(prompts, **settings)"),
    (ValueError, "text input must be", "le tokenizer attend un texte, et reçoit autre chose", "Donnez-lui text"),
    (ValueError, "invalid literal for int", "convert_ids_to_tokens attend une liste d'identifiants, et reçoit du texte",
     "Donnez-lui input_ids"),
    (TypeError, r"int\(\) argument must be.*'list'|only 0-dimensional", "c'est une liste de listes d'identifiants : "
     "il y a une liste de trop", "Donnez input_ids, sans crochets ni return_tensors"),
    (TypeError, "'str' object cannot be interpreted as an integer", "un texte est donné là où il faut un nombre",
     "Retirez les guillemets autour du nombre"),
    (TypeError, "'float' object cannot be interpreted as an integer",
     "le point en fait un nombre à virgule (52.000 vaut "
     "52), et il faut un nombre entier", "Écrivez 52_000, ou VOCAB_SIZE"),
    (FileNotFoundError, r"'([^']+)'", "« {0} » n'existe pas", "Vérifiez ce chemin, ligne {line}"),
    (KeyError, r"^'?(.*?)'?\n", "la clé « {0} » n'existe pas dans ce dictionnaire",
     "Affichez-le avec print pour voir ses clés"),
    (ValueError, r"[Cc]olumn '?(\w+)'? doesn't exist|Column (\w+) not in", "la colonne « {0} » n'existe pas",
     "Les colonnes sont text, book, position et sentence_length"),
    (IndexError, "", "ce rang n'existe pas : le premier élément a le rang 0",
     "Comptez à partir de 0 à la ligne {line}"),
    (TypeError, "(list|tuple) indices must be", "un élément d'une liste se prend par son rang, et non par une clé",
     "Prenez d'abord un élément de la liste, [0] par exemple, puis sa clé"),
    (TypeError, "string indices must be", "on a déjà un texte ici : il n'a ni clés, ni colonnes",
     "Retirez ce qui est entre les derniers crochets, ligne {line}"),
    (TypeError, r"unhashable type: '(?:dict|list)'",
     "une liste ou un dictionnaire ne peut pas servir de clé, ni entrer dans un ensemble",
     "Écrivez la clé entre guillemets, ou des crochets [...] à la place des accolades"),
    (TypeError, r"'(?:function|method|builtin_function_or_method|type|ABCMeta|\w*Tokenizer\w*|\w*Pipeline)' object is "
     "not subscriptable",
     "on n'appelle pas une fonction avec des crochets", "Remplacez les crochets par des parenthèses, ligne {line}"),
    (TypeError, r"'NoneType' object is not (?:subscriptable|iterable)",
     "cette valeur est None : shuffle, sort, append ou "
     "print ne renvoient rien", "Employez une fonction qui renvoie ce que vous voulez, ou une ligne de plus"),
    (TypeError, r"'(\w+)' object is not subscriptable", "les crochets ne veulent rien dire ici", "Retirez-les"),
    (TypeError, r"'(\w+)' object is not callable", "ce n'est pas une fonction : on ne peut pas l'appeler",
     "Cherchez à la ligne {line} des parenthèses de trop, ou la méthode qui manque"),
    (TypeError, "missing 2 required positional arguments: 'op' and 'message'",  # TensorFlow
     "les poids de ce dossier n'ont pas la forme que dit la configuration", "Donnez model_path, et config=config"),
    (TypeError, r"(\w+)\(\) missing \d+ required (?:positional|keyword-only) arguments?: (.+)",
     "il manque à {0} son argument {1}", "Donnez-le-lui entre les parenthèses, ligne {line}"),
    (TypeError, r"(\w+)\(\) got an unexpected keyword argument '(\w+)'", "{0} n'a pas d'argument « {1} »",
     "Cherchez une faute de frappe dans le nom de cet argument, ligne {line}"),
    (TypeError, r"(\w+)\(\) got multiple values for (?:keyword )?argument '(\w+)'", "{0} reçoit deux fois « {1} »",
     "Ne le donnez qu'une fois, par sa place ou par son nom"),
    (TypeError, r"Pipeline\.__call__\(\) takes",
     "pipe ne prend qu'une liste de débuts : les réglages se donnent par leurs "
     "noms", "Écrivez pipe(prompts, **settings), les deux étoiles comprises"),
    (TypeError, r"(\w+)\(\) (?:takes|expected)|(\w+) expected (?:at most|exactly)", "{call} reçoit trop d'arguments",
     "Ne lui donnez que ce que le TODO demande ; un argument facultatif se nomme (nom=valeur)"),
    (TypeError, r"can only (?:join|concatenate)|sequence item \d+: expected str", "ce ne sont pas des textes que l'on "
     "assemble", "Vérifiez ce que contient la liste, ligne {line}"),
    (TypeError, r"unsupported operand type.*\n?.*/", "un chemin s'écrit entre guillemets : ici, / est une division",
     "Ajoutez les guillemets, ou employez paths"),
    (TypeError, r"unsupported operand", "cette opération n'a pas de sens entre ces deux valeurs",
     "Relisez la ligne {line}"),
    (TypeError, r"'(?:\w+)' object is not iterable|argument of type|has no len", "cette valeur ne se parcourt pas, et "
     "n'a pas d'éléments", "Vérifiez, à la ligne {line}, que c'est bien la liste que vous donnez"),
    (TypeError, "os.PathLike object, not TextIOWrapper", "open attend un chemin, et book est déjà un fichier ouvert",
     "Lisez directement book"),
    (TypeError, "bytes-like object|expected string or bytes|PyString",
     "cette fonction attend un texte, et reçoit autre chose",
     "Vérifiez ce que vous lui donnez, ligne {line}, et que c'est bien cette fonction-là qu'il faut"),
    (TypeError, "", "une fonction reçoit une valeur d'une autre sorte que celle qu'elle attend",
     "Vérifiez ce que vous lui donnez, ligne {line}"),
    (AttributeError, "'NoneType'", "« {name} » est demandé à une variable qui vaut None",
     "Ne gardez pas le résultat d'une méthode qui modifie sur place (append, extend, sort) : c'est None"),
    (AttributeError, "", "{owner} n'a pas de « {name} »",
     "Cherchez une faute de frappe à la ligne {line}, ou l'objet qui sait faire cela"),
    (RecursionError, "", "une fonction s'appelle elle-même sans fin", "Retirez l'appel de la ligne {line}"),
    (MemoryError, "", "cette réponse demande plus de mémoire que la machine n'en a", "Corrigez la ligne {line}"),
    (AssertionError, "", "une vérification (assert) que vous avez écrite échoue", "Corrigez la ligne {line}"),
    (BaseException, "", "Python s'arrête sur une erreur ({kind} : {text})", "Corrigez la ligne {line}"),
)


def explain(error, line, source=""):
    """Renvoie (pourquoi, quoi faire) pour une erreur de Python à la ligne `line` (ou None), qui se lit `source`."""
    text = str(getattr(error, "msg", None) or error)
    for sort, words, why, advice in _ACCIDENTS:
        found = isinstance(error, sort) and re.search(words, f"{text}\n{source}")
        if found:
            break
    groups = [group or "" for group in found.groups()]
    attribute = getattr(error, "name", None) or next(iter(re.findall(r"attribute '?(\w+)", text)), "")
    if isinstance(error, NameError) and not attribute:
        attribute = next(iter(re.findall(r"'(\w+)'", text)), "")
    known = {"text": _without_internals(text), "line": line, "kind": type(error).__name__, "name": attribute,
             "owner": _owner(error) if isinstance(error, AttributeError) else "",
             "place": next(filter(None, groups), ""),
             "call": (groups + [""])[0] or (groups + ["", ""])[1] or "cette fonction"}
    groups = [re.sub(r"'(\w+)'", r"« \1 »", group.replace(" and ", " et ")) for group in groups]
    if known["call"] in ("__call__", "__init__"):
        known["call"] = "cet appel"
    groups = ["cet appel" if group in ("__call__", "__init__") else group for group in groups]
    place = f"ligne {line} : " if line else ""
    return place + why.format(*groups, **known), (advice if line else "Relisez votre réponse").format(*groups, **known)


def _without_internals(text):
    """Retire d'un message ce qui n'a de sens que pour qui a écrit l'atelier ou la bibliothèque."""
    first = text.splitlines()[0] if text else "sans explication"
    return re.sub(r"[\w.]+\.<locals>\.|workshop\.[\w.]+\.|<[^>]*>|\b_\w+\b", "", first)[:120].strip()
