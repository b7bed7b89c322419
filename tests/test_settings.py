"""Les réglages de l'étape 3 : chaque valeur impossible est nommée, avant tout calcul."""

import pytest

from tiny_networks import tiny_model
from workshop.errors import WorkshopError
from workshop.learning.hub import check_block_length
from workshop.learning.settings import read_settings


@pytest.fixture(name="script", scope="module")
def _script(lesson):
    return vars(lesson("3_train_solution"))


def test_the_settings_of_the_lesson_are_accepted(script):
    settings = read_settings(script)
    assert settings.EPOCHS == script["EPOCHS"] and settings.MODEL_NAME == script["MODEL_NAME"]


@pytest.mark.parametrize("name, value, said", [
    *(("EPOCHS", value, "1, 2 ou 3") for value in (0, 4, "deux", 1.5, True, 1.0)),
    ("TOKENIZER", "special", "pré-entraîné"),
    ("BATCH_SIZE", 0, "entre 1 et 1024"), ("BATCH_SIZE", 2.5, "entier"), ("BATCH_SIZE", True, "entier"),
    ("BLOCK_LENGTH", 4, "entre 16 et 1024"), ("VALIDATION_BLOCKS", 0, "entre 1"),
    ("TIME_BUDGET_MINUTES", "dix", "entre 0.1"), ("DROPOUT", 1, "entre 0 et 0.9"), ("WARMUP", -1, "entre 0"),
    ("SEED", "42", "entier"),
    *(("LEARNING_RATES", value, "dictionnaire") for value in (
        1e4, {}, {float("inf"): 1e4}, {float("inf"): 0}, {float("inf"): "1e-4"}, {20e6: 1e-4}))])
def test_an_impossible_setting_is_named(script, name, value, said):
    with pytest.raises(WorkshopError) as refusal:
        read_settings({**script, name: value})
    assert name in str(refusal.value) and said in str(refusal.value)
    assert "en haut de 3_train_solution.py" in str(refusal.value)


def test_a_block_longer_than_the_network_sees_is_named():
    with pytest.raises(WorkshopError, match="BLOCK_LENGTH vaut 17.*16 tokens"):
        check_block_length(tiny_model(), 17)
