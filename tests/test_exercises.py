"""Les exercices : taillés dans les solutions, et qui s'arrêtent au premier TODO sans réponse."""

import difflib

import pytest

from conftest import AURORE
from workshop.exercises import LESSONS, check_marks, exercise, find_todos

SOLUTIONS = {lesson: (AURORE / f"{lesson}_solution.py").read_text(encoding="utf-8") for lesson in LESSONS}
EXERCISES = {lesson: (AURORE / f"{lesson}.py").read_text(encoding="utf-8") for lesson in LESSONS}


def todos(lesson):
    """Les TODO d'une leçon."""
    return find_todos(SOLUTIONS[lesson].splitlines())


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_committed_exercise_is_the_one_cut_out_of_the_solution(lesson):
    assert EXERCISES[lesson] == exercise(SOLUTIONS[lesson]), "make exercises"


@pytest.mark.parametrize("lesson", LESSONS)
def test_marks_are_balanced_and_todos_numbered_in_order(lesson):
    for text in (SOLUTIONS[lesson], EXERCISES[lesson]):
        check_marks(text.splitlines())
    assert [todo.number for todo in todos(lesson)] == [
        f"{lesson[0]}.{rank}" for rank in range(1, len(todos(lesson)) + 1)]


@pytest.mark.parametrize("mark", ["    # <<<\n", "    # >>> réponse\n", "    # TODO 1.3 : retirez"])
def test_a_lost_mark_is_refused(mark):
    solution = SOLUTIONS["1_prepare_dataset"]
    assert mark in solution
    with pytest.raises(ValueError, match="repère"):
        exercise(solution.replace(mark, "", 1))


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_difference_is_the_answers_and_nothing_else(lesson):
    """Chaque différence est une ligne narration.todo d'un côté, une réponse de l'autre, une par TODO."""
    ours, theirs = EXERCISES[lesson].splitlines(), SOLUTIONS[lesson].splitlines()
    answers = [range(todo.first, todo.last) for todo in todos(lesson)]
    changes = [change for change in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
               if change[0] != "equal"]
    assert len(changes) == len(answers)
    for (_, first, last, begin, end), answer in zip(changes, answers):
        assert last - first == 1 and "narration.todo(" in ours[first]
        assert range(begin, end) == answer


def test_the_lines_of_exercise_2_are_those_of_the_slides():
    lines = EXERCISES["2_tokenize"].splitlines()
    for number, line in {"2.1": 33, "2.2": 44, "2.3": 52, "2.4": 65}.items():
        assert lines[line - 1].strip().startswith(f"# TODO {number} : ")


def test_the_lessons_fit_the_projector():
    """Cent colonnes, exercices, solutions et page."""
    wide = [f"{path.name}:{number}" for path in sorted(AURORE.glob("[1-5]_*.py"))
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1) if len(line) > 100]
    assert not wide


# --- Lancés comme le ferait une personne ---------------------------------------------------

def fill(atelier, *numbers):
    """Met dans les exercices de la copie les réponses de la solution à ces TODO."""
    for lesson in LESSONS:
        path = atelier.aurore / f"{lesson}.py"
        lines, solution = (text.splitlines() for text in (path.read_text(encoding="utf-8"), SOLUTIONS[lesson]))
        answers = {todo.number: solution[todo.first:todo.last] for todo in find_todos(solution)}
        for todo in reversed(find_todos(lines)):
            if todo.number in numbers:
                lines[todo.first:todo.last] = answers[todo.number]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def stops_at(process, script, number):
    """Vérifie que le script s'est arrêté à ce TODO, en le disant dans un cadre, sans trace d'appels."""
    assert process.returncode == 2, process.stdout + process.stderr
    assert "Traceback" not in process.stdout + process.stderr
    said = " ".join(line.strip("| ") for line in process.stderr.splitlines())
    assert f"À vous ! TODO {number}, dans aurore/{script}, ligne " in said
    assert f"python aurore/verify.py --hint {number.split()[0]}" in said


@pytest.mark.parametrize("lesson", LESSONS)
def test_an_untouched_exercise_stops_at_its_first_todo(atelier, lesson):
    process = atelier.run(f"{lesson}.py")
    stops_at(process, f"{lesson}.py", f"{lesson[0]}.1")
    assert f"Étape {lesson[0]} sur 5" in process.stdout


def test_what_comes_before_the_first_todo_left_is_really_done(atelier_with_data):
    fill(atelier_with_data, "2.1", "2.2", "2.3", "3.1", "4.1", "4.2", "4.3")
    second = atelier_with_data.run("2_tokenize.py")
    stops_at(second, "2_tokenize.py", "2.4")
    assert "Identifiants : [34, " in second.stdout
    fourth = atelier_with_data.run("4_generate.py")
    stops_at(fourth, "4_generate.py", "4.4")
    third = atelier_with_data.run("3_train.py")
    stops_at(third, "3_train.py", "3.2")
    assert "Total params" in third.stdout


def test_optional_todos_do_not_block_the_rest(atelier):
    """L'étape 1 va au bout sans eux, en le disant ; ceux de l'étape 2 sont les derniers."""
    fill(atelier, *(f"1.{rank}" for rank in range(1, 8)), *(f"2.{rank}" for rank in range(1, 5)))
    first = atelier.run("1_prepare_dataset.py")
    assert first.returncode == 0, first.stderr
    for number in ("1.8", "1.9", "1.10"):
        assert first.stdout.count(f"TODO {number} (facultatif) : pas encore fait") == 1
    assert "Étape suivante :  python aurore/2_tokenize.py" in first.stdout
    second = atelier.run("2_tokenize.py")
    stops_at(second, "2_tokenize.py", "2.5 (facultatif)")
    assert "Morceaux" in second.stdout


def test_a_finished_exercise_is_the_solution(atelier_with_data):
    fill(atelier_with_data, *(todo.number for lesson in LESSONS for todo in todos(lesson)))
    for lesson in LESSONS:
        assert (atelier_with_data.aurore / f"{lesson}.py").read_text(encoding="utf-8") == SOLUTIONS[lesson]
    process = atelier_with_data.run("2_tokenize.py")
    assert process.returncode == 0 and "Étape suivante :  python aurore/3_train.py" in process.stdout
