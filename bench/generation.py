"""Combien de tokens un réseau écrit par seconde : l'atelier, à côté des autres façons de faire.

    make bench

Mêmes poids, même machine, mêmes amorces (32 tokens), même longueur (50 tokens), tirage parmi les 50
plus probables, pour aurore-mini, aurore et un réseau de 124 millions de paramètres. Chaque concurrent est
un processus ; tous courent à tour de rôle. La vitesse est montrée, jamais vérifiée : elle dépend de la machine.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from workshop import narration
from workshop.page.readers import Piece, Readers, Request
from workshop.paths import BASE_MODEL, SAND_MODEL

import numpy as np
from safetensors.numpy import save_file

from bench.race import Peer, peak_memory, race

FIRST = "premier"  # voir write.py : une amorce, un seul token
STOCK, OURS = "pipeline TensorFlow (origine)", "atelier (NumPy)"
COMPILED = "TensorFlow generate, XLA"  # compilé pour une longueur : d'un seul token, il ne sait pas l'écrire
TORCH = "PyTorch generate"
ENGINES = {STOCK: "stock", COMPILED: "xla", TORCH: "pytorch", "CTranslate2 (float32)": "ctranslate2",
           OURS: "workshop"}
READERS, READER_TOKENS = 30, 60


def write_124m(folder):
    """Écrit dans `folder` un GPT-2 de 124 millions de paramètres tirés au hasard, avec le tokenizer d'aurore-mini."""
    for name in ("tokenizer_config.json", "special_tokens_map.json", "merges.txt"):
        shutil.copy(BASE_MODEL / name, folder)
    tokenizer, config = (json.loads((BASE_MODEL / name).read_text(encoding="utf-8"))
                         for name in ("tokenizer.json", "config.json"))
    vocabulary = tokenizer["model"]["vocab"]  # CTranslate2 veut un nom par token
    vocabulary |= {f"<{token}>": token for token in range(len(vocabulary), 50257)}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    config |= {"n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024, "vocab_size": 50257}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    generator, tensors = np.random.default_rng(0), {}

    def add(name, *shape):
        tensors[f"transformer.{name}"] = generator.normal(scale=0.02, size=shape).astype(np.float32)
    add("wte.weight", 50257, 768)
    add("wpe.weight", 1024, 768)
    for layer in range(12):
        for name, shape in (("attn.c_attn", (768, 2304)), ("attn.c_proj", (768, 768)), ("mlp.c_fc", (768, 3072)),
                            ("mlp.c_proj", (3072, 768)), ("ln_1", (768,)), ("ln_2", (768,))):
            add(f"h.{layer}.{name}.weight", *shape)
            add(f"h.{layer}.{name}.bias", shape[-1])
    add("ln_f.weight", 768)
    add("ln_f.bias", 768)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def race_all(folder, torch_python, prompts, laps):
    """Fait courir les moteurs sur `prompts` amorces du réseau de `folder` ; renvoie {moteur: résultat}."""
    peers = {}
    for name, engine in ENGINES.items():
        if name == COMPILED and prompts == FIRST:
            continue
        python = torch_python if engine in ("pytorch", "ctranslate2") else sys.executable
        environment = {"TF_USE_LEGACY_KERAS": "1"} if engine in ("stock", "xla") else {}
        if engine == "workshop":
            environment["OPENBLAS_NUM_THREADS"] = "1"  # comme le fait workshop/__init__.py
        peers[name] = Peer([python, "-m", "bench.write", engine, folder, prompts], environment)
    return race(peers, laps)


def show(folder, torch_python, laps):
    """Mesure un réseau et affiche son tableau ; renvoie la vitesse de la façon d'origine, en tokens/s."""
    one, eight, first = (race_all(folder, torch_python, prompts, laps) for prompts in (1, 8, FIRST))
    narration.table(
        ("", "une amorce", "× origine", "× PyTorch", "huit amorces", "× PyTorch", "premier token", "mémoire"),
        [(name, f"{narration.count(round(one[name].speed))} tokens/s",
          narration.decimal(one[name].speed / one[STOCK].speed, 1),
          narration.decimal(one[name].speed / one[TORCH].speed, 1),
          f"{narration.count(round(eight[name].speed))} tokens/s",
          narration.decimal(eight[name].speed / eight[TORCH].speed, 1),
          f"{narration.count(round(1000 / first[name].speed))} ms" if name in first else "–",
          f"{narration.count(round(one[name].memory / 1e6))} Mo") for name in one])
    return one[STOCK].speed


def thirty_readers(folder, stock_speed):
    """Trente lecteurs demandent ensemble soixante tokens : combien de temps chacun attend."""
    readers, durations = Readers(folder), []

    def read():
        start = time.perf_counter()
        tokens = sum(isinstance(event, Piece) for event in readers.join(Request("Le soir,", READER_TOKENS)))
        assert tokens
        durations.append(time.perf_counter() - start)
    for _ in range(4):  # le premier tour prépare ; il ne compte pas
        durations.clear()
        threads = [threading.Thread(target=read) for _ in range(READERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    readers.stop()
    durations.sort()
    alone = READERS * READER_TOKENS / stock_speed
    middle, late, last = (narration.decimal(seconds, 1) for seconds in (
        statistics.median(durations), durations[int(0.95 * READERS)], durations[-1]))
    print(f"{READERS} lecteurs demandent {READER_TOKENS} tokens ensemble : médiane {middle} s, 95e centile {late} s, "
          f"le dernier {last} s ; {narration.count(round(peak_memory() / 1e6))} Mo de mémoire.\n"
          f"L'un après l'autre, à la vitesse de la façon d'origine : {narration.duration(alone)}, soit "
          f"{narration.count(round(alone / durations[-1]))} fois plus.")


def main():
    """Fait courir les concurrents sur aurore-mini, sur aurore, puis sur un réseau de 124 millions de paramètres."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("torch_python", metavar="PYTHON", help="un interpréteur qui a torch, transformers, ctranslate2")
    torch_python = parser.parse_args().torch_python
    for name, folder in (("aurore-mini", BASE_MODEL), ("aurore", SAND_MODEL)):
        narration.section(f"Faire écrire {name}")
        stock_speed = show(folder, torch_python, laps=3)
        narration.section(f"Trente lecteurs à la fois devant {name}")
        thirty_readers(folder, stock_speed)
    narration.section("Faire écrire un GPT-2 de 124 millions de paramètres")
    with tempfile.TemporaryDirectory() as folder:
        write_124m(Path(folder))
        show(folder, torch_python, laps=2)


if __name__ == "__main__":
    main()
