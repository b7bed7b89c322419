"""Des romans inventés et une bibliothèque minuscule, pour les tests de la recette."""

import random

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from recipe.novels import BASE, SECOND, VALIDATION, prepare_library

CONTEXT = 16


def invented_novel(seed, paragraphs=40):
    """Renvoie un texte au hasard, mais toujours le même, sans suite de mots commune avec un autre."""
    generator = random.Random(seed)
    syllables = ["ba", "li", "ron", "té", "mou", "sa", "vier", "gne"]
    return "\n".join(
        " ".join("".join(generator.choices(syllables, k=generator.randint(1, 3))) for _ in range(12))
        + " ." for _ in range(paragraphs))


def small_tokenizer(texts, vocabulary=300):
    """Renvoie un BPE d'octets de `vocabulary` tokens ; le premier est la fin de texte."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=["<|endoftext|>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer


def small_library(folder):
    """Écrit dans `folder` une bibliothèque et son tokenizer : six romans, deux du second corpus et un gardé."""
    texts = {f"roman{seed}": invented_novel(seed).replace("\n", " ") for seed in range(9)}
    parts = {name: {"roman6": SECOND, "roman7": SECOND, "roman8": VALIDATION}.get(name, BASE) for name in texts}
    tokenizer = small_tokenizer(texts.values())
    novels = prepare_library(texts, parts, tokenizer, folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return novels
