"""Étape 3 : spécialiser un GPT-2 français sur les romans de George Sand.

    python aurore/3_train.py             l'exercice
    python aurore/3_train_solution.py    sa solution

Lit aurore/data (étape 1), ouvre un réseau déjà entraîné, le note sur La Mare au Diable, poursuit
son apprentissage, le note de nouveau et l'enregistre dans aurore/model. Durée sur deux cœurs :
une minute avec les contes embarqués, une dizaine avec les vrais livres et aurore-mini ; une
estimation s'affiche avant de commencer.
"""

import shutil
import time
from datetime import datetime
from pathlib import Path

from workshop import quiet_tensorflow  # pylint: disable=unused-import  # l'importer suffit
from workshop import narration, paths
from workshop.artefacts import ensure_writable, new_folder, reading
from workshop.errors import WorkshopError
from workshop.learning import hub
from workshop.learning.comparison import add_run, jitter, show_runs
from workshop.learning.evaluation import score
from workshop.learning.gpt2_tf import TFGPT2LMHeadModel
from workshop.learning.journal import Journal
from workshop.learning.packing import evenly, pack
from workshop.learning.resumption import Resumption, fingerprint
from workshop.learning.training import (Progress, StopInTime, batches, choose_precision, seconds_per_step,
                                        shuffled_batches, tensorboard)
from workshop.learning.vocabulary import carry_over

from datasets import load_from_disk
from tf_keras.utils import set_random_seed
from transformers import AutoTokenizer, create_optimizer

# --- Les réglages ------------------------------------------------------------------------

# Réseau
# Exercice 3 : prenez-en d'autres dans le catalogue Hugging Face (« gpt2 french »), et comparez ce que dit summary().
MODEL_NAME = "benjamin/gpt2-wechsel-french"
TOKENIZERS = ("pré-entraîné", "spécialisé")
TOKENIZER = TOKENIZERS[0]   # TOKENIZERS[1] : celui de l'étape 2, auquel le réseau est alors adapté
DROPOUT = 0.0               # part des neurones éteints au hasard ; inutile quand on lit le corpus une fois

# Données
# Exercice 3 : changez EPOCHS, puis BATCH_SIZE, et relancez ; le tableau de la fin compare tous vos essais.
BATCH_SIZE = 8              # blocs lus avant chaque mise à jour des poids
BLOCK_LENGTH = 256          # tokens par bloc : ce que le réseau voit d'un coup
VALIDATION_BLOCKS = 128     # au plus, pris régulièrement : assez pour suivre les progrès sans attendre

# Entraînement
EPOCHS = 1                  # nombre de fois où le réseau parcourt tout le corpus : 1, 2 ou 3
TIME_BUDGET_MINUTES = 10    # l'entraînement s'arrête au plus tard après ce temps
LEARNING_RATES = {20e6: 2e-4, float("inf"): 5e-5}  # {nombre maximal de paramètres: vitesse d'apprentissage}
FEW_STEPS = 100             # en moins de pas, on va moins vite : les premiers pas d'Adam sont surtout du bruit
ADAM_EPSILON = 1e-5         # assez grand pour que les tokens que l'on ne rencontre pas ne bougent guère
WARMUP = 0.1                # part des pas où la vitesse monte, avant de redescendre
SAVE_EVERY_SECONDS = 60     # de quoi reprendre après une interruption
SEED = 42                   # le même tirage à chaque fois, pour pouvoir comparer

UNFINISHED = paths.MODEL / ".unfinished"

# Extraits
OPENING = "Le soir, elle se rappelait"
SAMPLE_TOKENS = 40


# --- 1. Le réseau et les données ----------------------------------------------------------

def open_model():
    """Renvoie (modèle, tokenizer) du réseau pré-entraîné."""
    model_path = hub.local_copy(MODEL_NAME)
    # from_pt=True ouvre des poids enregistrés par PyTorch au format .bin, et demande d'installer torch ;
    # from_tf=True faisait le contraire, dans les classes de PyTorch : il ne sert pas ici. Presque tous les
    # modèles ont aujourd'hui un fichier model.safetensors, que TensorFlow et PyTorch lisent : ni l'un ni l'autre.
    with hub.opening(model_path):
        tokenizer = AutoTokenizer.from_pretrained(model_path)
        model = TFGPT2LMHeadModel.from_pretrained(
            model_path, from_pt=hub.only_torch_can_read(model_path),
            attn_pdrop=DROPOUT, embd_pdrop=DROPOUT, resid_pdrop=DROPOUT)
    if BLOCK_LENGTH > model.config.n_positions:
        raise WorkshopError(f"BLOCK_LENGTH vaut {BLOCK_LENGTH}, mais ce réseau ne voit que "
                            f"{model.config.n_positions} tokens à la fois : choisissez au plus ce nombre.")
    if TOKENIZER == "spécialisé":
        with reading(paths.TOKENIZER, made_by="2_tokenize_solution.py"):
            specialised = AutoTokenizer.from_pretrained(paths.TOKENIZER)
        name_or_path = model.name_or_path
        model, tokenizer = carry_over(model, tokenizer, specialised), specialised
        model.config.name_or_path = name_or_path
        print("Le réseau est adapté au tokenizer spécialisé : chaque nouveau token part de la moyenne des "
              "morceaux\nque le réseau connaissait.")

    # TODO 3.1 : affichez le nombre de paramètres et les couches du réseau, avec model.summary().
    # >>> réponse
    model.summary()
    # <<<
    print(f"{model.config.n_layer} couches, {narration.count(model.num_parameters())} paramètres à ajuster.")
    return model, tokenizer


def load_data():
    """Renvoie le jeu de données de l'étape 1."""
    with reading(paths.DATA, made_by="1_prepare_dataset_solution.py"):
        # TODO 3.2 : chargez les données dans la variable dataset, avec load_from_disk ; leur chemin est paths.DATA.
        # >>> réponse
        dataset = load_from_disk(paths.DATA)
        # <<<
        for split in ("train", "validation", "test"):
            if not {"text", "book", "position"} <= set(dataset[split].column_names) or dataset[split].num_rows == 0:
                raise ValueError(split)
    return dataset


# --- 2. Regarder le réseau ----------------------------------------------------------------

def score_on_test_book(model, tokenizer, dataset):
    """Renvoie la note du réseau sur le livre de test, qu'il n'a jamais lu."""
    return score(model, tokenizer, " ".join(dataset["test"]["text"][:]), window=BLOCK_LENGTH,
                 stride=BLOCK_LENGTH // 2)


def write_sample(model, tokenizer, tokens=SAMPLE_TOKENS):
    """Renvoie ce que le réseau écrit à la suite d'OPENING, toujours avec le même tirage."""
    set_random_seed(SEED)
    written = model.generate(**tokenizer(OPENING, return_tensors="tf"), max_new_tokens=tokens,
                             do_sample=True, temperature=0.8, top_k=50, pad_token_id=tokenizer.eos_token_id)
    return " ".join(tokenizer.decode(written[0], skip_special_tokens=True).split())


def writing_speed(model, tokenizer):
    """Renvoie combien de caractères le réseau écrit par seconde, le temps de se préparer mis à part."""
    lengths, seconds = [], []
    for tokens in (1, SAMPLE_TOKENS):
        start = time.perf_counter()
        lengths.append(len(write_sample(model, tokenizer, tokens)))
        seconds.append(time.perf_counter() - start)
    return (lengths[1] - lengths[0]) / max(1e-3, seconds[1] - seconds[0])


# --- 3. L'entraînement --------------------------------------------------------------------

def affordable_steps(model, tf_train_dataset, eval_batches, steps_per_epoch):
    """Renvoie le nombre de pas que TIME_BUDGET_MINUTES permet, et l'annonce."""
    step_duration = seconds_per_step(model, tf_train_dataset)
    # Une mesure de validation ne fait que l'aller : un tiers d'un pas.
    measures = (Journal.VALIDATIONS + EPOCHS) * eval_batches * step_duration / 3
    most = max(1, int((60 * TIME_BUDGET_MINUTES - measures) / step_duration))
    steps = min(EPOCHS * steps_per_epoch, most)
    print(f"{steps_per_epoch} pas par époque, {narration.decimal(step_duration)} s par pas : l'entraînement "
          f"durera environ {narration.duration(steps * step_duration + measures)}.")
    if steps < EPOCHS * steps_per_epoch:
        print(f"Soit {narration.decimal(steps / steps_per_epoch, 1)} époque : TIME_BUDGET_MINUTES "
              f"({TIME_BUDGET_MINUTES}) ne permet pas d'aller jusqu'à {EPOCHS}.")
    return steps


def train(model, tokenizer, dataset, train_blocks, eval_blocks):
    """Poursuit l'apprentissage de `model`, ou le reprend s'il a été interrompu ; renvoie son journal."""
    tf_eval_dataset = batches(eval_blocks, BATCH_SIZE)
    steps_per_epoch = max(1, len(train_blocks["input_ids"]) // BATCH_SIZE)

    journal = Journal(tf_eval_dataset, steps_per_epoch, lambda network: write_sample(network, tokenizer))
    settings = (MODEL_NAME, TOKENIZER, DROPOUT, BATCH_SIZE, EPOCHS, TIME_BUDGET_MINUTES, LEARNING_RATES,
                FEW_STEPS, ADAM_EPSILON, WARMUP, SEED)
    resumption = Resumption(UNFINISHED, journal, fingerprint(settings, model, train_blocks, eval_blocks),
                            SAVE_EVERY_SECONDS)
    first_step = resumption.offer(model)
    tf_train_dataset = shuffled_batches(train_blocks, BATCH_SIZE, EPOCHS, SEED, first_step)
    if not journal.steps:
        journal.steps = affordable_steps(model, tf_train_dataset, len(tf_eval_dataset), steps_per_epoch)

    # La vitesse d'apprentissage monte, puis redescend jusqu'à zéro au dernier pas réel.
    size = model.num_parameters()
    learning_rate = next(rate for largest, rate in LEARNING_RATES.items() if size <= largest)
    learning_rate *= min(1, journal.steps / FEW_STEPS) ** 0.5
    optimizer, _ = create_optimizer(init_lr=learning_rate, num_train_steps=journal.steps,
                                    num_warmup_steps=int(WARMUP * journal.steps), adam_epsilon=ADAM_EPSILON,
                                    weight_decay_rate=0.01)
    model.compile(optimizer=optimizer)

    if first_step == 0:
        print("D'abord, la note de départ sur le livre de test...", flush=True)
        journal.start(model, score_on_test_book(model, tokenizer, dataset))
        print(f"Avant d'apprendre, il écrit : {journal.samples[0][1]}...\n", flush=True)
    monitoring = {"steps_per_epoch": steps_per_epoch, "verbose": 0,
                  "callbacks": [journal, StopInTime(journal, 60 * TIME_BUDGET_MINUTES),
                                Progress(journal, train_blocks, BATCH_SIZE), resumption, *tensorboard(paths.MODEL)]}
    # TODO 3.3 : appelez fit() sur le modèle. Donnez-lui tf_train_dataset, tf_eval_dataset (c'est l'argument
    # validation_data) et le nombre d'époques EPOCHS (epochs) ; terminez par **monitoring, de quoi le suivre.
    # >>> réponse
    model.fit(tf_train_dataset, validation_data=tf_eval_dataset, epochs=EPOCHS, **monitoring)
    # <<<
    return journal


# --- 4. Comparer et enregistrer -----------------------------------------------------------

def compare(model, tokenizer, dataset, journal, folder):
    """Ajoute l'essai au tableau de aurore/model/runs.csv, et affiche ce tableau."""
    sentences = dataset["validation"]["text"][:1000]
    tokens_per_word = sum(map(len, tokenizer(sentences).input_ids)) / sum(len(text.split()) for text in sentences)
    runs = add_run(paths.MODEL / "runs.csv", {
        "folder": folder.name, "network": hub.known_as(model.name_or_path), "tokenizer": TOKENIZER,
        "tokens_per_word": tokens_per_word, "test_books": " et ".join(dataset["test"].unique("book")),
        "epochs": journal.epochs, "batch_size": BATCH_SIZE, "steps": journal.step, "seconds": journal.seconds,
        "jitter": jitter([loss for _, loss in journal.train_points]),
        "score_before": journal.score_before.bits_per_character, "score_after": journal.score_after.bits_per_character,
        "characters_per_second": writing_speed(model, tokenizer)})
    narration.section("Lequel est le meilleur ? Tous vos essais")
    show_runs(runs)
    print("La note est celle du livre de test, en bits par caractère ; l'agitation, ce dont la perte change d'un\n"
          "pas au suivant. Changez EPOCHS, BATCH_SIZE ou TOKENIZER en haut du script, et relancez : une ligne de plus.")


def score_rows(journal):
    """Renvoie les lignes du tableau des notes : avant, puis après."""
    return [(name, narration.decimal(result.bits_per_character, 3), narration.decimal(result.perplexity, 1))
            for name, result in (("avant", journal.score_before), ("après", journal.score_after))]


def save(model, tokenizer, journal, folder):
    """Enregistre le réseau, son journal et sa fiche dans `folder`."""
    with new_folder(folder) as incoming:
        hub.save_model(model, tokenizer, incoming)
        journal.write(incoming)
        table = "\n".join("| " + " | ".join(row) + " |" for row in score_rows(journal))
        samples = "\n".join(f"- au pas {step} : {text}" for step, text in journal.samples)
        (incoming / "README.md").write_text(
            f"# Un GPT-2 spécialisé sur George Sand\n\n"
            f"Réseau de départ : {hub.known_as(model.name_or_path)} ; tokenizer {TOKENIZER}\n\n"
            f"| | bits par caractère | perplexité |\n|---|---|---|\n{table}\n\n"
            f"Époques : {narration.decimal(journal.epochs, 1)} ; lot : {BATCH_SIZE} blocs de {BLOCK_LENGTH} tokens ; "
            f"{journal.step} pas ; poids gardés : ceux du pas {journal.kept_step}.\n\n"
            f"Ce qu'il écrivait en chemin :\n\n{samples}\n",
            encoding="utf-8")


# --- Le déroulement -----------------------------------------------------------------------

def check_settings():
    """Arrête tout de suite si un réglage n'a pas de sens."""
    for name, value, choices in (("EPOCHS", EPOCHS, (1, 2, 3)), ("TOKENIZER", TOKENIZER, TOKENIZERS)):
        if type(value) is not type(choices[0]) or value not in choices:  # 1.0 et True valent 1
            *others, last = map(repr, choices)
            raise WorkshopError(f"{name} vaut {value!r} : choisissez {', '.join(others)} ou {last}.\n"
                                f"Modifiez-le en haut de {Path(__file__).name}, puis relancez.")
    for name, value, kinds, least, most in (("BATCH_SIZE", BATCH_SIZE, int, 1, 1024),
                                            ("BLOCK_LENGTH", BLOCK_LENGTH, int, 16, 1024),
                                            ("VALIDATION_BLOCKS", VALIDATION_BLOCKS, int, 1, 100_000),
                                            ("TIME_BUDGET_MINUTES", TIME_BUDGET_MINUTES, (int, float), 0.1, 10_000)):
        if not isinstance(value, kinds) or not least <= value <= most:
            raise WorkshopError(f"{name} vaut {value!r} : choisissez un nombre entre {least} et {most}"
                                f"{', entier' if kinds is int else ''}.\n"
                                f"Modifiez-le en haut de {Path(__file__).name}, puis relancez.")


def main():
    """Enchaîne les gestes de l'étape et écrit un dossier daté dans aurore/model."""
    narration.step(3, "spécialiser le réseau")
    check_settings()
    set_random_seed(SEED)

    narration.section("Le réseau pré-entraîné")
    precision = choose_precision()
    model, tokenizer = open_model()
    print(f"Calculs en {precision}, ce qui est le plus rapide sur cette machine.")
    dataset = load_data()
    ensure_writable(paths.MODEL, size=40 * model.num_parameters())  # 4 octets par poids ; la sauvegarde en garde neuf

    narration.section("Les données, en blocs")
    train_blocks = pack(dataset["train"], tokenizer, BLOCK_LENGTH)
    eval_blocks = evenly(pack(dataset["validation"], tokenizer, BLOCK_LENGTH), VALIDATION_BLOCKS)
    print(f"Entraînement : {len(train_blocks['input_ids'])} blocs de {BLOCK_LENGTH} tokens ; "
          f"validation : {len(eval_blocks['input_ids'])} blocs.")

    narration.section("L'entraînement")
    journal = train(model, tokenizer, dataset, train_blocks, eval_blocks)
    journal.score_after = score_on_test_book(model, tokenizer, dataset)
    journal.samples.append([journal.kept_step, write_sample(model, tokenizer)])

    narration.section("Ce qu'il écrivait, au début, à mi-chemin et à la fin")
    for step, text in journal.samples:
        print(f"pas {step} : {text}...\n")

    titles = " et ".join(dataset["test"].unique("book"))
    narration.section(f"La note sur {titles}, que le réseau n'a jamais lu")
    narration.table(("", "bits par caractère", "perplexité"), score_rows(journal))
    print("Plus c'est petit, moins le texte surprend le réseau.")
    if journal.kept_step == 0:
        print("L'entraînement n'a pas amélioré la perte de validation : les poids de départ sont gardés.")

    folder = paths.MODEL / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    save(model, tokenizer, journal, folder)
    shutil.rmtree(UNFINISHED, ignore_errors=True)
    compare(model, tokenizer, dataset, journal, folder)
    print(f"\nÉcrit dans {paths.shown(folder)} : le réseau, training_log.csv et learning_curve.png.")
    narration.next_step("4_generate", __file__)


if __name__ == "__main__":
    main()
