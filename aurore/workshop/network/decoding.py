"""Tout le réseau, en une page : la traversée d'un GPT-2, écrite avec NumPy.

Un GPT-2 lit des tokens et donne, pour chaque token du vocabulaire, sa préférence : le logit. Voici
tous les calculs, dans l'ordre où ils se font (`read`), sans TensorFlow ni transformers. Les mêmes
poids y donnent les mêmes logits, et le premier mot vient en un dixième de seconde.

- L'attention : Vaswani et al., « Attention is all you need », 2017.
- L'architecture : Radford et al., « Language models are unsupervised multitask learners », 2019.
- La mémoire des tokens déjà lus (« KV cache ») : Shazeer, « Fast transformer decoding », 2019.
"""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from workshop.narration import WorkshopError
from workshop.paths import shown

ROWS_PER_CORE = 4          # au-dessous, partager le lot entre les cœurs coûte plus que cela ne rapporte
LARGE_PRODUCT = 9_000_000  # textes × octets de la matrice : de même pour un seul produit
CORES = os.cpu_count()
_POOL = ThreadPoolExecutor(CORES)


class Layer(NamedTuple):
    """Les quatre matrices d'une couche, et les biais qui vont avec."""

    attention: np.ndarray         # (largeur, 3 × largeur) : vers la question, la clé et la valeur
    attention_bias: np.ndarray
    projection: np.ndarray        # (largeur, largeur)
    projection_bias: np.ndarray
    expansion: np.ndarray         # (largeur, 4 × largeur)
    expansion_bias: np.ndarray
    contraction: np.ndarray       # (4 × largeur, largeur)
    contraction_bias: np.ndarray


class Memory:
    """Ce que le réseau garde des tokens déjà lus de `rows` textes : leurs clés et leurs valeurs."""

    def __init__(self, network, rows):
        shape = len(network.layers), rows, network.context, 2, network.heads, network.width // network.heads
        self.kept = np.zeros(shape, np.float32)  # le système ne donne la mémoire qu'à mesure qu'on l'écrit
        self.lengths = np.zeros(rows, int)       # tokens lus, texte par texte

    def move(self, source, target):
        """Donne la place `target` au texte de la place `source`."""
        length = self.lengths[target] = self.lengths[source]
        self.kept[:, target, :length] = self.kept[:, source, :length]


class Network:  # pylint: disable=too-many-instance-attributes  # un GPT-2 a toutes ces pièces
    """Un GPT-2 prêt à lire.

    `tensors` : {nom: tableau}, aux noms de PyTorch ou de TensorFlow, en simple ou en demi-précision.
    `config` : le dictionnaire de config.json. Lève une WorkshopError si l'on ne sait pas calculer ce réseau.
    """

    def __init__(self, tensors, config):
        config = {"layer_norm_epsilon": 1e-5, "activation_function": "gelu_new", **config}
        if config["activation_function"] not in ACTIVATIONS:
            raise WorkshopError(f"La fonction d'activation « {config['activation_function']} » n'est pas de celles que "
                                f"l'on sait calculer ({', '.join(ACTIVATIONS)}).")
        self.width, self.heads, self.context = config["n_embd"], config["n_head"], config["n_positions"]
        self.activation = ACTIVATIONS[config["activation_function"]]
        self.epsilon = np.float32(config["layer_norm_epsilon"])
        tensors = dict(_pytorch_weight(name, array) for name, array in tensors.items())
        self.token_embeddings = tensors["wte.weight"]        # (vocabulaire, largeur)
        self.position_embeddings = tensors["wpe.weight"]     # (contexte, largeur)
        self.layers = [_fused_layer(tensors, number, config) for number in range(config["n_layer"])]
        # La tête est la table des embeddings, sauf si le réseau en a une à elle.
        head = tensors.get("lm_head.weight", self.token_embeddings).T
        self.head, self.head_bias = _after_normalisation(tensors, "ln_f", head)

    @classmethod
    def open(cls, folder):
        """Ouvre le GPT-2 de `folder` : config.json et model.safetensors, aux noms de PyTorch ou de TensorFlow.

        Lève une WorkshopError si l'un des deux manque ou n'est pas lisible.
        """
        folder = Path(folder)
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            return cls(load_file(folder / "model.safetensors"), config)
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise WorkshopError(f"{shown(folder)} n'est pas le dossier d'un GPT-2 complet : on y attend config.json et "
                                f"model.safetensors ({type(error).__name__}).") from error

    def read(self, tokens, memory, first_row=0):
        """Lit `tokens`, la suite de plusieurs textes, et renvoie les logits de ce qui viendrait ensuite.

        `tokens` est de forme (textes, nouveaux tokens) ; ces textes sont à partir de la place
        `first_row` de `memory`, qui retient ce qui est lu. Les logits sont de forme (textes,
        vocabulaire). Chaque cœur s'occupe d'une tranche des textes ou, s'ils sont trop peu, d'une
        tranche de chaque grande matrice.
        """
        parts = np.array_split(tokens, min(CORES, max(1, len(tokens) // ROWS_PER_CORE)))
        places = [slice(*pair) for pair in pairwise(first_row + np.cumsum([0, *map(len, parts)]))]
        if len(parts) == 1:
            return self._read(tokens, memory, *places, _shared_product)
        return np.concatenate(list(_POOL.map(self._read, parts, [memory] * len(parts), places)))

    def _read(self, tokens, memory, places, product=np.matmul):
        rows, new = tokens.shape
        positions = memory.lengths[places, None] + np.arange(new)                       # (textes, nouveaux)
        memory.lengths[places] += new
        end = positions[:, -1].max() + 1
        # Un token ne voit que lui-même et ceux qui le précèdent ; inutile d'y penser s'il est le dernier partout.
        blindfold = _blindfold(positions, end) if new > 1 or positions.min() < end - 1 else None

        x = self.token_embeddings[tokens] + self.position_embeddings[positions]
        x = _centred(x.reshape(rows * new, self.width))                                 # (textes × nouveaux, largeur)
        for layer, kept in zip(self.layers, memory.kept[:, places]):
            # L'attention : chaque token pose une question aux précédents, et reçoit les valeurs de ceux
            # dont la clé y répond.
            y = product(self._normalised(x), layer.attention)
            y += layer.attention_bias
            y = y.reshape(rows, new, 3, self.heads, -1)
            kept[np.arange(rows)[:, None], positions] = y[:, :, 1:]
            questions, (keys, values) = y[:, :, 0].swapaxes(1, 2), kept[:, :end].transpose(2, 0, 3, 1, 4)
            weights = questions @ keys.swapaxes(2, 3)                                   # (textes, têtes, nouveaux, end)
            if blindfold is not None:
                weights += blindfold
            weights = _softmax(weights)
            y = (weights @ values).swapaxes(1, 2).reshape(rows * new, self.width)
            y = product(y, layer.projection)
            y += layer.projection_bias
            x += y
            # Puis chaque token passe seul par deux matrices : c'est là que le réseau garde ce qu'il sait.
            y = product(self._normalised(x), layer.expansion)
            y += layer.expansion_bias
            y = product(self.activation(y), layer.contraction)
            y += layer.contraction_bias
            x += y
        x = x.reshape(rows, new, self.width)[:, -1]                                     # le dernier token de chacun
        return product(self._normalised(x), self.head) + self.head_bias                 # (textes, vocabulaire)

    def _normalised(self, x):
        """La normalisation d'une couche (Ba et al., 2016), dont le reste est déjà dans les matrices."""
        variance = np.vecdot(x, x)
        variance /= self.width
        variance += self.epsilon
        return x / np.sqrt(variance, out=variance)[:, None]


# --- Ce qui se calcule une fois pour toutes -----------------------------------------------

def _fused_layer(tensors, number, config):
    """Renvoie la couche `number`, où les matrices font aussi le travail des opérations voisines.

    - La normalisation multiplie par un gain et ajoute un biais avant une matrice : la matrice les
      prend à son compte.
    - Elle retire la moyenne, et tout ce qui s'ajoute au fil du réseau n'est lu qu'à travers elle :
      les matrices qui y ajoutent quelque chose n'ajoutent que des vecteurs de moyenne nulle.
    - L'attention divise ses questions par la racine de la taille d'une tête : leur matrice aussi.
    """
    prefix, width = f"h.{number}", config["n_embd"]
    scale = np.ones(3 * width, np.float32)
    if config.get("scale_attn_weights", True):
        scale[:width] /= np.sqrt(width // config["n_head"])
    if config.get("scale_attn_by_inverse_layer_idx"):
        scale[:width] /= number + 1
    attention, attention_bias = _after_normalisation(tensors, f"{prefix}.ln_1", tensors[f"{prefix}.attn.c_attn.weight"])
    expansion, expansion_bias = _after_normalisation(tensors, f"{prefix}.ln_2", tensors[f"{prefix}.mlp.c_fc.weight"])
    return Layer(
        attention * scale, (attention_bias + tensors[f"{prefix}.attn.c_attn.bias"].ravel()) * scale,
        _centred(tensors[f"{prefix}.attn.c_proj.weight"]), _centred(tensors[f"{prefix}.attn.c_proj.bias"].ravel()),
        expansion, expansion_bias + tensors[f"{prefix}.mlp.c_fc.bias"].ravel(),
        # Rangée par colonnes, quatre fois plus longues que ses lignes : la mémoire se lit mieux en longues suites.
        np.asfortranarray(_centred(tensors[f"{prefix}.mlp.c_proj.weight"])),
        _centred(tensors[f"{prefix}.mlp.c_proj.bias"].ravel()))


def _after_normalisation(tensors, name, matrix):
    """Renvoie (matrice, biais) : `matrix` précédée du gain et du biais de la normalisation `name`."""
    fused = np.ascontiguousarray(tensors[f"{name}.weight"][:, None] * matrix)  # rangée comme elle sera lue
    return fused, tensors[f"{name}.bias"] @ matrix


def _centred(x):
    return x - x.mean(-1, keepdims=True)


def _pytorch_weight(name, array):
    """Renvoie (nom, tableau) comme PyTorch les range, sans « transformer. », en simple précision.

    >>> _pytorch_weight("tfgpt2lm_head_model/transformer/h_._0/ln_1/gamma:0", np.ones(2))[0]
    'h.0.ln_1.weight'
    """
    name = re.sub(r":\d+$", "", name).replace("/", ".").replace("_._", ".")
    if name.endswith("lm_head.kernel"):
        array = array.T
    name = re.sub(r"\.(gamma|kernel|embeddings)$", ".weight", re.sub(r"\.beta$", ".bias", name))
    return re.sub(r"^.*?(?=(?:wte|wpe|h|ln_f|lm_head)\.)", "", name), np.asarray(array, np.float32)


# --- Partager un produit entre les cœurs --------------------------------------------------

def _shared_product(x, matrix):
    """Renvoie x @ matrix ; chaque cœur s'occupe d'une tranche des lignes d'une grande matrice.

    Pour un seul texte, presque tout le temps passe à lire la matrice en mémoire : à deux, cela va plus vite.
    """
    if len(x) * matrix.nbytes < LARGE_PRODUCT:
        return x @ matrix
    first, *others = (slice(len(matrix) * core // CORES, len(matrix) * (core + 1) // CORES) for core in range(CORES))
    others = [_POOL.submit(np.matmul, x[:, rows], matrix[rows]) for rows in others]
    product = x[:, first] @ matrix[first]
    for part in others:
        product += part.result()
    return product


# --- Les fonctions qui ne sont pas des produits de matrices -------------------------------

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
    """La fonction d'activation de GPT-2 (Hendrycks et Gimpel, 2016) : x, adouci près de zéro."""
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
