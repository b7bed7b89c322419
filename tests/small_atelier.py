"""Un atelier où l'étape 3 a peu à faire : un corpus inventé, un réseau minuscule."""

import re

import numpy as np
from datasets import Dataset, DatasetDict

from tiny_networks import tiny_model
from workshop.artefacts import newest_model
from workshop.learning import hub

SCRIPT = "3_train_solution.py"
STEPS = 13
SAME_CURVE = 1e-3  # nats : les sommes ne se font pas toujours dans le même ordre
WORDS = "la meunière chantait au bord de la rivière et le vent aussi quand le soir tombait sur les prés".split()


def invented_book(title, sentences, seed):
    """Un livre inventé : des phrases de mots tirés au hasard."""
    random = np.random.default_rng(seed)
    texts = [f"{' '.join(random.choice(WORDS, 9)).capitalize()}." for _ in range(sentences)]
    return [{"text": text, "book": title, "position": position, "sentence_length": 9}
            for position, text in enumerate(texts)]


def save_tiny_network(folder, tokenizer, context=32):
    """Enregistre dans `folder` un réseau minuscule, qui lit au plus `context` tokens à la fois."""
    folder.mkdir()
    hub.save_model(tiny_model(n_positions=context, n_embd=32, n_layer=2, n_head=2), tokenizer, folder)


def make_small(atelier, tokenizer):
    """Fait de cet atelier un petit : treize pas, une sauvegarde à chacun, et des lots que deux ne partagent pas
    également."""
    DatasetDict({  # le premier livre ne remplit pas un bloc : les parts n'ont pas le même nombre de tokens
        "train": Dataset.from_list(invented_book("A", 1, 0) + invented_book("B", 180, 1)),
        "validation": Dataset.from_list(invented_book("C", 30, 2)),
        "test": Dataset.from_list(invented_book("D", 20, 3))}).save_to_disk(atelier.aurore / "data")
    save_tiny_network(atelier.aurore / "embedded_tiny", tokenizer)
    for old, new in {"benjamin/gpt2-wechsel-french": "aurore/embedded_tiny", "BLOCK_LENGTH = 256": "BLOCK_LENGTH = 32",
                     "BATCH_SIZE = 8": "BATCH_SIZE = 5", "SAVE_EVERY_SECONDS = 60": "SAVE_EVERY_SECONDS = 0",
                     "20e6: 5e-4": "20e6: 5e-3"}.items():
        atelier.change(SCRIPT, old, new)
    return atelier


def at_step(step):
    """Une expression régulière : l'entraînement dit qu'il en est au pas `step` au moins (il ne les dit pas tous)."""
    return rf"pas ({'|'.join(map(str, range(step, STEPS + 1)))})/{STEPS} "


def resumed_at(said):
    """Le pas d'où un entraînement dit qu'il repart."""
    return int(re.search(r"L'entraînement reprend au pas (\d+)", said)[1])


def curve(atelier):
    """Les pertes du seul réseau enregistré, pas après pas : [pas, perte, perte de validation]."""
    model = atelier.aurore / "model"
    folder = newest_model(model)
    assert sorted(path.name for path in model.glob("[!.]*")) == [folder.name, "runs.csv"]
    assert not (model / ".unfinished").exists()
    return np.genfromtxt(folder / "training_log.csv", delimiter=",", skip_header=1)
