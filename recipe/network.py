"""Un GPT-2 pour l'entraînement, dont les poids portent les noms et la forme de ceux de transformers.

L'écrire tient en une page, et `torch.compile` le traduit tout entier ; ouvrir ou publier un réseau
n'est plus qu'une lecture ou une écriture. Source : Radford et al., « Language models are
unsupervised multitask learners », 2019.
"""

import json
import math
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from workshop.errors import WorkshopError

PREFIX = "transformer."        # devant chaque nom, chez transformers
INITIAL_SPREAD = 0.02          # écart type des poids tirés au hasard (celui de GPT-2)
POSITIONS_SPREAD = 0.01
CONFIG, WEIGHTS = "config.json", "model.safetensors"


class Shape(NamedTuple):
    """La forme d'un réseau."""

    vocabulary: int = 8192   # tokens
    context: int = 256       # tokens, environ 150 mots
    layers: int = 6
    width: int = 256
    heads: int = 4


class Projection(nn.Module):
    """Une matrice rangée (entrées, sorties), comme chez GPT-2, et son biais."""

    def __init__(self, inputs, outputs, spread=INITIAL_SPREAD):
        super().__init__()
        self.weight = nn.Parameter(spread * torch.randn(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        """Renvoie x · poids + biais, de forme (…, sorties)."""
        return functional.linear(x, self.weight.T, self.bias)


class Attention(nn.Module):
    """Chaque token regarde ceux qui le précèdent."""

    def __init__(self, shape):
        super().__init__()
        self.heads = shape.heads
        self.c_attn = Projection(shape.width, 3 * shape.width)
        self.c_proj = Projection(shape.width, shape.width, INITIAL_SPREAD / math.sqrt(2 * shape.layers))

    def forward(self, x):
        """`x` et le résultat sont de forme (blocs, tokens, largeur)."""
        queries, keys, values = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (blocs, têtes, tokens, taille)
                                 for part in self.c_attn(x).chunk(3, -1))
        y = functional.scaled_dot_product_attention(queries, keys, values, is_causal=True)
        return self.c_proj(y.transpose(1, 2).flatten(-2))


class Neurons(nn.Module):
    """Puis chaque token passe seul par deux matrices."""

    def __init__(self, shape):
        super().__init__()
        self.c_fc = Projection(shape.width, 4 * shape.width)
        self.c_proj = Projection(4 * shape.width, shape.width, INITIAL_SPREAD / math.sqrt(2 * shape.layers))

    def forward(self, x):
        """`x` et le résultat sont de forme (blocs, tokens, largeur)."""
        return self.c_proj(functional.gelu(self.c_fc(x), approximate="tanh"))


class Layer(nn.Module):
    """Une couche : attention, puis neurones, qui s'ajoutent chacun à ce qu'ils ont lu."""

    def __init__(self, shape):
        super().__init__()
        self.ln_1, self.attn = nn.LayerNorm(shape.width), Attention(shape)
        self.ln_2, self.mlp = nn.LayerNorm(shape.width), Neurons(shape)

    def forward(self, x):
        """`x` et le résultat sont de forme (blocs, tokens, largeur)."""
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT2(nn.Module):
    """Le réseau ; sa tête est la table des embeddings."""

    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.wte = nn.Embedding(shape.vocabulary, shape.width)
        self.wpe = nn.Embedding(shape.context, shape.width)
        self.h = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.ln_f = nn.LayerNorm(shape.width)
        nn.init.normal_(self.wte.weight, std=INITIAL_SPREAD)
        nn.init.normal_(self.wpe.weight, std=POSITIONS_SPREAD)

    def logits(self, tokens):
        """Renvoie les logits de ce qui suit chaque token : (blocs, tokens) → (blocs, tokens, vocabulaire)."""
        x = self.wte(tokens) + self.wpe.weight[:tokens.shape[1]]
        for layer in self.h:
            x = layer(x)
        return functional.linear(self.ln_f(x), self.wte.weight)

    def forward(self, blocks):
        """Renvoie la perte moyenne par token, en nats, de blocs de forme (blocs, tokens + 1)."""
        logits = self.logits(blocks[:, :-1])
        return functional.cross_entropy(logits.flatten(0, 1).float(), blocks[:, 1:].flatten())


def open_network(folder):
    """Renvoie le GPT-2 de `folder` (config.json et model.safetensors, aux noms de transformers).

    Lève une WorkshopError si ce n'en est pas un, ou si sa tête n'est pas la table des embeddings.
    """
    folder = Path(folder)
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        network = GPT2(Shape(config["vocab_size"], config["n_positions"], config["n_layer"], config["n_embd"],
                             config["n_head"]))
        network.load_state_dict({name.removeprefix(PREFIX): weight.float()
                                 for name, weight in load_file(folder / WEIGHTS).items()})
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise WorkshopError(f"{folder} n'est pas le dossier d'un GPT-2 aux noms de PyTorch : on y attend {CONFIG} et "
                            f"{WEIGHTS} ({type(error).__name__}).\nDonnez à --from le dossier d'un autre.") from error
    return network


def write_network(network, folder):
    """Écrit dans `folder` les poids, en demi-précision, et la configuration, comme transformers."""
    shape = network.shape
    weights = {PREFIX + name: weight.detach().half().cpu().contiguous()
               for name, weight in network.state_dict().items()}
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / WEIGHTS).chmod(0o644)  # safetensors le réserve à qui l'écrit
    config = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "activation_function": "gelu_new",
              "vocab_size": shape.vocabulary, "n_positions": shape.context, "n_layer": shape.layers,
              "n_embd": shape.width, "n_head": shape.heads, "bos_token_id": 0, "eos_token_id": 0}
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
