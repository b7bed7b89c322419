"""Étape 5 : le réseau dans une page web.

    python aurore/5_flask.py

puis http://127.0.0.1:8080/generate dans un navigateur (le port est celui de AURORE_PORT). La
page envoie le début de texte tapé dans le champ « amorce » ; le réseau le continue.
"""

import os
import signal
import threading

from workshop import quiet_tensorflow  # pylint: disable=unused-import  # l'importer suffit
from workshop import narration, paths
from workshop.artefacts import newest_model
from workshop.network.gpt2 import TFGPT2LMHeadModel
from workshop.text.sentences import finished
from workshop.text.typography import normalise

from flask import Flask, render_template, request
from transformers import AutoConfig, AutoTokenizer, pipeline
from waitress import create_server

# --- Les réglages ------------------------------------------------------------------------

HOST = os.environ.get("AURORE_HOST", "127.0.0.1")  # 0.0.0.0 dans l'image : joignable de dehors
PORT = os.environ.get("AURORE_PORT", "8080")
LONGEST_PROMPT = 500       # caractères
MAX_NEW_TOKENS = 60        # longueur de la suite
TEMPERATURE = 0.8          # près de 0, le mot le plus probable ; au-delà de 1, l'aventure
TOP_K = 50                 # ne tirer qu'entre les 50 tokens les plus probables


# --- Le réseau ---------------------------------------------------------------------------

class TextGenerator:
    """Le dernier réseau entraîné, sinon le réseau de base embarqué, prêt à écrire."""

    def __init__(self):
        model_path = newest_model() or paths.BASE_MODEL
        self.name = paths.shown(model_path)
        config = AutoConfig.from_pretrained(model_path)
        tokenizer = AutoTokenizer.from_pretrained(model_path)
        model = TFGPT2LMHeadModel.from_pretrained(model_path, config=config)
        self._pipe = pipeline("text-generation", model=model, tokenizer=tokenizer)
        self._one_at_a_time = threading.Lock()

    def get_text(self, prompt):
        """Renvoie `prompt` suivi de ce qu'écrit le réseau, jusqu'à la fin d'une phrase."""
        opening = normalise(prompt)
        with self._one_at_a_time:
            output = self._pipe(opening, max_new_tokens=MAX_NEW_TOKENS, do_sample=True,
                                temperature=TEMPERATURE, top_k=TOP_K)
        return finished(output[0]["generated_text"], start=len(opening))


# --- La page -----------------------------------------------------------------------------

def create_app(generator=None):
    """Renvoie l'application ; `generator` remplace le réseau dans les tests."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    generator = generator or TextGenerator()

    @app.get("/")
    def home():
        return render_template("home.html")

    @app.route("/generate", methods=["GET", "POST"])
    def generate():
        prompt = request.form.get("amorce", "").strip()
        text = problem = None
        if request.method == "POST":
            if not normalise(prompt):
                problem = "Écrivez d'abord quelques mots : le réseau continuera."
            elif len(prompt) > LONGEST_PROMPT:
                problem = f"C'est un peu long : {LONGEST_PROMPT} caractères au plus."
            else:
                text = generator.get_text(prompt)
        page = render_template("generate.html", prompt=prompt, text=text, problem=problem,
                               longest_prompt=LONGEST_PROMPT)
        return page, 400 if problem else 200

    @app.get("/health")
    def health():
        return {"status": "ok"}

    return app


def main():
    """Charge le réseau, puis sert la page jusqu'à Ctrl-C."""
    narration.step(5, "le réseau dans une page web")
    if not PORT.isdigit() or not 0 < int(PORT) < 65536:
        raise narration.WorkshopError(f"AURORE_PORT vaut « {PORT} » : il faut un numéro de port, par exemple 8080.")
    print("Chargement du réseau...", flush=True)
    generator = TextGenerator()
    try:
        server = create_server(create_app(generator), host=HOST, port=int(PORT), threads=8)
    except OSError as error:
        raise narration.WorkshopError(f"Impossible d'ouvrir le port {PORT} : une autre page s'en sert déjà, ou il "
                                      "faut être administrateur.\nFermez l'autre page, ou choisissez un autre port "
                                      "(variable AURORE_PORT, par exemple 8081).") from error
    address = "127.0.0.1" if HOST == "0.0.0.0" else HOST
    port = "" if PORT == "80" else f":{PORT}"
    print(f"Réseau : {generator.name}\nLa page : http://{address}{port}/generate  (Ctrl-C pour arrêter)", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # « docker stop » vaut Ctrl-C
    server.run()
    print("La page est fermée.")


if __name__ == "__main__":
    main()
