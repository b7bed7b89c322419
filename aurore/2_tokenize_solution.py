"""Étape 2 : des phrases aux tokens.

    python aurore/2_tokenize_solution.py

Ouvre le tokenizer d'un GPT-2 français, regarde comment il découpe une phrase, puis en entraîne
un autre sur les romans de George Sand, compare les deux et enregistre le nouveau dans
aurore/tokenizer. Durée : une dizaine de secondes. La première moitié n'a besoin de rien ; la
seconde lit aurore/data (étape 1).
"""

from workshop import narration, paths  # en premier : règle les bibliothèques
from workshop.artefacts import ensure_writable, reading, written_whole
from workshop.network import hub

from datasets import load_from_disk
from transformers import AutoTokenizer

# --- Les réglages ------------------------------------------------------------------------

MODEL_NAME = "benjamin/gpt2-wechsel-french"
VOCAB_SIZE = 52_000    # au plus ; un petit corpus n'en remplit qu'une partie
BATCH_SIZE = 1_000     # phrases lues à la fois


# --- 1. Regarder un tokenizer -------------------------------------------------------------

def show_tokens(tokenizer, text):
    """Affiche les identifiants des tokens de `text`, et le morceau de texte de chacun."""
    tokens_analysis = tokenizer(text)
    print(f"Texte        : {text}")
    print(f"Identifiants : {tokens_analysis['input_ids']}")
    print(f"Morceaux     : {tokenizer.convert_ids_to_tokens(tokens_analysis['input_ids'])}")
    print("               (le G surmonté d'un point est une espace ; une lettre accentuée y prend deux signes)")


# --- 2. Entraîner le sien -----------------------------------------------------------------

def get_training_corpus(dataset):
    """Donne les phrases d'entraînement, par paquets : le corpus n'est jamais en entier en mémoire."""
    for start in range(0, len(dataset["train"]), BATCH_SIZE):
        yield dataset["train"][start:start + BATCH_SIZE]["text"]


def measure(tokenizer, sentences):
    """Renvoie (tokens par mot, caractères par token) de `tokenizer` sur `sentences`."""
    tokens = sum(map(len, tokenizer(sentences)["input_ids"]))
    words = sum(len(sentence.split()) for sentence in sentences)
    return tokens / words, sum(map(len, sentences)) / tokens


def compare(tokenizers, sentences):
    """Affiche, pour chaque tokenizer, comment il découpe des phrases qu'il n'a jamais lues."""
    rows = []
    for name, tokenizer in tokenizers.items():
        tokens_per_word, characters_per_token = measure(tokenizer, sentences)
        rows.append((name, narration.count(len(tokenizer)), narration.decimal(tokens_per_word),
                     narration.decimal(characters_per_token)))
    narration.table(("tokenizer", "vocabulaire", "tokens par mot", "caractères par token"), rows)
    print("Moins de tokens par mot : les mêmes phrases coûtent moins de calcul, et le réseau voit\n"
          "plus loin en arrière.")


# --- Le déroulement -----------------------------------------------------------------------

def main():
    """Enchaîne les gestes de l'étape et écrit aurore/tokenizer."""
    narration.step(2, "découper le texte en tokens")
    model_path = hub.local_copy(MODEL_NAME, tokenizer_only=True)
    tokenizer = AutoTokenizer.from_pretrained(model_path)

    narration.section("Regarder le tokenizer pré-entraîné")
    text = "Bonjour Madame, je m'appelle George Sand. Et vous ?"
    show_tokens(tokenizer, text)

    narration.section("Entraîner un tokenizer sur George Sand")
    ensure_writable(paths.TOKENIZER, size=10_000_000)
    with reading(paths.DATA, made_by="1_prepare_dataset_solution.py"):
        dataset = load_from_disk(paths.DATA)
        sentences = dataset["validation"]["text"][:]
    text_iterator = get_training_corpus(dataset)
    specialised = tokenizer.train_new_from_iterator(text_iterator, vocab_size=VOCAB_SIZE, show_progress=False)
    show_tokens(specialised, text)

    narration.section("Lequel découpe le mieux les phrases de validation ?")
    compare({"pré-entraîné": tokenizer, "spécialisé": specialised}, sentences)

    with written_whole(paths.TOKENIZER) as folder:
        specialised.save_pretrained(folder)
    print(f"\nÉcrit dans {paths.shown(paths.TOKENIZER)} : le tokenizer spécialisé.")
    print("Étape suivante :  python aurore/3_train_solution.py")


if __name__ == "__main__":
    main()
