"""verify.py : il reconnaît une réponse juste, dit d'une fausse pourquoi, et survit à tout ce qu'on lui donne."""

import re
import subprocess
import sys
import textwrap

import pytest

from answers import RIGHT, WRONG
from conftest import AURORE
from workshop.checks.apart import judge_apart
from workshop.checks.judge import DONE, WAITING, judge
from workshop.checks.judge import WRONG as TO_REVIEW
from workshop.exercises import LESSONS, exercise, find_todos

SOLUTIONS = [(AURORE / f"{lesson}_solution.py").read_text(encoding="utf-8").splitlines() for lesson in LESSONS]
EXERCISES = [exercise("\n".join(lines)).splitlines() for lines in SOLUTIONS]
NUMBERS = [todo.number for lines in SOLUTIONS for todo in find_todos(lines)]


def with_answer(lines, number, answer):
    """Renvoie le texte de `lines`, où `answer` répond au TODO `number`."""
    todo = next(todo for todo in find_todos(lines) if todo.number == number)
    indent = re.match(" *", lines[todo.first]).group()
    return "\n".join(lines[:todo.first] + textwrap.indent(answer, indent).splitlines() + lines[todo.last:]) + "\n"


@pytest.fixture(name="write")
def _write(tmp_path):
    """Écrit un exercice à juger, et renvoie son chemin."""
    def write(text, encoding="utf-8"):
        path = tmp_path / "exercice.py"
        path.write_bytes(text.encode(encoding))
        return path
    return write


def verdict_of(path, number):
    """Le verdict d'un seul TODO."""
    return next(judge(int(number[0]), path, SOLUTIONS[int(number[0]) - 1], first=number))


# --- Les réponses -------------------------------------------------------------------------

@pytest.mark.parametrize("number, answer, words", WRONG, ids=[f"{number} {answer}" for number, answer, _ in WRONG])
def test_a_wrong_answer_is_told_why(write, number, answer, words):
    verdict = verdict_of(write(with_answer(SOLUTIONS[int(number[0]) - 1], number, answer)), number)
    assert verdict.state == TO_REVIEW and words in f"{verdict.why} {verdict.advice}", verdict
    assert verdict.advice and not verdict.advice.endswith(".") and re.match(r"ligne \d+ : ", verdict.why)


@pytest.mark.parametrize("number, answer", RIGHT, ids=[f"{number} {answer}" for number, answer in RIGHT])
def test_an_equivalent_answer_is_right(write, number, answer):
    verdict = verdict_of(write(with_answer(SOLUTIONS[int(number[0]) - 1], number, answer)), number)
    assert verdict.state == DONE, verdict


def test_every_todo_has_at_least_four_wrong_answers():
    assert all(sum(number == wrong for wrong, _, _ in WRONG) >= 4 for number in NUMBERS)


# --- Tous les états d'un exercice -----------------------------------------------------------

@pytest.mark.parametrize("rank", range(4))
def test_an_untouched_exercise_waits_everywhere_and_a_solution_is_done(rank):
    for lesson, state in ((LESSONS[rank], WAITING), (f"{LESSONS[rank]}_solution", DONE)):
        verdicts = list(judge(rank + 1, AURORE / f"{lesson}.py", SOLUTIONS[rank]))
        assert [verdict.number for verdict in verdicts] == [todo.number for todo in find_todos(SOLUTIONS[rank])]
        assert {verdict.state for verdict in verdicts} == {state}, verdicts


@pytest.mark.parametrize("left", NUMBERS)
def test_with_one_todo_left_only_that_one_waits(write, left):
    rank = int(left[0]) - 1
    todo = next(todo for todo in find_todos(EXERCISES[rank]) if todo.number == left)
    path = write(with_answer(SOLUTIONS[rank], left, EXERCISES[rank][todo.first].strip()))
    states = {verdict.number: verdict.state for verdict in judge(rank + 1, path, SOLUTIONS[rank])}
    assert [number for number, state in states.items() if state != DONE] == [left] and states[left] == WAITING


@pytest.mark.parametrize("done", NUMBERS)
def test_with_one_todo_done_only_that_one_is_done(write, done):
    """Une réponse se juge sans attendre celles d'avant."""
    rank = int(done[0]) - 1
    todo = next(todo for todo in find_todos(SOLUTIONS[rank]) if todo.number == done)
    answer = textwrap.dedent("\n".join(SOLUTIONS[rank][todo.first:todo.last]))
    path = write(with_answer(EXERCISES[rank], done, answer))
    states = {verdict.number: verdict.state for verdict in judge(rank + 1, path, SOLUTIONS[rank])}
    assert [number for number, state in states.items() if state == DONE] == [done]
    assert set(states.values()) <= {DONE, WAITING}


@pytest.mark.parametrize("emptied", ["", "pass", "...", "# je ne sais pas"])
def test_an_answer_left_empty_still_waits(write, emptied):
    assert verdict_of(write(with_answer(SOLUTIONS[0], "1.3", emptied or "\n")), "1.3").state == WAITING


def test_an_answer_beside_its_blank_is_told_to_remove_it(write):
    answer = 'without_first = narration.todo("1.3", lines)\nwithout_first = lines[50:]'
    path = write(with_answer(SOLUTIONS[0], "1.3", answer))
    verdict = verdict_of(path, "1.3")
    assert verdict.state == TO_REVIEW and "Effacez la ligne" in verdict.advice


def test_marks_may_be_removed_once_the_work_is_done(write):
    lines = [line for line in SOLUTIONS[0] if line.strip() not in ("# >>> réponse", "# <<<")]
    assert {verdict.state for verdict in judge(1, write("\n".join(lines)), SOLUTIONS[0])} == {DONE}


# --- Les mésaventures ---------------------------------------------------------------------

@pytest.mark.parametrize("answer, words", [
    ("without_first = lines[50:", "ligne 95"),
    ("without_first = lines[50:\n]]", "ligne 9"),
    ("  without_first = lines[50:]", "espaces en début de ligne"),
    ("import sys\nsys.exit()", "sys.exit"),
    ("exit()", "sys.exit"),
    ("import nltkk", "import impossible"),
    ("without_first = np.array(lines[50:])", "un import qui manque"),
    ("raise ValueError('zut')", "ValueError : zut"),
    ("from nltk import sent_tokenize\nwithout_first = sent_tokenize('Il pleut. Elle dort.')", "NLTK"),
])
def test_an_accident_inside_an_answer_gets_its_sentence_and_its_line(write, answer, words):
    path = write(with_answer(SOLUTIONS[0], "1.3", answer))
    verdicts = {verdict.number: verdict for verdict in judge(1, path, SOLUTIONS[0])}
    assert verdicts["1.3"].state == TO_REVIEW and re.match(r"ligne 9[5-7] : ", verdicts["1.3"].why)
    assert words in verdicts["1.3"].why + verdicts["1.3"].advice
    assert [number for number, verdict in verdicts.items() if verdict.state != DONE] == ["1.3"]


@pytest.mark.parametrize("damage, words", [
    (lambda text: "", "vide"),
    (lambda text: " \n\n", "vide"),
    (lambda text: text.replace("def main():", "def main()"), "ligne "),
    (lambda text: text.replace("import random\n", "import sys\nsys.exit(0)\n"), "sys.exit"),
    (lambda text: text.replace("import random\n", "import rendom\n"), "import impossible"),
    (lambda text: text.replace("narration, paths, sources", "narration, paths, source"), "import impossible"),
    (lambda text: text.replace("SEED = 42", "SEED = quarante_deux"), "le nom « quarante_deux » n'existe pas"),
    (lambda text: text.replace("    main()", "\t  main("), "ligne "),
])
def test_an_accident_around_the_answers_is_said_once(write, damage, words):
    text = "\n".join(SOLUTIONS[0]) + "\n"
    assert damage(text) != text
    verdicts = list(judge(1, write(damage(text)), SOLUTIONS[0]))
    assert [(verdict.number, verdict.state) for verdict in verdicts] == [("*", TO_REVIEW)]
    assert words in verdicts[0].why


@pytest.mark.parametrize("line, name", [
    ("from datasets import load_from_disk\n", "load_from_disk"),           # la réponse s'en sert
    ("from workshop.artefacts import ensure_writable, new_folder, reading\n", "reading")])  # ce qui l'entoure
def test_a_lost_import_is_named(write, line, name):
    text = "\n".join(SOLUTIONS[2])
    assert line in text
    verdict = verdict_of(write(text.replace(line, "")), "3.2")
    assert verdict.state == TO_REVIEW and f"« {name} » n'existe pas" in verdict.why and "import" in verdict.advice


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_another_encoding_is_named(write, encoding):
    text = "\n".join(SOLUTIONS[3]).replace("«", '"').replace("»", '"').replace("—", "-")
    (verdict,) = judge(4, write(text, encoding), SOLUTIONS[3])
    assert verdict.number == "*" and "UTF-8" in verdict.why and re.match(r"ligne \d", verdict.why)


def test_a_deleted_file_is_named(tmp_path):
    (verdict,) = judge(1, tmp_path / "1_prepare_dataset.py", SOLUTIONS[0])
    assert verdict.number == "*" and "n'existe pas" in verdict.why and "git checkout" in verdict.advice


def test_a_lost_function_is_named(write):
    text = "\n".join(SOLUTIONS[0]).replace("def drop_fixed_number_of_lines", "def drop_lines")
    verdict = verdict_of(write(text), "1.3")
    assert verdict.state == TO_REVIEW and "drop_fixed_number_of_lines a disparu" in verdict.why


@pytest.mark.parametrize("answer", [
    "while True:\n    pass",
    "import time\ntime.sleep(1000)",
    "while True:\n    try:\n        raise ValueError\n    except:\n        pass",
])
def test_an_endless_answer_is_stopped_and_the_next_ones_judged(write, answer):
    verdicts = judge_apart(1, write(with_answer(SOLUTIONS[0], "1.3", answer)))
    assert list(verdicts) == [f"1.{rank}" for rank in range(1, 11)]
    assert [number for number, verdict in verdicts.items() if verdict.state != DONE] == ["1.3"]
    assert re.match(r"ligne (9[5-9]|100) : le calcul ne finit pas", verdicts["1.3"].why)


def test_an_answer_that_kills_its_process_is_told(write):
    verdicts = judge_apart(4, write(with_answer(SOLUTIONS[3], "4.3", "import os\nos._exit(0)")))
    assert [number for number, verdict in verdicts.items() if verdict.state != DONE] == ["4.3"]
    assert "os._exit" in verdicts["4.3"].advice


def test_an_endless_loop_around_the_answers_is_said_once(write):
    text = "\n".join(SOLUTIONS[3]).replace("SEED = 42", "while True:\n    SEED = 42")
    verdicts = judge_apart(4, write(text))
    assert list(verdicts) == ["*"] and re.match(r"ligne 2\d : le calcul ne finit pas", verdicts["*"].why)


# --- La commande --------------------------------------------------------------------------

def verify(atelier, *arguments, **settings):
    """Lance verify.py dans la copie de l'atelier, sans terminal."""
    return subprocess.run([sys.executable, "aurore/verify.py", *arguments], cwd=atelier.folder, check=False,
                          env=atelier.environment(**settings), capture_output=True, timeout=100)


def test_the_command_on_untouched_and_finished_exercises(atelier):
    process = verify(atelier, PYTHONIOENCODING="cp1252")
    said = process.stdout.decode("cp1252")
    assert process.returncode == 1 and not process.stderr and b"\x1b" not in process.stdout
    assert said.count("pas encore") == len(NUMBERS)
    assert not [line for line in said.splitlines() if re.search(r"\w\?\w|« \? »", line)]
    assert re.search(r"tout l'atelier +0 sur 20 +0 sur 6", said)
    (atelier.aurore / "3_train.py").write_text("\n".join(SOLUTIONS[2]), encoding="utf-8")
    process = verify(atelier, "3")
    said = process.stdout.decode()
    assert process.returncode == 0 and "Exercice 3 : fait." in said and "Exercice 2" not in said
    assert "git diff --no-index aurore/3_train.py aurore/3_train_solution.py" in said
    assert re.search(r"tout l'atelier +3 sur 20 ", said)


def test_the_command_tells_what_to_do_next(atelier):
    path = atelier.aurore / "4_generate.py"
    path.write_text(with_answer(EXERCISES[3], "4.3", 'prompts = ["Un seul"]'), encoding="utf-8")
    process = verify(atelier, "4")
    said = " ".join(process.stdout.decode().split())
    assert process.returncode == 1
    assert "la liste a 1 début(s), et il en faut deux. Écrivez deux textes" in said
    assert "Ensuite : le TODO 4.1, dans aurore/4_generate.py, puis relancez : python aurore/verify.py 4 " in said
    assert "Un indice : python aurore/verify.py --hint 4.1" in said


def test_optional_todos_left_do_not_prevent_success(atelier):
    text = "\n".join(SOLUTIONS[1]) + "\n"
    for number in ("2.5", "2.6", "2.7"):
        todo = next(todo for todo in find_todos(EXERCISES[1]) if todo.number == number)
        text = with_answer(text.splitlines(), number, EXERCISES[1][todo.first].strip())
    (atelier.aurore / "2_tokenize.py").write_text(text, encoding="utf-8")
    process = verify(atelier, "2")
    assert process.returncode == 0 and "Ensuite : le TODO 2.5, facultatif" in process.stdout.decode()


def test_hints_come_one_more_at_a_time(atelier):
    first = verify(atelier, "--hint", "1.7").stdout.decode()
    assert "sentence_tokenizer.tokenize(text)" in first and "extend" not in first
    assert "--hint 1.7 2" in first
    last = verify(atelier, "--hint", "1.7", "3").stdout.decode()
    assert "extend" in last and "Encore un peu" not in last


@pytest.mark.parametrize("arguments, words", [
    (["--hint", "9.9"], "Il n'y a pas de TODO 9.9"), (["5"], "pas d'exercice 5")])
def test_an_unknown_number_is_refused(atelier, arguments, words):
    process = verify(atelier, *arguments)
    assert process.returncode == 2 and words in process.stderr.decode() and b"Traceback" not in process.stderr
