"""Chaque panne, sur les vrais scripts : tués, affamés, abîmés, à des instants et à des places tirés au hasard.

« make faults » lance ceux-ci et ceux des autres fichiers qui portent la marque `fault`, puis en fait un tableau :
survécu / essayé. FAULT_TRIES dit combien de fois tuer ou abîmer chaque chose, FAULT_SECONDS combien dure la cohue.
"""

import http.client
import io
import itertools
import json
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas
import pytest
from datasets import load_from_disk

from conftest import AURORE, Atelier, required
from gutenberg_files import PROSE, File
from hub_uploads import SharingHub
from test_kit_lessons import _project_root, _sources, gathered  # pylint: disable=unused-import  # deux fixtures
from web_servers import page_process
from workshop.artefacts import newest_model
from workshop.kit import command

TRIES = range(int(os.environ.get("FAULT_TRIES", "20")))
SECONDS = float(os.environ.get("FAULT_SECONDS", "120"))
STEPS = ("1_prepare_dataset_solution.py", "2_tokenize_solution.py", "3_train_solution.py", "4_generate_solution.py")
FOLDERS = ("data", "tokenizer", "model")
MEMORY = 2 * 2 ** 30   # octets qu'une machine modeste a de libres


def fault(name):
    """Marque un test du nom de la panne, dans le tableau."""
    return pytest.mark.fault(name)


def measured(atelier, script, **settings):
    """Lance `script` jusqu'au bout ; renvoie (code, tout ce qu'il a dit, octets de mémoire au plus haut)."""
    with subprocess.Popen([sys.executable, f"aurore/{script}"], cwd=atelier.folder, encoding="utf-8",
                          env=atelier.environment(**settings), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, said, 1024 * usage.ru_maxrss


@pytest.fixture(scope="module", name="whole")
def _whole(tmp_path_factory):
    """L'atelier embarqué, fait sans encombre ; `seconds` dit ce qu'a duré chaque étape, `memory` ses octets."""
    atelier = Atelier(tmp_path_factory.mktemp("sans panne"))
    atelier.seconds, atelier.memory = {}, {}
    for script in STEPS:
        begun = time.monotonic()
        code, said, atelier.memory[script] = measured(atelier, script)
        assert code == 0, said
        atelier.seconds[script] = time.monotonic() - begun
    return atelier


@pytest.fixture(name="copy")
def _copy(atelier, whole):
    """Fait, dans une copie de l'atelier, ce que laissent ces étapes-là."""
    def copy(*folders):
        for folder in folders:
            shutil.copytree(whole.aurore / folder, atelier.aurore / folder)
        return atelier
    return copy


def kill(atelier, arguments, seconds, **settings):
    """Lance un script de l'atelier et, `seconds` après, le tue sans préavis."""
    with subprocess.Popen([sys.executable, *arguments], cwd=atelier.folder, env=atelier.environment(**settings),
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()


def traces(folder):
    """Ce qui doit être le même, panne ou non : les textes, le tokenizer, les pertes de l'entraînement."""
    log = newest_model(folder / "model") if (folder / "model").is_dir() else None
    return {"data": {path.name: path.read_bytes() for path in sorted((folder / "data").glob("*.txt"))},
            "tokenizer": [path.read_bytes() for path in (folder / "tokenizer").glob("tokenizer.json")],
            "model": log and np.genfromtxt(log / "training_log.csv", delimiter=",", skip_header=1)}


def left_in(folder):
    """Ce qu'une étape laisse, cachés compris ; d'un réseau, dont le nom est une date, la date."""
    return sorted("une date" if path.name[0] == "2" else path.name for path in folder.iterdir())


@pytest.mark.parametrize("number", TRIES)
@pytest.mark.parametrize("step", [pytest.param(step, marks=fault(f"étape {step + 1} tuée (kill -9)"))
                                  for step in range(3)])
def test_a_killed_step_is_simply_run_again(copy, whole, step, number):
    """Une fois sur deux, ce que l'étape refait existait déjà : il est alors d'avant, ou d'après, mais entier."""
    made = FOLDERS[step]
    atelier = copy(*FOLDERS[:step + number % 2])
    script, expected = STEPS[step], traces(whole.aurore)[made]
    if step == 2:
        atelier.change(script, "SAVE_EVERY_SECONDS = 60", "SAVE_EVERY_SECONDS = 0")
    kill(atelier, [f"aurore/{script}"], random.Random(f"{step} {number}").uniform(0, whole.seconds[script]))
    if number % 2:
        np.testing.assert_equal(traces(atelier.aurore)[made], expected)
    process = atelier.run(script)
    assert process.returncode == 0, process.stdout + process.stderr
    found = traces(atelier.aurore)[made]
    if step == 2:
        np.testing.assert_allclose(found, expected, atol=0.001)
    else:
        assert found == expected
    assert set(left_in(atelier.aurore / made)) == set(left_in(whole.aurore / made))


@fault("envoi sur le Hub tué")
@pytest.mark.parametrize("number", TRIES)
def test_a_killed_push_is_simply_run_again(copy, number):
    atelier = copy("data")
    ini = "[hugging_face]\nTOKEN=hf_bon\nHUGGING_FACE_PSEUDO=jeanne\n"
    (atelier.aurore / "credentials.ini").write_text(ini, encoding="utf-8")
    before = traces(atelier.aurore)["data"]
    with SharingHub() as catalogue:
        settings = {"AURORE_SOURCE": "auto", "HF_ENDPOINT": catalogue.url}
        kill(atelier, ["aurore/share.py", "data"], random.Random(number).uniform(0, 6), **settings)
        process = subprocess.run([sys.executable, "aurore/share.py", "data"], cwd=atelier.folder, encoding="utf-8",
                                 env=atelier.environment(**settings), capture_output=True, check=False)
        assert process.returncode == 0, process.stdout + process.stderr
        sent = catalogue.repositories["datasets/jeanne/aurore-data"]
    for part, rows in load_from_disk(atelier.aurore / "data").items():
        assert pandas.read_parquet(io.BytesIO(sent[f"{part}.parquet"])).to_dict("list") == rows.to_dict()
    assert traces(atelier.aurore)["data"] == before


@fault("kit tué pendant qu'il se fait")
@pytest.mark.parametrize("number", TRIES)
@pytest.mark.usefixtures("sources")
def test_a_killed_kit_is_simply_made_again(tmp_path, number):
    kit = tmp_path / "kit"
    making = multiprocessing.get_context("fork").Process(target=gathered, args=(kit,))
    making.start()
    making.join(random.Random(number).uniform(0, 2))
    making.kill()
    making.join()
    assert gathered(kit) == 0 and command.check(kit) == 0


@fault("étape 1, 2 ou 4 avec 2 Gio de mémoire")
@pytest.mark.parametrize("script", [STEPS[0], STEPS[1], STEPS[3]])
def test_two_gibibytes_are_enough(whole, script):
    assert whole.memory[script] < MEMORY


@fault("horloge vingt ans en arrière")
def test_a_clock_set_back_changes_nothing(copy):
    faketime = required(shutil.which("faketime"), "Remettre l'horloge en arrière demande le programme faketime.")
    atelier = copy("data")
    for script in STEPS[1:]:
        process = subprocess.run([faketime, "-f", "-20y", sys.executable, f"aurore/{script}"], cwd=atelier.folder,
                                 env={**atelier.environment(), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}, check=False,
                                 encoding="utf-8", capture_output=True)
        assert process.returncode == 0, process.stdout + process.stderr
    assert newest_model(atelier.aurore / "model").name.startswith("200")


def spoil(folder, number):
    """Change un octet, au hasard, d'un des fichiers que lit l'étape d'après ; renvoie lequel."""
    draw = random.Random(number)
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".json", ".arrow", ".safetensors"))
    path = draw.choice(files)
    content = bytearray(path.read_bytes())
    content[draw.randrange(min(len(content), 4000))] = draw.randrange(256)   # l'en-tête, ou tout un petit fichier
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("number", TRIES)
@pytest.mark.parametrize("folder, script", [
    pytest.param("data", STEPS[1], marks=fault("un octet changé dans les données")),
    pytest.param("model", STEPS[3], marks=fault("un octet changé dans le réseau"))])
def test_a_flipped_byte_is_read_around_or_told(copy, folder, script, number):
    """L'étape d'après va au bout, ou dit en une phrase ce qui ne va pas et quoi refaire : jamais une trace d'appels."""
    atelier = copy("data", folder) if folder == "model" else copy("data")
    spoilt = spoil(newest_model(atelier.aurore / "model") if folder == "model" else atelier.aurore / "data", number)
    process = atelier.run(script)
    assert "Traceback" not in process.stderr, f"{spoilt} : {process.stderr}"
    assert process.returncode == 0 or (process.returncode == 2 and "ERREUR." in process.stderr), spoilt


# --- Des livres qui n'en sont pas ---------------------------------------------------------

def words(count):
    """`count` mots d'une seule phrase."""
    draw = random.Random(count)
    return " ".join(draw.choices(PROSE.replace(".", "").lower().split(), k=count))


@pytest.mark.parametrize("text, size, refusal", [
    pytest.param(f"{words(200_000).capitalize()}.", None, "« Le livre » n'a qu'une phrase",
                 marks=fault("une phrase d'un million de signes")),
    pytest.param(" ".join(f"{words(9).capitalize()}." for _ in range(20_000)), None, "",
                 marks=fault("un livre d'une seule ligne")),
    pytest.param(PROSE, 2 ** 30, "ce n'est pas un livre", marks=fault("un livre d'un gibioctet"))])
def test_a_book_out_of_measure(atelier, text, size, refusal):
    path = atelier.folder / "livre.txt"
    path.write_text(File().text(text), encoding="utf-8")
    if size:
        os.truncate(path, size)
    tales = sorted((AURORE / "embedded" / "books").rglob("*.txt"))
    script = atelier.aurore / STEPS[0]
    head, _, tail = script.read_text(encoding="utf-8").partition("# --- Les réglages")
    books = (f'TRAIN_BOOKS = {{"Le livre": {str(path)!r}, "Un conte": {str(tales[0])!r}}}\n'
             f'TEST_BOOKS = {{"Un autre": {str(tales[1])!r}}}\nBOOKS = ""\nLANGUAGE = "French"\n\n')
    script.write_text(head.partition("# --- Les livres")[0] + books + "# --- Les réglages" + tail, encoding="utf-8")
    code, said, memory = measured(atelier, STEPS[0], AURORE_SOURCE="auto")
    assert code == (2 if refusal else 0), said
    assert "Traceback" not in said and refusal in " ".join(said.split())
    assert memory < MEMORY


# --- La page ------------------------------------------------------------------------------

def ask(port, prompt, lines=None, address="127.0.0.1"):
    """Demande un texte court, mot à mot, et s'en va après `lines` lignes ; renvoie (réponse, dernière ligne lue)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=90, source_address=(address, 0))
    try:
        body = json.dumps({"amorce": prompt, "longueur": "court", "stream": True})
        connection.request("POST", "/api/v1/generate", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        read = [line for line in itertools.islice(answer, lines) if line.startswith(b"data: ")]
        return answer, read[-1:]
    finally:
        connection.close()


def ending(read):
    """Renvoie ce que dit la fin d'un texte lu jusqu'au bout."""
    return json.loads(read[0].removeprefix(b"data: "))


def memory_of(pid, what="VmRSS"):
    """Renvoie la mémoire d'un processus, en octets."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return 1024 * int(next(line for line in status.splitlines() if line.startswith(what)).split()[1])


@pytest.mark.parametrize("accident", [
    pytest.param("delete", marks=fault("le réseau effacé pendant que la page écrit")),
    pytest.param("spoil", marks=fault("le réseau abîmé pendant que la page écrit")),
    pytest.param("replace", marks=fault("le réseau remplacé pendant que la page écrit"))])
def test_the_page_outlives_its_network(copy, accident):
    atelier = copy("model")
    model = atelier.aurore / "model"
    with page_process(atelier.folder, atelier.environment()) as page:
        assert ask(page.port, "Le soir,")[0].status == 200
        asking = [threading.Thread(target=ask, args=(page.port, "Le soir,")) for _ in range(4)]
        for thread in asking:
            thread.start()
        folder = newest_model(model)
        if accident == "replace":
            shutil.copytree(AURORE / "embedded" / "sand_model", model / "2099-01-01_00-00-00")
        if accident == "spoil":
            (folder / "model.safetensors").write_bytes(b"\x00" * 1000)
        else:
            shutil.rmtree(folder)
        for _ in range(6):
            answer, read = ask(page.port, "Le soir,")
            assert answer.status == 200 and ending(read)["suite"]
            time.sleep(1)
        for thread in asking:
            thread.join()
        assert page.poll() is None and memory_of(page.pid, "VmHWM") < MEMORY


@fault("deux cents lecteurs, qui s'en vont ou restent")
def test_two_hundred_readers_come_and_go(whole):
    """Chacun a son amorce : rien ne se perd, ne se mêle ni ne grossit, et qui n'est pas servi est prié de revenir."""
    codes, wrong, measures = [], [], []

    def read(number, port, until):
        draw, prompt = random.Random(number), f"Le lecteur numéro {number} se souvint que"
        while time.monotonic() < until:
            lines = draw.choice((None, None, 1, 20))
            try:
                answer, said = ask(port, prompt, lines, f"127.0.1.{1 + number}")
                codes.append(answer.status)
                if answer.status == 503:
                    time.sleep(int(answer.headers["Retry-After"]))
                elif lines is None and ending(said)["amorce"] != prompt:
                    wrong.append((number, said))
            except (OSError, http.client.HTTPException, ValueError, KeyError, IndexError) as error:
                wrong.append((number, error))

    with page_process(whole.folder, whole.environment()) as page:
        until = time.monotonic() + SECONDS
        readers = [threading.Thread(target=read, args=(number, page.port, until)) for number in range(200)]
        for thread in readers:
            thread.start()
        while time.monotonic() < until:
            time.sleep(SECONDS / 10)
            measures.append(memory_of(page.pid))
        for thread in readers:
            thread.join()
        assert ask(page.port, "Le soir,")[0].status == 200
    assert not wrong and set(codes) <= {200, 503} and codes.count(200) > 100
    assert max(measures) < 1.2 * measures[2]
