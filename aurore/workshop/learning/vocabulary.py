"""Changer de tokenizer sans tout oublier : les embeddings des nouveaux tokens.

Un réseau ne connaît que les tokens avec lesquels il a appris. Pour lui en donner d'autres, on
découpe chaque nouveau token avec l'ancien tokenizer, et son embedding est la moyenne de ceux
des morceaux : « Ġmeunière » part de « Ġmeun » et « ière ». Le reste du réseau ne change pas.
Source : Gee et al., « Fast Vocabulary Transfer for Language Model Compression », EMNLP 2022.
"""

import copy

import numpy as np


def adapt(model, old_tokenizer, new_tokenizer):
    """Renvoie le réseau adapté à `new_tokenizer`, sous le même nom, et l'annonce."""
    carried = carry_over(model, old_tokenizer, new_tokenizer)
    carried.config.name_or_path = model.name_or_path
    print("Le réseau est adapté au tokenizer spécialisé : chaque nouveau token part de la moyenne des morceaux\n"
          "que le réseau connaissait.")
    return carried


def carry_over(model, old_tokenizer, new_tokenizer):
    """Renvoie un réseau pour `new_tokenizer`, qui a gardé tout ce que `model` savait.

    Les deux tokenizers découpent le texte en mots de la même façon (c'est le cas de ceux que
    `train_new_from_iterator` tire l'un de l'autre).
    """
    pieces = old_pieces(old_tokenizer, new_tokenizer)
    config = copy.deepcopy(model.config)
    config.vocab_size = len(pieces)
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        setattr(config, name, getattr(new_tokenizer, name))
    carried = type(model)(config, name=model.name)
    carried.build_in_name_scope()
    for old, new in zip(model.weights, carried.weights, strict=True):
        if "/wte/" in old.name:        # les embeddings, un token par ligne
            new.assign(means(old.numpy(), pieces))
        elif "/lm_head/" in old.name:  # une tête à part, un token par colonne
            new.assign(means(old.numpy().T, pieces).T)
        else:
            new.assign(old)
    return carried


def old_pieces(old_tokenizer, new_tokenizer):
    """Renvoie, pour chaque nouveau token, la liste des identifiants de ses anciens morceaux."""
    known = old_tokenizer.get_vocab()
    cut = old_tokenizer.backend_tokenizer.model.tokenize
    pieces = [[] for _ in range(len(new_tokenizer))]
    for token, number in new_tokenizer.get_vocab().items():
        pieces[number] = [known[token]] if token in known else [piece.id for piece in cut(token)]
    return pieces


def means(embeddings, pieces):
    """Renvoie, de forme (len(pieces), largeur), la moyenne des lignes d'`embeddings` de chaque liste.

    Un token dont l'ancien tokenizer ne connaît aucun morceau reçoit la moyenne de toutes les lignes.
    """
    everything = embeddings.mean(axis=0)
    return np.stack([embeddings[numbers].mean(axis=0) if numbers else everything for numbers in pieces])
