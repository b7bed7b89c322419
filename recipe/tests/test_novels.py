"""La bibliothèque : des romans lus une seule fois, entre deux fins de texte, et la liste de ce qui a été lu."""

import csv

import numpy as np
import pytest

from recipe import corpus, novels
from recipe.readings import alphabetical, clean_author, clean_title, read_manifests
from recipe.tests.invented import invented_novel, small_library, small_tokenizer
from recipe.tokenizer import train_tokenizer
from workshop.errors import WorkshopError
from workshop.learning.readings import write_list


def test_paragraphs_are_normalised_and_joined_by_one_space(tmp_path):
    path = tmp_path / "roman.txt"
    path.write_text("L’été…\n\n -- Viens !\n", encoding="utf-8")
    assert novels.read_novel(path) == "L'été... — Viens!"


def test_a_novel_under_two_names_is_read_once():
    same = invented_novel(1, paragraphs=100)
    texts = {"autre": invented_novel(2, paragraphs=100), "tome": same[:len(same) // 2], "complet": same}
    kept, duplicates = novels.without_duplicates(texts)
    assert set(kept) == {"autre", "complet"} and set(duplicates) == {"tome"}
    kept, duplicates = novels.without_duplicates(texts, priority={"tome"})
    assert "tome" in kept and "complet" in duplicates


def test_a_novel_kept_for_measuring_is_never_read_under_another_name(tmp_path):
    same = invented_novel(1, paragraphs=100)
    texts = {"lu": same, "gardé": same[:-200], "autre": invented_novel(2)}
    parts = {"lu": novels.BASE, "gardé": novels.VALIDATION, "autre": novels.BASE}
    found = novels.prepare_library(texts, parts, small_tokenizer(texts.values()), tmp_path / "bibliothèque")
    assert {novel.name: novel.part for novel in found} == {"gardé": novels.VALIDATION, "autre": novels.BASE}


def test_each_novel_stands_between_two_ends_of_text(tmp_path):
    small_library(tmp_path)
    tokens, shelf = novels.open_library(tmp_path)
    assert tokens.dtype == np.uint16 and shelf[0].start == 0 and shelf[-1].end == len(tokens)
    for novel in shelf:
        ids = tokens[novel.start:novel.end]
        assert ids[0] == ids[-1] == 0 and np.all(ids[1:-1] > 0)


def test_a_folder_of_texts_is_prepared_once_and_its_second_corpus_known(tmp_path):
    books = tmp_path / "livres"
    (books / "sand").mkdir(parents=True)
    for seed in range(4):
        (books / f"{seed}.txt").write_text(invented_novel(seed), encoding="utf-8")
    (books / "sand" / "4.txt").write_text(invented_novel(4), encoding="utf-8")
    tokenizer = small_tokenizer([invented_novel(0)])

    def library():
        return novels.library_of(books, tokenizer, tmp_path / "cache", second=books / "sand", validation=["0.txt"])
    folder = library()
    parts = {novel.name: novel.part for novel in novels.open_library(folder)[1]}
    assert parts.pop("0.txt") == novels.VALIDATION and parts.pop("sand/4.txt") == novels.SECOND
    assert set(parts.values()) == {novels.BASE}
    prepared = (folder / novels.NOVELS).stat().st_mtime_ns
    assert library() == folder and (folder / novels.NOVELS).stat().st_mtime_ns == prepared
    (books / "5.txt").write_text(invented_novel(5), encoding="utf-8")
    assert library() != folder


def test_a_folder_without_texts_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(WorkshopError, match="Aucun fichier .txt"):
        novels.library_of(tmp_path, None, tmp_path / "cache")


def test_a_book_of_the_first_step_that_was_not_downloaded_is_named(tmp_path):
    with pytest.raises(WorkshopError, match="lelia.*\n.*1_prepare_dataset"):
        list(corpus.lesson_texts(tmp_path))


@pytest.mark.parametrize("written, shown", [
    ("Adam, Juliette (1836-1936)", "Adam, Juliette"),
    ("Féval, Paul Henri Corentin [dit Paul Féval père] (1816-1887)", "Féval, Paul"),
    ("Barbey d'Aurevilly, J. (Jules)", "Barbey d'Aurevilly, Jules"),
    ("Gautier", "Gautier, Théophile"),
    ("du Boisgobey, Fortuné (-)", "Du Boisgobey, Fortuné"),
    ("Denis Diderot", "Denis Diderot")])
def test_an_author_is_named_as_a_person_would(written, shown):
    assert clean_author(written) == shown


def test_a_title_loses_the_name_of_its_collection():
    assert clean_title("Les dieux ont soif: édition ELTeC") == "Les dieux ont soif"
    assert clean_title("La Daniella, Vol. I.") == "La Daniella, Vol. I"
    assert clean_title("MorteAmoureuse") == "La Morte amoureuse"


def test_readings_are_one_line_a_work_with_the_missing_titles_found(tmp_path):
    (tmp_path / "eltec-titles.tsv").write_text(
        "file\tauthor\ttitle\tsource\n"
        "FRA40402\tLoti, Pierre (-)\t: édition ELTeC\tELTeC-fra-ext1\n", encoding="utf-8")
    (tmp_path / "extra-and-sand-manifest.tsv").write_text(
        "file\tauthor\ttitle\tyear\tsource\n"
        "sand/eltec_FRA03701_Sand_Nanon.txt\tSand, George [A. Dupin] (1804-1876)\tNanon : édition ELTeC\t2021\t"
        "COST-ELTeC/ELTeC-fra\n"
        "extra/roman18_X.txt\tÉtienne-Gabriel Morelly\tLe Prince\tNA\tMiMoText/roman18\n", encoding="utf-8")
    works = read_manifests(tmp_path)
    write_list(tmp_path / "readings.tsv", alphabetical([(*work, "00c0ffee") for work in works.values()]))
    with open(tmp_path / "readings.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [tuple(row.values())[:4] for row in rows] == [
        ("Étienne-Gabriel Morelly", "Le Prince", "", "MiMoText roman18"),
        ("Loti, Pierre", "Pêcheur d'Islande", "1886", "ELTeC"),
        ("Sand, George", "Nanon", "1872", "ELTeC")]
    assert {row["fingerprint"] for row in rows} == {"00c0ffee"}


def test_a_tokenizer_is_drawn_from_the_books_and_transformers_opens_it(tmp_path):
    transformers = pytest.importorskip("transformers")
    (tmp_path / "livre.txt").write_text("L’été, la meunière dort.\n" * 20, encoding="utf-8")
    assert train_tokenizer(tmp_path, tmp_path / "tokenizer", 265) == 265
    tokenizer = transformers.GPT2TokenizerFast.from_pretrained(tmp_path / "tokenizer")
    assert tokenizer.eos_token_id == tokenizer.pad_token_id == 0
    ids = tokenizer("L'été, la meunière dort.").input_ids
    assert tokenizer.decode(ids) == "L'été, la meunière dort." and len(ids) < 25
    with pytest.raises(WorkshopError, match="Aucun fichier .txt"):
        train_tokenizer(tmp_path / "vide", tmp_path, 265)
