"""La recette du modèle de base : d'un dossier de romans à un petit GPT-2 français.

    python -m recipe.pretrain LIVRES SORTIE [--from MODÈLE] [--minutes 120]

Se lance depuis `aurore/`. LIVRES contient des fichiers .txt, un paragraphe par ligne ; SORTIE
reçoit les poids (demi-précision, noms de PyTorch), la configuration et le tokenizer, que
TensorFlow ouvre tels quels. Toutes les cinq minutes, tout est sauvé : relancer la même
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
import torch  # pylint: disable=import-error  # l'atelier s'en passe
from safetensors.torch import save_file
from tokenizers import ByteLevelBPETokenizer
from torch.nn import functional  # pylint: disable=import-error
from transformers import GPT2Config, GPT2LMHeadModel, GPT2TokenizerFast

from recipe.novels import block_starts, read_novel, reading_order, tokenise_novels
from recipe.optimiser import make_optimisers
from workshop.artefacts import written_whole
from workshop.errors import WorkshopError
from workshop.figures import draw_learning_curve
from workshop.narration import count, decimal, duration

# Réseau (sans --from)
VOCABULARY = 8192         # tokens : déjà un tiers des poids
CONTEXT = 256             # tokens, environ 150 mots
LAYERS, WIDTH, HEADS = 6, 256, 4
SHAPE = ("vocabulary", "layers", "width", "heads")
END_OF_TEXT = "<|endoftext|>"

# Lecture
MICRO_BATCH = 4           # blocs qu'un cœur lit à la fois : ce que son cache retient
HEAD_ROWS = 1024          # tokens à la fois devant tout le vocabulaire, pour la même raison
VALIDATION_BLOCKS = 16    # par roman gardé, pris régulièrement du début à la fin

# Pas
WARMUP_STEPS = 100        # le temps que l'inertie des optimiseurs s'établisse
FINAL_RATE = 0.05         # part du taux qui reste à la fin de la descente
CLIPPING = 1.0            # norme du gradient
WEIGHT_DECAY = 0.1        # fois le taux, à chaque pas

# Sauvegarde
SAVE_SECONDS = 300
LOG_STEPS = 10
LOG_FIELDS = ("step", "tokens", "seconds", "rate", "loss", "val_loss")
PROGRESS = ("step", "position", "epoch", "seconds", "rows")
# Ce qui ne change pas d'une reprise à l'autre ; la durée, elle, le peut.
MUST_AGREE = ("batch", "seed", "adamw", "matrix_rate", "other_rate", "dropout", *SHAPE)


def parse_arguments(arguments=None):
    """Renvoie les réglages de la ligne de commande."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.pretrain",
        description="Entraîne le modèle de base de l'atelier sur un dossier de romans.")
    parser.add_argument("books", type=Path, metavar="LIVRES",
                        help="dossier de fichiers .txt, un paragraphe par ligne")
    parser.add_argument("output", type=Path, metavar="SORTIE", help="dossier du modèle")
    parser.add_argument("--work", type=Path, metavar="DOSSIER",
                        help="dossier de l'état, du journal et de la courbe (SORTIE-travail)")
    parser.add_argument("--from", dest="start", type=Path, metavar="MODÈLE",
                        help="repartir de ce modèle et de son tokenizer, au lieu de zéro")
    parser.add_argument("--known", type=Path, metavar="DOSSIER",
                        help="livres que ce modèle a déjà lus : relus après les autres")
    parser.add_argument("--validation", nargs="+", metavar="FICHIER",
                        help="romans gardés pour mesurer (chemins dans LIVRES ; quatre au hasard)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=120, help="durée de l'entraînement (120)")
    length.add_argument("--steps", type=int, help="nombre de pas, au lieu d'une durée")
    parser.add_argument("--batch", type=int, default=16, help="blocs par pas (16)")
    parser.add_argument("--matrix-rate", type=float, default=1e-3, help="taux des matrices (1e-3)")
    parser.add_argument("--other-rate", type=float, default=5e-4, help="taux du reste (5e-4)")
    parser.add_argument("--adamw", action="store_true", help="AdamW pour les matrices aussi")
    parser.add_argument("--dropout", type=float, default=0.0,
                        help="part des valeurs effacée au hasard (0) ; au-delà, reprendre n'est plus exact")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="cœurs employés (tous)")
    parser.add_argument("--seed", type=int, default=0, help="graine du hasard (0)")
    shape = parser.add_argument_group("forme du réseau, sans --from")
    shape.add_argument("--vocabulary", type=int, default=VOCABULARY, help=f"tokens ({VOCABULARY})")
    shape.add_argument("--layers", type=int, default=LAYERS, help=f"couches ({LAYERS})")
    shape.add_argument("--width", type=int, default=WIDTH, help=f"largeur ({WIDTH})")
    shape.add_argument("--heads", type=int, default=HEADS, help=f"têtes, qui la divisent ({HEADS})")
    settings = parser.parse_args(arguments)
    if settings.start and any(getattr(settings, name) != parser.get_default(name) for name in SHAPE):
        parser.error("avec --from, la forme du réseau est celle du modèle de départ")
    if settings.minutes <= 0 or (settings.steps is not None and settings.steps <= 0):
        parser.error("la durée de l'entraînement doit être positive")
    absent = [name for name in settings.validation or () if not (settings.books / name).is_file()]
    if absent:
        parser.error(f"--validation : {', '.join(absent)} n'est pas dans {settings.books}")
    if settings.width % settings.heads:
        parser.error(f"{settings.width} de largeur ne se partage pas entre {settings.heads} têtes")
    settings.work = settings.work or settings.output.with_name(settings.output.name + "-travail")
    return settings


def train_tokenizer(books, folder, vocabulary):
    """Renvoie un BPE d'octets de `vocabulary` tokens entraîné sur les romans, rangé dans `folder`."""
    if not (folder / "tokenizer.json").exists():
        tokenizer = ByteLevelBPETokenizer()
        tokenizer.train_from_iterator((read_novel(path) for path in sorted(books.rglob("*.txt"))),
                                      vocabulary, special_tokens=[END_OF_TEXT])
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer.save_model(str(folder))
        GPT2TokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt"),
                          pad_token=END_OF_TEXT, model_max_length=CONTEXT).save_pretrained(folder)
    return GPT2TokenizerFast.from_pretrained(folder)


def open_start(settings):
    """Renvoie le réseau et le tokenizer de départ, et la configuration à publier avec eux."""
    # Sans dropout par défaut : lu une fois ou peu s'en faut, un bloc ne s'apprend pas par cœur.
    # gelu_pytorch_tanh est le gelu_new de GPT-2, calculé en une seule traversée de la mémoire.
    training = {**dict.fromkeys(("attn_pdrop", "embd_pdrop", "resid_pdrop"), settings.dropout),
                "activation_function": "gelu_pytorch_tanh", "attn_implementation": "sdpa"}
    if settings.start:
        config = GPT2Config.from_pretrained(settings.start)
        tokenizer = GPT2TokenizerFast.from_pretrained(settings.start)
        model = GPT2LMHeadModel.from_pretrained(settings.start, torch_dtype=torch.float32,
                                                **training)
    else:
        tokenizer = train_tokenizer(settings.books, settings.work / "tokenizer", settings.vocabulary)
        end = tokenizer.eos_token_id
        config = GPT2Config(vocab_size=len(tokenizer), n_positions=CONTEXT, n_layer=settings.layers,
                            n_embd=settings.width, n_head=settings.heads, bos_token_id=end, eos_token_id=end)
        model = GPT2LMHeadModel(GPT2Config(**{**config.to_dict(), **training}))
    config.architectures = ["GPT2LMHeadModel"]
    return model, tokenizer, config


def export(model, tokenizer, config, folder):
    """Écrit le modèle dans `folder`, en demi-précision : tout entier, ou pas du tout.

    La tête du réseau, qui est la table des embeddings, n'est pas écrite une seconde fois.
    """
    weights = {name: weight.half().contiguous() for name, weight in model.state_dict().items()
               if name != "lm_head.weight"}
    folder.mkdir(parents=True, exist_ok=True)
    with written_whole(folder) as incoming:
        save_file(weights, incoming / "model.safetensors", metadata={"format": "pt"})
        (incoming / "model.safetensors").chmod(0o644)  # safetensors le réserve à qui l'écrit
        config.save_pretrained(incoming)
        tokenizer.save_pretrained(incoming)


def take_blocks(tokens, starts, context):
    """Renvoie les blocs de `context` + 1 tokens qui commencent à `starts`, un par ligne."""
    return torch.from_numpy(tokens[starts[:, None] + np.arange(context + 1)].astype(np.int64))


def summed_loss(model, blocks):
    """Renvoie la somme des pertes des blocs, en nats, et ses gradients, dans l'ordre des poids.

    Devant le vocabulaire entier, un token occupe trente fois plus de mémoire que dans le
    réseau : on y passe par tranches, aller et retour, avant de redescendre une seule fois.
    """
    weights, head = list(model.parameters()), model.lm_head.weight
    hidden = model.transformer(blocks[:, :-1], use_cache=False)[0].flatten(0, 1)
    top = hidden.detach().requires_grad_()
    total, top_gradients, head_gradient = 0.0, [], torch.zeros_like(head)
    for rows, answers in zip(top.split(HEAD_ROWS), blocks[:, 1:].flatten().split(HEAD_ROWS)):
        loss = functional.cross_entropy(rows @ head.T, answers, reduction="sum")
        rows_gradient, part = torch.autograd.grad(loss, (rows, head))
        total += loss.item()
        top_gradients.append(rows_gradient)
        head_gradient += part
    gradients = torch.autograd.grad(hidden, weights, torch.cat(top_gradients))
    # Les embeddings servent à l'entrée et à la sortie : leurs deux gradients s'ajoutent.
    return total, [gradient + head_gradient if weight is head else gradient
                   for weight, gradient in zip(weights, gradients)]


@torch.no_grad()
def mean_loss(model, blocks):
    """Renvoie la perte moyenne par token sur les blocs, en nats, sans dropout."""
    model.eval()
    losses = [functional.cross_entropy(model(part[:, :-1], use_cache=False).logits.flatten(0, 1),
                                       part[:, 1:].flatten()).item() * len(part)
              for part in blocks.split(MICRO_BATCH)]
    return sum(losses) / len(blocks)


def rate_share(step, progress):
    """Renvoie la part du taux à employer : montée des premiers pas, puis descente droite."""
    return min(1.0, (step + 1) / WARMUP_STEPS) * (1 - (1 - FINAL_RATE) * min(1.0, progress))


class Training:  # pylint: disable=too-many-instance-attributes  # ce qu'une reprise retrouve
    """Un entraînement que l'on peut couper n'importe où, et reprendre au même endroit."""

    def __init__(self, settings):
        torch.manual_seed(settings.seed)
        self.settings = settings
        # Un fil par cœur, chacun sur ses blocs : aucun n'attend celui que la machine ralentit.
        self.pool = ThreadPoolExecutor(settings.threads, initializer=torch.set_num_threads,
                                       initargs=(1,))
        self.model, self.tokenizer, self.config = open_start(settings)
        self.context = self.config.n_positions
        self.optimisers = make_optimisers(self.model, settings.matrix_rate, settings.other_rate,
                                          WEIGHT_DECAY, use_muon=not settings.adamw)
        self.step, self.position, self.epoch, self.seconds, self.rows = 0, 0, 0, 0.0, []
        self.state_path = settings.work / "state.pt"
        if self.state_path.exists():
            self.resume()
        self.tokens, self.novels = tokenise_novels(
            settings.books, self.tokenizer, settings.work / "cache", known_folder=settings.known,
            validation=settings.validation, seed=settings.seed)
        self.validation = self.validation_blocks()
        self.order = reading_order(self.novels, self.context, self.epoch, settings.seed)
        if self.order.size == 0:
            raise WorkshopError(f"Aucun roman de {settings.books} ne remplit un bloc de "
                                f"{self.context} tokens.\nAjoutez des livres, ou de plus longs.")
        self.started = time.monotonic() - self.seconds

    def resume(self):
        """Reprend l'état sauvé, qui doit être celui du même entraînement."""
        state = torch.load(self.state_path)
        differing = [name for name in MUST_AGREE
                     if state["settings"].get(name, getattr(self.settings, name))
                     != getattr(self.settings, name)]
        if differing:
            options = ", ".join("--" + name.replace("_", "-") for name in differing)
            raise WorkshopError(f"{self.state_path} est l'état d'un entraînement réglé autrement "
                                f"({options}).\n"
                                "Reprenez ses réglages, ou choisissez un autre dossier --work.")
        self.model.load_state_dict(state["model"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        for name in PROGRESS:
            setattr(self, name, state[name])
        print(f"Reprise au pas {self.step}, après {duration(self.seconds)}.", flush=True)

    def save(self):
        """Mesure, puis écrit l'état, le journal, la courbe et le modèle."""
        self.seconds = time.monotonic() - self.started
        loss = mean_loss(self.model, self.validation) if len(self.validation) else math.nan
        if self.rows:
            self.rows[-1][-1] = loss
        state = {"model": self.model.state_dict(),
                 "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
                 "settings": {name: getattr(self.settings, name) for name in MUST_AGREE},
                 **{name: getattr(self, name) for name in PROGRESS}}
        beside = self.state_path.with_suffix(".incoming")
        torch.save(state, beside)
        os.replace(beside, self.state_path)
        self.write_log()
        export(self.model, self.tokenizer, self.config, self.settings.output)
        print(f"pas {count(self.step)}, {duration(self.seconds)} : "
              f"perte de validation {decimal(loss, 4)}", flush=True)

    def write_log(self):
        """Écrit training_log.csv et learning_curve.png dans le dossier de travail."""
        with open(self.settings.work / "training_log.csv", "w", encoding="utf-8",
                  newline="") as file:
            csv.writer(file).writerows([LOG_FIELDS, *self.rows])
        measured = [(row[0], row[5]) for row in self.rows if row[5] != ""]
        if measured:
            draw_learning_curve([(row[0], row[4]) for row in self.rows], measured,
                                measured[-1][0], self.settings.work / "learning_curve.png")

    def validation_blocks(self):
        """Renvoie les blocs qui mesurent, pris régulièrement dans chaque roman gardé."""
        chosen = [starts[np.linspace(0, len(starts) - 1, VALIDATION_BLOCKS).astype(int)]
                  for starts in (block_starts([novel], self.context)
                                 for novel in self.novels if novel.validation) if len(starts)]
        return take_blocks(self.tokens, np.concatenate([np.empty(0, int), *chosen]), self.context)

    def next_blocks(self):
        """Renvoie les blocs du pas suivant ; une fois tout lu, recommence dans un autre ordre."""
        if self.position + self.settings.batch > len(self.order):
            self.epoch, self.position = self.epoch + 1, 0
            self.order = reading_order(self.novels, self.context, self.epoch, self.settings.seed)
        starts = self.order[self.position:self.position + self.settings.batch]
        self.position += len(starts)
        return take_blocks(self.tokens, starts, self.context)

    def progress(self):
        """Renvoie la part faite de l'entraînement, de 0 à 1, en pas ou en temps."""
        if self.settings.steps:
            return self.step / self.settings.steps
        return (time.monotonic() - self.started) / (60 * self.settings.minutes)

    def one_step(self):
        """Lit les blocs d'un pas, corrige les poids et renvoie la perte moyenne par token."""
        rate = rate_share(self.step, self.progress())
        blocks = self.next_blocks()
        self.model.train()
        targets = blocks[:, 1:].numel()
        # `map` rend les résultats dans l'ordre des blocs : les sommes ne dépendent pas des fils.
        results = list(self.pool.map(lambda part: summed_loss(self.model, part),
                                     blocks.split(MICRO_BATCH)))
        loss = sum(total for total, _ in results) / targets
        for weight, *parts in zip(self.model.parameters(), *(parts for _, parts in results)):
            weight.grad = sum(parts) / targets
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIPPING)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate * group["peak_rate"]
            optimiser.step()
        self.step += 1
        if self.step % LOG_STEPS == 0:
            self.rows.append([self.step, self.step * targets,
                              round(time.monotonic() - self.started, 1), round(rate, 4), loss, ""])
        return loss

    def run(self):
        """Entraîne jusqu'au bout, ou jusqu'à ce qu'on demande d'arrêter (Ctrl-C, SIGTERM)."""
        asked = []
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: asked.append(True))
        last_save = time.monotonic()
        while self.progress() < 1 and not asked:
            self.one_step()
            if time.monotonic() - last_save >= SAVE_SECONDS:
                self.save()
                last_save = time.monotonic()
        self.save()


if __name__ == "__main__":
    Training(parse_arguments()).run()
