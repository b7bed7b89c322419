"""verify.py : il reconnaît une réponse juste, dit d'une fausse pourquoi, et survit à tout ce qu'on lui donne."""

import inspect
import json
import multiprocessing
import os
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from answers import RIGHT, WRONG
from conftest import AURORE, ROOT, read_until
from workshop import paths
from workshop.checks import apart
from workshop.checks.apart import judge_all, judge_apart
from workshop.checks.doubles import keras_get_file
from workshop.checks.explain import explain
from workshop.checks.judge import DONE, WAITING, checks_of, judge
from workshop.checks.judge import WRONG as TO_REVIEW
from workshop.checks.quiz import questions_of
from workshop.exercises import LESSONS, exercise, find_todos

ATTENDEES = ROOT.parent / "shared" / "cases" / "verify_answers.json"
SOLUTIONS = [(AURORE / f"{lesson}_solution.py").read_text(encoding="utf-8").splitlines() for lesson in LESSONS]
EXERCISES = [exercise("\n".join(lines)).splitlines() for lines in SOLUTIONS]
NUMBERS = [todo.number for lines in SOLUTIONS for todo in find_todos(lines)]
INTERNAL = re.compile(r"<locals>|<lambda>|StandIn|Overlay|__\w+__|\b_[A-Z]\w+|SimpleNamespace|object at 0x|"
                      r"TextGenerationPipeline|Traceback")


def todo_in(lines, number):
    """Le TODO `number` de `lines`."""
    return next(todo for todo in find_todos(lines) if todo.number == number)


def with_answer(lines, number, answer):
    """Renvoie le texte de `lines`, où `answer` répond au TODO `number`."""
    todo = todo_in(lines, number)
    indent = re.match(" *", lines[todo.first]).group()
    return "\n".join(lines[:todo.first] + textwrap.indent(answer, indent).splitlines() + lines[todo.last:]) + "\n"


def solved(number, answer):
    """Renvoie le texte de la solution qui a le TODO `number`, où `answer` lui répond."""
    return with_answer(SOLUTIONS[int(number[0]) - 1], number, answer)


@pytest.fixture(name="write")
def _write(tmp_path):
    """Écrit un exercice à juger, et renvoie son chemin."""
    def write(text, encoding="utf-8"):
        path = tmp_path / "exercice.py"
        path.write_bytes(text.encode(encoding))
        return path
    return write


@pytest.fixture(name="offline", scope="module", autouse=True)
def _offline():
    """Comme dans le processus qui juge : transformers n'appelle personne, et les données sont à leur place."""
    import transformers.utils.hub as hub  # pylint: disable=import-outside-toplevel,consider-using-from-import
    from huggingface_hub import constants  # pylint: disable=import-outside-toplevel  # après les réglages de l'atelier

    from workshop.learning import offline  # pylint: disable=import-outside-toplevel  # de même
    saved = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = hub._is_offline_mode = True  # pylint: disable=protected-access
    offline.is_reachable.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATA", "TOKENIZER", "MODEL"):
            patch.setattr(paths, name, AURORE / name.lower())
        yield
    constants.HF_HUB_OFFLINE = hub._is_offline_mode = saved  # pylint: disable=protected-access
    offline.is_reachable.cache_clear()


def verdict_of(path, number):
    """Le verdict d'un seul TODO."""
    return next(judge(int(number[0]), path, SOLUTIONS[int(number[0]) - 1], first=number))


def said(verdict):
    """Ce qu'une personne lit d'un verdict."""
    return f"{verdict.why} {verdict.advice}"


# --- Les réponses -------------------------------------------------------------------------

@pytest.mark.parametrize("number, answer, words", WRONG, ids=[f"{number} {answer}" for number, answer, _ in WRONG])
def test_a_wrong_answer_is_told_why(write, number, answer, words):
    verdict = verdict_of(write(solved(number, answer)), number)
    assert verdict.state == TO_REVIEW and words in said(verdict), verdict
    assert verdict.advice and not verdict.advice.endswith(".") and re.match(r"ligne \d+ : ", verdict.why)
    assert not INTERNAL.search(said(verdict))


@pytest.mark.parametrize("number, answer", RIGHT, ids=[f"{number} {answer}" for number, answer in RIGHT])
def test_an_equivalent_answer_is_right(write, number, answer):
    verdict = verdict_of(write(solved(number, answer)), number)
    assert verdict.state == DONE, verdict


def test_every_todo_has_at_least_four_wrong_answers():
    assert all(sum(number == wrong for wrong, _, _ in WRONG) >= 4 for number in NUMBERS)


def test_the_answers_of_attendees_are_judged_as_they_should(write):
    if not ATTENDEES.is_file():
        assert not ATTENDEES.parents[1].is_dir(), "../shared est là, sans ces réponses : en CI, elles doivent y être."
        pytest.skip("Les réponses de ../shared/cases/verify_answers.json ne sont pas sur cette machine.")
    misjudged = []
    for case in json.loads(ATTENDEES.read_text(encoding="utf-8")):
        verdict = verdict_of(write(solved(case["todo"], case["code"])), case["todo"])
        if (verdict.state == DONE) != case["right"] or INTERNAL.search(said(verdict)):
            misjudged.append(f"{case['todo']} {case['code']!r} ({case['note']}) : {verdict}")
    assert not misjudged, "\n".join(misjudged)


def test_a_path_that_is_only_right_in_the_container_is_right_with_a_remark(write):
    verdict = verdict_of(write(solved("3.2", "dataset = load_from_disk('/aurore/data')")), "3.2")
    assert verdict.state == DONE and "paths.DATA" in verdict.why


@pytest.mark.parametrize("number, answer, line", [
    ("2.3", "tokens_analysis = tokenizer(text)\n\ninput_ids = tokens_analysis", 3),
    ("4.5", "texts = [output[0]['generated_text'] for output in outputs]\noutput0 = texts[0]\noutput1 = texts[2]", 3)])
def test_a_fault_is_said_at_its_own_line(write, number, answer, line):
    todo = todo_in(SOLUTIONS[int(number[0]) - 1], number)
    assert verdict_of(write(solved(number, answer)), number).why.startswith(f"ligne {todo.first + line} : ")


def test_the_double_has_the_arguments_of_the_original():
    """Lus dans les sources de Keras : l'importer prendrait six secondes."""
    import ast  # pylint: disable=import-outside-toplevel  # ce test seul s'en sert
    from importlib.util import find_spec  # pylint: disable=import-outside-toplevel  # de même
    source = Path(find_spec("tf_keras").origin).parent / "src" / "utils" / "data_utils.py"
    original = next(node for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
                    if isinstance(node, ast.FunctionDef) and node.name == "get_file")
    assert list(inspect.signature(keras_get_file([])).parameters) == [
        argument.arg for argument in original.args.args]


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
    todo = todo_in(EXERCISES[rank], left)
    path = write(with_answer(SOLUTIONS[rank], left, EXERCISES[rank][todo.first].strip()))
    states = {verdict.number: verdict.state for verdict in judge(rank + 1, path, SOLUTIONS[rank])}
    assert [number for number, state in states.items() if state != DONE] == [left] and states[left] == WAITING


@pytest.mark.parametrize("done", NUMBERS)
def test_with_one_todo_done_only_that_one_is_done(write, done):
    """Une réponse se juge sans attendre celles d'avant."""
    rank = int(done[0]) - 1
    todo = todo_in(SOLUTIONS[rank], done)
    answer = textwrap.dedent("\n".join(SOLUTIONS[rank][todo.first:todo.last]))
    path = write(with_answer(EXERCISES[rank], done, answer))
    states = {verdict.number: verdict.state for verdict in judge(rank + 1, path, SOLUTIONS[rank])}
    assert [number for number, state in states.items() if state == DONE] == [done]
    assert set(states.values()) <= {DONE, WAITING}


@pytest.mark.parametrize("emptied", ["", "pass", "...", "# je ne sais pas"])
def test_an_answer_left_empty_still_waits(write, emptied):
    assert verdict_of(write(solved("1.3", emptied or "\n")), "1.3").state == WAITING


# --- À côté des repères -------------------------------------------------------------------

BLANK, RIGHT_ANSWER = 'without_first = narration.todo("1.3", lines)', "without_first = lines[50:]"


@pytest.mark.parametrize("inside, above, below, words", [
    (f"{BLANK}\n{RIGHT_ANSWER}", "", "", "Effacez la ligne"),
    (f"{RIGHT_ANSWER}\n{BLANK}", "", "", "Effacez la ligne"),
    (BLANK, "", RIGHT_ANSWER, "votre réponse est à côté des repères"),
    (BLANK, RIGHT_ANSWER, "", "votre réponse est à côté des repères"),
    ("", "", RIGHT_ANSWER, "votre réponse est à côté des repères"),
    (RIGHT_ANSWER, "", BLANK, "narration.todo est restée, à côté des repères"),
    (RIGHT_ANSWER, BLANK, "", "narration.todo est restée, à côté des repères"),
    ("", BLANK, "", "narration.todo est à côté des repères"),
])
def test_an_answer_beside_its_marks_is_told_apart(write, inside, above, below, words):
    lines = solved("1.3", inside or "\n").splitlines()
    todo = todo_in(lines, "1.3")
    lines[todo.last + 1:todo.last + 1] = [f"    {below}"] * bool(below)
    lines[todo.first - 1:todo.first - 1] = [f"    {above}"] * bool(above)
    verdicts = {verdict.number: verdict for verdict in judge(1, write("\n".join(lines)), SOLUTIONS[0])}
    assert verdicts["1.3"].state == TO_REVIEW and words in said(verdicts["1.3"]), verdicts["1.3"]
    assert [number for number, verdict in verdicts.items() if verdict.state != DONE] == ["1.3"]
    told = int(re.match(r"ligne (\d+)", verdicts["1.3"].why)[1])
    assert "without_first" in lines[told - 1]


@pytest.mark.parametrize("marks", [("# >>> réponse",), ("# <<<",), ("# >>> réponse", "# <<<")])
@pytest.mark.parametrize("answer, state", [
    (BLANK, WAITING), (RIGHT_ANSWER, DONE), ("without_first = lines[100:]", TO_REVIEW)])
def test_lost_marks_change_no_verdict(write, marks, answer, state):
    lines = solved("1.3", answer).splitlines()
    todo = todo_in(lines, "1.3")
    kept = [line for rank, line in enumerate(lines)
            if not (todo.first - 1 <= rank <= todo.last and line.strip() in marks)]
    states = {verdict.number: verdict.state for verdict in judge(1, write("\n".join(kept)), SOLUTIONS[0])}
    assert states.pop("1.3") == state and set(states.values()) == {DONE}


def test_doubled_marks_change_no_verdict(write):
    lines = [line for line in SOLUTIONS[0] for _ in range(2 if line.strip() in ("# >>> réponse", "# <<<") else 1)]
    assert {verdict.state for verdict in judge(1, write("\n".join(lines)), SOLUTIONS[0])} == {DONE}


def test_a_todo_pasted_twice_is_named(write):
    lines = SOLUTIONS[0]
    todo = todo_in(lines, "1.3")
    pasted = lines[:todo.last + 1] + lines[todo.first - 2:todo.last + 1] + lines[todo.last + 1:]
    verdicts = {verdict.number: verdict for verdict in judge(1, write("\n".join(pasted)), SOLUTIONS[0])}
    assert "le TODO 1.3 est en double" in verdicts["1.3"].why
    assert [number for number, verdict in verdicts.items() if verdict.state != DONE] == ["1.3"]


def test_marks_may_be_removed_once_the_work_is_done(write):
    lines = [line for line in SOLUTIONS[0] if line.strip() not in ("# >>> réponse", "# <<<")]
    assert {verdict.state for verdict in judge(1, write("\n".join(lines)), SOLUTIONS[0])} == {DONE}


# --- Les mésaventures ---------------------------------------------------------------------

@pytest.mark.parametrize("answer, words", [
    ("without_first = lines[50:", "jamais refermé"),
    ("without_first = lines[50:\n]]", "ligne 9"),
    ("  without_first = lines[50:]", "espaces en début de ligne"),
    ("import sys\nsys.exit()", "sys.exit"),
    ("exit()", "sys.exit"),
    ("import nltkk", "import impossible"),
    ("without_first = np.array(lines[50:])", "un import qui manque"),
    ("raise ValueError('zut')", "ValueError : zut"),
    ("from nltk import sent_tokenize\nwithout_first = sent_tokenize('Il pleut. Elle dort.')", "NLTK"),
    ("print « bonjour »", "guillemets droits"),
    ("without_first = “lines”", "guillemets droits"),
    ("without_first = lines[50 000:]", "Écrivez 50000, ou 50_000"),
    ("print without_first", "il lui faut des parenthèses"),
    ("without_first = 'l'élan'", "guillemets doubles"),
    ("import time\ntime.sleep(60)", "attend 60 secondes"),
    ("without_first = lines[50:](1)", "ce n'est pas une fonction"),
])
def test_an_accident_inside_an_answer_gets_its_sentence_and_its_line(write, answer, words):
    path = write(solved("1.3", answer))
    verdicts = {verdict.number: verdict for verdict in judge(1, path, SOLUTIONS[0])}
    assert verdicts["1.3"].state == TO_REVIEW
    assert words in said(verdicts["1.3"]) and not INTERNAL.search(said(verdicts["1.3"]))
    assert [number for number, verdict in verdicts.items() if verdict.state != DONE] == ["1.3"]


def test_no_error_shows_an_internal_name():
    for code in ("(lambda: 0)(1)", "[].x", "object().x", "{}['a']", "int('x')", "1 / 0", "''.join([1])", "len(1)"):
        try:
            eval(code)  # pylint: disable=eval-used  # de petites erreurs, écrites ici
        except Exception as error:  # pylint: disable=broad-exception-caught  # chacune a la sienne
            why, advice = explain(error, 3)
            assert why.startswith("ligne 3 : ") and not INTERNAL.search(why + advice)


@pytest.mark.parametrize("damage, words", [
    (lambda text: "", "vide"),
    (lambda text: " \n\n", "vide"),
    (lambda text: text.replace("def main():", "def main()"), "ligne "),
    (lambda text: text.replace("import random\n", "import sys\nsys.exit(0)\n"), "sys.exit"),
    (lambda text: text.replace("import random\n", "import rendom\n"), "import impossible"),
    (lambda text: text.replace("import narration, paths\n", "import narration, path\n"), "import impossible"),
    (lambda text: text.replace("SEED = 42", "SEED = quarante_deux"), "le nom « quarante_deux » n'existe pas"),
    (lambda text: text.replace("    main()", "\t  main("), "ligne "),
])
def test_an_accident_around_the_answers_is_said_once(write, damage, words):
    text = "\n".join(SOLUTIONS[0]) + "\n"
    assert damage(text) != text
    verdicts = list(judge(1, write(damage(text)), SOLUTIONS[0]))
    assert [(verdict.number, verdict.state) for verdict in verdicts] == [("*", TO_REVIEW)]
    assert words in verdicts[0].why


def test_a_lost_import_is_named(write):
    text = "\n".join(SOLUTIONS[2])
    line = "from datasets import load_from_disk\n"
    assert line in text
    verdict = verdict_of(write(text.replace(line, "")), "3.2")
    assert verdict.state == TO_REVIEW and "« load_from_disk » n'existe pas" in verdict.why
    assert "import" in verdict.advice


def test_a_changed_import_of_a_lesson_breaks_nothing(write):
    """Ce que les figurants offrent vient des imports du script."""
    lines = SOLUTIONS[2]
    rank = next(rank for rank, line in enumerate(lines) if line.startswith("from workshop import"))
    changed = [*lines[:rank], "from workshop.learning.un_module_de_demain import une_fonction", *lines[rank:]]
    assert {verdict.state for verdict in judge(3, write("\n".join(changed)), changed)} == {DONE}


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_another_encoding_is_named(write, encoding):
    text = "\n".join(SOLUTIONS[3]).replace("«", '"').replace("»", '"').replace("—", "-")
    (verdict,) = judge(4, write(text, encoding), SOLUTIONS[3])
    assert verdict.number == "*" and "UTF-8" in verdict.why and re.match(r"ligne \d", verdict.why)


def test_a_deleted_file_is_named(tmp_path):
    (verdict,) = judge(1, tmp_path / "1_prepare_dataset.py", SOLUTIONS[0])
    assert verdict.number == "*" and "n'existe pas" in verdict.why and "verify.py --reset 1" in verdict.advice


def test_a_lost_function_is_named(write):
    text = "\n".join(SOLUTIONS[0]).replace("def drop_fixed_number_of_lines", "# def drop_fixed_number_of_lines")
    text = text.replace('    """La recette des diapositives',
                        'def drop_lines(lines):\n    """La recette des diapositives')
    verdict = verdict_of(write(text), "1.3")
    assert verdict.state == DONE  # renommée, elle se juge aussi bien


# --- Le temps, dans un autre processus ----------------------------------------------------

@pytest.mark.parametrize("answer, words", [
    ("while True:\n    pass", "le calcul ne finit pas"),
    ("while True:\n    try:\n        raise ValueError\n    except:\n        pass", "le calcul ne finit pas"),
    ("import os\nos._exit(0)", "os._exit"),
])
def test_an_answer_that_stops_its_process_is_told_and_the_next_ones_judged(write, answer, words):
    verdicts = judge_apart(1, write(solved("1.3", answer)))
    assert list(verdicts) == [f"1.{rank}" for rank in range(1, 11)]
    assert [number for number, verdict in verdicts.items() if verdict.state != DONE] == ["1.3"]
    assert words in said(verdicts["1.3"])


def test_an_endless_loop_around_the_answers_is_said_once(write):
    text = "\n".join(SOLUTIONS[3]).replace("SEED = 42", "while True:\n    SEED = 42")
    verdicts = judge_apart(4, write(text))
    assert list(verdicts) == ["*"] and re.match(r"ligne 2\d : le calcul ne finit pas", verdicts["*"].why)


@pytest.mark.parametrize("accident", [lambda process: None, lambda process: process.close()])
def test_a_process_got_ready_judges_the_same(accident):
    """Celui que --watch lance d'avance ; s'il s'est arrêté entre-temps, un autre le remplace."""
    apart.get_ready()
    ready = apart._ahead[0]  # pylint: disable=protected-access  # ce test seul y touche
    accident(ready)
    verdicts = judge_apart(3, AURORE / "3_train_solution.py")
    assert {verdict.state for verdict in verdicts.values()} == {DONE} and len(verdicts) == 3
    assert not ready.is_alive() and not apart._ahead  # pylint: disable=protected-access  # de même


def _keep_busy():
    while True:
        pass


def test_a_busy_machine_changes_no_verdict(monkeypatch):
    """Quatre calculs par cœur à côté : aucune solution n'est prise pour une boucle. BUSY_RUNS=50 insiste.

    Là où on le peut, un seul cœur : l'autre reste aux autres tests.
    """
    monkeypatch.setattr(apart, "exercise_path", apart.solution_path)
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if cores:
        os.sched_setaffinity(0, {min(cores)})  # tout ce qui naît ensuite en hérite
    count = 4 if cores else 4 * os.cpu_count()
    rivals = [multiprocessing.Process(target=_keep_busy, daemon=True) for _ in range(count)]
    for rival in rivals:
        rival.start()
    try:
        for _ in range(int(os.environ.get("BUSY_RUNS", "1"))):
            for verdicts in judge_all((1, 2, 3, 4)).values():  # d'un seul processus, pour une seule attente
                assert {verdict.state for verdict in verdicts.values()} == {DONE}, verdicts
    finally:
        for rival in rivals:
            rival.kill()
        if cores:
            os.sched_setaffinity(0, cores)


# --- La commande --------------------------------------------------------------------------

def verify(atelier, *arguments, folder=None, typed=None, **settings):
    """Lance verify.py dans la copie de l'atelier, sans terminal."""
    return subprocess.run([sys.executable, atelier.aurore / "verify.py", *arguments], cwd=folder or atelier.folder,
                          check=False, env=atelier.environment(**settings), capture_output=True, timeout=100,
                          input=typed)


def test_the_command_on_untouched_and_finished_exercises(atelier):
    process = verify(atelier, PYTHONIOENCODING="cp1252")
    told = process.stdout.decode("cp1252")
    assert process.returncode == 1 and not process.stderr and b"\x1b" not in process.stdout
    assert told.count("pas encore") == len(NUMBERS)
    assert not [line for line in told.splitlines() if re.search(r"\w\?\w|« \? »", line)]
    assert re.search(r"tout l'atelier +0 sur 20 +0 sur 6", told)
    (atelier.aurore / "3_train.py").write_text("\n".join(SOLUTIONS[2]), encoding="utf-8")
    process = verify(atelier, "3")
    told = process.stdout.decode()
    assert process.returncode == 0 and "Exercice 3 : fait." in told and "Exercice 2" not in told
    assert "verify.py --compare 3" in told and "verify.py --questions 3" in told
    assert re.search(r"tout l'atelier +3 sur 20 ", told)


def test_the_command_tells_what_to_do_next(atelier):
    path = atelier.aurore / "4_generate.py"
    path.write_text(with_answer(EXERCISES[3], "4.3", 'prompts = ["Un seul"]'), encoding="utf-8")
    process = verify(atelier, "4")
    told = " ".join(process.stdout.decode().split())
    assert process.returncode == 1
    assert "la liste a 1 début(s), et il en faut deux. Écrivez deux textes" in told
    assert "Ensuite : le TODO 4.1, dans aurore/4_generate.py, puis relancez : python aurore/verify.py 4 " in told
    assert "Un indice : python aurore/verify.py --hint 4.1" in told


def test_the_commands_proposed_are_right_from_where_one_is(atelier, tmp_path_factory):
    inside = verify(atelier, "4.1", folder=atelier.aurore).stdout.decode()
    assert "TODO 4.1 : 4_generate.py" in inside and "relancez :  python verify.py 4.1" in inside
    folder = tmp_path_factory.mktemp("ailleurs")
    proposed = re.search(r"relancez :  python (.+) 4\.1", verify(atelier, "4.1", folder=folder).stdout.decode())[1]
    assert (folder / proposed.strip('"')).samefile(atelier.aurore / "verify.py")


def test_one_todo_alone(atelier):
    path = atelier.aurore / "1_prepare_dataset.py"
    path.write_text(with_answer(EXERCISES[0], "1.3", RIGHT_ANSWER), encoding="utf-8")
    right, waiting = verify(atelier, "1.3"), verify(atelier, "1.4")
    assert right.returncode == 0 and re.search(r"1\.3 +fait", right.stdout.decode())
    assert waiting.returncode == 1 and "1.3" not in waiting.stdout.decode() and "--hint 1.4" in waiting.stdout.decode()


def test_optional_todos_left_do_not_prevent_success(atelier):
    text = "\n".join(SOLUTIONS[1]) + "\n"
    for number in ("2.5", "2.6", "2.7"):
        todo = todo_in(EXERCISES[1], number)
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
    (["--hint", "9.9"], "Il n'y a pas de TODO 9.9"), (["5"], "pas d'exercice 5"), (["abc"], "pas d'exercice abc"),
    (["1.42"], "pas de TODO 1.42"), (["--hint"], "--hint attend un numéro"), (["--hint", "1.3", "deux"], "« deux »"),
    (["--hnt", "1.3"], "vouliez-vous --hint"), (["--reset", "7"], "pas d'exercice 7"),
    (["--reset", "--watch"], "Une seule option")])
def test_a_mistake_on_the_command_line_is_explained(atelier, arguments, words):
    process = verify(atelier, *arguments)
    assert process.returncode == 2 and words in process.stderr.decode() and b"Traceback" not in process.stderr
    assert b"python aurore/verify.py" in process.stderr


def test_help_is_french(atelier):
    told = verify(atelier, "--help").stdout.decode()
    assert told.startswith("Mes exercices sont-ils justes ?") and "--watch" in told and "usage" not in told


def test_reset_gives_the_exercise_back_and_keeps_a_copy(atelier):
    path = atelier.aurore / "3_train.py"
    path.write_text("à moi\n", encoding="utf-8")
    process = verify(atelier, "--reset", "3")
    assert process.returncode == 0 and path.read_text(encoding="utf-8").splitlines() == EXERCISES[2]
    (copy,) = atelier.aurore.glob("3_train.*.copie")
    assert copy.read_text(encoding="utf-8") == "à moi\n" and copy.name in process.stdout.decode()


def test_reset_of_one_todo_leaves_the_others(atelier):
    path = atelier.aurore / "3_train.py"
    path.write_text("\n".join(SOLUTIONS[2]) + "\n", encoding="utf-8")
    assert verify(atelier, "--reset", "3.2").returncode == 0
    states = {verdict.number: verdict.state for verdict in judge(3, path, SOLUTIONS[2])}
    assert states == {"3.1": DONE, "3.2": WAITING, "3.3": DONE}


def test_compare_needs_no_git(atelier):
    process = verify(atelier, "--compare", "3", PATH="")
    assert process.returncode == 0 and "+    model.summary()" in process.stdout.decode()


def test_a_reader_who_leaves_is_no_error(atelier):
    with subprocess.Popen([sys.executable, "aurore/verify.py", "--hint", "1.7"], cwd=atelier.folder,
                          env=atelier.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize("number", range(1, 5))
def test_each_exercise_ends_with_two_questions(number):
    questions = questions_of(number)
    assert len(questions) == 2
    for question in questions:
        assert len(question["choices"]) == 3 and question["question"].endswith("?")
        right, *others = (remark for _, remark in question["choices"])
        assert right.startswith("Oui") and all(remark.startswith("Non") for remark in others)


def test_a_wrong_choice_is_explained_and_asked_again(atelier):
    process = verify(atelier, "--questions", "3", typed=b"a\nb\nc\n\n")
    told = " ".join(process.stdout.decode().split())
    assert process.returncode == 0 and "Qu'est-ce qu'une époque ?" in told
    assert "Oui : trois époques" in told


def test_watch_says_what_changed_then_the_next_todo(atelier):
    path = atelier.aurore / "3_train.py"
    with subprocess.Popen([sys.executable, "aurore/verify.py", "--watch", "3"], cwd=atelier.folder, encoding="utf-8",
                          env=atelier.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert "0 sur 20" in read_until(process, "je regarde")
            path.write_text(with_answer(EXERCISES[2], "3.1", "model.summary"), encoding="utf-8")
            assert "3.1 : pas encore, et maintenant à revoir" in read_until(process, "je regarde")
            path.write_text(with_answer(EXERCISES[2], "3.1", "model.summary()"), encoding="utf-8")
            told = read_until(process, "je regarde")
            assert "3.1 : à revoir, et maintenant fait" in told and "1 sur 20" in told and "3.2  pas encore" in told
            process.stdin.write("i\n")
            process.stdin.flush()
            assert "Un indice" in read_until(process, "je regarde")
            process.stdin.write("q\n")
            process.stdin.flush()
            assert process.wait(20) == 0
        finally:
            process.kill()


# --- Un autre Python ----------------------------------------------------------------------

def other_pythons():
    """Les Pythons de cette machine que l'atelier n'accepte pas."""
    folders = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    return [path for pattern in ("2.7*", "3.8*", "3.10*",
                                 "3.14*") for path in sorted(folders.glob(f"{pattern}/bin/python"))]


def test_another_python_is_told_which_one_to_use(atelier):
    pythons = other_pythons()
    if not pythons:
        pytest.skip("Cette machine n'a pas d'autre Python que celui de l'atelier.")
    for python in pythons:
        process = subprocess.run([python, "aurore/verify.py", "1"], cwd=atelier.folder, check=False,
                                 capture_output=True)
        told = process.stderr.decode("utf-8")
        assert process.returncode == 2 and "3.11, 3.12 ou 3.13" in told and "Traceback" not in told, told
        assert "Vos réponses n'y sont pour rien" in told and ".venv" in told


def test_a_python_without_the_libraries_is_told_which_one_to_use(atelier):
    process = subprocess.run([sys.executable, "-S", "-I", atelier.aurore / "verify.py", "1"], check=False,
                             capture_output=True, cwd=atelier.folder)
    told = process.stderr.decode()
    assert process.returncode == 2 and "n'a pas les bibliothèques" in told and "Traceback" not in told


def test_hints_are_those_of_the_todos():
    hints = {number: hints for rank in (1, 2, 3, 4) for number, hints in checks_of(rank).HINTS.items()}
    assert list(hints) == NUMBERS and all(1 <= len(sentences) <= 3 for sentences in hints.values())


def test_all_is_judged_in_one_process():
    start = time.perf_counter()
    results = judge_all((1, 2, 3, 4))
    assert {number: len(verdicts) for number, verdicts in results.items()} == {1: 10, 2: 7, 3: 3, 4: 6}
    assert time.perf_counter() - start < 60
