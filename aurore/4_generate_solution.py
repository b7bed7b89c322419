"""Étape 4 : faire écrire le réseau.

    python aurore/4_generate_solution.py

Ouvre le dernier réseau entraîné (sinon le réseau de base embarqué) et lui fait continuer deux
débuts de phrase. Durée : une trentaine de secondes.
"""

from workshop import quiet_tensorflow  # pylint: disable=unused-import  # l'importer suffit
from workshop import narration, paths
from workshop.artefacts import newest_model
from workshop.network.gpt2 import TFGPT2LMHeadModel
from workshop.text.sentences import finished
from workshop.text.typography import normalise

from tf_keras.utils import set_random_seed
from transformers import AutoConfig, AutoTokenizer, pipeline

# --- Les réglages ------------------------------------------------------------------------

prompts = [
    "Cette femme était assise",
    "Le soir elle se rappelait",
]
MAX_NEW_TOKENS = 60    # longueur de la suite, avant de la couper à la dernière phrase finie
TEMPERATURE = 0.8      # près de 0, le mot le plus probable ; au-delà de 1, l'aventure
TOP_K = 50             # ne tirer qu'entre les 50 tokens les plus probables
SEED = 42              # le même tirage à chaque fois ; changez-le pour d'autres suites


def main():
    """Continue les deux débuts et les affiche."""
    narration.step(4, "faire écrire le réseau")
    trained = newest_model()
    model_path = trained or paths.BASE_MODEL
    print(f"Réseau : {paths.shown(model_path)}"
          + ("" if trained else " (celui de base : l'étape 3 n'a pas encore été faite)"))

    config = AutoConfig.from_pretrained(model_path)
    tokenizer = AutoTokenizer.from_pretrained(model_path, padding_side="left")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    model = TFGPT2LMHeadModel.from_pretrained(model_path, config=config)
    pipe = pipeline("text-generation", model=model, tokenizer=tokenizer)

    set_random_seed(SEED)
    openings = [normalise(prompt) for prompt in prompts]
    outputs = pipe(openings, batch_size=len(openings),
                   max_new_tokens=MAX_NEW_TOKENS, do_sample=True, temperature=TEMPERATURE, top_k=TOP_K,
                   pad_token_id=tokenizer.pad_token_id)
    output0, output1 = (finished(output[0]["generated_text"], start=len(opening))
                        for output, opening in zip(outputs, openings))

    narration.section("Ce que le réseau a écrit")
    print(output0)
    print()
    print(output1)
    print("\nLa suite, dans le navigateur :  python aurore/5_flask.py")


if __name__ == "__main__":
    main()
