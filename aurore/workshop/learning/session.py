"""Une séance d'entraînement : ce qui est mesuré avant et après `fit`, suivi pendant, et retenu si l'on s'interrompt."""

import shutil
import time
from datetime import datetime
from pathlib import Path
from statistics import median

from tf_keras.utils import set_random_seed

from workshop import paths
from workshop.artefacts import UNFINISHED, ensure_writable, new_folder
from workshop.identity import FOLDER_NAME
from workshop.learning import report
from workshop.learning.comparison import add_run, jitter
from workshop.learning.evaluation import score_of, token_losses
from workshop.learning.hub import known_as
from workshop.learning.journal import Journal
from workshop.learning.learnt import by_sentence, easier_sentences, in_bits, learnt_words, token_starts
from workshop.learning.readings import already_read, read_list
from workshop.learning.resumption import Resumption, alone, fingerprint
from workshop.learning.settings import read_settings
from workshop.learning.strategy import (
    check_same,
    choose,
    follow_to_the_end,
    from_chief,
    is_chief,
    release_the_others,
)
from workshop.learning.training import (
    Estimate,
    Progress,
    StopInTime,
    choose_precision,
    seconds_per_step,
    tensorboard,
)
from workshop.narration import decimal, duration
from workshop.text.sentences import finished

EXCERPT_WORDS = 12_000      # mots de la validation où chercher ce qui est appris : quelques secondes de lecture
SAMPLE_TOKENS = 60
SAMPLE_TEMPERATURE = 0.7    # assez sage pour que les phrases se tiennent
# Ce que `fit` met à préparer ses calculs, en préparations d'un pas sans l'optimiseur : une et demie au premier pas,
# une demie après le texte de mi-chemin, où TensorFlow les recommence. Mesuré sur aurore-mini et aurore.
FIT_PREPARATIONS = 2
NOT_SETTINGS = {"SAVE_EVERY_SECONDS", "PUSH_TO_HUB"}  # les changer n'empêche pas de reprendre


class Session:  # pylint: disable=too-many-instance-attributes  # ce que la séance réunit
    """Une séance. `script` est globals() : la séance lit les réglages en haut de la leçon, et les vérifie."""

    def __init__(self, script):
        self.settings = read_settings(script)
        choose()
        self._lock = alone(paths.MODEL) if is_chief() else None  # rendu à la fin du script
        set_random_seed(self.settings.SEED)
        print(f"Calculs en {choose_precision()}, ce qui est le plus rapide sur cette machine.")
        self.model = self.tokenizer = self.dataset = self.blocks = None
        self.journal = self.resumption = None
        self.first_step = 0
        self.expected_seconds = None
        self.starting_weights = None
        self.before = self.after = None
        self.words, self.sentences = [], []

    # --- Avant fit ------------------------------------------------------------------------

    def open(self, model, tokenizer, dataset, train_blocks, eval_blocks):
        """Réunit ce qu'il faut pour s'entraîner, et propose de reprendre un entraînement interrompu."""
        self.model, self.tokenizer, self.dataset = model, tokenizer, dataset
        self.blocks = train_blocks, eval_blocks
        # 4 octets par poids, dont la sauvegarde garde neuf jeux.
        if is_chief():
            ensure_writable(paths.MODEL, size=40 * model.num_parameters())
        steps_per_epoch = max(1, len(train_blocks["input_ids"]) // self.settings.BATCH_SIZE)
        self.journal = Journal(None, steps_per_epoch, self.write_sample if is_chief() else lambda model: "")
        known = {name: value for name, value in vars(self.settings).items() if name not in NOT_SETTINGS}
        signature = fingerprint(sorted(known.items(), key=str), model, *self.blocks)
        check_same(signature)
        self.resumption = Resumption(paths.MODEL / UNFINISHED, self.journal, signature,
                                     self.settings.SAVE_EVERY_SECONDS)
        self.first_step = self.resumption.offer(model)
        self.starting_weights = model.get_weights()

    def plan(self, tf_train_dataset, tf_eval_dataset):
        """Renvoie le nombre de pas que TIME_BUDGET_MINUTES permet, et l'annonce."""
        journal, epochs = self.journal, self.settings.EPOCHS
        journal.eval_dataset = tf_eval_dataset
        if journal.steps:
            return journal.steps  # la reprise d'un entraînement déjà prévu
        step, preparation = seconds_per_step(self.model, tf_train_dataset)
        # Une mesure de validation ne fait que l'aller : un tiers d'un pas.
        aside = (journal.VALIDATIONS + epochs) * len(tf_eval_dataset) * step / 3 + FIT_PREPARATIONS * preparation
        most = max(1, int((60 * self.settings.TIME_BUDGET_MINUTES - aside) / step))
        journal.steps = from_chief(min(epochs * journal.steps_per_epoch, most))
        self.expected_seconds = journal.steps * step + aside
        print(f"{journal.steps_per_epoch} pas par époque, {decimal(step)} s par pas : l'entraînement durera environ "
              f"{duration(self.expected_seconds)}, sans la note d'avant ni celle d'après.")
        if most < epochs * journal.steps_per_epoch:
            print(f"Soit {decimal(journal.steps / journal.steps_per_epoch, 1)} époque : TIME_BUDGET_MINUTES "
                  f"({self.settings.TIME_BUDGET_MINUTES}) ne permet pas d'aller jusqu'à {epochs}.")
        return journal.steps

    def start(self):
        """Note le réseau avant qu'il n'apprenne, et le fait écrire."""
        print("D'abord, la note de départ sur le livre de test...", flush=True)
        score = None
        if is_chief():
            self.before = self._measure()
            score = score_of(self.before["exam"], self._exam_text)
        if self.first_step == 0:
            self.journal.start(self.model, score)
            print(f"Avant d'apprendre, il écrit : {self.journal.samples[0][1]}\n", flush=True)

    def monitoring(self):
        """Renvoie ce que `fit` reçoit en plus : de quoi suivre, sauver et arrêter l'entraînement."""
        journal, limit = self.journal, 60 * self.settings.TIME_BUDGET_MINUTES
        callbacks = [journal, StopInTime(journal, limit), Progress(journal, self.blocks[0], self.settings.BATCH_SIZE)]
        if self.expected_seconds:  # une reprise n'annonce rien
            callbacks.append(Estimate(journal, self.expected_seconds, limit))
        return {"steps_per_epoch": journal.steps_per_epoch, "verbose": 0,
                "callbacks": [*callbacks, self.resumption, *(tensorboard(paths.MODEL) if is_chief() else [])]}

    # --- Après fit ------------------------------------------------------------------------

    def go_back_part_of_the_way(self, share):
        """Donne au réseau les poids à `share` du chemin entre ceux du départ (0) et ceux qu'il a appris (1)."""
        self.model.set_weights([before + share * (learnt - before)
                                for before, learnt in zip(self.starting_weights, self.model.get_weights())])

    def finish(self):
        """Note de nouveau le réseau, et cherche ce qu'il a appris."""
        if not is_chief():
            follow_to_the_end()  # la suite est l'affaire du chef
        self.after = self._measure()
        self.journal.score_after = score_of(self.after["exam"], self._exam_text)
        self.journal.samples.append([self.journal.kept_step, self.write_sample(self.model)])
        excerpt = self._excerpt
        gains = self._by_sentence(excerpt["text"], self.before["excerpt"] - self.after["excerpt"])
        self.words = learnt_words(excerpt["text"], excerpt["book"], gains)
        texts = self.dataset["test"]["text"][:]
        costs = [[sum(bits for _, bits in row) for row in self._by_sentence(texts, measured["exam"])]
                 for measured in (self.before, self.after)]
        self.sentences = easier_sentences(texts, *costs)

    def show(self):
        """Affiche ce que l'entraînement a changé : les textes, la note, les mots."""
        report.show(self)

    def save(self):
        """Enregistre le réseau dans un dossier daté, et l'essai dans runs.csv ; affiche tous les essais."""
        folder = paths.MODEL / datetime.now().strftime(FOLDER_NAME)
        with new_folder(folder) as incoming:
            report.save(self, incoming, name=folder.name)
        shutil.rmtree(self.resumption.folder, ignore_errors=True)
        journal = self.journal
        sentences = self.dataset["validation"]["text"][:1000]
        tokens = sum(map(len, self.tokenizer(sentences).input_ids))
        runs = add_run(paths.MODEL / "runs.csv", {
            "folder": folder.name, "network": known_as(self.model.name_or_path), "tokenizer": self.settings.TOKENIZER,
            "tokens_per_word": tokens / sum(len(text.split()) for text in sentences), "test_books": self.test_titles,
            "epochs": journal.epochs, "batch_size": self.settings.BATCH_SIZE, "steps": journal.step,
            "seconds": journal.seconds, "jitter": jitter([loss for _, loss in journal.train_points]),
            "score_before": journal.score_before.bits_per_character,
            "score_after": journal.score_after.bits_per_character,
            "characters_per_second": self.writing_speed()})
        release_the_others()
        report.show_runs(runs, folder)
        report.show_comparison(Path(self.model.name_or_path).resolve(), folder)

    # --- Ce que mesurent ces gestes -------------------------------------------------------

    @property
    def test_titles(self):
        """Le titre du livre de test, ou de ceux de test."""
        return " et ".join(self.dataset["test"].unique("book"))

    def read_before(self):
        """Renvoie la `Reading` du livre de test, si le réseau de départ l'avait lu ; None sinon, ou si l'on n'en sait
        rien."""
        readings = read_list(self.model.name_or_path) or []
        return next(filter(None, (already_read(readings, title, self._exam_text)
                                  for title in self.dataset["test"].unique("book"))), None)

    @property
    def _exam_text(self):
        return " ".join(self.dataset["test"]["text"][:])

    @property
    def _excerpt(self):
        """Des phrases de validation, prises régulièrement du début à la fin de chaque livre."""
        validation = self.dataset["validation"]
        words = sum(len(text.split()) for text in validation["text"][:])
        every = max(1, round(words / EXCERPT_WORDS))
        return validation.select(range(0, len(validation), every))

    def _measure(self):
        """Renvoie les pertes, en nats, de chaque token de l'examen et de l'extrait de validation."""
        window = self.settings.BLOCK_LENGTH
        return {name: token_losses(self.model, self.tokenizer, text, window=window, stride=window // 2)
                for name, text in (("exam", self._exam_text), ("excerpt", " ".join(self._excerpt["text"][:])))}

    def _by_sentence(self, texts, losses):
        _, starts, ranks = token_starts(self.tokenizer, list(texts))
        return by_sentence(starts, ranks, in_bits(losses), len(texts))

    def write_sample(self, model):
        """Renvoie ce que le réseau écrit à la suite d'OPENING, jusqu'à la fin d'une phrase."""
        return finished(self.continued(model, SAMPLE_TOKENS), start=len(self.settings.OPENING))

    def continued(self, model, tokens):
        """Renvoie OPENING et ce que le réseau écrit à la suite, `tokens` tokens au plus."""
        set_random_seed(self.settings.SEED)
        # « <|endoftext|> » dans OPENING n'est que du texte ; écrit par le réseau, c'est la fin du sien.
        encoded = self.tokenizer(self.settings.OPENING, return_tensors="tf", split_special_tokens=True)
        written = model.generate(**encoded, max_new_tokens=tokens, do_sample=True, temperature=SAMPLE_TEMPERATURE,
                                 top_k=50, pad_token_id=self.tokenizer.eos_token_id)
        return " ".join(self.tokenizer.decode(written[0], skip_special_tokens=True).split())

    def writing_speed(self, pairs=5):
        """Renvoie combien de caractères le réseau écrit par seconde, sans le temps de se préparer ; None si la machine
        est trop occupée pour le dire."""
        def timed(tokens):
            start = time.perf_counter()
            return len(self.continued(self.model, tokens)), time.perf_counter() - start
        speeds = []
        for _ in range(pairs):
            (short, preparing), (long, writing) = timed(1), timed(SAMPLE_TOKENS)
            if writing > 2 * preparing:  # sinon, c'est la machine que l'on chronomètre
                speeds.append((long - short) / (writing - preparing))
        return median(speeds) if len(speeds) > pairs // 2 else None
