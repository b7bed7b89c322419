"""Étape 3 : spécialiser un GPT-2 français sur les romans de George Sand.

    python aurore/3_train.py             l'exercice
    python aurore/3_train_solution.py    sa solution

Lit aurore/data (étape 1), ouvre un réseau déjà entraîné, le note sur La Mare au Diable, poursuit
son apprentissage, le note de nouveau et l'enregistre dans aurore/model. Durée sur deux cœurs :
une demi-minute avec les contes embarqués, dix minutes avec les vrais livres et aurore-mini ;
une estimation s'affiche avant de commencer.
"""

from workshop import narration, paths  # en premier : règle les bibliothèques
from workshop.artefacts import reading
from workshop.learning import hub, sharing
# Le GPT-2 de transformers, avec les mêmes poids et les mêmes méthodes ; fit et generate y vont plus
# vite. Chez vous, écrivez : from transformers import TFGPT2LMHeadModel
from workshop.learning.gpt2_tf import TFGPT2LMHeadModel
from workshop.learning.packing import check_parts, evenly, pack
from workshop.learning.session import Session
from workshop.learning.training import batches, shuffled_batches
from workshop.learning.vocabulary import adapt

from datasets import load_from_disk
from transformers import AutoTokenizer, create_optimizer

# --- Les réglages ------------------------------------------------------------------------

# Réseau
# Exercice 3 : prenez-en d'autres dans le catalogue Hugging Face (« gpt2 french »), et comparez ce
# que dit summary(). Les deux réseaux embarqués ont aussi un nom : "aurore/embedded/base_model"
# (aurore-mini) et "aurore/embedded/sand_model" (aurore, quatre fois plus grand et plus lent).
MODEL_NAME = "benjamin/gpt2-wechsel-french"
TOKENIZERS = ("pré-entraîné", "spécialisé")
TOKENIZER = TOKENIZERS[0]   # TOKENIZERS[1] : celui de l'étape 2, auquel le réseau est alors adapté
DROPOUT = 0.0               # neurones éteints, au hasard malgré SEED : inutile en une seule lecture

# Données
# Exercice 3 : changez EPOCHS, puis BATCH_SIZE, et relancez ; un tableau compare vos essais.
BATCH_SIZE = 8              # blocs lus avant chaque mise à jour des poids
BLOCK_LENGTH = 256          # tokens par bloc : ce que le réseau voit d'un coup
VALIDATION_BLOCKS = 128     # au plus, pris régulièrement : assez pour suivre les progrès

# Entraînement
EPOCHS = 1                  # nombre de fois où le réseau parcourt tout le corpus : 1, 2 ou 3
TIME_BUDGET_MINUTES = 10    # l'entraînement s'arrête au plus tard après ce temps
LEARNING_RATES = {20e6: 5e-4, float("inf"): 1e-4}  # {nombre maximal de paramètres: vitesse}
ADAM_EPSILON = 1e-5         # assez grand pour que les tokens absents du corpus ne bougent guère
WARMUP = 0.1                # part des pas où la vitesse monte, avant de redescendre
LEARNT_SHARE = 0.5          # ce que l'on garde : 1, les poids appris ; 0,5, à mi-chemin du départ
SAVE_EVERY_SECONDS = 60     # de quoi reprendre après une interruption
SEED = 42                   # le même tirage à chaque fois, pour pouvoir comparer
PUSH_TO_HUB = False         # True : envoyer le réseau sur Hugging Face ; "public" : pour tous

OPENING = "Le soir, elle se rappelait"  # ce qu'on lui fait continuer en chemin


# --- 1. Le réseau et les données ----------------------------------------------------------

def open_model():
    """Renvoie (modèle, tokenizer) du réseau pré-entraîné."""
    model_path = hub.local_copy(MODEL_NAME)
    # from_pt=True ouvre des poids enregistrés par PyTorch au format .bin, et demande d'installer
    # torch ; from_tf=True faisait le contraire, dans les classes de PyTorch. Presque tous les
    # modèles ont aujourd'hui un model.safetensors, que les deux lisent : ni l'un ni l'autre.
    with hub.opening(model_path):
        tokenizer = AutoTokenizer.from_pretrained(model_path)
        model = TFGPT2LMHeadModel.from_pretrained(
            model_path, from_pt=hub.only_torch_can_read(model_path),
            attn_pdrop=DROPOUT, embd_pdrop=DROPOUT, resid_pdrop=DROPOUT)
    if TOKENIZER == "spécialisé":
        with reading(paths.TOKENIZER, made_by="2_tokenize_solution.py"):
            specialised = AutoTokenizer.from_pretrained(paths.TOKENIZER)
        model, tokenizer = adapt(model, tokenizer, specialised), specialised

    # TODO 3.1 : affichez le nombre de paramètres et les couches du réseau, avec model.summary().
    # >>> réponse
    narration.todo("3.1", model)
    # <<<
    parameters = narration.count(model.num_parameters())
    print(f"{model.config.n_layer} couches, {parameters} paramètres à ajuster.")
    return model, tokenizer


def load_data():
    """Renvoie le jeu de données de l'étape 1."""
    with reading(paths.DATA, made_by="1_prepare_dataset_solution.py"):
        # TODO 3.2 : chargez les données dans la variable dataset, avec load_from_disk ; leur chemin
        # est paths.DATA.
        # >>> réponse
        dataset = narration.todo("3.2", load_from_disk, paths)
        # <<<
        check_parts(dataset)
    return dataset


def cut_into_blocks(model, tokenizer, dataset):
    """Renvoie (entraînement, validation) : des blocs de BLOCK_LENGTH tokens, sans remplissage."""
    hub.check_block_length(model, BLOCK_LENGTH)
    train_blocks = pack(dataset["train"], tokenizer, BLOCK_LENGTH)
    eval_blocks = evenly(pack(dataset["validation"], tokenizer, BLOCK_LENGTH), VALIDATION_BLOCKS)
    for name, blocks in (("Entraînement", train_blocks), ("Validation", eval_blocks)):
        print(f"{name} : {len(blocks['input_ids'])} blocs de {BLOCK_LENGTH} tokens.")

    # Ce que le réseau lit, et ce qu'il doit deviner : à chaque endroit, le token d'après.
    middle = len(train_blocks["input_ids"]) // 2
    tokens, labels = train_blocks["input_ids"][middle], train_blocks["labels"][middle]
    print(f"\nUn bloc, relu en texte :\n  {tokenizer.decode(tokens[:40])}...\nIl doit y deviner :")
    for position in range(8, 12):
        print(f"  {tokenizer.decode(tokens[:position])} → «{tokenizer.decode(labels[position])} »")
    return train_blocks, eval_blocks


# --- 2. L'entraînement --------------------------------------------------------------------

def learning_rate(model):
    """Renvoie la plus grande vitesse d'apprentissage : un grand réseau va plus doucement."""
    rates = sorted(LEARNING_RATES.items())
    return next(rate for largest, rate in rates if model.num_parameters() <= largest)


def train(model, session, train_blocks, eval_blocks):
    """Poursuit l'apprentissage de `model`, ou le reprend s'il a été interrompu."""
    tf_train_dataset = shuffled_batches(train_blocks, BATCH_SIZE, EPOCHS, SEED, session.first_step)
    tf_eval_dataset = batches(eval_blocks, BATCH_SIZE)
    steps = session.plan(tf_train_dataset, tf_eval_dataset)

    # La vitesse monte pendant les premiers pas, où l'optimiseur ne connaît pas encore le terrain ;
    # puis elle redescend jusqu'à zéro : de grands pas pour approcher, de petits pour se poser.
    optimizer, _ = create_optimizer(
        init_lr=learning_rate(model), num_train_steps=steps,
        num_warmup_steps=int(WARMUP * steps), adam_epsilon=ADAM_EPSILON, weight_decay_rate=0.01)
    model.compile(optimizer=optimizer)

    session.start()
    monitoring = session.monitoring()
    # TODO 3.3 : appelez fit() sur le modèle. Donnez-lui tf_train_dataset, tf_eval_dataset (c'est
    # l'argument validation_data) et le nombre d'époques EPOCHS (epochs) ; terminez par
    # **monitoring, de quoi le suivre.
    # >>> réponse
    narration.todo("3.3", model, tf_train_dataset, tf_eval_dataset, EPOCHS, monitoring)
    # <<<

    # En lisant sept livres, le réseau oublie un peu tous les autres. Les poids à mi-chemin entre
    # ceux du départ et ceux de l'arrivée gardent des deux, et devinent mieux un livre nouveau.
    # (Wortsman et al., « Robust fine-tuning of zero-shot models », 2022)
    session.go_back_part_of_the_way(LEARNT_SHARE)
    session.finish()


# --- Le déroulement -----------------------------------------------------------------------

def main():
    """Enchaîne les gestes de l'étape et écrit un dossier daté dans aurore/model."""
    narration.step(3, "spécialiser le réseau")
    narration.section("Le réseau pré-entraîné")
    session = Session(globals())
    model, tokenizer = open_model()
    dataset = load_data()

    narration.section("Les données, en blocs")
    train_blocks, eval_blocks = cut_into_blocks(model, tokenizer, dataset)

    narration.section("L'entraînement")
    session.open(model, tokenizer, dataset, train_blocks, eval_blocks)
    train(model, session, train_blocks, eval_blocks)
    session.show()
    session.save()
    sharing.push("model", PUSH_TO_HUB)
    narration.next_step("4_generate", __file__)


if __name__ == "__main__":
    main()
