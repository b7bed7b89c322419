"""Tout le réseau, en une page : un GPT-2 écrit avec NumPy.

Un GPT-2 lit des tokens et donne, après chacun, la préférence de chaque token du vocabulaire : le
logit. Voici tous les calculs, une fonction par idée, sans rien pour aller plus vite ; lisez-les de
bas en haut, `gpt2` d'abord. La page écrit avec `engine.py`, qui fait les mêmes.

- L'attention : Vaswani et al., « Attention is all you need », 2017 (arxiv.org/abs/1706.03762).
- La normalisation : Ba et al., « Layer normalization », 2016 (arxiv.org/abs/1607.06450).
- L'activation : Hendrycks et Gimpel, « Gaussian error linear units », 2016 (arxiv.org/abs/1606.08415).
- L'architecture : Radford et al., « Language models are unsupervised multitask learners », 2019.

`weights` est le contenu de model.safetensors, {nom: tableau} ; `config`, celui de config.json.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = np.ndarray
Weights = Mapping[str, Array]
Activation = Callable[[Array], Array]


def gelu(x: Array) -> Array:
    """L'activation de GPT-2 : laisse passer ce qui est positif, arrête ce qui est négatif, en douceur près de zéro."""
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x ** 3)))


ACTIVATIONS: dict[str, Activation] = {"gelu_new": gelu, "relu": lambda x: np.maximum(x, 0), "tanh": np.tanh}


def softmax(x: Array) -> Array:
    """Change des préférences en parts positives, dont la somme sur le dernier axe vaut 1."""
    exponentials = np.exp(x - x.max(axis=-1, keepdims=True))  # retirer le plus grand n'y change rien, et évite l'infini
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def linear(x: Array, weights: Weights, name: str) -> Array:
    """Une matrice, puis un biais : chaque nombre qui sort est une somme pondérée de ceux qui entrent."""
    return x @ weights[f"{name}.weight"] + weights[f"{name}.bias"]      # (tokens, entrées) -> (tokens, sorties)


def layer_norm(x: Array, weights: Weights, name: str, epsilon: float) -> Array:
    """Ramène chaque token à une moyenne de 0 et une variance de 1, puis à l'échelle que le réseau a apprise."""
    x = x - x.mean(axis=-1, keepdims=True)
    x = x / np.sqrt((x ** 2).mean(axis=-1, keepdims=True) + epsilon)
    return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def attention(questions: Array, keys: Array, values: Array) -> Array:
    """Une tête : chaque token reçoit les valeurs de ceux qui le précèdent, selon que leur clé répond à sa question."""
    scores = questions @ keys.T / np.sqrt(keys.shape[-1])               # (tokens, tokens)
    future = np.triu(np.ones_like(scores, dtype=bool), k=1)             # un token ne voit pas ceux qui le suivent
    return softmax(np.where(future, -np.inf, scores)) @ values          # (tokens, taille d'une tête)


def multi_head_attention(x: Array, weights: Weights, name: str, heads: int) -> Array:
    """Plusieurs têtes côte à côte, chacune sur sa part de la largeur ; une matrice réunit ce qu'elles rapportent."""
    x = linear(x, weights, f"{name}.c_attn")                            # (tokens, 3 × largeur)
    questions, keys, values = (np.split(part, heads, axis=-1) for part in np.split(x, 3, axis=-1))
    x = np.hstack([attention(*head) for head in zip(questions, keys, values)])      # (tokens, largeur)
    return linear(x, weights, f"{name}.c_proj")


def neurons(x: Array, weights: Weights, name: str, activation: Activation) -> Array:
    """Puis chaque token passe seul par quatre fois plus de neurones : là se garde ce que le réseau sait."""
    x = activation(linear(x, weights, f"{name}.c_fc"))                  # (tokens, 4 × largeur)
    return linear(x, weights, f"{name}.c_proj")                         # (tokens, largeur)


def block(x: Array, weights: Weights, name: str, config: Mapping[str, Any]) -> Array:
    """Une couche : les tokens se regardent, puis chacun réfléchit ; ce qui en sort s'ajoute à ce qui y entrait."""
    epsilon, activation = config["layer_norm_epsilon"], ACTIVATIONS[config["activation_function"]]
    y = layer_norm(x, weights, f"{name}.ln_1", epsilon)
    x = x + multi_head_attention(y, weights, f"{name}.attn", config["n_head"])
    y = layer_norm(x, weights, f"{name}.ln_2", epsilon)
    return x + neurons(y, weights, f"{name}.mlp", activation)


def gpt2(tokens: list[int], weights: Weights, config: Mapping[str, Any]) -> Array:
    """Renvoie les logits de ce qui suivrait chaque token de la liste `tokens`, de forme (tokens, vocabulaire)."""
    embeddings, positions = weights["transformer.wte.weight"], weights["transformer.wpe.weight"]
    x = embeddings[tokens] + positions[:len(tokens)]                    # (tokens, largeur) : ce qu'il est, où il est
    for number in range(config["n_layer"]):
        x = block(x, weights, f"transformer.h.{number}", config)
    x = layer_norm(x, weights, "transformer.ln_f", config["layer_norm_epsilon"])
    return x @ weights.get("lm_head.weight", embeddings).T              # ressemble-t-il à ce token du vocabulaire ?
