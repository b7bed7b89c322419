"""Un réseau minuscule et un texte court, que plusieurs tests partagent."""

import numpy as np
from tf_keras.utils import set_random_seed
from transformers import GPT2Config

from workshop.learning.gpt2_tf import TFGPT2LMHeadModel

TEXT = "Il était une fois une meunière qui chantait. Elle chantait au bord de la rivière, et le vent aussi. " * 8


def tiny_model(zeros=False, **settings):
    """Un GPT-2 minuscule ; avec `zeros`, tous ses poids sont nuls et il ne préfère aucun token."""
    set_random_seed(0)
    model = TFGPT2LMHeadModel(GPT2Config(**{"vocab_size": 8192, "n_positions": 16, "n_embd": 8, "n_layer": 1,
                                            "n_head": 1, "attn_pdrop": 0, "embd_pdrop": 0, "resid_pdrop": 0,
                                            **settings}))
    model.build_in_name_scope()
    if zeros:
        model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    return model
