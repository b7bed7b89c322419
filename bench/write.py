"""Un concurrent : l'une des façons de faire écrire un GPT-2.

    python -m bench.write MOTEUR MODÈLE AMORCES

continue le même nombre de tokens pour autant d'AMORCES, jusqu'à la fin de la course. Avec « premier » à la
place d'un nombre, il n'écrit chaque fois que le premier token d'une amorce.
"""

import importlib
import json
import os
import sys
import tempfile

import numpy as np

from bench.race import Track

PROMPT_TOKENS, NEW_TOKENS, TOP_K = 32, 50, 50


def open_stock(folder):
    """Ce que fait l'atelier d'origine : pipeline(), sur le GPT-2 de TensorFlow."""
    transformers = importlib.import_module("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, padding_side="left")
    tokenizer.pad_token = tokenizer.eos_token
    model = transformers.TFGPT2LMHeadModel.from_pretrained(folder)
    pipe = transformers.pipeline("text-generation", model=model, tokenizer=tokenizer)

    def write(prompts, count):
        pipe(tokenizer.batch_decode(prompts), batch_size=len(prompts), max_new_tokens=count,
             min_length=PROMPT_TOKENS + count, do_sample=True, top_k=TOP_K)
    return write


def open_xla(folder):
    """Le `generate` de TensorFlow, compilé en entier (XLA)."""
    tensorflow, transformers = map(importlib.import_module, ("tensorflow", "transformers"))
    model = transformers.TFGPT2LMHeadModel.from_pretrained(folder)
    model.generation_config.pad_token_id = model.config.eos_token_id
    compiled = {}

    def write(prompts, count):
        if count not in compiled:
            compiled[count] = tensorflow.function(lambda tokens: model.generate(
                input_ids=tokens, max_new_tokens=count, min_length=PROMPT_TOKENS + count, do_sample=True, top_k=TOP_K),
                jit_compile=True)
        compiled[count](tensorflow.constant(prompts, tensorflow.int32))
    return write


def open_pytorch(folder):
    """Le `generate` de transformers avec PyTorch."""
    torch, transformers = map(importlib.import_module, ("torch", "transformers"))
    model = transformers.GPT2LMHeadModel.from_pretrained(folder, torch_dtype=torch.float32).eval()

    def write(prompts, count):
        model.generate(torch.tensor(prompts), attention_mask=torch.ones(prompts.shape, dtype=torch.long),
                       max_new_tokens=count, min_new_tokens=count, do_sample=True, top_k=TOP_K,
                       pad_token_id=model.config.eos_token_id)
    return write


def open_ctranslate2(folder):
    """CTranslate2, un moteur en C++, en simple précision."""
    ctranslate2 = importlib.import_module("ctranslate2")
    with tempfile.TemporaryDirectory() as converted:
        ctranslate2.converters.TransformersConverter(folder).convert(converted, force=True)
        generator = ctranslate2.Generator(converted, device="cpu", compute_type="float32",
                                          intra_threads=os.cpu_count())
    with open(os.path.join(folder, "tokenizer.json"), encoding="utf-8") as file:
        pieces = {number: piece for piece, number in json.load(file)["model"]["vocab"].items()}

    def write(prompts, count):
        generator.generate_batch([[pieces[token] for token in prompt] for prompt in prompts.tolist()], max_length=count,
                                 min_length=count, sampling_topk=TOP_K, include_prompt_in_result=False)
    return write


def open_workshop(folder):
    """L'atelier : la traversée écrite avec NumPy, celle qui sert la page."""
    engine, generation, sampling = (importlib.import_module(f"workshop.writing.{name}")
                                    for name in ("engine", "generation", "sampling"))
    network = engine.Network.open(folder)

    def write(prompts, count):
        generation.write_texts(network, prompts.tolist(), sampling.Settings(max_new_tokens=count, top_k=TOP_K))
    return write


ENGINES = {"stock": open_stock, "xla": open_xla, "pytorch": open_pytorch, "ctranslate2": open_ctranslate2,
           "workshop": open_workshop}


def main():
    """Écrit jusqu'à la fin de la course ; ce qui compte est le nombre de tokens écrits."""
    engine, folder, prompts = sys.argv[1:]
    write = ENGINES[engine](folder)
    rows, count = (1, 1) if prompts == "premier" else (int(prompts), NEW_TOKENS)
    # Des tokens ordinaires, les mêmes pour tous ; une amorce par ligne.
    openings = np.random.default_rng(0).integers(300, 1000, (rows, PROMPT_TOKENS))
    track = Track()
    while True:
        write(openings, count)
        track.done(rows * count)


if __name__ == "__main__":
    main()
