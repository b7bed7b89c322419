"""Tout le réseau, en une page : la traversée d'un GPT-2, écrite avec NumPy.

Un GPT-2 lit des tokens et donne, pour chaque token du vocabulaire, sa préférence : le logit. Voici
tous les calculs, dans l'ordre où ils se font (`read`), sans TensorFlow ni transformers. Les mêmes
poids y donnent les mêmes logits, et le premier mot vient en un dixième de seconde.

- L'attention : Vaswani et al., « Attention is all you need », 2017.
- L'architecture : Radford et al., « Language models are unsupervised multitask learners », 2019.
- La mémoire des tokens déjà lus (« KV cache ») : Shazeer, « Fast transformer decoding », 2019.
- Le partage d'un grand réseau entre les cœurs : Shoeybi et al., « Megatron-LM », 2019.
"""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from workshop.errors import WorkshopError
from workshop.paths import shown

# Partager le travail entre les cœurs ne rapporte qu'à partir de là (au-dessous, ils passent leur temps à s'attendre).
SQUARE_PER_CORE = 130_000  # largeur au carré : un réseau large, dont chaque cœur lit toujours une part
TOKENS_TO_SHARE = 50       # tokens à lire : de même dans un réseau étroit
ROWS_PER_CORE = 4          # textes : dans un réseau étroit, chaque cœur s'occupe de quelques-uns
CORES = os.cpu_count()
_POOL = ThreadPoolExecutor(CORES)


class Layer(NamedTuple):
    """Une couche, ou la part dont un cœur s'occupe : des têtes et des neurones, leurs matrices et leurs biais."""

    heads: slice                  # ces têtes, parmi toutes
    attention: np.ndarray         # (largeur, têtes × 3 × taille) : la question, la clé et la valeur de chaque tête
    attention_bias: np.ndarray
    projection: np.ndarray        # (têtes × taille, largeur)
    projection_bias: np.ndarray
    expansion: np.ndarray         # (largeur, neurones), quatre fois plus nombreux
    expansion_bias: np.ndarray
    contraction: np.ndarray       # (neurones, largeur)
    contraction_bias: np.ndarray

    def parts(self, count):
        """Coupe cette couche en `count` parts, dont la somme des sorties est la sienne."""
        size = len(self.projection) // self.heads.stop
        parts = []
        for heads, neurons in zip(_slices(self.heads.stop, count), _slices(len(self.contraction), count)):
            rows, columns = (slice(heads.start * length, heads.stop * length) for length in (size, 3 * size))
            parts.append(Layer(heads, self.attention[:, columns], self.attention_bias[columns],
                               self.projection[rows], self.projection_bias / count,
                               self.expansion[:, neurons], self.expansion_bias[neurons],
                               self.contraction[neurons], self.contraction_bias / count))
        return parts


class Memory:
    """Ce que le réseau garde des tokens déjà lus de `rows` textes : leurs clés et leurs valeurs."""

    def __init__(self, network, rows):
        shape = len(network.layers), rows, network.context, network.heads, 2, network.width // network.heads
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
        # Les parts de chaque couche, quand il y a peu à lire (`layers`) et quand il y a beaucoup (`shared_layers`).
        layers = (_fused_layer(tensors, number, config) for number in range(config["n_layer"]))
        cores = min(CORES, self.heads)
        self.wide = self.width ** 2 >= 2 * SQUARE_PER_CORE
        if self.wide:
            cores = min(cores, self.width ** 2 // SQUARE_PER_CORE)
            self.layers = self.shared_layers = [[_packed(part) for part in layer.parts(cores)] for layer in layers]
        else:
            self.layers = [[layer] for layer in layers]
            self.shared_layers = [layer.parts(cores) for [layer] in self.layers]
        # La tête est la table des embeddings, sauf si le réseau en a une à elle.
        head = tensors.get("lm_head.weight", self.token_embeddings).T
        self.head = [_after_normalisation(tensors, "ln_f", head[:, part])    # (largeur, une part du vocabulaire)
                     for part in _slices(head.shape[1], cores if self.wide else 1)]

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
        vocabulaire). Chaque cœur s'occupe d'une part des textes ; s'ils sont trop peu, ou le réseau
        large, d'une part du réseau.
        """
        rows = len(tokens)
        shares = 1 if self.wide else min(CORES, rows // ROWS_PER_CORE)
        if shares < 2:
            layers = self.shared_layers if tokens.size >= TOKENS_TO_SHARE else self.layers
            return self._read(tokens, memory, slice(first_row, first_row + rows), layers)
        return np.concatenate(_on_each_core(lambda share: self._read(
            tokens[share], memory, slice(first_row + share.start, first_row + share.stop), self.layers),
            _slices(rows, shares)))

    def _read(self, tokens, memory, places, layers):
        rows, new = tokens.shape
        positions = memory.lengths[places, None] + np.arange(new)                       # (textes, nouveaux)
        memory.lengths[places] += new
        end = positions[:, -1].max() + 1
        # Un token ne voit que lui-même et ceux qui le précèdent ; inutile d'y penser s'il est le dernier partout.
        blindfold = _blindfold(positions, end) if new > 1 or positions.min() < end - 1 else None

        x = self.token_embeddings[tokens] + self.position_embeddings[positions]
        x = _centred(x.reshape(rows * new, self.width))                                 # (textes × nouveaux, largeur)
        for parts, kept in zip(layers, memory.kept[:, places, :end]):
            for y in _on_each_core(self._attention, parts, self._normalised(x), kept, positions, blindfold):
                x += y
            for y in _on_each_core(self._neurons, parts, self._normalised(x)):
                x += y
        x = self._normalised(x.reshape(rows, new, self.width)[:, -1])                   # le dernier token de chacun
        return np.concatenate(_on_each_core(lambda part: x @ part[0] + part[1], self.head), 1)  # (textes, vocabulaire)

    def _attention(self, layer, x, kept, positions, blindfold):
        """Chaque token pose une question aux précédents, et reçoit les valeurs de ceux dont la clé y répond."""
        kept = kept[:, :, layer.heads]                                         # (textes, end, têtes, 2, taille)
        y = x @ layer.attention
        y += layer.attention_bias
        y = y.reshape(*positions.shape, -1, 3, kept.shape[-1])                 # (textes, nouveaux, têtes, 3, taille)
        kept[np.arange(len(kept))[:, None], positions] = y[:, :, :, 1:]
        questions, (keys, values) = y[:, :, :, 0].swapaxes(1, 2), kept.transpose(3, 0, 2, 1, 4)
        weights = questions @ keys.swapaxes(2, 3)                              # (textes, têtes, nouveaux, end)
        if blindfold is not None:
            weights += blindfold
        y = (_softmax(weights) @ values).swapaxes(1, 2).reshape(len(x), -1)
        y = y @ layer.projection
        y += layer.projection_bias
        return y

    def _neurons(self, layer, x):
        """Puis chaque token passe seul par deux matrices : c'est là que le réseau garde ce qu'il sait."""
        y = x @ layer.expansion
        y += layer.expansion_bias
        y = self.activation(y) @ layer.contraction
        y += layer.contraction_bias
        return y

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
    - Les colonnes de cette matrice sont rangées tête par tête, pour que les cœurs se les partagent.
    """
    prefix, width, heads = f"h.{number}", config["n_embd"], config["n_head"]
    scale = np.ones(3 * width, np.float32)
    if config.get("scale_attn_weights", True):
        scale[:width] /= np.sqrt(width // heads)
    if config.get("scale_attn_by_inverse_layer_idx"):
        scale[:width] /= number + 1
    by_head = np.arange(3 * width).reshape(3, heads, -1).swapaxes(0, 1).ravel()
    attention, attention_bias = _after_normalisation(tensors, f"{prefix}.ln_1", tensors[f"{prefix}.attn.c_attn.weight"])
    attention_bias += tensors[f"{prefix}.attn.c_attn.bias"].ravel()
    expansion, expansion_bias = _after_normalisation(tensors, f"{prefix}.ln_2", tensors[f"{prefix}.mlp.c_fc.weight"])
    return Layer(
        slice(0, heads), np.take(attention * scale, by_head, 1), (attention_bias * scale)[by_head],
        _centred(tensors[f"{prefix}.attn.c_proj.weight"]), _centred(tensors[f"{prefix}.attn.c_proj.bias"].ravel()),
        expansion, expansion_bias + tensors[f"{prefix}.mlp.c_fc.bias"].ravel(),
        # Rangée par colonnes, quatre fois plus longues que ses lignes : la mémoire se lit mieux en longues suites.
        np.asfortranarray(_centred(tensors[f"{prefix}.mlp.c_proj.weight"])),
        _centred(tensors[f"{prefix}.mlp.c_proj.bias"].ravel()))


def _packed(part):
    """Range chaque matrice d'un seul tenant : la mémoire se lit mieux en longues suites."""
    heads, *arrays = part
    return Layer(heads, *(array.copy("K") for array in arrays))


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


# --- Partager le travail entre les cœurs --------------------------------------------------

def _slices(length, count):
    """Coupe `length` éléments en `count` tranches à peu près égales."""
    return [slice(length * number // count, length * (number + 1) // count) for number in range(count)]


def _on_each_core(function, parts, *inputs):
    """Renvoie [function(part, *inputs), …], un cœur par part."""
    first, *others = parts
    others = [_POOL.submit(function, part, *inputs) for part in others]
    return [function(first, *inputs), *(other.result() for other in others)]


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
