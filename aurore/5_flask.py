"""Étape 5 : le réseau dans une page web.

    python aurore/5_flask.py

puis http://127.0.0.1:8080/generate dans un navigateur (le port est celui de AURORE_PORT). La
page envoie le début de texte tapé dans le champ « amorce » ; le réseau le continue.
"""

import os
import threading

from workshop import narration, paths
from workshop.artefacts import newest_model
from workshop.errors import WorkshopError
from workshop.page import api, door, errors, guards, prompts, service
from workshop.page.guide import guide
from workshop.page.metrics import Metrics
from workshop.page.readers import Request
from workshop.page.relay import Relay
from workshop.page.story import Story, to_the_end
from workshop.text.sentences import finished
from workshop.text.typography import normalise

from flask import Flask, render_template, request
from flask_wtf.csrf import CSRFError

# --- Les réglages ------------------------------------------------------------------------

HOST = os.environ.get("AURORE_HOST", "127.0.0.1")  # 0.0.0.0 dans l'image : joignable de dehors
PORT = os.environ.get("AURORE_PORT", "8080")
LENGTHS = {"court": 40, "moyen": 90, "long": 200}  # tokens écrits avant de chercher la fin d'une phrase
PATIENCE = 60              # tokens de plus, au pire, pour trouver cette fin
BOLDNESS = 0.8             # la température : près de 0, le mot le plus probable ; au-delà de 1, l'aventure
TOP_K = 50                 # ne tirer qu'entre les 50 tokens les plus probables


# --- Le réseau ---------------------------------------------------------------------------

def choose_model():
    """Renvoie le dossier du réseau qui écrit : le dernier entraîné, sinon aurore, embarqué."""
    return newest_model() or paths.SAND_MODEL


class TextGenerator:
    """Le réseau, prêt à écrire pour plusieurs lecteurs à la fois."""

    # Pourquoi un texte s'est arrêté, dans les mots de l'API.
    ENDINGS = {"length": "longueur", "end": "texte", "closed": "arret", "stopped": "arret"}

    def __init__(self):
        self.readers = Relay(choose_model)

    @property
    def network(self):
        """Le nom, la date et la note de celui qui écrit."""
        return self.readers.network

    @property
    def active(self):
        """Le nombre de textes en train de s'écrire, pour /metrics."""
        return self.readers.active

    @property
    def waiting(self):
        """Le nombre de lecteurs dans la file."""
        return self.readers.waiting

    def write(self, prompt, suite="", length="moyen", boldness=BOLDNESS):
        """Continue `prompt` puis `suite`, ce qui en est déjà écrit ; donne les tokens un à un.

        Le réseau reçoit le texte, donne une probabilité à chaque token possible, en tire un,
        l'ajoute au texte, et recommence. Une fois la longueur atteinte, il finit sa phrase.
        Lève Full si trop de lecteurs attendent ; fermer le générateur arrête le calcul.
        """
        opening, wanted = normalise(prompt + suite), LENGTHS[length]
        with self.readers.join(Request(opening, max_new_tokens=wanted + PATIENCE, temperature=boldness,
                                       top_k=TOP_K)) as reader:
            text, written = opening, 0
            for event in reader:
                yield event
                if hasattr(event, "text"):  # un token, et non une place dans la file
                    text, written = text + event.text, written + 1
                    if written >= wanted and finished(text, start=len(opening)) == text:
                        break
        return self.ENDINGS.get(reader.ending, "arret")

    def get_text(self, prompt):
        """Renvoie `prompt` suivi de ce qu'écrit le réseau, jusqu'à la fin d'une phrase."""
        opening = normalise(prompt)
        text = opening + "".join(event.text for event in self.write(prompt, length="court") if hasattr(event, "text"))
        return finished(text, start=len(opening))


def open_pipe(model_path):
    """Ouvre le même réseau avec transformers, comme à l'étape 4 : plus lent à venir, mais tout le catalogue
    s'ouvre ainsi. `pipe("Le soir, la meunière")` le fait écrire."""
    # TensorFlow met plusieurs secondes à s'importer : la page, qui s'en passe, n'a pas à l'attendre.
    # pylint: disable=import-outside-toplevel
    from workshop import quiet_tensorflow  # pylint: disable=unused-import  # l'importer suffit
    from workshop.learning.gpt2_tf import TFGPT2LMHeadModel
    from transformers import AutoConfig, AutoTokenizer, pipeline

    config = AutoConfig.from_pretrained(model_path)
    tokenizer = AutoTokenizer.from_pretrained(model_path)
    model = TFGPT2LMHeadModel.from_pretrained(model_path, config=config)
    pipe = pipeline("text-generation", model=model, tokenizer=tokenizer)
    return pipe


# --- La page -----------------------------------------------------------------------------

OPENINGS = [
    "Le soir, quand la lampe fut allumée, elle",
    "Au bout du chemin creux, il y avait une maison",
    "Jeanne n'avait jamais quitté le village. Un matin,",
    "— Vous ne me connaissez pas, dit l'inconnu,",
    "Le vieux meunier regardait couler la rivière",
    "Ce fut par une nuit d'orage que le marquis",
]
LENGTH_CHOICES = [
    ("court", "Court", "Quelques phrases."),
    ("moyen", "Moyen", "Un paragraphe."),
    ("long", "Long", "Une demi-page."),
]
EXPIRED = "La page était ouverte depuis longtemps. Votre texte est toujours là : appuyez encore une fois sur Générer."


def create_app(generator=None):
    """Renvoie l'application ; `generator` remplace le réseau dans les tests."""
    app = Flask(__name__)
    generator = generator or TextGenerator()
    csrf, limit = guards.protect(app)
    metrics = Metrics(generator)
    for blueprint in (metrics.blueprint(), door.blueprint(door.read_access_code()), guide):
        app.register_blueprint(blueprint)
    writing = api.blueprint(generator, list(LENGTHS), metrics, limit)
    csrf.exempt(writing)  # un autre site ne peut pas envoyer de JSON sans la permission du navigateur
    app.register_blueprint(writing)
    app.config["TEMPLATES_AUTO_RELOAD"] = True  # on change une phrase d'un gabarit, on recharge : elle y est
    app.context_processor(lambda: {"network": generator.network})

    def show(code=200, **page):
        """Renvoie la page du formulaire, telle que le visiteur l'avait remplie."""
        typed = {"prompt": prompts.readable(request.form.get("amorce", "")),
                 "length": request.form.get("longueur", "moyen"), "boldness": request.form.get("audace", str(BOLDNESS))}
        return render_template("generate.html", **typed, lengths=LENGTH_CHOICES, openings=OPENINGS,
                               longest_prompt=prompts.LONGEST_PROMPT,
                               **{"problem": None, "warning": None, "story": None, **page}), code

    errors.register(app, show)

    @app.get("/")
    def home():
        return render_template("home.html")

    @app.route("/generate", methods=["GET", "POST"])
    @limit
    def generate():
        if request.method == "GET":
            return show()
        try:
            prompt = prompts.check(request.form.get("amorce", ""))
        except prompts.Refused as refusal:
            return show(400, problem=str(refusal))
        length, boldness = request.form.get("longueur", "moyen"), request.form.get("audace", BOLDNESS, type=float)
        story = Story(prompt, generator.network)
        to_the_end(story.follow(metrics.count(generator.write(
            prompt.opening, length=length if length in LENGTHS else "moyen", boldness=min(1.5, max(0.1, boldness))))))
        return show(story=story, warning=prompt.warning, network=story.network)

    @app.errorhandler(CSRFError)
    def expired(_):
        if request.endpoint == "door.code":
            return render_template("code.html", problem=door.EXPIRED), 400
        return show(400, problem=EXPIRED)

    @app.get("/health")
    def health():
        return {"status": "ok"}

    @app.get("/ready")
    def ready():
        return {"status": "ok", "reseau": generator.network.name}

    return app


def main():
    """Ouvre le réseau, puis sert la page jusqu'à Ctrl-C."""
    narration.step(5, "le réseau dans une page web")
    if not PORT.isdigit() or not 0 < int(PORT) < 65536:
        raise WorkshopError(f"AURORE_PORT vaut « {PORT} » : il faut un numéro de port, par exemple 8080.")
    print("Chargement du réseau...", flush=True)
    generator = TextGenerator()
    server = service.open_server(create_app(generator), HOST, int(PORT))
    address = "127.0.0.1" if HOST == "0.0.0.0" else HOST
    port = "" if PORT == "80" else f":{PORT}"
    print(f"Réseau : {generator.network.name}\nLa page : http://{address}{port}/generate  (Ctrl-C pour arrêter)",
          flush=True)
    threading.Thread(target=prompts.warm_up, daemon=True).start()  # la page s'ouvre sans l'attendre
    service.run_until_stopped(server, generator.readers.stop)
    print("La page est fermée.")


if __name__ == "__main__":
    main()
