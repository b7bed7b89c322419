"""Le réseau de gpt2.py, en plus rapide : les mêmes logits, les mêmes calculs rangés autrement.

- Ce que le réseau a tiré des tokens déjà lus est gardé : chacun n'est lu qu'une fois (« KV cache » :
  Shazeer, « Fast transformer decoding », 2019, arxiv.org/abs/1911.02150).
- Les matrices font aussi le travail des opérations voisines (`_fused_layer`), et sont rangées comme
  un processeur les lit le mieux (`_Weights.panels`).
- Les cœurs se partagent un grand réseau (Shoeybi et al., « Megatron-LM », 2019,
  arxiv.org/abs/1909.08053), ou les textes.
"""

import json
import math
import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from mmap import mmap
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from workshop.errors import WorkshopError
from workshop.paths import shown

PANEL = 32             # colonnes d'une matrice rangées ensemble
RESERVE = 16 * 2 ** 20  # nombres dont la mémoire se demande d'un coup, pour les matrices qui se suivent : le système
                       # donne alors de « grandes pages », et un texte s'écrit 1,15 fois plus vite

# Partager une couche entre les cœurs ne rapporte qu'à partir de là : au-dessous, lire les matrices prend tout le temps,
# et un seul cœur y suffit presque.
TOKENS_TO_SHARE = 4  # tokens à lire
WIDE = 600           # largeur d'un réseau que l'on partage toujours
CORES = os.cpu_count() or 1
_POOL = ThreadPoolExecutor(CORES)


class Layer(NamedTuple):
    """Une couche, ou la part dont un cœur s'occupe : des têtes et des neurones, leurs matrices et leurs biais.

    Les matrices, dont voici les (entrées, sorties), sont rangées en panneaux.
    """

    heads: slice                  # ces têtes, parmi toutes
    attention: np.ndarray         # (largeur, têtes × 3 × taille) : la question, la clé et la valeur de chaque tête
    attention_bias: np.ndarray
    projection: np.ndarray        # (têtes × taille, largeur)
    projection_bias: np.ndarray
    expansion: np.ndarray         # (largeur, neurones), quatre fois plus nombreux
    expansion_bias: np.ndarray
    contraction: np.ndarray       # (neurones, largeur)
    contraction_bias: np.ndarray

    def parts(self, count: int) -> list["Layer"]:
        """Coupe cette couche en `count` parts, dont la somme des sorties est la sienne ; rien n'est recopié."""
        size, panels = self.projection.shape[1] // self.heads.stop, len(self.attention) // self.heads.stop
        parts = []
        for heads, neurons in zip(_slices(self.heads.stop, count), _slices(len(self.expansion), count)):
            attention, questions, rows, columns = (
                slice(part.start * length, part.stop * length) for part, length in
                ((heads, panels), (heads, panels * PANEL), (heads, size), (neurons, PANEL)))
            parts.append(Layer(heads, self.attention[attention], self.attention_bias[questions],
                               self.projection[:, rows], self.projection_bias / count,
                               self.expansion[neurons], self.expansion_bias[columns],
                               self.contraction[:, columns], self.contraction_bias / count))
        return parts


class Memory:
    """Ce que le réseau garde des tokens déjà lus de `rows` textes : leurs clés et leurs valeurs."""

    def __init__(self, network: "Network", rows: int):
        shape = len(network.layers), rows, network.heads, 2, network.context, network.width // network.heads
        # Le système ne donne la mémoire qu'à mesure qu'on l'écrit. Demandée à NumPy, elle viendrait par « grandes
        # pages » de deux mégaoctets : presque toute, dès le premier token.
        self.kept = np.frombuffer(mmap(-1, 4 * math.prod(shape)), np.float32).reshape(shape)
        self.lengths = np.zeros(rows, int)       # tokens lus, texte par texte

    def move(self, source: int, target: int) -> None:
        """Donne la place `target` au texte de la place `source`."""
        self.take(self, source, target)

    def take(self, other: "Memory", source: int, target: int) -> None:
        """Donne la place `target` au texte qu'une autre mémoire garde à la place `source`."""
        length = self.lengths[target] = other.lengths[source]
        self.kept[:, target, :, :, :length] = other.kept[:, source, :, :, :length]


class Network:  # pylint: disable=too-many-instance-attributes  # un GPT-2 a toutes ces pièces
    """Un GPT-2 prêt à lire.

    `tensors` : {nom: tableau}, aux noms de PyTorch ou de TensorFlow, en simple ou en demi-précision.
    `config` : le dictionnaire de config.json. Lève une WorkshopError si l'on ne sait pas calculer ce
    réseau, ou si l'un de ses poids n'est pas un nombre.
    """

    def __init__(self, tensors: Mapping[str, np.ndarray], config: Mapping[str, Any]):
        config = {"layer_norm_epsilon": 1e-5, "activation_function": "gelu_new", **config}
        if config["activation_function"] not in ACTIVATIONS:
            raise WorkshopError(f"La fonction d'activation « {config['activation_function']} » n'est pas de celles que "
                                f"l'on sait calculer ({', '.join(ACTIVATIONS)}).")
        self.width, self.heads, self.context = config["n_embd"], config["n_head"], config["n_positions"]
        self.activation = ACTIVATIONS[config["activation_function"]]
        self.epsilon = np.float32(config["layer_norm_epsilon"])
        weights = _Weights(tensors)
        self.vocabulary = len(weights["wte.weight"])
        self.embeddings = weights.panels(weights["wte.weight"].T)      # (largeur, vocabulaire)
        # La tête est la table des embeddings, sauf si le réseau en a une à elle.
        self.head = weights.panels(weights["lm_head.weight"].T) if "lm_head.weight" in weights else self.embeddings
        self.positions = weights["wpe.weight"]                  # (contexte, largeur)
        self.last_gain, self.last_bias = weights["ln_f.weight"], weights["ln_f.bias"]
        # Chaque couche, entière (`layers`) et en parts, une par cœur (`shared_layers`).
        layers = [_fused_layer(weights, number, config) for number in range(config["n_layer"])]
        self.layers = [[layer] for layer in layers]
        self.shared_layers = [layer.parts(min(CORES, self.heads)) for layer in layers]

    @classmethod
    def open(cls, folder: str | Path) -> "Network":
        """Ouvre le GPT-2 de `folder` : config.json et model.safetensors, aux noms de PyTorch ou de TensorFlow.

        Lève une WorkshopError si l'un des deux manque ou n'est pas lisible, ou si un poids n'est pas un nombre.
        """
        folder = Path(folder)
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            return cls(load_file(folder / "model.safetensors"), config)
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise WorkshopError(f"{shown(folder)} n'est pas le dossier d'un GPT-2 complet : on y attend config.json et "
                                f"model.safetensors ({type(error).__name__}).") from error

    def read(self, tokens: np.ndarray, memory: Memory, first_row: int = 0, everywhere: bool = False) -> np.ndarray:
        """Lit `tokens`, la suite de plusieurs textes, et renvoie les logits de ce qui viendrait ensuite.

        `tokens` est de forme (textes, nouveaux tokens) ; ces textes sont à partir de la place
        `first_row` de `memory`, qui retient ce qui est lu. Les logits sont de forme (textes,
        vocabulaire) ; avec `everywhere`, (textes × nouveaux, vocabulaire) : ce qui suivrait chaque token.
        """
        rows, new = tokens.shape
        shared = tokens.size >= TOKENS_TO_SHARE or self.width >= WIDE
        layers = self.shared_layers if shared else self.layers
        places = slice(first_row, first_row + rows)
        positions = memory.lengths[places, None] + np.arange(new)                       # (textes, nouveaux)
        memory.lengths[places] += new
        end = positions[:, -1].max() + 1
        # Un token ne voit que lui-même et ceux qui le précèdent ; inutile d'y penser s'il est le dernier partout.
        blindfold = _blindfold(positions, end) if new > 1 or positions.min() < end - 1 else None

        x = self._embedded(tokens, positions)                                           # (textes × nouveaux, largeur)
        for parts, kept in zip(layers, memory.kept[:, places, :, :, :end]):
            for y in _on_each_core(self._attention, parts, self._normalised(x), kept, positions, blindfold):
                x += y
            for y in _on_each_core(self._neurons, parts, self._normalised(x)):
                x += y
        x = self._normalised(x if everywhere else x.reshape(rows, new, self.width)[:, -1])    # le dernier de chacun
        x = x * self.last_gain + self.last_bias
        logits = _on_each_core(lambda part: _times(x, self.head[part]), _slices(len(self.head), len(layers[0])))
        return np.concatenate(logits, 1)[:, :self.vocabulary]                           # (textes, vocabulaire)

    def attention(self, tokens: np.ndarray) -> np.ndarray:
        """Renvoie ce que le dernier de `tokens`, un seul texte, regarde pour deviner la suite.

        De forme (couches, têtes, tokens) : chaque tête partage son attention, et la somme de ses parts vaut 1.
        `read` n'en retient rien ; le dernier token repasse donc seul, une fois les clés des autres en mémoire.
        """
        memory, positions = Memory(self, 1), np.array([[len(tokens) - 1]])
        self.read(tokens[None], memory)
        x, shares = self._embedded(tokens[None, -1:], positions), []
        for (layer,), kept in zip(self.layers, memory.kept[:, :, :, :, :len(tokens)]):
            shares.append(_shares(layer, self._normalised(x), kept, positions, None)[0, :, 0])
            x += self._attention(layer, self._normalised(x), kept, positions, None)
            x += self._neurons(layer, self._normalised(x))
        return np.stack(shares)

    def _embedded(self, tokens, positions):
        """Ce qu'est chaque token, et où il est, de forme (textes × nouveaux, largeur)."""
        x = self.embeddings[tokens // PANEL, :, tokens % PANEL] + self.positions[positions]
        return _centred(x.reshape(-1, self.width))

    def _attention(self, layer, x, kept, positions, blindfold):
        """Chaque token pose une question aux précédents, et reçoit les valeurs de ceux dont la clé y répond."""
        kept = kept[:, layer.heads]                                            # (textes, têtes, 2, end, taille)
        shares = _shares(layer, x, kept, positions, blindfold)
        y = (shares @ kept[:, :, 1]).swapaxes(1, 2).reshape(len(x), -1)
        y = _times(y, layer.projection)[:, :self.width]
        y += layer.projection_bias
        return y

    def _neurons(self, layer, x):
        """Puis chaque token passe seul par deux matrices : c'est là que le réseau garde ce qu'il sait."""
        y = _times(x, layer.expansion)
        y += layer.expansion_bias
        y = _times(self.activation(y), layer.contraction)[:, :self.width]
        y += layer.contraction_bias
        return y

    def _normalised(self, x):
        """La normalisation d'une couche, dont le reste est déjà dans les matrices."""
        variance = np.vecdot(x, x)
        variance /= self.width
        variance += self.epsilon
        return x / np.sqrt(variance, out=variance)[:, None]


# --- Ce qui se calcule une fois pour toutes -----------------------------------------------

class _Weights(dict):
    """Les poids, aux noms de PyTorch et en simple précision ; chacun n'est converti que lorsqu'on le demande."""

    def __init__(self, tensors):
        super().__init__(_pytorch_weight(name, array) for name, array in tensors.items())
        self._free = np.empty(0, np.float32)

    def __getitem__(self, name):
        array = np.asarray(super().__getitem__(name), np.float32)
        if not np.isfinite(array.sum()):
            raise WorkshopError(f"Le réseau a des poids qui ne sont pas des nombres ({name}) : son apprentissage a "
                                "déraillé. Refaites l'étape 3 avec une vitesse d'apprentissage plus petite, ou prenez "
                                "un autre réseau.")
        return array

    def panels(self, matrix):
        """Range une matrice (entrées, sorties) en panneaux, de forme (panneaux, entrées, PANEL).

        Panneau par panneau, l'un lu d'un bout à l'autre avant le suivant, une matrice multiplie de deux à
        trente textes deux fois plus vite : voir `_times`.
        """
        matrix = _padded(matrix)
        if matrix.size > len(self._free):
            self._free = np.empty(max(matrix.size, RESERVE), np.float32)
        panels, self._free = self._free[:matrix.size], self._free[matrix.size:]
        panels = panels.reshape((-1, len(matrix), PANEL))
        panels[...] = matrix.reshape((len(matrix), -1, PANEL)).swapaxes(0, 1)
        return panels


def _fused_layer(weights, number, config):
    """Renvoie la couche `number`, où les matrices font aussi le travail des opérations voisines.

    - La normalisation multiplie par un gain et ajoute un biais avant une matrice : la matrice les
      prend à son compte.
    - Elle retire la moyenne, et tout ce qui s'ajoute au fil du réseau n'est lu qu'à travers elle :
      les matrices qui y ajoutent quelque chose n'ajoutent que des vecteurs de moyenne nulle.
    - L'attention divise ses questions par la racine de la taille d'une tête : leur matrice aussi.
    - Les colonnes de cette matrice sont rangées tête par tête, pour que les cœurs se les partagent.
    """
    prefix, width, heads = f"h.{number}", config["n_embd"], config["n_head"]
    scale = np.ones(3 * width, np.float32)
    if config.get("scale_attn_weights", True):
        scale[:width] /= np.sqrt(width // heads)
    if config.get("scale_attn_by_inverse_layer_idx"):
        scale[:width] /= number + 1
    attention, attention_bias = _after_normalisation(weights, f"{prefix}.ln_1", f"{prefix}.attn.c_attn")
    attention, attention_bias = (_by_head(array * scale, heads) for array in (attention, attention_bias))
    expansion, expansion_bias = _after_normalisation(weights, f"{prefix}.ln_2", f"{prefix}.mlp.c_fc")
    expansion, expansion_bias = _padded(expansion), _padded(expansion_bias)
    contraction = _padded(_centred(weights[f"{prefix}.mlp.c_proj.weight"]).T).T
    return Layer(slice(0, heads), weights.panels(attention), attention_bias,
                 weights.panels(_centred(weights[f"{prefix}.attn.c_proj.weight"])),
                 _centred(weights[f"{prefix}.attn.c_proj.bias"].ravel()),
                 weights.panels(expansion), expansion_bias,
                 weights.panels(contraction), _centred(weights[f"{prefix}.mlp.c_proj.bias"].ravel()))


def _after_normalisation(weights, norm, name):
    """Renvoie (matrice, biais) de `name`, précédés du gain et du biais de la normalisation `norm`."""
    matrix = weights[f"{name}.weight"]
    return (weights[f"{norm}.weight"][:, None] * matrix,
            weights[f"{norm}.bias"] @ matrix + weights[f"{name}.bias"].ravel())


def _by_head(array, heads):
    """Range (..., 3 × têtes × taille) tête par tête, chacune complétée jusqu'à un nombre entier de panneaux."""
    array = array.reshape(*array.shape[:-1], 3, heads, -1).swapaxes(-3, -2)
    return _padded(array.reshape(*array.shape[:-2], -1)).reshape(*array.shape[:-3], -1)


def _padded(array):
    """Complète le dernier axe avec des zéros, jusqu'à un nombre entier de panneaux."""
    return np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, -array.shape[-1] % PANEL)])


def _centred(x):
    return x - x.mean(-1, keepdims=True)


def _pytorch_weight(name, array):
    """Renvoie (nom, tableau) comme PyTorch les range, sans « transformer. ».

    >>> _pytorch_weight("tfgpt2lm_head_model/transformer/h_._0/ln_1/gamma:0", np.ones(2))[0]
    'h.0.ln_1.weight'
    """
    name = re.sub(r":\d+$", "", name).replace("/", ".").replace("_._", ".")
    if name.endswith("lm_head.kernel"):
        array = array.T
    name = re.sub(r"\.(gamma|kernel|embeddings)$", ".weight", re.sub(r"\.beta$", ".bias", name))
    return re.sub(r"^.*?(?=(?:wte|wpe|h|ln_f|lm_head)\.)", "", name), array


# --- Multiplier, et partager le travail entre les cœurs -----------------------------------

def _times(x, panels):
    """Renvoie le produit (lignes, panneaux × PANEL) de `x` (lignes, entrées) et d'une matrice en panneaux.

    OpenBLAS a, pour les petites matrices, des calculs qui ne recopient rien ; un panneau en est une.
    """
    y = np.empty((len(x), len(panels), PANEL), np.float32)
    np.matmul(x, panels, out=y.swapaxes(0, 1))
    return y.reshape(len(x), -1)


def _slices(length, count):
    """Coupe `length` éléments en `count` tranches à peu près égales."""
    return [slice(length * number // count, length * (number + 1) // count) for number in range(count)]


def _on_each_core(function, parts, *inputs):
    """Renvoie [function(part, *inputs), …], un cœur par part."""
    first, *others = parts
    futures = [_POOL.submit(function, part, *inputs) for part in others]
    results = [function(first, *inputs)]
    for part, future in zip(others, futures):
        # Un cœur occupé ailleurs n'a peut-être pas commencé : autant le faire ici que de l'attendre.
        results.append(function(part, *inputs) if future.cancel() else future.result())
    return results


# --- Les fonctions qui ne sont pas des produits de matrices -------------------------------

def _shares(layer, x, kept, positions, blindfold):
    """Retient dans `kept` les clés et les valeurs de nouveaux tokens ; renvoie comment chacun partage son attention.

    De forme (textes, têtes, nouveaux, end) ; la somme sur le dernier axe vaut 1.
    """
    _, heads, _, _, size = kept.shape
    y = _times(x, layer.attention)
    y += layer.attention_bias
    y = y.reshape(*positions.shape, heads, -1)[..., :3 * size]
    y = y.reshape(*positions.shape, heads, 3, size)                            # (textes, nouveaux, têtes, 3, taille)
    kept[np.arange(len(kept))[:, None], :, :, positions] = y[:, :, :, 1:]
    scores = y[:, :, :, 0].swapaxes(1, 2) @ kept[:, :, 0].swapaxes(2, 3)
    if blindfold is not None:
        scores += blindfold
    return _softmax(scores)


def _blindfold(positions, end):
    """Renvoie, de forme (textes, 1, nouveaux, end), 0 là où un token peut regarder et moins l'infini après lui."""
    return np.where(np.arange(end) > positions[:, None, :, None], np.float32(-np.inf), np.float32(0))


def _softmax(x):
    """Change des préférences en parts positives dont la somme, sur le dernier axe, vaut 1 ; écrit dans `x`."""
    x -= x.max(-1, keepdims=True)
    np.exp(x, out=x)
    x /= x.sum(-1, keepdims=True)
    return x


def _gelu(x):
    """La fonction d'activation de GPT-2 : x, adouci près de zéro."""
    y = x * x
    y *= np.float32(0.044715)
    y += 1
    y *= x
    y *= np.float32(np.sqrt(2 / np.pi))
    np.tanh(y, out=y)
    y += 1
    y *= x
    y *= np.float32(0.5)
    return y


ACTIVATIONS = {"gelu_new": _gelu, "gelu_pytorch_tanh": _gelu, "gelu_fast": _gelu,
               "relu": lambda x: np.maximum(x, 0, out=x), "tanh": np.tanh}
