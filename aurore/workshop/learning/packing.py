"""Des phrases aux blocs : des suites de tokens toutes de la même longueur, sans remplissage.

Une phrase seule, complétée de tokens vides jusqu'à la longueur voulue, gaspille la moitié du
calcul et cache au réseau comment les phrases se suivent. On met donc bout à bout les phrases
d'un même livre, et l'on coupe tous les `block_length` tokens.
"""

import numpy as np

IGNORED = -100  # étiquette que la fonction de perte de transformers ne compte pas


def check_parts(dataset):
    """Lève une ValueError si ce jeu de données n'a pas les parties et les colonnes qu'écrit l'étape 1."""
    for split in ("train", "validation", "test"):
        if not {"text", "book", "position"} <= set(dataset[split].column_names) or dataset[split].num_rows == 0:
            raise ValueError(split)


def pack(split, tokenizer, block_length):
    """Renvoie {"input_ids", "labels"} : deux tableaux int32 de forme (blocs, block_length).

    `split` est une partie du jeu de données, rangée par livre puis par position. Un bloc ne
    contient jamais deux livres ; chaque livre commence par le token de début de texte. Le
    dernier bloc d'un livre recule pour être plein ; un livre plus court qu'un bloc est
    complété, et ce complément n'est pas appris. Le réseau décale lui-même les étiquettes.
    """
    blocks, labels = [], []
    for stream in _token_streams(split, tokenizer):
        if len(stream) < block_length:
            missing = block_length - len(stream)
            blocks.append(np.pad(stream, (0, missing), constant_values=tokenizer.eos_token_id))
            labels.append(np.pad(stream, (0, missing), constant_values=IGNORED))
            continue
        starts = list(range(0, len(stream) - block_length + 1, block_length))
        if starts[-1] + block_length < len(stream):
            starts.append(len(stream) - block_length)
        for start in starts:
            blocks.append(stream[start:start + block_length])
            labels.append(blocks[-1])
    return {"input_ids": np.stack(blocks).astype(np.int32), "labels": np.stack(labels).astype(np.int32)}


def evenly(blocks, most):
    """Renvoie au plus `most` de ces blocs, pris régulièrement du premier au dernier."""
    count = len(blocks["input_ids"])
    chosen = np.unique(np.linspace(0, count - 1, min(most, count)).astype(int))
    return {name: array[chosen] for name, array in blocks.items()}


def _token_streams(split, tokenizer):
    """Donne les tokens de chaque livre, à la suite, sous la forme d'un tableau."""
    texts, books = split["text"][:], split["book"][:]
    spaced = [text if index == 0 or books[index - 1] != books[index] else " " + text
              for index, text in enumerate(texts)]
    stream = []
    for index, ids in enumerate(tokenizer(spaced, split_special_tokens=True).input_ids):
        if index == 0 or books[index - 1] != books[index]:
            if stream:
                yield np.array(stream)
            stream = [tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id]
        stream.extend(ids)
    if stream:
        yield np.array(stream)
