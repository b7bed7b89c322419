"""Des GPT-2 tirés au hasard, sans TensorFlow ni PyTorch."""

import numpy as np


def random_gpt2(**settings):
    """Un GPT-2 tiré au hasard, sans TensorFlow : ses poids, aux noms de PyTorch, et sa configuration."""
    config = {"vocab_size": 300, "n_positions": 24, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_inner": None,
              "layer_norm_epsilon": 1e-5, "activation_function": "gelu_new", "tie_word_embeddings": True, **settings}
    width, vocabulary = config["n_embd"], config["vocab_size"]
    inner, generator, weights = config["n_inner"] or 4 * width, np.random.default_rng(0), {}

    def add(name, *shape):
        scale = 1 if len(shape) == 1 else width ** -0.5
        weights[name] = generator.normal(scale=scale, size=shape).astype(np.float32)
    add("transformer.wte.weight", vocabulary, width)
    add("transformer.wpe.weight", config["n_positions"], width)
    for name in (*(f"h.{number}.ln_{rank}" for number in range(config["n_layer"]) for rank in (1, 2)), "ln_f"):
        add(f"transformer.{name}.weight", width)
        add(f"transformer.{name}.bias", width)
    for number in range(config["n_layer"]):
        for name, shape in (("attn.c_attn", (width, 3 * width)), ("attn.c_proj", (width, width)),
                            ("mlp.c_fc", (width, inner)), ("mlp.c_proj", (inner, width))):
            add(f"transformer.h.{number}.{name}.weight", *shape)
            add(f"transformer.h.{number}.{name}.bias", shape[1])
    if not config["tie_word_embeddings"]:
        add("lm_head.weight", vocabulary, width)
    return weights, config
