"""Le projet lui-même : verrous, image, fichiers suivis, README."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT, required


def tracked_files():
    """Les fichiers que git suit ; le test est passé hors d'un dépôt git."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("Il faut git et une copie clonée pour lister les fichiers suivis.")
    listing = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, encoding="utf-8")
    return [ROOT / name for name in listing.stdout.split("\0") if name]


def test_every_requirement_is_pinned_and_hashed():
    for name in ("requirements.txt", "requirements-dev.txt", "recipe/requirements.txt",
                 "recipe/requirements-current.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^ *#.*\n", "", text, flags=re.M).strip(), flags=re.I)
        assert len(entries) > 20
        for entry in entries:
            assert re.match(r"[\w.-]+(\[\w+\])?==\S+", entry) and "--hash=sha256:" in entry, entry[:80]
        assert "://" not in text


def test_the_lock_holds_every_direct_dependency():
    locked = (ROOT / "requirements.txt").read_text(encoding="utf-8").lower()
    for line in (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines():
        if line and line[0] != "#":
            assert f"\n{re.split('[=<>]', line.lower())[0]}==" in "\n" + locked, line
            assert line.lower() in locked or "==" not in line, line


def test_the_dockerfile_is_clean():
    hadolint = Path(sys.executable).with_name("hadolint")
    process = subprocess.run([hadolint, ROOT / "Dockerfile"], check=False, capture_output=True, encoding="utf-8")
    assert process.returncode == 0, process.stdout


def test_no_artefact_secret_or_book_is_tracked():
    for path in tracked_files():
        name = path.relative_to(ROOT).as_posix()
        assert not re.match(r"aurore/(data|tokenizer|model)/", name)
        if path.suffix in (".safetensors", ".png", ".woff2"):
            continue
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\bhf_[A-Za-z0-9]{20,}", text), name
        assert "EBOOK L" + "A MARE AU DIABLE" not in text, name


def test_only_the_two_networks_are_large():
    """Deux mégaoctets au plus, hormis les poids d'aurore-mini et d'aurore."""
    large = {path.relative_to(ROOT).as_posix(): round(path.stat().st_size / 1e6) for path in tracked_files()
             if path.is_file() and path.stat().st_size > 2e6}
    assert large == {"aurore/embedded/base_model/model.safetensors": 14,
                     "aurore/embedded/sand_model/model.safetensors": 59}


def test_credentials_are_placeholders():
    text = (ROOT / "aurore" / "credentials.ini").read_text(encoding="utf-8")
    assert "TOKEN=XXXX" in text and "HUGGING_FACE_PSEUDO=XXXX" in text


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "reference").glob("*.md"))])
def test_what_is_read_first_names_things_that_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"\bmake ([a-z]+(?:-[a-z]+)*)", text)):
        assert re.search(rf"^{target}:", makefile, re.M), target
    for path in set(re.findall(r"\b(?:aurore|tests|docs|recipe|bench)/[\w./-]*\w", text)):
        assert (ROOT / path).exists() or re.match(r"aurore/(data|tokenizer|model|livres)\b", path), path
    for variable in set(re.findall(r"`((?:AURORE|GUTENBERG|HF)_[A-Z]+)\b", text)):
        sources = [path.read_text(encoding="utf-8")
                   for folder in ("aurore", "tests") for path in (ROOT / folder).rglob("*.py")]
        assert any(variable in source for source in sources), variable


def test_the_readme_fits_on_a_few_screens_and_its_links_lead_somewhere():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 130
    for target in re.findall(r"(?:\]\(|src=\")([^)#\"]+)", readme):
        assert "://" in target or (ROOT / target).exists(), target


@pytest.fixture(name="repository")
def _repository(tmp_path):
    """Un dépôt git où `make hooks` est fait, avec un fichier de jeton vide ; renvoie de quoi y lancer git."""
    program = required(shutil.which("git"), "git n'est pas sur cette machine.")

    def git(*arguments):
        return subprocess.run([program, "-c", "user.name=a", "-c", "user.email=a@b.c", *arguments], cwd=tmp_path,
                              check=False, capture_output=True, encoding="utf-8")
    (tmp_path / "aurore").mkdir()
    shutil.copy(ROOT / "aurore" / "credentials.ini", tmp_path / "aurore")
    git("init")
    git("config", "core.hooksPath", str(ROOT / ".githooks"))
    git("add", ".")
    assert git("commit", "-m", "vide").returncode == 0
    return git


@pytest.mark.parametrize("path, old, new", [
    ("aurore/credentials.ini", "\nTOKEN=XXXX", "\nTOKEN = hf_abc"),
    ("aurore/credentials.ini", "HUGGING_FACE_PSEUDO=XXXX", "HUGGING_FACE_PSEUDO=aurore"),
    ("aurore/credentials.ini", "ACCESS_CODE=XXXX", "ACCESS_CODE: meunier"),
    ("notes.txt", "", f"mon jeton : hf_{'a1B2' * 9}")])
def test_a_commit_never_carries_a_token(repository, tmp_path, path, old, new):
    file = tmp_path / path
    file.write_text((file.read_text(encoding="utf-8") if old else "").replace(old, new) or new, encoding="utf-8")
    repository("add", ".")
    refused = repository("commit", "-m", "avec un jeton")
    assert refused.returncode == 1 and "Commit refusé" in refused.stderr and "hf_a" not in refused.stderr
    repository("restore", "--staged", path)
    (tmp_path / "leçon.txt").write_text("hf_ n'est rien.", encoding="utf-8")
    repository("add", "leçon.txt")
    assert repository("commit", "-m", "sans").returncode == 0
