"""Étape 5 : le réseau dans une page web.

    python aurore/5_flask.py                   puis http://127.0.0.1:8080/generate
    python aurore/5_flask.py --transformers    la même page, où transformers appelle le réseau

La page envoie le début de texte tapé dans le champ « amorce » ; le réseau le continue.
"""

import os

from workshop import narration, paths
from workshop.artefacts import newest_model
from workshop.page import form, service
from workshop.page.generator import TextGenerator, WholeTexts, open_generator
from workshop.page.networks import open_by_name
from workshop.page.story import Story, to_the_end
from workshop.page.surroundings import surround

from flask import Flask, request

# --- Les réglages ------------------------------------------------------------------------

HOST = os.environ.get("AURORE_HOST", "127.0.0.1")  # 0.0.0.0 dans l'image : joignable de dehors
PORT = os.environ.get("AURORE_PORT", "8080")
MODEL_NAME = ""                                    # comme à l'étape 4 ; vide, le dernier entraîné
OPENINGS = [                                       # les amorces que propose la page
    "Le soir, quand la lampe fut allumée, elle",
    "Au bout du chemin creux, il y avait une maison",
    "Jeanne n'avait jamais quitté le village. Un matin,",
    "— Vous ne me connaissez pas, dit l'inconnu,",
    "Le vieux meunier regardait couler la rivière",
    "Ce fut par une nuit d'orage que le marquis",
]


# --- 1. Quel réseau, et comment on l'appelle -----------------------------------------------

def choose_model():
    """Renvoie le dossier du réseau qui écrit : le dernier entraîné, sinon aurore, embarqué."""
    if MODEL_NAME:
        return open_by_name(MODEL_NAME)
    return newest_model() or paths.SAND_MODEL


def get_text(generator, prompt, wish):
    """Renvoie l'histoire que le réseau écrit à la suite de `prompt`, jusqu'à la fin d'une phrase.

    Le réseau reçoit le texte, donne une probabilité à chaque token possible, en tire un, l'ajoute
    au texte, et recommence : `write` donne ces tokens un à un. Avec JavaScript, la page montre
    chacun dès qu'il vient ; sans, elle attend ici la fin. `wish` dit quel réseau, et ses réglages.
    """
    story = Story(prompt, generator.find(wish.network), wish)
    tokens = generator.write(prompt.opening, prompt.suite, story.wish)
    to_the_end(story.follow(tokens))
    return story


# --- 2. Le même, avec transformers ---------------------------------------------------------

def open_pipe(model_path):
    """Ouvre le réseau avec transformers, comme à l'étape 4 : tout le catalogue s'ouvre ainsi."""
    # TensorFlow met plusieurs secondes à s'importer : la page, qui s'en passe, ne l'attend pas.
    # pylint: disable=import-outside-toplevel
    from workshop.learning.gpt2_tf import TFGPT2LMHeadModel
    from transformers import AutoConfig, AutoTokenizer, pipeline

    config = AutoConfig.from_pretrained(model_path)
    # « <|endoftext|> », tapé dans une amorce, n'est que du texte.
    tokenizer = AutoTokenizer.from_pretrained(model_path, split_special_tokens=True)
    model = TFGPT2LMHeadModel.from_pretrained(model_path, config=config)
    pipe = pipeline("text-generation", model=model, tokenizer=tokenizer)
    return pipe


def call_pipe(pipe, prompt, max_new_tokens, wish):
    """Renvoie ce que `pipe` écrit à la suite de `prompt`, d'un seul tenant."""
    from transformers import set_seed  # pylint: disable=import-outside-toplevel
    set_seed(wish.seed)
    outputs = pipe(prompt, max_new_tokens=max_new_tokens, do_sample=True,
                   temperature=wish.boldness, top_k=wish.top_k, top_p=wish.top_p,
                   return_full_text=False, pad_token_id=pipe.tokenizer.eos_token_id)
    return outputs[0]["generated_text"]


# --- 3. La page ----------------------------------------------------------------------------

def create_app(generator=None):
    """Renvoie l'application ; `generator` fait écrire le réseau."""
    app = Flask(__name__)
    app.jinja_env.globals["openings"] = OPENINGS
    generator, limit = surround(app, generator or TextGenerator(choose_model))

    @app.route("/generate", methods=["GET", "POST"])
    @limit
    def generate():
        if request.method != "POST":
            return form.show()
        story = get_text(generator, *form.read())
        return form.show(story=story, warning=story.prompt.warning, network=story.network)

    return app


def main():
    """Ouvre le réseau, puis sert la page jusqu'à Ctrl-C."""
    narration.step(5, "le réseau dans une page web")
    with_transformers = service.has_option("--transformers")
    print("Chargement du réseau...", flush=True)
    if with_transformers:
        generator = WholeTexts(choose_model(), open_pipe, call_pipe)
    else:
        generator = open_generator(choose_model)  # ou un moteur ailleurs : voir AURORE_MOTEUR
    service.serve(create_app(generator), generator, HOST, PORT)


if __name__ == "__main__":
    main()
