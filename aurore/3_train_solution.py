"""Étape 3 : spécialiser un GPT-2 français sur les romans de George Sand.

    python aurore/3_train_solution.py

Lit aurore/data (étape 1), ouvre un réseau déjà entraîné, le note sur La Mare au Diable, poursuit
son apprentissage, le note de nouveau et l'enregistre dans aurore/model. Durée sur deux cœurs :
une minute avec les contes embarqués, une dizaine avec les vrais livres et aurore-mini ; une
estimation s'affiche avant de commencer.
"""

from datetime import datetime

from workshop import quiet_tensorflow  # pylint: disable=unused-import  # l'importer suffit
from workshop import narration, paths
from workshop.artefacts import ensure_writable, new_folder, reading
from workshop.network import hub
from workshop.network.evaluation import score
from workshop.network.packing import pack
from workshop.network.training import Journal, StopInTime, batches, mean_loss, seconds_per_step

from datasets import load_from_disk
from tf_keras.utils import set_random_seed
from transformers import AutoTokenizer, TFAutoModelForCausalLM, create_optimizer

# --- Les réglages ------------------------------------------------------------------------

MODEL_NAME = "benjamin/gpt2-wechsel-french"
EPOCHS = 1                 # nombre de fois où le réseau parcourt tout le corpus : 1, 2 ou 3
BATCH_SIZE = 8             # blocs lus avant chaque mise à jour des poids
BLOCK_LENGTH = 256         # tokens par bloc : ce que le réseau voit d'un coup
TIME_BUDGET_MINUTES = 10   # l'entraînement s'arrête au plus tard après ce temps
LEARNING_RATES = {20e6: 1e-4, float("inf"): 5e-5}  # {nombre maximal de paramètres: vitesse d'apprentissage}
DROPOUT = 0.0              # part des neurones éteints au hasard ; inutile quand on lit le corpus une fois
WARMUP = 0.1               # part des pas où la vitesse monte, avant de redescendre
SEED = 42                  # le même tirage à chaque fois, pour pouvoir comparer


# --- 1. Le réseau et les données ----------------------------------------------------------

def open_model():
    """Renvoie (modèle, tokenizer) du réseau pré-entraîné."""
    model_path = hub.local_copy(MODEL_NAME)
    tokenizer = AutoTokenizer.from_pretrained(model_path)
    model = TFAutoModelForCausalLM.from_pretrained(
        model_path, from_pt=hub.only_torch_can_read(model_path),
        attn_pdrop=DROPOUT, embd_pdrop=DROPOUT, resid_pdrop=DROPOUT)
    if BLOCK_LENGTH > model.config.n_positions:
        raise narration.WorkshopError(f"BLOCK_LENGTH vaut {BLOCK_LENGTH}, mais ce réseau ne voit que "
                                      f"{model.config.n_positions} tokens à la fois : choisissez au plus ce nombre.")
    model.summary()
    print(f"{model.config.n_layer} couches, {narration.count(model.num_parameters())} paramètres à ajuster.")
    return model, tokenizer


def warn_about_tokenizer(tokenizer):
    """Dit quel tokenizer sert, quand l'étape 2 en a préparé un autre."""
    if not (paths.TOKENIZER / "tokenizer.json").is_file():
        return
    with reading(paths.TOKENIZER, made_by="2_tokenize_solution.py"):
        specialised = AutoTokenizer.from_pretrained(paths.TOKENIZER)
    if specialised.get_vocab() != tokenizer.get_vocab():
        narration.notice("Le tokenizer spécialisé de l'étape 2 n'a pas le vocabulaire du réseau pré-entraîné : "
                         "chaque identifiant y désigne un autre morceau de texte. On garde donc celui avec "
                         "lequel le réseau a appris.")


def load_data():
    """Renvoie le jeu de données de l'étape 1."""
    with reading(paths.DATA, made_by="1_prepare_dataset_solution.py"):
        dataset = load_from_disk(paths.DATA)
        for split in ("train", "validation", "test"):
            if not {"text", "book", "position"} <= set(dataset[split].column_names) or dataset[split].num_rows == 0:
                raise ValueError(split)
    return dataset


# --- 2. L'entraînement --------------------------------------------------------------------

def train(model, tf_train_dataset, tf_eval_dataset):
    """Poursuit l'apprentissage de `model` et renvoie le journal de l'entraînement."""
    step_duration = seconds_per_step(model, tf_train_dataset)
    steps_per_epoch = len(tf_train_dataset)
    affordable = max(1, int(60 * TIME_BUDGET_MINUTES / step_duration))
    steps = min(EPOCHS * steps_per_epoch, affordable)
    print(f"{steps_per_epoch} pas par époque, {narration.decimal(step_duration)} s par pas : l'entraînement "
          f"durera environ {narration.duration(steps * step_duration)}.")
    if steps < EPOCHS * steps_per_epoch:
        print(f"Soit {narration.decimal(steps / steps_per_epoch, 1)} époque : TIME_BUDGET_MINUTES "
              f"({TIME_BUDGET_MINUTES}) ne permet pas d'aller jusqu'à {EPOCHS}.")

    # La vitesse d'apprentissage monte, puis redescend jusqu'à zéro au dernier pas réel.
    size = model.num_parameters()
    learning_rate = next(rate for largest, rate in LEARNING_RATES.items() if size <= largest)
    optimizer, _ = create_optimizer(init_lr=learning_rate, num_train_steps=steps,
                                    num_warmup_steps=int(WARMUP * steps), weight_decay_rate=0.01)
    model.compile(optimizer=optimizer)

    journal = Journal(validation_loss_before=mean_loss(model, tf_eval_dataset))
    stop = StopInTime(seconds=60 * TIME_BUDGET_MINUTES, steps=steps)
    model.fit(tf_train_dataset, validation_data=tf_eval_dataset, epochs=EPOCHS, callbacks=[stop, journal])
    return journal


# --- 3. Noter et enregistrer --------------------------------------------------------------

def score_on_test_book(model, tokenizer, dataset):
    """Renvoie la note du réseau sur le livre de test, qu'il n'a jamais lu."""
    return score(model, tokenizer, " ".join(dataset["test"]["text"][:]), window=BLOCK_LENGTH,
                 stride=BLOCK_LENGTH // 2)


def save(model, tokenizer, journal, rows):
    """Enregistre le réseau, son journal et sa fiche dans un dossier daté, et renvoie ce dossier."""
    folder = paths.MODEL / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    with new_folder(folder) as incoming:
        hub.save_model(model, tokenizer, incoming)
        journal.write(incoming)
        table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
        (incoming / "README.md").write_text(
            f"# Un GPT-2 spécialisé sur George Sand\n\n"
            f"Réseau de départ : {paths.shown(model.name_or_path)}\n\n"
            f"| | bits par caractère | perplexité |\n|---|---|---|\n{table}\n\n"
            f"Époques : {EPOCHS} ; lot : {BATCH_SIZE} blocs de {BLOCK_LENGTH} tokens ; "
            f"{len(journal.train_points)} pas ; poids gardés : ceux du pas {journal.kept_step}.\n",
            encoding="utf-8")
    return folder


# --- Le déroulement -----------------------------------------------------------------------

def check_settings():
    """Arrête tout de suite si un réglage n'a pas de sens."""
    if type(EPOCHS) is not int or EPOCHS not in (1, 2, 3):  # pylint: disable=unidiomatic-typecheck  # 1.0, True
        raise narration.WorkshopError(f"EPOCHS vaut {EPOCHS!r} : choisissez 1, 2 ou 3.\n"
                                      "Modifiez-le en haut de 3_train_solution.py, puis relancez.")
    for name, value, kinds, least, most in (("BATCH_SIZE", BATCH_SIZE, int, 1, 1024),
                                            ("BLOCK_LENGTH", BLOCK_LENGTH, int, 16, 1024),
                                            ("TIME_BUDGET_MINUTES", TIME_BUDGET_MINUTES, (int, float), 0.1, 10_000)):
        if not isinstance(value, kinds) or not least <= value <= most:
            raise narration.WorkshopError(f"{name} vaut {value!r} : choisissez un nombre entre {least} et {most}"
                                          f"{', entier' if kinds is int else ''}.\n"
                                          "Modifiez-le en haut de 3_train_solution.py, puis relancez.")


def main():
    """Enchaîne les gestes de l'étape et écrit un dossier daté dans aurore/model."""
    narration.step(3, "spécialiser le réseau")
    check_settings()
    dataset = load_data()
    set_random_seed(SEED)

    narration.section("Le réseau pré-entraîné")
    model, tokenizer = open_model()
    warn_about_tokenizer(tokenizer)
    ensure_writable(paths.MODEL, size=5 * model.num_parameters())  # 4 octets par poids, et le reste

    narration.section("Les données, en blocs")
    train_blocks = pack(dataset["train"], tokenizer, BLOCK_LENGTH)
    eval_blocks = pack(dataset["validation"], tokenizer, BLOCK_LENGTH)
    tf_train_dataset = batches(train_blocks, BATCH_SIZE, shuffle_seed=SEED)
    tf_eval_dataset = batches(eval_blocks, BATCH_SIZE)
    print(f"Entraînement : {len(train_blocks['input_ids'])} blocs de {BLOCK_LENGTH} tokens ; "
          f"validation : {len(eval_blocks['input_ids'])} blocs.")

    narration.section("L'entraînement")
    print("D'abord, la note de départ sur le livre de test...", flush=True)
    before = score_on_test_book(model, tokenizer, dataset)
    journal = train(model, tf_train_dataset, tf_eval_dataset)
    after = score_on_test_book(model, tokenizer, dataset)

    titles = " et ".join(dataset["test"].unique("book"))
    narration.section(f"La note sur {titles}, que le réseau n'a jamais lu")
    rows = [(name, narration.decimal(result.bits_per_character, 3), narration.decimal(result.perplexity, 1))
            for name, result in (("avant", before), ("après", after))]
    narration.table(("", "bits par caractère", "perplexité"), rows)
    print("Plus c'est petit, moins le texte surprend le réseau.")
    if journal.kept_step == 0:
        print("L'entraînement n'a pas amélioré la perte de validation : les poids de départ sont gardés.")

    folder = save(model, tokenizer, journal, rows)
    print(f"\nÉcrit dans {paths.shown(folder)} : le réseau, training_log.csv et learning_curve.png.")
    print("Étape suivante :  python aurore/4_generate_solution.py")


if __name__ == "__main__":
    main()
