"""Un concurrent : le GPT-2 de transformers en PyTorch, sur les mêmes blocs que l'atelier."""

import itertools
import json
import sys

import torch
from transformers import GPT2LMHeadModel

from bench.race import Track


def main():
    """Apprend les blocs de `data` (un fichier JSON) en « float32 » ou « bfloat16 », jusqu'à la fin de la course."""
    with open(sys.argv[1], encoding="utf-8") as file:
        data = json.load(file)
    precision = sys.argv[2]
    model = GPT2LMHeadModel.from_pretrained(data["model"], attn_pdrop=0, embd_pdrop=0, resid_pdrop=0,
                                            torch_dtype=torch.float32)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, fused=True)
    blocks = torch.tensor([data["blocks"]["input_ids"], data["blocks"]["labels"]])
    batches = [batch for batch in blocks.split(data["batch_size"], dim=1) if batch.shape[1] == data["batch_size"]]
    track = Track(precision)
    # Le premier pas, qui ne compte pas, se contente d'un bloc : là où le 16 bits est imité, il est lent.
    for input_ids, labels in itertools.chain([blocks[:, :1]], itertools.cycle(batches)):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            loss = model(input_ids=input_ids, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        track.done(int((labels[:, 1:] >= 0).sum()))


if __name__ == "__main__":
    main()
