"""Un tokenizer tiré des livres eux-mêmes : un BPE d'octets, comme celui de GPT-2.

    python -m recipe.tokenizer LIVRES SORTIE [--vocabulary 8192]

Les deux réseaux ont le même, entraîné sur la plus petite des archives du corpus ; `recipe.pretrain`
le prend sauf avis contraire. Source : Sennrich et al., « Neural machine translation of rare words
with subword units », 2016.
"""

import argparse
import json
from pathlib import Path

from tokenizers import ByteLevelBPETokenizer

from recipe.novels import read_novel
from workshop.errors import WorkshopError
from workshop.narration import count

END_OF_TEXT = "<|endoftext|>"


def train_tokenizer(books, folder, vocabulary):
    """Écrit dans `folder` un tokenizer d'au plus `vocabulary` tokens, entraîné sur les fichiers .txt de `books`.

    Le token 0 est la fin de texte. Renvoie le nombre de tokens ; lève une WorkshopError s'il n'y a pas de livre.
    """
    paths = sorted(books.rglob("*.txt"))
    if not paths:
        raise WorkshopError(f"Aucun fichier .txt dans {books} : indiquez le dossier des livres.")
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(map(read_novel, paths), vocabulary, special_tokens=[END_OF_TEXT], show_progress=False)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    tokenizer.save_model(str(folder))  # vocab.json et merges.txt, que d'autres bibliothèques attendent
    tokens = dict.fromkeys(("bos_token", "eos_token", "pad_token", "unk_token"), END_OF_TEXT)
    config = {**tokens, "tokenizer_class": "GPT2Tokenizer", "add_prefix_space": False,
              "clean_up_tokenization_spaces": False}
    for name, content in (("special_tokens_map.json", tokens), ("tokenizer_config.json", config)):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return tokenizer.get_vocab_size()


if __name__ == "__main__":
    _parser = argparse.ArgumentParser(prog="python -m recipe.tokenizer", description="Tire un tokenizer de livres.")
    _parser.add_argument("books", type=Path, metavar="LIVRES", help="dossier de fichiers .txt")
    _parser.add_argument("output", type=Path, metavar="SORTIE", help="dossier du tokenizer")
    _parser.add_argument("--vocabulary", type=int, default=8192, help="tokens (8192)")
    _settings = _parser.parse_args()
    print(f"{count(train_tokenizer(_settings.books, _settings.output, _settings.vocabulary))} tokens.")
