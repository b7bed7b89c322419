"""Les fiches de ce qui part sur Hugging Face : ce que c'est, d'où cela vient, la licence, la note, comment l'ouvrir."""

from pathlib import Path

from huggingface_hub import DatasetCardData, HfApi, ModelCardData

from workshop.identity import Identity
from workshop.narration import count, decimal
from workshop.sources import embedded_books

TALES = {"license": "cc-by-4.0"}
OF_TALES = ("Ces contes, écrits pour l'atelier à la manière de George Sand, sont sous licence Creative Commons "
            "Attribution 4.0, « les auteurs d'Aurore ».")
BOOKS = {"license": "other", "license_name": "domaine-public"}
OF_BOOKS = ("Project Gutenberg donne ses livres pour du domaine public ; la page de chacun dit où. Si d'autres s'y "
            "trouvent, leurs droits sont à vérifier avant d'ouvrir ce dépôt à tous.")
OURS = {"license": "cc-by-4.0"}
OF_OURS = "Creative Commons Attribution 4.0, celle du réseau de départ, par « les auteurs d'Aurore »."

_LOGIN = "Tant que ce dépôt est privé, connectez-vous d'abord : `hf auth login`.\n\n"

_OPEN_DATA = """```python
from datasets import load_dataset

dataset = load_dataset("{name}")

# TensorFlow
batches = dataset["train"].to_tf_dataset(columns=["text"], batch_size=8)

# PyTorch
from torch.utils.data import DataLoader

batches = DataLoader(dataset["train"], batch_size=8)
```"""

_OPEN_TOKENIZER = """```python
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{name}")
tokenizer("Le soir, elle se rappelait", return_tensors="tf")  # TensorFlow
tokenizer("Le soir, elle se rappelait", return_tensors="pt")  # PyTorch
```"""

_OPEN_NETWORK = """TensorFlow (transformers 4, avec `TF_USE_LEGACY_KERAS=1`) :

```python
from transformers import AutoTokenizer, TFAutoModelForCausalLM

tokenizer = AutoTokenizer.from_pretrained("{name}")
model = TFAutoModelForCausalLM.from_pretrained("{name}")
inputs = tokenizer("Le soir, elle se rappelait", return_tensors="tf")
print(tokenizer.decode(model.generate(**inputs, max_new_tokens=40, do_sample=True)[0]))
```

PyTorch :

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{name}")
model = AutoModelForCausalLM.from_pretrained("{name}")
inputs = tokenizer("Le soir, elle se rappelait", return_tensors="pt")
print(tokenizer.decode(model.generate(**inputs, max_new_tokens=40, do_sample=True)[0]))
```

À l'atelier, en haut des étapes 4 et 5 : `MODEL_NAME = "{name}"`."""


def of_data(dataset, name):
    """Renvoie la fiche du jeu de données `dataset` (un DatasetDict), dont le dépôt est `name`."""
    licence, sentence = _licence_of_books(dataset)
    rows = [(part, count(len(rows)), count(sum(rows["sentence_length"][:])), ", ".join(rows.unique("book")))
            for part, rows in dataset.items()]
    return _card(DatasetCardData(language="fr", task_categories=["text-generation"], **licence),
                 "# Des phrases de livres",
                 "Préparées à l'étape 1 de l'atelier Aurore : une ligne par phrase, avec son livre (`book`), sa place "
                 "dans le livre (`position`) et son nombre de mots (`sentence_length`).",
                 "| partie | phrases | mots | livres |\n| --- | --- | --- | --- |\n"
                 + "\n".join(f"| {' | '.join(row)} |" for row in rows),
                 f"## Licence\n\n{sentence}", "## L'ouvrir\n\n" + _LOGIN + _OPEN_DATA.format(name=name))


def of_tokenizer(tokenizer, dataset, name):
    """Renvoie la fiche de `tokenizer`, entraîné sur `dataset`."""
    licence, sentence = _licence_of_books(dataset)
    sentences = dataset["validation"]["text"][:]
    tokens = sum(map(len, tokenizer(sentences)["input_ids"])) / sum(len(text.split()) for text in sentences)
    return _card(ModelCardData(language="fr", library_name="transformers", **licence),
                 "# Un tokenizer", "Entraîné à l'étape 2 de l'atelier Aurore sur ces livres : "
                 f"{', '.join(dataset['train'].unique('book'))}. Il a {count(len(tokenizer))} tokens.",
                 f"Sa note : {decimal(tokens)} tokens par mot, sur les phrases de validation.",
                 f"## Licence\n\nCelle des livres. {sentence}",
                 "## L'ouvrir\n\n" + _LOGIN + _OPEN_TOKENIZER.format(name=name))


def of_network(folder, name):
    """Renvoie la fiche du réseau de `folder` : celle que l'étape 3 lui a écrite, et ce qu'il faut pour publier."""
    identity = Identity.read(folder)
    origin = (identity.parent or "").split(" ", maxsplit=1)[0]  # « aurore-mini spécialisé » vient d'aurore-mini
    licence, sentence = _licence_of_network(origin)
    written = Path(folder) / "README.md"
    return _card(ModelCardData(language="fr", library_name="transformers", pipeline_tag="text-generation",
                               tags=["gpt2"], base_model=origin if "/" in origin else None, **licence),
                 written.read_text(encoding="utf-8").strip() if written.is_file() else f"# {identity.name}",
                 f"## Licence\n\n{sentence}", "## L'ouvrir\n\n" + _LOGIN + _OPEN_NETWORK.format(name=name))


def _card(metadata, *parts):
    return f"---\n{metadata.to_yaml()}\n---\n\n" + "\n\n".join(parts) + "\n"


def _licence_of_books(dataset):
    titles = {title for rows in dataset.values() for title in rows.unique("book")}
    ours = titles <= {*embedded_books("train"), *embedded_books("test")}
    return (TALES, OF_TALES) if ours else (BOOKS, OF_BOOKS)


def _licence_of_network(origin):
    """Renvoie (métadonnées, phrase) : un réseau spécialisé garde la licence de celui d'où il part."""
    if origin in ("aurore", "aurore-mini"):
        return OURS, OF_OURS
    declared = _declared_licence(origin) if "/" in origin else None
    if declared:
        return {"license": declared}, f"`{declared}`, celle du réseau de départ, {origin}."
    return {}, (f"Celle du réseau de départ{f', {origin}' if origin else ''}, à écrire en tête de cette fiche avant "
                "d'ouvrir ce dépôt à tous.")


def _declared_licence(name):
    """Renvoie la licence que déclare le réseau `name` du catalogue, ou None si on ne peut pas le savoir."""
    try:
        card = HfApi(token=False).model_info(name, timeout=10).card_data
        return card.license if card and isinstance(card.license, str) else None
    except (OSError, ValueError):  # requests, huggingface_hub ; un nom impossible
        return None
