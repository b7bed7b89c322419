"""Un concurrent : le GPT-2 de transformers en PyTorch, sur les mêmes blocs que l'atelier."""

import itertools
import json
import sys

import torch
from race import Track
from transformers import GPT2LMHeadModel


def main():
    """Apprend les blocs de `data` (un fichier JSON) en « float32 » ou « bfloat16 », jusqu'à la fin de la course."""
    with open(sys.argv[1], encoding="utf-8") as file:
        data = json.load(file)
    precision = sys.argv[2]
    model = GPT2LMHeadModel.from_pretrained(data["model"], attn_pdrop=0, embd_pdrop=0, resid_pdrop=0,
                                            torch_dtype=torch.float32)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, fused=True)
    blocks = {name: torch.tensor(rows).split(data["batch_size"]) for name, rows in data["blocks"].items()}
    track = Track(precision)
    for input_ids, labels in itertools.cycle(zip(blocks["input_ids"], blocks["labels"])):
        if len(input_ids) < data["batch_size"]:
            continue
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            loss = model(input_ids=input_ids, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        track.done(int((labels[:, 1:] >= 0).sum()))


if __name__ == "__main__":
    main()
