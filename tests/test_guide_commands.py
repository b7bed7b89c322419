"""Les commandes du guide, dans l'ordre où on les rencontre ; ce qu'elles affichent est ce que le guide montre.

Sans connexion, avec les contes. Les nombres, qui changent d'un livre et d'une machine à l'autre, sont mis de côté ;
ceux des vrais livres sont comparés là où ils sont préparés (test_atelier.py).
"""

import re
import subprocess
import sys
import urllib.request

import pytest

from conftest import AURORE, ROOT, Atelier
from web_servers import page_process
from workshop import narration
from workshop.errors import Unfinished

DOCS = ROOT / "docs"
# Les pages, dans l'ordre de la table des matières.
PAGES = ["README", *re.findall(r"^(?:\d\.|-) \[.+?\]\(([\w/-]+)\.md\)",
                               (DOCS / "README.md").read_text(encoding="utf-8"), re.M)]
# Celles qui ne se lancent pas ici : {commande: où elle l'est}.
ELSEWHERE = {
    "make test-fast": "Makefile", "make test": ".ci/run",
    "make kit": "Makefile", "python aurore/kit.py /media/cle/kit": "tests/test_kit.py",
    "python aurore/kit.py --check": "tests/test_kit.py", "python aurore/kit.py serve": "tests/test_kit.py",
    "python3 install.py": "tests/test_kit.py", "python aurore/verify.py --machine": "tests/test_machine.py",
    'curl http://127.0.0.1:8080/api/v1/generate -H "Content-Type: application/json" '
    "-d '{\"amorce\": \"Le soir, la meunière\", \"longueur\": \"court\"}'": "tests/test_flask.py",
    "../.venv/bin/python -m workshop.learning.evaluation embedded/base_model "
    "data/books/la_mare_au_diable_23582-0.txt": "tests/test_evaluation.py",
    'AURORE_CODE_SALLE="un code à vous" AURORE_HOST=0.0.0.0 python aurore/5_flask.py': "tests/test_board.py",
    "export AURORE_SALLE=http://192.168.0.10:8080": "tests/test_board.py",
    "export AURORE_PRENOM=Fadette": "tests/test_board.py",
    "AURORE_MOTEUR=http://192.168.0.20:8000 python aurore/5_flask.py": "tests/test_engine_elsewhere.py",
    "python aurore/verify.py --watch": "tests/test_verify.py",
    'export TF_CONFIG=\'{"cluster": {"worker": ["192.168.0.10:2222", "192.168.0.11:2222"]}, '
    '"task": {"type": "worker", "index": 0}}\'': "tests/test_strategy.py",
    "python aurore/share.py model": "tests/test_sharing.py",
    "python aurore/share.py data public": "tests/test_sharing.py",
    # Ces deux outils lisent la description que test_api_v1.py vérifie ; ils ne sont pas dans les dépendances.
    "openapi-python-client generate --url http://127.0.0.1:8080/api/v1/openapi.json": "tests/test_api_v1.py",
    "npx openapi-typescript http://127.0.0.1:8080/api/v1/openapi.json -o aurore.d.ts "
    "--default-non-nullable=false": "tests/test_api_v1.py",
}
# Un exercice fini est la solution (test_exercises.py) : ce qu'affichent les étapes a été gardé par `finished_atelier`.
STEP = re.compile(r"python aurore/(\d_\w+?)(?:_solution)?\.py$")


def blocks(name, kind):
    """Le texte des blocs de code de cette sorte, dans une page."""
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    return [re.sub(rf"^{indent}", "", block, flags=re.M)
            for indent, block in re.findall(rf"^( *)```{kind}\n(.*?)^ *```", text, re.M | re.S)]


def commands(name):
    """Les commandes d'une page, sans leurs commentaires."""
    lines = "\n".join(blocks(name, "console")).replace("\\\n", "").splitlines()
    return [" ".join(re.sub(r"\s+#.*", "", line).split()) for line in lines if line.strip()]


def without_numbers(line):
    """Une ligne sans ses nombres, ni les espaces et les filets qu'ils allongent."""
    return " ".join(re.sub(r"-{3,}", "---", re.sub(r"\d+(?:[ ,]\d+)*", "#", line)).split())


class Afternoon:
    """Un après-midi : l'atelier d'une personne, et tout ce qu'elle a lu à l'écran jusque-là."""

    def __init__(self, atelier, said):
        self.atelier, self.recorded, self.seen = atelier, said, []

    def type(self, command):
        """Lance une commande du guide, et garde ce qu'elle affiche."""
        step = STEP.match(command)
        if command == "python aurore/5_flask.py":
            self.seen.append(self.visit())
        elif step:
            self.seen.append(self.recorded[step[1]])
        elif command.startswith("diff "):
            process = self.run(command.split())
            assert process.returncode == 1 and "+" not in process.stderr
            self.seen.append(process.stdout)
        else:
            assert command.startswith("python aurore/verify.py"), f"« {command} » n'est lancée par aucun test"
            process = self.run([sys.executable, *command.split()[1:]])
            assert process.returncode == ("--hint" not in command) and not process.stderr, process.stderr
            self.seen.append(process.stdout)

    def run(self, arguments):
        """Lance un programme depuis le dossier du projet."""
        return subprocess.run(arguments, cwd=self.atelier.folder, env=self.atelier.environment(), check=False,
                              capture_output=True, encoding="utf-8", timeout=100)

    def visit(self):
        """Ouvre la page, comme un navigateur ; renvoie ce qu'a dit le terminal."""
        with page_process(self.atelier.folder, self.atelier.environment()) as process:
            with urllib.request.urlopen(f"http://127.0.0.1:{process.port}/generate", timeout=60) as page_shown:
                assert "Générer" in page_shown.read().decode()
            return process.said


@pytest.fixture(name="afternoon", scope="module")
def _afternoon(finished_atelier, tmp_path_factory):
    """Toutes les pages, lues dans l'ordre : {page: ce que l'on a vu jusqu'à la fin de la page}."""
    afternoon = Afternoon(Atelier(tmp_path_factory.mktemp("guide")), finished_atelier.said)
    seen = {}
    for name in PAGES:
        for command in commands(name):
            if command not in ELSEWHERE:
                afternoon.type(command)
        seen[name] = "\n".join(afternoon.seen)
    return seen


def test_every_page_is_read():
    assert sorted(PAGES) == sorted(path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md"))


def test_what_is_not_run_here_is_still_in_the_guide_and_elsewhere():
    written = {command for name in PAGES for command in commands(name)}
    assert set(ELSEWHERE) <= written
    for where in ELSEWHERE.values():
        assert (ROOT / where).is_file()


# Ce que le guide montre, page par page, et que les scripts affichent : les autres blocs sont des fichiers à écrire.
SHOWN = {"2-tokens": 2, "1-donnees": 2, "3-entrainer": 2}


@pytest.mark.parametrize("name", SHOWN)
def test_what_the_guide_shows_is_what_one_sees(afternoon, name):
    """Un tableau a les mêmes colonnes, et les mêmes lignes là où elles ne portent pas un titre ou un mot."""
    seen = {without_numbers(line) for line in afternoon[name].splitlines()}
    shown = blocks(name, "text")
    assert len(shown) == SHOWN[name]
    for block in shown:
        header, *rows = block.splitlines()
        assert without_numbers(header) in seen, header
        free = header.startswith(("livre ", "mot "))  # des titres, des mots : ceux des livres que l'on a
        for row in rows:
            assert free or without_numbers(row) in seen, row


def test_the_first_todo_is_said_as_the_guide_shows_it():
    (block,) = blocks("README", "text")
    lines = (AURORE / "4_generate.py").read_text(encoding="utf-8").splitlines()
    rank = next(rank for rank, line in enumerate(lines) if "narration.todo(" in line)
    code = compile("\n" * rank + 'narration.todo("4.1")', str(AURORE / "4_generate.py"), "exec")
    with pytest.raises(Unfinished) as error:
        exec(code, {"narration": narration})  # pylint: disable=exec-used  # la ligne même de l'exercice
    assert str(error.value) == block.rstrip()


def test_the_figures_of_the_tales_are_those_of_the_scripts(finished_atelier):
    """Ceux que le guide donne dans ses phrases, à 0,01 près là où la machine les fait varier."""
    said = finished_atelier.said
    parts = re.findall(r"^(?:train|validation|test) +(\d+) ", said["1_prepare_dataset"], re.M)
    assert f"{parts[0]}, {parts[1]} et {parts[2]} phrases" in page("1-donnees")
    first, second = (re.search(rf"^{name} +([\d ]+\d) +(\d,\d\d) ", said["2_tokenize"], re.M).groups()
                     for name in ("pré-entraîné", "spécialisé"))
    assert first[1] == second[1] and f"{second[1]} token par mot, comme le pré-entraîné" in page("2-tokens")
    assert f"n'en compte que {second[0]}" in page("2-tokens")
    before, after = (number(re.search(rf"^{name} +(\d,\d+)", said["3_train"], re.M)[1]) for name in ("avant", "après"))
    guide = page("3-entrainer")
    assert number(re.search(r"Sur les contes, où la note de départ était (\d,\d+)", guide)[1]) == pytest.approx(
        before, abs=0.01)
    assert number(re.search(r"\| 8 blocs \| 1 \| 8 \| [\d,]+ \| (\d,\d+) \|", guide)[1]) == pytest.approx(
        after, abs=0.01)


def page(name):
    """Le texte d'une page."""
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def number(text):
    """Un nombre écrit à la française."""
    return float(text.replace(",", "."))
