"""Étape 2 : des phrases aux tokens.

    python aurore/2_tokenize.py             l'exercice
    python aurore/2_tokenize_solution.py    sa solution

Ouvre le tokenizer d'un GPT-2 français, regarde comment il découpe un texte, en entraîne un autre
sur les romans de George Sand et le range dans aurore/tokenizer. Durée : une dizaine de secondes.
La première moitié n'a besoin de rien ; la seconde lit aurore/data (étape 1).
"""

from workshop import narration, paths  # en premier : règle les bibliothèques
from workshop.artefacts import ensure_writable, reading, written_whole
from workshop.learning import hub, sharing

from datasets import load_from_disk
from transformers import AutoTokenizer

# --- Les réglages ------------------------------------------------------------------------

MODEL_NAME = "benjamin/gpt2-wechsel-french"
VOCAB_SIZE = 52_000    # au plus ; un petit corpus n'en remplit qu'une partie
BATCH_SIZE = 1_000     # phrases lues à la fois
PUSH_TO_HUB = False    # True : envoyer le tokenizer sur Hugging Face ; "public" : pour tous


# --- 1. Regarder un tokenizer -------------------------------------------------------------

def open_tokenizer():
    """Renvoie le tokenizer pré-entraîné."""
    # Un réseau ne comprend que les tokens avec lesquels il a appris : chacun a son tokenizer, et le
    # catalogue les range ensemble. model_path est le dossier où l'un et l'autre sont téléchargés.
    model_path = hub.local_copy(MODEL_NAME, tokenizer_only=True)
    # TODO 2.1 : instanciez le tokenizer pré-entraîné de model_path : AutoTokenizer.from_pretrained.
    # >>> réponse
    tokenizer = AutoTokenizer.from_pretrained(model_path)
    # <<<
    return tokenizer


def show_tokens(tokenizer):
    """Affiche les identifiants des tokens d'un texte, et le morceau de texte de chacun."""
    # Essayez ensuite d'autres textes : un nom propre, un mot ancien, de l'anglais.

    # TODO 2.2 : créez une variable text contenant un texte simple, par exemple « Bonjour Madame,
    # je m'appelle George Sand. Et vous ? »
    # >>> réponse
    text = "Bonjour Madame, je m'appelle George Sand. Et vous ?"
    # <<<
    print(f"Texte        : {text}")

    # Un tokenizer s'appelle comme une fonction, et renvoie un dictionnaire.
    # TODO 2.3 : analysez text avec tokenizer ; tokens_analysis est le dictionnaire obtenu, et
    # input_ids la valeur associée à sa clé "input_ids", le découpage en tokens.
    # >>> réponse
    tokens_analysis = tokenizer(text)
    input_ids = tokens_analysis["input_ids"]
    # <<<
    print(f"Identifiants : {input_ids}")

    # Chaque identifiant est le rang d'un morceau de texte dans le lexique du tokenizer. Un mot
    # courant est un token à lui seul, un mot rare en prend plusieurs ; aucun texte n'est donc
    # impossible à écrire. Le réseau, lui, ne verra que les nombres : il ignore que « Madame » a
    # un M majuscule, ou que deux mots se ressemblent. À lui de l'apprendre, à force d'exemples :
    # c'est l'étape 3.

    # TODO 2.4 : retrouvez le texte de chaque token de input_ids, avec convert_ids_to_tokens.
    # >>> réponse
    tokens = tokenizer.convert_ids_to_tokens(input_ids)
    # <<<
    print(f"Morceaux     : {tokens}")
    print("               (le G surmonté d'un point est une espace ; une lettre accentuée y prend "
          "deux signes)")


# --- 2. Entraîner le sien -----------------------------------------------------------------

def get_training_corpus(dataset):
    """Donne les phrases d'entraînement par paquets : jamais tout le corpus en mémoire."""
    for start in range(0, len(dataset["train"]), BATCH_SIZE):
        yield dataset["train"][start:start + BATCH_SIZE]["text"]


def specialise(tokenizer, dataset):
    """Renvoie un tokenizer de la famille de `tokenizer`, aux tokens choisis dans `dataset`."""
    # TODO 2.5 (facultatif) : récupérez dans text_iterator le résultat de get_training_corpus.
    # >>> réponse
    text_iterator = get_training_corpus(dataset)
    # <<<

    # TODO 2.6 (facultatif) : spécialisez tokenizer avec sa méthode train_new_from_iterator.
    # Donnez-lui text_iterator, et VOCAB_SIZE (52 000) pour vocab_size ; show_progress=False évite
    # une barre en anglais.
    # >>> réponse
    specialised = tokenizer.train_new_from_iterator(text_iterator, vocab_size=VOCAB_SIZE,
                                                    show_progress=False)
    # <<<
    return specialised


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


def save(specialised):
    """Écrit le tokenizer spécialisé dans aurore/tokenizer."""
    with written_whole(paths.TOKENIZER) as folder:
        # TODO 2.7 (facultatif) : sauvegardez le tokenizer spécialisé dans folder, avec
        # save_pretrained.
        # >>> réponse
        specialised.save_pretrained(folder)
        # <<<
    print(f"\nÉcrit dans {paths.shown(paths.TOKENIZER)} : le tokenizer spécialisé.")


# --- Le déroulement -----------------------------------------------------------------------

def main():
    """Enchaîne les gestes de l'étape et écrit aurore/tokenizer."""
    narration.step(2, "découper le texte en tokens")
    tokenizer = open_tokenizer()

    narration.section("Regarder le tokenizer pré-entraîné")
    show_tokens(tokenizer)

    narration.section("Entraîner un tokenizer sur George Sand")
    ensure_writable(paths.TOKENIZER, size=10_000_000)
    with reading(paths.DATA, made_by="1_prepare_dataset_solution.py"):
        dataset = load_from_disk(paths.DATA)
        sentences = dataset["validation"]["text"][:]
    specialised = specialise(tokenizer, dataset)
    show_tokens(specialised)

    narration.section("Lequel découpe le mieux les phrases de validation ?")
    compare({"pré-entraîné": tokenizer, "spécialisé": specialised}, sentences)

    save(specialised)
    sharing.push("tokenizer", PUSH_TO_HUB)
    narration.next_step("3_train", __file__)


if __name__ == "__main__":
    main()
