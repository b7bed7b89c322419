"""Les réseaux de la maison : choisis par leur nom, ouverts à la demande, les mêmes mots pour la même graine."""

import shutil
import time

import numpy as np
import pytest

from workshop import paths
from workshop.identity import ExamScore, Identity
from workshop.page import networks
from workshop.page.contract import Malformed, Wish
from workshop.page.events import Full, Piece
from workshop.page.generator import TextGenerator
from workshop.page.readers import Request
from workshop.page.relay import Relay
from workshop.writing import looking
from workshop.writing.engine import Network
from workshop.writing.sampling import Choice

OPENING = "Le soir, la meunière"


def specialised(folder):
    """Fait d'aurore-mini un réseau entraîné, comme l'étape 3."""
    shutil.copytree(paths.BASE_MODEL, folder)
    Identity("aurore-mini spécialisé", "2026-07-01T09:05:00", "aurore-mini",
             score=ExamScore("un conte", 256, 1.111, 20.0)).write(folder)
    return folder


@pytest.fixture(scope="module", name="trained")
def _trained(tmp_path_factory):
    return [specialised(tmp_path_factory.mktemp("model") / f"2026-07-0{day}_09-05-00") for day in (2, 1)]


@pytest.fixture(name="generator")
def _generator(trained):
    generator = TextGenerator(lambda: trained[0], lambda: trained)
    yield generator
    generator.stop(0)


def written(generator, **wish):
    """Ce qu'écrit le réseau."""
    return "".join(event.text for event in generator.write(OPENING, "", Wish(length="court", **wish))
                   if isinstance(event, Piece))


def test_every_network_of_the_house_is_there_the_one_who_writes_first(generator):
    assert [network.key for network in generator.networks] == [
        "2026-07-02_09-05-00", "2026-07-01_09-05-00", "aurore", "aurore-mini"]
    assert generator.networks[0] == generator.network == generator.find("") == generator.find("2026-07-02_09-05-00")
    assert generator.network.parent == "aurore-mini" and generator.network.score == 1.111
    with pytest.raises(Malformed, match="pas, ou n'est plus, dans la maison"):
        generator.find("balzac")


def test_the_same_seed_gives_the_same_words_on_the_same_network(generator):
    """Le réseau spécialisé d'ici est une copie d'aurore-mini : la graine, elle seule, change les mots."""
    one = written(generator, seed=1)
    assert one == written(generator, seed=1) == written(generator, seed=1, network="aurore-mini")
    assert len({one, written(generator, seed=2), written(generator, seed=1, network="aurore")}) == 3
    assert written(generator, seed=1, top_k=1) == written(generator, seed=2, top_k=1) != one
    assert written(generator, seed=1, top_p=0.05) == written(generator, seed=2, top_p=0.05)


def test_only_a_few_networks_stay_open_and_the_one_who_writes_is_not_opened_twice(generator, monkeypatch):
    opened, open_network = [], networks.open_network
    monkeypatch.setattr(networks, "open_network", lambda folder: opened.append(folder.name) or open_network(folder))
    assert networks.MOST_OPEN == 2
    for key in ("aurore-mini", "2026-07-02_09-05-00", "aurore", "aurore-mini", "2026-07-01_09-05-00", "aurore"):
        assert written(generator, seed=1, network=key)
    assert opened == ["base_model", "sand_model", "2026-07-01_09-05-00", "sand_model"]


def test_a_network_that_writes_is_not_closed_for_another(trained):
    house = networks.Networks(Relay(lambda: trained[0]), lambda: trained)
    endless = Request(OPENING, max_new_tokens=1_000_000)
    writing = [house.join(endless, key) for key in ("aurore-mini", "aurore")]
    for reader in writing:
        assert next(reader).text
    with pytest.raises(Full):
        house.join(endless, "2026-07-01_09-05-00")
    writing[0].close()
    while sum(each.active for each in house.everyone) == 2:  # il s'en va entre deux tokens
        time.sleep(0.01)
    assert next(house.join(endless, "2026-07-01_09-05-00")).text and next(writing[1]).text
    house.stop(0)
    list(writing[1])
    assert writing[1].ending == "stopped"


@pytest.mark.fault("un réseau qui n'écrit pas")
def test_a_network_that_does_not_write_is_refused_and_disturbs_nobody(tmp_path):
    broken = specialised(tmp_path / "2026-07-03_09-05-00")
    (broken / "config.json").write_text((broken / "config.json").read_text(encoding="utf-8").replace(
        '"gelu_new"', '"inconnue"'), encoding="utf-8")
    broken_too = TextGenerator(lambda: paths.BASE_MODEL, lambda: [broken])
    with pytest.raises(Malformed, match="n'arrive pas à écrire"):
        written(broken_too, network=broken.name)
    assert written(broken_too)
    broken_too.stop(0)


def test_the_look_says_what_the_network_expected(generator):
    look = generator.look("Il lui serra la main", "aurore")
    assert "".join(piece.text for piece in look.pieces) == "Il lui serra la main"
    assert look.pieces[0].probability is None and len(look.pieces) > 3
    *_, last = look.pieces
    assert last.text == " main" and last.candidates[0] == (" main", last.probability) and last.probability > 0.5
    assert last.entropy < look.pieces[1].entropy
    chances = [chance for _, chance in look.following]
    assert len(chances) == 100 and chances == sorted(chances, reverse=True) and 0.5 < sum(chances) < 1


def test_looking_and_writing_agree(generator):
    """Ce qu'il attendait après l'amorce est ce entre quoi il a tiré son premier mot : au-delà de l'audace."""
    first = next(generator.write(OPENING, "", Wish("aurore-mini", boldness=1, top_k=100)))
    following = generator.look(OPENING, "aurore-mini").following
    total = sum(chance for _, chance in following)
    assert [text for text, _ in first.candidates] == [text for text, _ in following[:5]]
    assert [chance for _, chance in first.candidates] == pytest.approx([chance / total for _, chance in following[:5]],
                                                                       rel=1e-3)


def test_a_text_longer_than_the_context_is_looked_at_from_its_end(generator):
    look = generator.look("Il était une fois une meunière. " * 60, "aurore-mini")
    assert len(look.pieces) == Network.open(paths.BASE_MODEL).context


@pytest.mark.parametrize("text", ["Le", "Il lui serra la main", "Il était une fois une meunière. " * 60])
def test_what_it_looks_at_adds_up_to_the_whole(generator, text):
    seen = generator.attention(text, "aurore-mini")
    shares = np.array(seen.shares)
    assert shares.shape == (6, 4, len(seen.texts)) and (shares >= 0).all() and (shares.sum(-1) == 1000).all()
    assert "".join([seen.before, *seen.texts]).replace(" ", "") == text.replace(" ", "")
    assert len(seen.texts) <= Network.open(paths.BASE_MODEL).context


def test_rounding_loses_nothing_however_many_the_tokens():
    """Mille parts d'un millième : des sommes arrondies, aucune part n'est perdue."""
    class Even:  # pylint: disable=too-few-public-methods  # un réseau, pour ce qu'on en regarde
        """Un réseau qui regarde tout de même façon."""

        def attention(self, tokens):
            """Des parts égales."""
            return np.full((1, 1, len(tokens)), 1 / len(tokens), np.float32)
    for length in 1, 3, 7, 999, 1024:
        (shares,), = looking.attention(Even(), range(length))
        assert shares.sum() == 1000 and np.ptp(shares) <= 1
        for part in np.array_split(shares, min(length, 9)):
            assert abs(part.sum() - 1000 * len(part) / length) <= 1


def test_a_large_answer_keeps_the_end_of_the_text(generator, monkeypatch):
    """Le reste des parts, et du texte, est à ce qui précède."""
    whole = generator.attention("Il était une fois une meunière.", "aurore-mini")
    monkeypatch.setattr("workshop.page.generator.MOST_SHARES", 6 * 4 * 3)
    cut = generator.attention("Il était une fois une meunière.", "aurore-mini")
    assert cut.texts == whole.texts[-3:] and cut.before.split() == "".join(whole.texts[:-3]).split()
    assert np.array_equal(cut.shares, np.array(whole.shares)[..., -3:])


def test_entropy_counts_the_bits_of_the_hesitation():
    for probabilities, bits in (([1.0], 0), ([0.5, 0.5], 1), ([0.25] * 4, 2), ([1.0, 0.0], 0)):
        assert Choice(0, 1.0, np.arange(len(probabilities)), np.array(probabilities)).entropy == bits


def test_reading_everywhere_is_reading_each_beginning():
    network = Network.open(paths.BASE_MODEL)
    tokens = [5, 100, 7, 250, 31]
    whole = looking.read(network, tokens)
    for end, choice in enumerate(whole.choices, start=1):
        beginning = looking.read(network, tokens[:end]).following
        expected = dict(zip(beginning[0].tolist(), beginning[1].tolist()))
        assert choice.token == tokens[end] and choice.probability == pytest.approx(expected[tokens[end]], rel=1e-3)
