"""La recette du modèle de base, sur un corpus inventé et un réseau minuscule."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recipe import novels

ROOT = Path(__file__).resolve().parent.parent.parent
CONTEXT = 16

# Un réseau minuscule, sauvé tous les cinq pas ; il se tue lui-même au pas demandé.
DRIVER = """
import os, signal, sys
from recipe import pretrain
pretrain.VOCABULARY, pretrain.CONTEXT, pretrain.VALIDATION_BLOCKS = 300, 16, 4
pretrain.LAYERS, pretrain.WIDTH, pretrain.HEADS = 1, 16, 2
pretrain.WARMUP_STEPS, pretrain.LOG_STEPS, pretrain.SAVE_SECONDS = 4, 1, 0
dies_at = int(sys.argv.pop(1))
training = pretrain.Training(pretrain.parse_arguments())
save, one_step = training.save, training.one_step
def save_sometimes():
    if training.step % 5 == 0:
        save()
def mortal_step():
    if training.step == dies_at:
        os.kill(os.getpid(), signal.SIGKILL)
    return one_step()
training.save, training.one_step = save_sometimes, mortal_step
training.run()
"""


def invented_novel(seed, paragraphs=40):
    """Un texte au hasard, mais toujours le même, sans suite de mots commune avec un autre."""
    generator = random.Random(seed)
    syllables = ["ba", "li", "ron", "té", "mou", "sa", "vier", "gne"]
    return "\n".join(
        " ".join("".join(generator.choices(syllables, k=generator.randint(1, 3))) for _ in range(12))
        + " ." for _ in range(paragraphs))


@pytest.fixture(name="books")
def fixture_books(tmp_path):
    """Un dossier de six romans inventés."""
    folder = tmp_path / "livres"
    folder.mkdir()
    for seed in range(6):
        (folder / f"roman{seed}.txt").write_text(invented_novel(seed), encoding="utf-8")
    return folder


class WordTokenizer:
    """Un token par mot, dont le numéro dit aussi de quel roman il vient : son premier mot."""

    eos_token_id = 0

    @property
    def backend_tokenizer(self):
        """Ce qui distingue ce tokenizer d'un autre."""
        return self

    def to_str(self):
        """Le contenu du tokenizer, pour le nom du cache."""
        return "mots"

    def __call__(self, texts, **_):
        return {"input_ids": [[sum(text.split()[0].encode())] * len(text.split())
                              for text in texts]}


def test_blocks_never_cross_novels_and_read_every_token(books, tmp_path):
    tokens, shelf = novels.tokenise_novels(books, WordTokenizer(), tmp_path / "cache", seed=1)
    assert sum(novel.validation for novel in shelf) == novels.VALIDATION_NOVELS
    everything = [novels.Novel(n.name, n.start, n.end, False, False) for n in shelf]
    starts = novels.reading_order(everything, CONTEXT, epoch=0, seed=0)
    for start in starts:
        block = tokens[start:start + CONTEXT + 1]
        assert len(block) == CONTEXT + 1
        assert len(set(block) - {0}) == 1
    answered = {position for start in starts for position in range(start + 1, start + CONTEXT + 1)}
    openings = {novel.start for novel in shelf}
    assert answered | openings == set(range(len(tokens)))


def test_each_novel_stands_between_two_ends_of_text(books, tmp_path):
    tokens, shelf = novels.tokenise_novels(books, WordTokenizer(), tmp_path / "cache")
    for novel in shelf:
        ids = tokens[novel.start:novel.end]
        assert ids[0] == ids[-1] == 0 and np.all(ids[1:-1] > 0)


def test_paragraphs_are_normalised_and_joined_by_one_space(tmp_path):
    path = tmp_path / "roman.txt"
    path.write_text("L’été…\n\n -- Viens !\n", encoding="utf-8")
    assert novels.read_novel(path) == "L'été... — Viens!"


def test_a_novel_under_two_names_is_read_once():
    same = invented_novel(1, paragraphs=100)
    texts = {"autre.txt": invented_novel(2, paragraphs=100), "tome.txt": same[:len(same) // 2],
             "complet.txt": same}
    kept, duplicates = novels.without_duplicates(texts)
    assert set(kept) == {"autre.txt", "complet.txt"} and set(duplicates) == {"tome.txt"}
    kept, duplicates = novels.without_duplicates(texts, priority={"tome.txt"})
    assert "tome.txt" in kept and "complet.txt" in duplicates


def test_new_novels_are_read_before_known_ones_and_kept_ones_never():
    shelf = [novels.Novel("connu", 0, 100, True, False), novels.Novel("gardé", 100, 200, False, True),
             novels.Novel("nouveau", 200, 300, False, False)]
    first = novels.reading_order(shelf, CONTEXT, epoch=0, seed=0)
    assert np.all(first[:len(first) // 2] >= 200) and np.all(first[len(first) // 2:] < 100)
    second = novels.reading_order(shelf, CONTEXT, epoch=1, seed=0)
    assert sorted(second) == sorted(first) and list(second) != list(first)


def test_muon_orthogonalises_wide_and_tall_matrices_alike():
    torch = pytest.importorskip("torch")
    from recipe.optimiser import orthogonalise  # pylint: disable=import-outside-toplevel
    torch.manual_seed(0)
    wide = torch.randn(3, 8, 32) * torch.tensor([1e-3, 1.0, 1e3])[:, None, None]
    singular = torch.linalg.svdvals(orthogonalise(wide))
    assert singular.min() > 0.5 and singular.max() < 1.3
    assert torch.allclose(orthogonalise(wide.mT), orthogonalise(wide).mT, atol=1e-5)


def test_gradients_by_slices_are_those_of_the_whole():
    torch = pytest.importorskip("torch")
    from recipe import pretrain  # pylint: disable=import-outside-toplevel
    torch.manual_seed(0)
    model = pretrain.GPT2LMHeadModel(pretrain.GPT2Config(
        vocab_size=50, n_positions=CONTEXT, n_layer=1, n_embd=16, n_head=2,
        attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0))
    blocks = torch.randint(0, 50, (3, CONTEXT + 1))
    total, gradients = pretrain.summed_loss(model, blocks)
    whole = model(blocks[:, :-1]).logits.flatten(0, 1)
    loss = torch.nn.functional.cross_entropy(whole, blocks[:, 1:].flatten(), reduction="sum")
    assert total == pytest.approx(loss.item(), rel=1e-5)
    for found, expected in zip(gradients, torch.autograd.grad(loss, list(model.parameters()))):
        assert torch.allclose(found, expected, rtol=1e-3, atol=1e-4)
    assert pretrain.mean_loss(model, blocks) == pytest.approx(total / blocks[:, 1:].numel(), rel=1e-5)


def train(books, output, *options, dies_at=-1):
    """Lance la recette sur 20 pas, dans un processus à part, et renvoie son code de retour."""
    return subprocess.run(
        [sys.executable, "-c", DRIVER, str(dies_at), str(books), str(output), "--steps", "20",
         "--batch", "8", "--threads", "2", "--validation", "roman0.txt", *options],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT / 'aurore'}{os.pathsep}{ROOT}"}, check=False).returncode


def read_losses(output):
    """Les pertes du journal, celles d'entraînement puis celles de validation."""
    path = output.with_name(output.name + "-travail") / "training_log.csv"
    with open(path, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return ([float(row["loss"]) for row in rows],
            [float(row["val_loss"]) for row in rows if row["val_loss"]])


def test_a_killed_training_ends_where_an_undisturbed_one_does(books, tmp_path):
    pytest.importorskip("torch")
    undisturbed, killed = tmp_path / "tranquille", tmp_path / "tué"
    assert train(books, undisturbed) == 0
    assert train(books, killed, dies_at=13) == -signal.SIGKILL
    assert train(books, killed) == 0
    for expected, found in zip(read_losses(undisturbed), read_losses(killed), strict=True):
        assert found == pytest.approx(expected, abs=1e-4)  # nats par token
    losses, _ = read_losses(undisturbed)
    assert len(losses) == 20 and losses[-1] < losses[0]

    from safetensors.numpy import load_file  # pylint: disable=import-outside-toplevel
    weights = load_file(undisturbed / "model.safetensors")
    assert weights["transformer.h.0.attn.c_attn.weight"].dtype == np.float16
    assert "lm_head.weight" not in weights
    assert {"config.json", "tokenizer.json", "vocab.json", "merges.txt"} <= {
        path.name for path in undisturbed.iterdir()}


def test_the_shape_asked_for_is_trained_and_published(books, tmp_path):
    pytest.importorskip("torch")
    output = tmp_path / "modèle"
    assert train(books, output, "--steps", "5", "--layers", "2", "--width", "24", "--heads", "3",
                 "--vocabulary", "310", "--dropout", "0.1") == 0
    config = json.loads((output / "config.json").read_text(encoding="utf-8"))
    assert [config[name] for name in ("n_layer", "n_embd", "n_head", "vocab_size")] == [2, 24, 3, 310]

    from safetensors.numpy import load_file  # pylint: disable=import-outside-toplevel
    weights = load_file(output / "model.safetensors")
    assert weights["transformer.wte.weight"].shape == (310, 24)
    assert "transformer.h.1.mlp.c_fc.weight" in weights and "transformer.h.2.mlp.c_fc.weight" not in weights


def test_a_shape_that_cannot_be_is_refused_before_anything_is_written(books, tmp_path, capsys):
    pytest.importorskip("torch")
    from recipe import pretrain  # pylint: disable=import-outside-toplevel
    for options, reason in ((["--width", "100", "--heads", "3"], "têtes"),
                            (["--from", str(tmp_path), "--layers", "2"], "modèle de départ")):
        with pytest.raises(SystemExit):
            pretrain.parse_arguments([str(books), str(tmp_path / "modèle"), *options])
        assert reason in capsys.readouterr().err


def test_dropout_acts_on_training_and_never_on_the_measure():
    torch = pytest.importorskip("torch")
    from recipe import pretrain  # pylint: disable=import-outside-toplevel
    torch.manual_seed(0)
    model = pretrain.GPT2LMHeadModel(pretrain.GPT2Config(
        vocab_size=50, n_positions=CONTEXT, n_layer=1, n_embd=16, n_head=2,
        attn_pdrop=0.5, embd_pdrop=0.5, resid_pdrop=0.5)).train()
    blocks = torch.randint(0, 50, (3, CONTEXT + 1))
    assert pretrain.summed_loss(model, blocks)[0] != pretrain.summed_loss(model, blocks)[0]
    assert pretrain.mean_loss(model, blocks) == pretrain.mean_loss(model, blocks)
