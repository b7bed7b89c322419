"""La recette du modèle de base : d'un dossier de romans à un petit GPT-2 français.

    python -m workshop.network.pretrain LIVRES SORTIE [--from MODÈLE] [--minutes 120]

Se lance depuis `aurore/`. LIVRES contient des fichiers .txt, un paragraphe par ligne ; SORTIE
reçoit les poids (demi-précision, noms de PyTorch), la configuration et le tokenizer, que
TensorFlow ouvre tels quels. Toutes les cinq minutes tout est sauvé : relancer la même
commande reprend là où l'on en était, même après une coupure de courant.

L'atelier n'a pas besoin de ce fichier, ni donc de PyTorch, qui entraîne ce réseau-ci moitié
plus vite que TensorFlow sur un processeur sans bfloat16 :  pip install torch==2.13.0
"""

import argparse
import csv
import math
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn import functional
from transformers import GPT2Config, GPT2LMHeadModel, GPT2TokenizerFast

from workshop.network.novels import block_starts, read_novel, reading_order, tokenise_novels
from workshop.network.optimiser import make_optimisers

# Réseau (sans --from)
VOCABULARY = 8192         # un tiers des poids ; davantage ne tiendrait pas dans 20 Mo
CONTEXT = 256             # tokens, environ 150 mots
LAYERS, WIDTH, HEADS = 6, 256, 4
END_OF_TEXT = "<|endoftext|>"

# Lecture
MICRO_BATCH = 4           # blocs à la fois : ce qui tient dans le cache du processeur
HEAD_ROWS = 1024          # tokens à la fois devant le vocabulaire, pour la même raison
VALIDATION_BLOCKS = 16    # par roman gardé, répartis du début à la fin

# Pas
WARMUP_STEPS = 100
FINAL_RATE = 0.05         # part du taux qui reste à la fin de la descente
CLIPPING = 1.0            # norme du gradient
WEIGHT_DECAY = 0.1

# Sauvegarde
SAVE_SECONDS = 300
LOG_STEPS = 10
PROGRESS = ("step", "position", "epoch", "seconds", "rows")
LOG_FIELDS = ("step", "tokens", "seconds", "rate", "loss", "validation_loss")


def parse_arguments(arguments=None):
    """Renvoie les réglages de la ligne de commande."""
    parser = argparse.ArgumentParser(
        prog="python -m workshop.network.pretrain",
        description="Entraîne le modèle de base de l'atelier sur un dossier de romans.")
    parser.add_argument("books", type=Path, help="dossier de fichiers .txt, un paragraphe par ligne")
    parser.add_argument("output", type=Path, help="dossier du modèle")
    parser.add_argument("--work", type=Path,
                        help="dossier de l'état, du journal et de la courbe (SORTIE-travail)")
    parser.add_argument("--from", dest="start", type=Path, metavar="MODÈLE",
                        help="repartir de ce modèle et de son tokenizer, au lieu de zéro")
    parser.add_argument("--known", type=Path, metavar="DOSSIER",
                        help="livres que ce modèle a déjà lus : relus après les autres")
    parser.add_argument("--validation", nargs="*", default=(), metavar="FICHIER",
                        help="romans gardés pour mesurer (chemins dans LIVRES ; quatre au hasard)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=120, help="durée de l'entraînement (120)")
    length.add_argument("--steps", type=int, help="nombre de pas, au lieu d'une durée")
    parser.add_argument("--batch", type=int, default=16, help="blocs par pas (16)")
    parser.add_argument("--matrix-rate", type=float, default=2e-3, help="taux des matrices (2e-3)")
    parser.add_argument("--other-rate", type=float, default=1e-3, help="taux du reste (1e-3)")
    parser.add_argument("--adamw", action="store_true", help="AdamW aussi pour les matrices")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="cœurs employés")
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args(arguments)
    if settings.batch % min(settings.batch, MICRO_BATCH):
        parser.error(f"--batch doit être un multiple de {MICRO_BATCH}.")
    settings.work = settings.work or settings.output.with_name(settings.output.name + "-travail")
    return settings


def train_tokenizer(books, folder):
    """Entraîne un BPE d'octets sur les romans, le range dans `folder` et le renvoie."""
    from tokenizers import ByteLevelBPETokenizer  # pylint: disable=import-outside-toplevel
    if not (folder / "tokenizer.json").exists():
        tokenizer = ByteLevelBPETokenizer()
        # Paragraphe par paragraphe serait pareil : un token ne franchit jamais une espace.
        tokenizer.train_from_iterator((read_novel(path) for path in sorted(books.rglob("*.txt"))),
                                      VOCABULARY, special_tokens=[END_OF_TEXT])
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer.save_model(str(folder))
        GPT2TokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt"),
                          model_max_length=CONTEXT).save_pretrained(folder)
    return GPT2TokenizerFast.from_pretrained(folder)


def open_start(settings):
    """Renvoie le réseau et le tokenizer de départ, et la configuration à publier."""
    if settings.start:
        config = GPT2Config.from_pretrained(settings.start)
        tokenizer = GPT2TokenizerFast.from_pretrained(settings.start)
    else:
        tokenizer = train_tokenizer(settings.books, settings.work / "tokenizer")
        config = GPT2Config(vocab_size=len(tokenizer), n_positions=CONTEXT, n_layer=LAYERS,
                            n_embd=WIDTH, n_head=HEADS, bos_token_id=tokenizer.eos_token_id,
                            eos_token_id=tokenizer.eos_token_id)
    # Pas de dropout : chaque bloc n'est lu qu'une fois ou peu s'en faut, rien à apprendre par cœur.
    # gelu_pytorch_tanh est la fonction de GPT-2 (gelu_new) en un seul passage sur la mémoire.
    quick = {"attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0,
             "activation_function": "gelu_pytorch_tanh", "attn_implementation": "sdpa"}
    if settings.start:
        model = GPT2LMHeadModel.from_pretrained(settings.start, torch_dtype=torch.float32, **quick)
    else:
        model = GPT2LMHeadModel(GPT2Config(**{**config.to_dict(), **quick}))
    return model, tokenizer, config


def take_blocks(tokens, starts, context):
    """Renvoie les blocs de `context` + 1 tokens qui commencent à `starts`."""
    return torch.from_numpy(tokens[starts[:, None] + np.arange(context + 1)].astype(np.int64))


def block_loss(model, blocks, gradients=False):
    """Renvoie la somme des pertes des tokens et, si on les demande, les gradients des poids.

    Le vocabulaire fait de la dernière couche la plus lourde en mémoire : on la traverse par
    tranches, aller et retour, avant de revenir dans le réseau une seule fois.
    """
    torch.set_num_threads(1)
    hidden = model.transformer(blocks[:, :-1], use_cache=False)[0].flatten(0, 1)
    top, head = hidden.detach().requires_grad_(gradients), model.lm_head.weight
    total, top_gradients, head_gradient = 0.0, [], 0.0
    for rows, answers in zip(top.split(HEAD_ROWS), blocks[:, 1:].flatten().split(HEAD_ROWS)):
        loss = functional.cross_entropy(rows @ head.T, answers, reduction="sum")
        total += loss.item()
        if gradients:
            top_gradient, part = torch.autograd.grad(loss, (rows, head))
            top_gradients.append(top_gradient)
            head_gradient = part + head_gradient
    if not gradients:
        return total, None
    weights = list(model.parameters())
    return total, [
        gradient + head_gradient if weight is head else gradient
        for weight, gradient in zip(weights, torch.autograd.grad(
            hidden, weights, torch.cat(top_gradients)))]


@torch.no_grad()
def validation_loss(model, tokens, novels):
    """Renvoie la perte moyenne sur des blocs pris régulièrement dans les romans gardés."""
    context = model.config.n_positions
    losses = []
    for novel in novels:
        if novel.validation:
            starts = block_starts([novel], context)
            chosen = starts[np.linspace(0, len(starts) - 1, VALIDATION_BLOCKS).astype(int)]
            losses += [block_loss(model, take_blocks(tokens, part, context))[0]
                       / (len(part) * context)
                       for part in np.split(chosen, VALIDATION_BLOCKS // MICRO_BATCH)]
    return float(np.mean(losses)) if losses else math.nan


def rate_share(step, progress):
    """Renvoie la part du taux à employer : montée des premiers pas, puis descente droite."""
    return min(1.0, (step + 1) / WARMUP_STEPS) * (1 - (1 - FINAL_RATE) * min(1.0, progress))


def replace_file(path, write):
    """Fait écrire un fichier à côté de `path`, puis le met à sa place : entier ou pas du tout."""
    beside = path.with_name(path.name + ".tmp")
    write(beside)
    os.replace(beside, path)


def export(model, tokenizer, config, folder):
    """Écrit le modèle en demi-précision ; la tête, égale aux embeddings, n'est pas répétée."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder)
    config.architectures = ["GPT2LMHeadModel"]
    config.save_pretrained(folder)
    weights = {name: weight.half().contiguous() for name, weight in model.state_dict().items()
               if name != "lm_head.weight"}
    replace_file(folder / "model.safetensors",
                 lambda path: save_file(weights, path, metadata={"format": "pt"}))


def write_log(rows, folder):
    """Écrit le journal et la courbe d'apprentissage dans `folder`."""
    def write_csv(path):
        with open(path, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([LOG_FIELDS, *rows])

    def write_curve(path):
        import matplotlib  # pylint: disable=import-outside-toplevel
        matplotlib.use("Agg")
        from matplotlib import pyplot  # pylint: disable=import-outside-toplevel
        figure, axes = pyplot.subplots(figsize=(8, 4.5))
        axes.plot([row[1] for row in rows], [row[4] for row in rows],
                  color="0.6", linewidth=0.8, label="lecture")
        measured = [row for row in rows if row[5] != ""]
        axes.plot([row[1] for row in measured], [row[5] for row in measured],
                  "ko-", markersize=3, label="romans gardés")
        axes.set(xlabel="tokens lus", ylabel="perte (nats par token)")
        axes.legend()
        figure.savefig(path, format="png", dpi=120, bbox_inches="tight")
        pyplot.close(figure)

    replace_file(folder / "training_log.csv", write_csv)
    replace_file(folder / "learning_curve.png", write_curve)


class Training:
    """Un entraînement qui peut s'arrêter n'importe où et reprendre au même endroit."""

    def __init__(self, settings):
        torch.manual_seed(settings.seed)
        torch.set_num_threads(settings.threads)
        self.settings = settings
        self.pool = ThreadPoolExecutor(settings.threads)
        self.model, self.tokenizer, self.config = open_start(settings)
        self.tokens, self.novels = tokenise_novels(
            settings.books, self.tokenizer, settings.work / "cache", settings.known,
            settings.validation or None, settings.seed)
        self.optimisers = make_optimisers(self.model, settings.matrix_rate, settings.other_rate,
                                          WEIGHT_DECAY, use_muon=not settings.adamw)
        self.step, self.position, self.epoch, self.seconds = 0, 0, 0, 0.0
        self.rows = []
        self.state_path = settings.work / "state.pt"
        if self.state_path.exists():
            self.resume()
        self.order = self.new_order()
        self.started = time.monotonic() - self.seconds

    def new_order(self):
        """Renvoie l'ordre de lecture de l'époque en cours."""
        return reading_order(self.novels, self.config.n_positions, self.epoch, self.settings.seed)

    def resume(self):
        """Reprend l'état sauvé, s'il est celui du même entraînement."""
        state = torch.load(self.state_path)
        self.model.load_state_dict(state["model"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        for name in PROGRESS:
            setattr(self, name, state[name])
        print(f"Reprise au pas {self.step}, après {self.seconds / 60:.0f} minutes.", flush=True)

    def save(self):
        """Mesure, puis écrit l'état, le journal, la courbe et le modèle."""
        self.seconds = time.monotonic() - self.started
        loss = validation_loss(self.model, self.tokens, self.novels)
        if self.rows:
            self.rows[-1][-1] = loss
        state = {"model": self.model.state_dict(),
                 "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
                 **{name: getattr(self, name) for name in PROGRESS}}
        replace_file(self.state_path, lambda path: torch.save(state, path))
        write_log(self.rows, self.settings.work)
        export(self.model, self.tokenizer, self.config, self.settings.output)
        print(f"pas {self.step}, {self.seconds / 60:.1f} min : validation {loss:.4f}", flush=True)

    def progress(self):
        """Renvoie la part faite de l'entraînement, de 0 à 1, en pas ou en temps."""
        if self.settings.steps:
            return self.step / self.settings.steps
        return (time.monotonic() - self.started) / (60 * self.settings.minutes)

    def next_blocks(self):
        """Renvoie les blocs du pas suivant ; à la fin de l'ordre, en tire un nouveau."""
        if self.position + self.settings.batch > len(self.order):
            self.epoch, self.position = self.epoch + 1, 0
            self.order = self.new_order()
        starts = self.order[self.position:self.position + self.settings.batch]
        self.position += len(starts)
        return take_blocks(self.tokens, starts, self.config.n_positions)

    def one_step(self):
        """Lit les blocs d'un pas, corrige les poids et renvoie la perte."""
        rate = rate_share(self.step, self.progress())
        blocks = self.next_blocks()
        count = len(blocks) * self.config.n_positions
        # Un fil par cœur, chacun sur ses propres blocs : nul n'attend celui qu'on a ralenti.
        # Les sommes se font dans l'ordre des blocs, quel que soit celui des fils.
        results = list(self.pool.map(lambda part: block_loss(self.model, part, gradients=True),
                                     blocks.split(MICRO_BATCH)))
        loss = sum(total for total, _ in results) / count
        for weight, *parts in zip(self.model.parameters(), *(result[1] for result in results)):
            weight.grad = sum(parts) / count
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIPPING)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate * group["peak_rate"]
            optimiser.step()
            optimiser.zero_grad()
        self.step += 1
        if self.step % LOG_STEPS == 0:
            tokens = self.step * self.settings.batch * self.config.n_positions
            self.rows.append([self.step, tokens, round(time.monotonic() - self.started, 1),
                              round(rate, 4), loss, ""])
        return loss

    def run(self):
        """Entraîne jusqu'au bout, ou jusqu'à ce qu'on demande d'arrêter (Ctrl-C, SIGTERM)."""
        asked = []
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: asked.append(True))
        saved = time.monotonic()
        while self.progress() < 1 and not asked:
            self.one_step()
            if time.monotonic() - saved > SAVE_SECONDS:
                self.save()
                saved = time.monotonic()
        self.save()


if __name__ == "__main__":
    Training(parse_arguments()).run()
