"""D'une bibliothèque de romans à un petit GPT-2 français, sur un processeur ou sur une carte graphique.

    python -m recipe.pretrain LIVRES SORTIE [--minutes 120 | --steps 9795]

Se lance depuis la racine du projet, avec PYTHONPATH=aurore:. LIVRES est une bibliothèque préparée
(`recipe.corpus`) ou un dossier de fichiers .txt, un paragraphe par ligne ; SORTIE reçoit les poids
(demi-précision, noms de PyTorch), la configuration et le tokenizer, que TensorFlow ouvre tels quels.
SORTIE-travail garde l'état, le journal et la courbe : relancer la même commande reprend où l'on en
était, même après une coupure de courant.
"""

import argparse
import csv
import math
import os
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import torch
from tokenizers import Tokenizer

from recipe.network import GPT2, Shape, open_network, write_network
from recipe.novels import BASE, NOVELS, SECOND, VALIDATION, library_of, open_library
from recipe.optimiser import make_optimisers
from recipe.reading import Blocks, Mixture, Reader, block_starts, evenly
from workshop.artefacts import written_whole
from workshop.errors import WorkshopError
from workshop.figures import draw_learning_curve
from workshop.narration import count, decimal, duration
from workshop.paths import BASE_MODEL

CLIPPING = 1.0                  # norme du gradient
CPU_MICRO_BATCH = 4             # blocs lus à la fois : ce que le cache d'un processeur retient
MEASURE_BATCH = 64              # blocs
VALIDATION_BLOCKS = 192         # en chemin ; pris régulièrement dans les romans gardés
FINAL_VALIDATION_BLOCKS = 512   # à la fin
MEASURES = 8                    # par entraînement, la dernière à la fin
SAVE_SECONDS = 300
LOG_STEPS = 10                  # lire une perte fait attendre la carte
LOG_FIELDS = ("step", "tokens", "seconds", "rate", "loss", "val_loss")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt")
# Ce qui ne change pas d'une reprise à l'autre ; la durée, elle, le peut.
MUST_AGREE = ("step_tokens", "seed", "matrix_rate", "other_rate", "warmup", "second_from", "second_share")


def parse_arguments(arguments=None):
    """Renvoie les réglages de la ligne de commande."""
    parser = argparse.ArgumentParser(prog="python -m recipe.pretrain",
                                     description="Entraîne un GPT-2 sur une bibliothèque de romans.")
    parser.add_argument("books", type=Path, metavar="LIVRES", help="bibliothèque préparée, ou dossier de fichiers .txt")
    parser.add_argument("output", type=Path, metavar="SORTIE", help="dossier du réseau")
    parser.add_argument("--work", type=Path, metavar="DOSSIER",
                        help="dossier de l'état, du journal et de la courbe (SORTIE-travail)")
    parser.add_argument("--from", dest="start", type=Path, metavar="RÉSEAU", help="repartir de ce réseau, non de zéro")
    parser.add_argument("--tokenizer", type=Path, default=BASE_MODEL, metavar="DOSSIER",
                        help="dossier du tokenizer (celui d'aurore-mini, ou du réseau de départ)")
    texts = parser.add_argument_group("d'un dossier de fichiers .txt")
    texts.add_argument("--second", type=Path, metavar="DOSSIER", help="dossier de LIVRES qui en est le second corpus")
    texts.add_argument("--validation", nargs="+", metavar="FICHIER",
                       help="romans gardés pour mesurer (chemins dans LIVRES ; quatre au hasard)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=120, help="durée de l'entraînement (120)")
    length.add_argument("--steps", type=int, help="nombre de pas, au lieu d'une durée")
    parser.add_argument("--step-tokens", type=int, default=65536, help="tokens lus à chaque pas (65536)")
    parser.add_argument("--micro-batch", type=int, metavar="BLOCS",
                        help=f"blocs lus à la fois (sur un processeur {CPU_MICRO_BATCH}, sur une carte tous)")
    parser.add_argument("--matrix-rate", type=float, default=3e-3, help="taux des matrices (3e-3)")
    parser.add_argument("--other-rate", type=float, default=3e-3, help="taux du reste (3e-3)")
    parser.add_argument("--warmup", type=int, default=300, metavar="PAS", help="pas de la montée du taux (300)")
    parser.add_argument("--second-from", type=float, default=0.6, metavar="PART",
                        help="part de l'entraînement d'où se mêle le second corpus (0.6)")
    parser.add_argument("--second-share", type=float, default=0.0, metavar="PART",
                        help="sa part des blocs de chaque pas (0 : jamais)")
    parser.add_argument("--measure-at", type=float, nargs="+", metavar="MILLIONS",
                        help="mesurer après tant de millions de tokens (à chaque huitième)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu ou cuda")
    parser.add_argument("--seed", type=int, default=0, help="graine du hasard (0)")
    shape = parser.add_argument_group("forme du réseau, sans --from")
    for name, what in (("context", "tokens"), ("layers", "couches"), ("width", "largeur"),
                       ("heads", "têtes, qui la divisent")):
        default = getattr(Shape(), name)
        shape.add_argument(f"--{name}", type=int, default=default, help=f"{what} ({default})")
    settings = parser.parse_args(arguments)
    check(parser, settings)
    settings.work = settings.work or settings.output.with_name(settings.output.name + "-travail")
    settings.tokenizer = settings.start if settings.start and settings.tokenizer == BASE_MODEL else settings.tokenizer
    return settings


def check(parser, settings):
    """Arrête, en une phrase, devant des réglages qui ne vont pas ensemble."""
    if settings.start and any(getattr(settings, name) != parser.get_default(name)
                              for name in ("context", "layers", "width", "heads")):
        parser.error("avec --from, la forme du réseau est celle du réseau de départ")
    if settings.minutes <= 0 or (settings.steps is not None and settings.steps <= 0):
        parser.error("la durée de l'entraînement doit être positive")
    if settings.width % settings.heads:
        parser.error(f"{settings.width} de largeur ne se partage pas entre {settings.heads} têtes")
    if not settings.start and settings.step_tokens < settings.context:
        parser.error(f"--step-tokens vaut {settings.step_tokens} : moins d'un bloc de {settings.context} tokens")
    absent = [name for name in settings.validation or () if not (settings.books / name).is_file()]
    if absent:
        parser.error(f"--validation : {', '.join(absent)} n'est pas dans {settings.books}")


def rate_share(step, progress, warmup):
    """Renvoie la part du taux à employer : montée des premiers pas, et descente droite jusqu'à zéro.

    `progress` est la part faite de l'entraînement, de 0 à 1, en pas ou en temps.
    """
    return min(1.0, (step + 1) / warmup) * max(0.0, 1 - progress)


class Training:  # pylint: disable=too-many-instance-attributes  # ce qu'une reprise retrouve
    """Un entraînement que l'on peut couper n'importe où, et reprendre au même endroit."""

    def __init__(self, settings):
        torch.manual_seed(settings.seed)
        torch.set_float32_matmul_precision("high")
        self.settings = settings
        self.on_gpu = settings.device.startswith("cuda")
        tokenizer = Tokenizer.from_file(str(settings.tokenizer / "tokenizer.json"))
        self.network = open_network(settings.start) if settings.start else GPT2(Shape(
            tokenizer.get_vocab_size(), settings.context, settings.layers, settings.width, settings.heads))
        self.network.to(settings.device)
        self.weights = list(self.network.parameters())
        self.context = self.network.shape.context
        # Sur un processeur, un fil par cœur, chacun sur ses blocs : aucun n'attend celui que la machine ralentit.
        self.cores = 1 if self.on_gpu else os.cpu_count()
        self.pool = ThreadPoolExecutor(self.cores, initializer=torch.set_num_threads, initargs=(1,))
        torch.set_num_threads(1)
        self.optimisers = make_optimisers(self.network, settings.matrix_rate, settings.other_rate)
        self.read_library(tokenizer)
        self.compiled = torch.compile(self.network) if self.on_gpu else self.network
        self.step, self.seconds, self.rows = 0, 0.0, []
        if self.on_gpu:
            self.warm_up()
        self.state_path = settings.work / "state.pt"
        if self.state_path.exists():
            self.resume()
        self.started = time.monotonic() - self.seconds

    def read_library(self, tokenizer):
        """Ouvre la bibliothèque, ou la prépare ; garde ses tokens là où l'on calcule."""
        settings = self.settings
        folder = settings.books
        if not (folder / NOVELS).is_file():
            folder = library_of(folder, tokenizer, settings.work / "cache", second=settings.second,
                                validation=settings.validation, seed=settings.seed)
        tokens, novels = open_library(folder)
        self.blocks = Blocks(tokens, self.context, settings.device)
        where = self.context, settings.seed, settings.device
        self.mixture = Mixture(Reader(novels, BASE, *where),
                               Reader(novels, SECOND, *where) if settings.second_share else None,
                               settings.second_from, settings.second_share)
        self.validation = block_starts([novel for novel in novels if novel.part == VALIDATION], self.context)
        print(f"{count(sum(w.numel() for w in self.network.parameters()))} poids, "
              f"{count(len(self.mixture.base.order))} blocs par époque.", flush=True)

    def warm_up(self):
        """Fait traduire tous les calculs pour la carte, par un pas qui ne change rien."""
        starts = torch.zeros(self.step_blocks, dtype=torch.int64, device=self.settings.device)
        self.update(starts, rate=0.0)
        for optimiser in self.optimisers:
            optimiser.state.clear()
        torch.cuda.synchronize()

    @property
    def step_blocks(self):
        """Le nombre de blocs d'un pas."""
        return max(1, self.settings.step_tokens // self.context)

    @property
    def progress(self):
        """La part faite de l'entraînement, de 0 à 1, en pas ou en temps."""
        if self.settings.steps:
            return self.step / self.settings.steps
        return (time.monotonic() - self.started) / (60 * self.settings.minutes)

    def precision(self):
        """Sur une carte, les produits de matrices se font en bfloat16."""
        return torch.autocast("cuda", torch.bfloat16) if self.on_gpu else nullcontext()

    def gradients(self, starts):
        """Renvoie (somme des pertes, gradients de cette somme) des blocs qui commencent à `starts`.

        Ils sont lus par morceaux, s'ils sont trop pour la mémoire.
        """
        size = self.settings.micro_batch or (len(starts) if self.on_gpu else CPU_MICRO_BATCH)
        total, gradients = 0.0, [0.0] * len(self.weights)
        for part in starts.split(size):
            with self.precision():
                loss = self.compiled(self.blocks(part)) * len(part)
            gradients = [sum(pair) for pair in zip(gradients, torch.autograd.grad(loss, self.weights))]
            total = total + loss.detach()
        return total, gradients

    def update(self, starts, rate):
        """Lit les blocs qui commencent à `starts`, corrige les poids à cette part du taux et renvoie la perte.

        La perte, par token et en nats, reste sur la carte : la lire la ferait attendre.
        """
        shares = starts.tensor_split(min(self.cores, len(starts)))
        # `map` rend les résultats dans l'ordre des blocs : les sommes ne dépendent pas des cœurs.
        totals, gradients = zip(*(map if len(shares) == 1 else self.pool.map)(self.gradients, shares))
        for weight, *parts in zip(self.weights, *gradients):
            weight.grad = sum(parts) / len(starts)
        torch.nn.utils.clip_grad_norm_(self.weights, CLIPPING)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate * group["peak_rate"]
            optimiser.step()
        return sum(totals) / len(starts)

    def one_step(self):
        """Fait un pas, et note de temps en temps sa perte. Lève une WorkshopError si elle n'est plus un nombre."""
        progress = self.progress
        rate = rate_share(self.step, progress, self.settings.warmup)
        loss = self.update(self.mixture.take(self.step_blocks, progress), rate)
        self.step += 1
        if self.step % LOG_STEPS == 0:
            loss = loss.item()
            if not math.isfinite(loss):
                raise WorkshopError(f"Au pas {self.step}, la perte n'est plus un nombre : les taux sont trop hauts.\n"
                                    "Baissez --matrix-rate et --other-rate, avec un autre dossier --work.")
            self.rows.append([self.step, self.tokens_read, round(time.monotonic() - self.started, 1), round(rate, 4),
                              round(loss, 4), ""])

    @property
    def tokens_read(self):
        """Le nombre de tokens lus."""
        return self.step * self.step_blocks * self.context

    def mean_loss(self, most):
        """Renvoie la perte moyenne par token, en nats, sur au plus `most` blocs des romans gardés."""
        starts = torch.from_numpy(evenly(self.validation, most)).to(self.settings.device)
        if len(starts) == 0:
            return math.nan
        parts = starts.split(MEASURE_BATCH if self.on_gpu else CPU_MICRO_BATCH)
        return (sum(self.pool.map(self.summed_loss, parts)) / len(starts)).item()

    @torch.no_grad()
    def summed_loss(self, starts):
        """Renvoie la somme des pertes des blocs qui commencent à `starts`."""
        with self.precision():
            return self.network(self.blocks(starts)) * len(starts)

    def measure(self, most=VALIDATION_BLOCKS):
        """Mesure sur les romans gardés, l'ajoute au journal et le dit."""
        loss = self.mean_loss(most)
        elapsed = time.monotonic() - self.started
        if not self.rows or self.rows[-1][0] != self.step:
            self.rows.append([self.step, self.tokens_read, round(elapsed, 1), "", "", ""])
        self.rows[-1][-1] = round(loss, 4)
        print(f"pas {count(self.step)}, {decimal(self.tokens_read / 1e6, 1)} M tokens, "
              f"{decimal(self.mixture.base.epochs)} époques, {duration(elapsed)} : perte de validation "
              f"{decimal(loss, 4)} ; {count(round(self.tokens_read / elapsed))} tokens/s", flush=True)

    def resume(self):
        """Reprend l'état sauvé, qui doit être celui du même entraînement."""
        state = torch.load(self.state_path, map_location=self.settings.device)
        differing = [name for name in MUST_AGREE if state["settings"][name] != getattr(self.settings, name)]
        if differing or state["shape"] != list(self.network.shape):
            options = ", ".join("--" + name.replace("_", "-") for name in differing) or "la forme du réseau"
            raise WorkshopError(f"{self.state_path} est l'état d'un entraînement réglé autrement ({options}).\n"
                                "Reprenez ses réglages, ou choisissez un autre dossier --work.")
        self.network.load_state_dict(state["network"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        for reader, place in zip(self.mixture.readers, state["readers"], strict=True):
            reader.resume(*place)
        self.step, self.seconds, self.rows = state["step"], state["seconds"], state["rows"]
        print(f"Reprise au pas {count(self.step)}, après {duration(self.seconds)}.", flush=True)

    def save(self):
        """Écrit l'état, le journal, la courbe et le réseau."""
        self.settings.work.mkdir(parents=True, exist_ok=True)
        state = {"network": self.network.state_dict(), "shape": list(self.network.shape),
                 "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
                 "readers": [(reader.epoch, reader.position) for reader in self.mixture.readers],
                 "settings": {name: getattr(self.settings, name) for name in MUST_AGREE},
                 "step": self.step, "seconds": time.monotonic() - self.started, "rows": self.rows}
        beside = self.state_path.with_suffix(".incoming")
        torch.save(state, beside)
        os.replace(beside, self.state_path)
        self.write_log()
        with written_whole(self.settings.output) as folder:
            write_network(self.network, folder)
            for name in TOKENIZER_FILES:
                if (self.settings.tokenizer / name).is_file():
                    shutil.copyfile(self.settings.tokenizer / name, folder / name)

    def write_log(self):
        """Écrit training_log.csv et learning_curve.png dans le dossier de travail."""
        with open(self.settings.work / "training_log.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([LOG_FIELDS, *self.rows])
        trained = [(row[0], row[4]) for row in self.rows if row[4] != ""]
        measured = [(row[0], row[5]) for row in self.rows if row[5] != ""]
        if trained and measured:
            draw_learning_curve(trained, measured, measured[-1][0], self.settings.work / "learning_curve.png")

    def marks(self):
        """Renvoie les moments où mesurer en chemin : (ce qui avance, les valeurs à franchir)."""
        if self.settings.measure_at:
            return (lambda: self.tokens_read / 1e6), sorted(self.settings.measure_at)
        return (lambda: self.progress), [number / MEASURES for number in range(1, MEASURES)]

    def run(self):
        """Entraîne jusqu'au bout, ou jusqu'à ce qu'on demande d'arrêter (Ctrl-C, SIGTERM)."""
        asked = []
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: asked.append(True))
        reached, marks = self.marks()
        marks = [mark for mark in marks if mark > reached()]
        last_save = time.monotonic()
        while self.progress < 1 and not asked:
            self.one_step()
            if marks and reached() >= marks[0]:
                marks.pop(0)
                self.measure()
            if time.monotonic() - last_save >= SAVE_SECONDS:
                self.save()
                last_save = time.monotonic()
        self.measure(FINAL_VALIDATION_BLOCKS)
        self.save()


if __name__ == "__main__":
    Training(parse_arguments()).run()
