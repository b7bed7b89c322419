"""Étape 4 : faire écrire le réseau.

    python aurore/4_generate.py             l'exercice
    python aurore/4_generate_solution.py    sa solution

Ouvre le dernier réseau entraîné (sinon aurore, le réseau embarqué) et lui fait continuer deux
débuts de phrase. Durée : une dizaine de secondes.
"""

from workshop import narration, paths
from workshop.artefacts import newest_model
from workshop.identity import Identity
from workshop.learning import hub
from workshop.learning.gpt2_tf import TFGPT2LMHeadModel
from workshop.text.sentences import finished
from workshop.text.typography import normalise

from tf_keras.utils import set_random_seed
from transformers import AutoConfig, AutoTokenizer, pipeline

# --- Les réglages ------------------------------------------------------------------------

MODEL_NAME = ""        # du catalogue, ou le vôtre : "pseudo/aurore-model" ; vide, le dernier
MAX_NEW_TOKENS = 60    # longueur de la suite, avant de la couper à la dernière phrase finie
TEMPERATURE = 0.8      # près de 0, le mot le plus probable ; au-delà de 1, l'aventure
TOP_K = 50             # ne tirer qu'entre les 50 tokens les plus probables
SEED = 42              # le même tirage à chaque fois ; changez-le pour d'autres suites


# --- 1. Appeler le réseau -----------------------------------------------------------------

def open_pipe(model_path):
    """Renvoie de quoi faire écrire le réseau de `model_path`."""
    # TODO 4.1 : lisez la configuration du réseau de model_path, comme dans 5_flask.py.
    # >>> réponse
    config = narration.todo("4.1", AutoConfig, model_path)
    # <<<

    # TODO 4.2 : ouvrez le réseau de model_path avec cette configuration, comme dans 5_flask.py.
    # >>> réponse
    model = narration.todo("4.2", TFGPT2LMHeadModel, model_path, config)
    # <<<

    # split_special_tokens : « <|endoftext|> », écrit dans un début, n'est que du texte.
    tokenizer = AutoTokenizer.from_pretrained(model_path, padding_side="left",
                                              split_special_tokens=True)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    return pipeline("text-generation", model=model, tokenizer=tokenizer)


# --- 2. Lui donner deux débuts ------------------------------------------------------------

def write(pipe):
    """Affiche ce que le réseau écrit à la suite de deux débuts."""
    # TODO 4.3 : créez une liste prompts de deux débuts de votre choix, par exemple « Cette femme
    # était assise » et « Le soir elle se rappelait ».
    # >>> réponse
    prompts = narration.todo("4.3")
    # <<<

    prompts = [normalise(prompt) for prompt in prompts]  # les signes que le réseau a appris
    settings = {"max_new_tokens": MAX_NEW_TOKENS, "do_sample": True, "temperature": TEMPERATURE,
                "top_k": TOP_K, "batch_size": len(prompts),
                "pad_token_id": pipe.tokenizer.pad_token_id}
    set_random_seed(SEED)
    # TODO 4.4 : donnez prompts à pipe, puis **settings, les réglages ; outputs est ce qu'il
    # renvoie.
    # >>> réponse
    outputs = narration.todo("4.4", pipe, prompts, settings)
    # <<<

    # outputs a un élément par début : une liste d'un seul dictionnaire, où le texte est à la clé
    # "generated_text".
    # TODO 4.5 : prenez dans outputs les deux textes : output0 est le premier, output1 le deuxième.
    # >>> réponse
    output0 = output1 = narration.todo("4.5", outputs)
    # <<<

    output0 = finished(output0, start=len(prompts[0]))  # coupé à la fin d'une phrase
    output1 = finished(output1, start=len(prompts[1]))
    narration.section("Ce que le réseau a écrit")
    # TODO 4.6 : affichez output0, une ligne vide et output1, en print tout simplement.
    # >>> réponse
    narration.todo("4.6", output0, output1)
    # <<<


# --- Le déroulement -----------------------------------------------------------------------

def main():
    """Ouvre le réseau et lui fait continuer les deux débuts."""
    narration.step(4, "faire écrire le réseau")
    trained = hub.local_copy(MODEL_NAME) if MODEL_NAME else newest_model()
    model_path = trained or paths.SAND_MODEL
    print(f"Réseau : {Identity.read(model_path).name}, dans {paths.shown(model_path)}"
          + ("" if trained else " (embarqué : pas encore de réseau entier dans aurore/model)"))
    write(open_pipe(model_path))
    print("\nLa suite, dans le navigateur :  python aurore/5_flask.py")


if __name__ == "__main__":
    main()
