"""Noter un réseau sur un texte qu'il n'a jamais lu : bits par caractère, et perplexité.

La perplexité dépend du tokenizer : couper le texte en moins de tokens la fait monter, sans que
le réseau soit moins bon. Le nombre de bits par caractère n'en dépend pas : c'est ce qu'il
faudrait pour transmettre le texte, une fois que le réseau a prédit ce qu'il pouvait.

    python -m workshop.learning.evaluation embedded/base_model livre.txt

se lance depuis `aurore/` et note le modèle d'un dossier sur un fichier quelconque.
"""

import argparse
import math
from pathlib import Path
from typing import NamedTuple

from workshop.errors import WorkshopError
from workshop.learning.gpt2_tf import TFGPT2LMHeadModel, over_slices
from workshop.learning.hub import opening
from workshop.narration import count, decimal, table
from workshop.text.gutenberg import find_markers, keep_author_lines, paragraphs
from workshop.text.typography import normalise

import numpy as np
import tensorflow as tf
from transformers import AutoTokenizer


class Score(NamedTuple):
    """Une note : plus les deux nombres sont petits, meilleur est le réseau."""

    bits_per_character: float
    perplexity: float  # par token


def score(model, tokenizer, text, *, window=256, stride=128, batch_size=16):
    """Renvoie le `Score` d'un GPT-2 sur `text`, déjà normalisé. Voir `token_losses`."""
    return score_of(token_losses(model, tokenizer, text, window=window, stride=stride, batch_size=batch_size), text)


def score_of(losses, text):
    """Renvoie le `Score` que donnent sur `text` les pertes de ses tokens, en nats."""
    return Score(bits_per_character=float(losses.sum()) / math.log(2) / len(text),
                 perplexity=math.exp(losses.mean()))


def token_losses(model, tokenizer, text, *, window=256, stride=128, batch_size=16):
    """Renvoie la perte de chaque token de `text`, en nats, dans l'ordre : un tableau de forme (tokens,).

    Le texte est lu par fenêtres de `window` tokens qui avancent de `stride` : chaque token est
    prédit une seule fois, avec au moins `window - stride` tokens de contexte (moins au tout
    début, que précède le seul token de début de texte). Ne dépend pas de `batch_size`. Lève une
    ValueError si le texte est vide.
    """
    window = min(window, model.config.n_positions)
    start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    ids = np.array([start, *tokenizer(text, split_special_tokens=True).input_ids], dtype=np.int32)
    if len(ids) < 2:
        raise ValueError("Un texte vide n'a pas de note.")
    windows = sliding_windows(ids, window, min(stride, window))
    # Préparé une fois par réseau, pour tous les textes et pour tous ses poids, avant comme après l'entraînement.
    losses_of = window_losses.get_concrete_function(
        model, {name: tf.TensorSpec((None, rows.shape[1]), tf.int32) for name, rows in windows.items()})
    batches = [{name: tf.constant(rows[first:first + batch_size]) for name, rows in windows.items()}
               for first in range(0, len(windows["targets"]), batch_size)]
    return np.concatenate([losses_of(model, batch).numpy().ravel() for batch in batches])[:len(ids) - 1]


def sliding_windows(ids, window, stride):
    """Découpe `ids` (le token de début, puis N tokens) en fenêtres qui prédisent chacune `stride` tokens.

    Renvoie trois tableaux d'une ligne par fenêtre : "input_ids", les `window` tokens lus ;
    "positions", où l'on prédit ; "targets", les tokens à prédire (`stride` de chaque ; -1 au-delà
    de la fin du texte).
    """
    length = len(ids) - 1
    ends = np.arange(0, length, stride) + stride
    begins = np.maximum(0, ends - window)
    read = begins[:, None] + np.arange(window)
    predicted = (ends - stride)[:, None] + np.arange(stride)
    padded = np.pad(ids, (0, window + stride)).astype(np.int32)
    targets = np.where(predicted < length, padded[predicted + 1], -1).astype(np.int32)
    return {"input_ids": padded[read], "positions": (predicted - begins[:, None]).astype(np.int32),
            "targets": targets}


@tf.function(autograph=False)
def window_losses(model, batch):
    """Pertes des tokens à prédire dans un lot de fenêtres, une tranche par cœur."""
    losses = tf.TensorArray(tf.float32, size=0, dynamic_size=True, infer_shape=False,
                            element_shape=(None, batch["targets"].shape[1]))
    return over_slices(batch, losses, lambda index, part, so_far: so_far.write(index, _losses(model, **part))).concat()


def _losses(model, input_ids, positions, targets):
    """Pertes des tokens à prédire, en nats, de forme (fenêtres, stride).

    La tête n'est calculée que là où l'on prédit.
    """
    hidden = model.transformer(input_ids, use_cache=False, training=False).last_hidden_state
    return model.losses_at(tf.gather(hidden, positions, batch_dims=1), targets)


def read_text(path):
    """Renvoie le texte normalisé d'un fichier en UTF-8 ; d'un livre de Gutenberg, les seuls mots de l'auteur."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (FileNotFoundError, IsADirectoryError, UnicodeDecodeError) as error:
        raise WorkshopError(f"{path} n'est pas un fichier de texte en UTF-8 ({type(error).__name__}).") from error
    if None not in find_markers(lines):
        lines = keep_author_lines(lines)
    text = " ".join(filter(None, (normalise(" ".join(paragraph)) for paragraph in paragraphs(lines))))
    if not text:
        raise WorkshopError(f"{path} est vide.")
    return text


def main(arguments=None):
    """Note le modèle d'un dossier sur un ou plusieurs textes, depuis la ligne de commande."""
    parser = argparse.ArgumentParser(prog="python -m workshop.learning.evaluation", description=main.__doc__)
    parser.add_argument("model", type=Path, metavar="MODÈLE", help="dossier d'un GPT-2 (embedded/base_model)")
    parser.add_argument("texts", type=Path, nargs="+", metavar="TEXTE", help="fichier en UTF-8")
    parser.add_argument("--window", type=int, default=256, help="tokens lus à la fois (256)")
    parser.add_argument("--stride", type=int, default=128, help="tokens notés à la fois (128)")
    settings = parser.parse_args(arguments)
    if not 1 <= settings.stride <= settings.window:
        raise WorkshopError(f"--stride vaut {settings.stride}, et --window {settings.window} : il faut au moins un "
                            "token noté à la fois, et au plus ceux que l'on lit.")
    with opening(settings.model):
        tokenizer = AutoTokenizer.from_pretrained(settings.model, local_files_only=True)
        model = TFGPT2LMHeadModel.from_pretrained(settings.model, local_files_only=True)
    rows = []
    for path in settings.texts:
        text = read_text(path)
        result = score(model, tokenizer, text, window=settings.window, stride=settings.stride)
        rows.append((path.name, count(len(text)), decimal(result.bits_per_character, 3), decimal(result.perplexity, 1)))
    table(("texte", "caractères", "bits par caractère", "perplexité"), rows)


if __name__ == "__main__":
    main()
