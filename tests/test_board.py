"""Le tableau de la salle : ce que verify.py y dit, ce qu'on y voit, ce qu'il refuse ; avec dix personnes."""

import html
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

pytest.importorskip("selenium")
# pylint: disable=wrong-import-position  # là où selenium n'est pas installé, le fichier entier est passé
from selenium.webdriver.support.wait import WebDriverWait

from fake_generator import FakeGenerator
from visitors import csrf_token
from web_servers import served
from workshop.checks import room
from workshop.checks.judge import DONE, WAITING, WRONG, Verdict
from workshop.page import board

CODE = "le code du maître"
NAMES = ["Aurore", "Bastien", "Chloé", "Denis", "Élodie", "Fadette", "Germain", "Hélène", "Indiana", "Jules"]
MISTAKE = "la liste garde encore les dernières lignes"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(name="notebook")
def _notebook(tmp_path, monkeypatch):
    monkeypatch.setattr(board, "FILE", tmp_path / "data" / "salle.sqlite")
    return board.FILE


@pytest.fixture(name="app")
def _app(lesson, notebook, monkeypatch):
    """La page, avec le tableau."""
    assert not notebook.exists()
    monkeypatch.setenv("AURORE_CODE_SALLE", CODE)
    return lesson("5_flask").create_app(FakeGenerator())


@pytest.fixture(name="instructor")
def _instructor(app):
    """Un navigateur où le code a été donné."""
    return enter(app)


def enter(app, code=CODE):
    """Donne le code, et renvoie le client."""
    client = app.test_client()
    token = csrf_token(client.get("/salle").get_data(as_text=True))
    client.post("/salle", data={"csrf_token": token, "code": code})
    return client


def tell(client, name, *todos):
    """Envoie ce qu'enverrait verify.py, et renvoie le code de la réponse."""
    return client.post("/salle/avis", json={"prenom": name, "todos": [list(todo) for todo in todos]}).status_code


def page(client, address="/salle"):
    """Ce que montre une page, sans ses balises, sur une ligne."""
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))).split())


def fill(client):
    """Dix personnes : quatre bloquées au TODO 4.5, les autres çà et là."""
    for rank, name in enumerate(NAMES):
        if rank < 4:
            todos = [*((f"4.{one}", DONE, "") for one in range(1, 5)), ("4.5", WRONG, MISTAKE), ("4.6", WAITING, "")]
        elif rank < 8:
            todos = [*((f"4.{one}", DONE, "") for one in range(1, 7)), ("3.1", DONE, ""), ("3.2", WAITING, "")]
        elif rank == 8:
            todos = [("3.*", WRONG, "ligne 70 : une parenthèse n'est pas fermée")]
        else:
            todos = [("4.1", WAITING, "")]
        assert tell(client, name, *todos) == 204


def test_ten_people_and_what_blocks_them(app, instructor):
    client = app.test_client()
    senders = [threading.Thread(target=fill, args=(app.test_client(),)) for _ in range(3)]  # chacun plusieurs fois
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    fill(client)
    shown = page(instructor)
    assert f"Le TODO 4.5 arrête 4 personnes . {MISTAKE.replace(chr(39), '’')}" in shown
    assert "Qui est où 10 personnes" in shown and all(name in shown for name in NAMES)
    assert "Indiana exercice 3, illisible une parenthèse" in shown.replace("ligne 70 : ", "")
    by_name = {person.name: person for person in board.summary(board.Notebook(board.FILE))["people"]}
    assert (by_name["Fadette"].todo, by_name["Fadette"].done, by_name["Fadette"].state) == ("3.2", 7, WAITING)
    assert by_name["Aurore"].todo == "4.5" and by_name["Aurore"].sentence == MISTAKE
    assert by_name["Jules"].todo == "4.1" and by_name["Jules"].done == 0
    steps = {step.number: step for step in board.summary(board.Notebook(board.FILE))["steps"]}
    assert (steps["4.4"].done, steps["4.5"].wrong, steps["4.5"].here, steps["3.2"].here) == (8, 4, 4, 4)
    assert steps["2.5"].optional and not steps["2.4"].optional


def test_a_person_who_moves_on_is_seen_moving(app, instructor):
    client = app.test_client()
    tell(client, "Aurore", ("4.1", DONE, ""), ("4.2", WRONG, "il manque config"))
    assert "Aurore 4.2 il manque config" in page(instructor, "/salle/tableau")
    tell(client, "Aurore", ("4.2", DONE, ""))
    tell(client, "Aurore", ("3.1", WRONG, "summary n’est pas appelée"))
    shown = page(instructor, "/salle/tableau")
    assert "Aurore 3.1 summary" in shown and "il manque config" not in shown
    tell(client, "Aurore", ("3.*", WRONG, "une parenthèse"))
    assert "exercice 3, illisible" in page(instructor)
    tell(client, "Aurore", ("3.1", DONE, ""), ("3.2", DONE, ""), ("3.3", DONE, ""))
    assert "exercice 3 fait" in page(instructor)


def test_names_can_be_hidden_before_projecting(app, instructor):
    fill(app.test_client())
    for address in ("/salle?noms=non", "/salle/tableau?noms=non"):
        shown = instructor.get(address).get_data(as_text=True)
        assert not [name for name in NAMES[1:] if name in shown] and "4.5" in shown  # « Aurore » est aussi en tête
    shown = instructor.get("/salle?noms=non").get_data(as_text=True)
    assert "noms=non" in re.search(r'data-source="([^"]+)"', shown)[1], "le rafraîchissement les montrerait"


@pytest.mark.parametrize("address", ["/salle/tableau", "/salle?noms=non", "/salle"])
def test_the_board_is_behind_its_code(app, address):
    fill(app.test_client())
    for client in (app.test_client(), enter(app, "un autre code")):
        answer = client.get(address)
        assert answer.status_code == 401 or "Le code de qui anime" in answer.get_data(as_text=True)
        assert not [name for name in NAMES[1:] if name in answer.get_data(as_text=True)]
        assert client.post("/salle/effacer").status_code in (400, 401)
    assert board.Notebook(board.FILE).read()


def test_codes_are_not_guessed(app):
    client = app.test_client()
    token = csrf_token(client.get("/salle").get_data(as_text=True))
    codes = [client.post("/salle", data={"csrf_token": token, "code": str(number)}).status_code for number in range(12)]
    assert codes == [400] * 10 + [429] * 2


def test_the_room_s_code_does_not_open_the_board_nor_close_it(lesson, monkeypatch, notebook):
    """Une salle fermée par ACCESS_CODE laisse verify.py parler au tableau, et qui anime y entrer avec son code."""
    monkeypatch.setenv("AURORE_CODE_SALLE", CODE)
    monkeypatch.setattr("workshop.page.door.read_access_code", lambda: "le code de la salle")
    app = lesson("5_flask").create_app(FakeGenerator())
    assert tell(app.test_client(), "Aurore", ("4.1", DONE, "")) == 204 and notebook.exists()
    assert "La salle" in page(enter(app)) and "Le code de qui anime" in page(app.test_client())
    assert app.test_client().get("/generate").status_code == 302


def test_without_the_variable_there_is_no_board(lesson, notebook, monkeypatch):
    monkeypatch.delenv("AURORE_CODE_SALLE", raising=False)
    client = lesson("5_flask").create_app(FakeGenerator()).test_client()
    assert client.get("/salle").status_code == 404
    assert tell(client, "Aurore", ("4.1", DONE, "")) in (400, 404) and not notebook.exists()


@pytest.mark.parametrize("body", [
    [], {}, "texte", {"prenom": "A"}, {"prenom": "A", "todos": []}, {"prenom": "", "todos": [["4.1", DONE, ""]]},
    {"prenom": 3, "todos": [["4.1", DONE, ""]]}, {"prenom": "A", "todos": [["9.1", DONE, ""]]},
    {"prenom": "A", "todos": [["4.1", "autre", ""]]}, {"prenom": "A", "todos": [["4.1", WRONG, 3]]},
    {"prenom": "A", "todos": [["4.1", [], ""]]}, {"prenom": "A", "todos": [["4.1", DONE]]},
    {"prenom": "\u202e\x00", "todos": [["4.1", DONE, ""]]}, {"prenom": "A", "todos": [["4.1", DONE, ""]] * 61}])
def test_what_is_not_a_report_is_refused(app, notebook, body):
    assert app.test_client().post("/salle/avis", json=body).status_code == 400 and not notebook.exists()


def test_what_comes_in_is_bounded_and_escaped(app, instructor, monkeypatch):
    client = app.test_client()
    assert tell(client, SCRIPT, ("4.1", WRONG, SCRIPT * 50)) == 204
    shown = instructor.get("/salle").get_data(as_text=True)
    assert SCRIPT not in shown and "&lt;script&gt;" in shown
    (name, verdicts), = board.Notebook(board.FILE).read().items()
    assert len(name) <= board.LONGEST_NAME and len(verdicts["4.1"][1]) <= board.LONGEST_SENTENCE
    assert client.post("/salle/avis", data=b"x" * 40_000, content_type="application/json").status_code == 413
    assert client.post("/salle/avis", data=b"{", content_type="application/json").status_code == 400
    assert client.post("/salle/avis", data=b"{}", content_type="text/plain").status_code == 415
    monkeypatch.setattr(board, "MOST_PEOPLE", 1)
    assert tell(client, "un de trop", ("4.1", DONE, "")) == 429


def test_one_address_does_not_fill_the_board(app, monkeypatch):
    monkeypatch.setattr(board, "PER_ADDRESS", board.parse("5 per minute"))
    client = app.test_client()
    assert [tell(client, "Aurore", ("4.1", DONE, "")) for _ in range(7)] == [204] * 5 + [429] * 2
    client.environ_base["REMOTE_ADDR"] = "10.0.0.7"
    assert tell(client, "Bastien", ("4.1", DONE, "")) == 204


def test_a_button_erases_everything(app, instructor, notebook):
    fill(app.test_client())
    assert instructor.post("/salle/effacer").status_code == 400, "sans son jeton, un autre site effacerait tout"
    assert notebook.exists()
    token = csrf_token(instructor.get("/salle").get_data(as_text=True))
    assert instructor.post("/salle/effacer", data={"csrf_token": token}).status_code == 302
    assert not notebook.exists() and "Personne n’a encore rien dit" in page(instructor)


def test_a_day_later_nothing_is_left(app, instructor, notebook):
    fill(app.test_client())
    with sqlite3.connect(notebook) as database:
        database.execute("UPDATE todo SET seen = seen - ? WHERE name = 'Aurore'", (board.KEPT_SECONDS + 1,))
    database.close()
    assert "9 personnes" in page(instructor)
    assert b"Aurore" not in notebook.read_bytes()


def test_in_a_browser_the_board_is_live_and_has_no_accessibility_fault(app, browser, axe):
    fill(app.test_client())
    with served(app) as server:
        browser.get(f"{server.url}/salle")
        audits = [faults(browser, axe)]
        browser.find_element("id", "code").send_keys(CODE)
        browser.find_element("css selector", "button[type=submit]").click()
        audits.append(faults(browser, axe))
        browser.find_element("link text", "Cacher les prénoms").click()
        audits.append(faults(browser, axe))
        tell(app.test_client(), "Zoé", ("2.1", WRONG, "le tokenizer n'est pas ouvert"))
        WebDriverWait(browser, 20).until(lambda _: "11" in browser.find_element("id", "who").text)
        seen = browser.find_element("id", "table").text
        assert "le tokenizer n’est pas ouvert" in seen and "Zoé" not in seen
        browser.set_window_size(400, 800)
        assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
        assert not browser.get_log("browser")
    assert audits == [[]] * 3


def faults(browser, axe):
    """Les fautes qu'axe trouve à la page ouverte."""
    browser.execute_script(axe)
    audit = browser.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    return [(fault["id"], fault["nodes"][0]["html"]) for fault in audit["violations"]]


# --- Chez une personne --------------------------------------------------------------------

RESULTS = {4: {"4.1": Verdict("4.1", DONE), "4.2": Verdict("4.2", WRONG, "ligne 41 : config n'est pas donnée", "x")},
           3: {"*": Verdict("*", WRONG, "ligne 3 : une parenthèse", "x")}}


def test_nothing_is_sent_without_the_variable(monkeypatch):
    monkeypatch.delenv("AURORE_SALLE", raising=False)
    monkeypatch.setattr(room.threading, "Thread", lambda **_: pytest.fail("rien n'a été demandé"))
    monkeypatch.setattr(room, "_name", lambda: pytest.fail("le prénom n'est pas demandé"))
    room.tell(RESULTS)


def test_what_verify_says_arrives(app, instructor, monkeypatch):
    with served(app) as server:
        for address in (server.url, f"{server.url}/", f"{server.url}/salle"):
            monkeypatch.setenv("AURORE_SALLE", address)
            monkeypatch.setenv("AURORE_PRENOM", "Chloé")
            room.tell(RESULTS, wait=5)
    told = board.Notebook(board.FILE).read()["Chloé"]
    assert {number: row[:2] for number, row in told.items()} == {
        "4.1": (DONE, ""), "4.2": (WRONG, "config n'est pas donnée"), "3.*": (WRONG, "une parenthèse")}
    assert "Chloé" in page(instructor)


def test_nothing_of_the_code_is_said(tmp_path, monkeypatch):
    """Une phrase qui cite un nom ou un texte de la personne part sans lui."""
    mine = tmp_path / "4_generate.py"
    mine.write_text('ma_variable = "un secret"\noutputs = ma_variable\n', encoding="utf-8")
    monkeypatch.setattr(room, "exercise_path", lambda _: mine)
    verdict = Verdict("4.4", WRONG, "ligne 2 : outputs vaut ma_variable, « un secret », et pipe n'est pas appelé", "x")
    number, state, sentence = room._row(4, "4.4", verdict)  # pylint: disable=protected-access
    assert (number, state) == ("4.4", WRONG) and "secret" not in sentence and "ma_variable" not in sentence
    assert sentence.startswith("outputs vaut …") and "pipe n'est pas appelé" in sentence


@pytest.mark.parametrize("kind", ["closed", "silent", "unknown", "bad"])
def test_a_dead_board_slows_nobody(monkeypatch, kind):
    monkeypatch.setenv("AURORE_PRENOM", "Denis")
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        address = {"closed": "http://127.0.0.1:9", "silent": f"http://127.0.0.1:{mute.getsockname()[1]}",
                   "unknown": "http://tableau.invalid", "bad": "le tableau"}[kind]
        monkeypatch.setenv("AURORE_SALLE", address)
        start = time.monotonic()
        room.tell(RESULTS)
        assert time.monotonic() - start < room.WAIT_SECONDS + 0.2  # le temps de lancer un fil sur une machine chargée
    assert room.WAIT_SECONDS <= 0.3


def test_the_name_is_asked_once(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("AURORE_PRENOM", raising=False)
    monkeypatch.setattr(room, "FILE", tmp_path / "data" / "prenom.txt")
    assert room._name() == "" and "AURORE_PRENOM" in capsys.readouterr().out  # pylint: disable=protected-access
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    asked = []
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or "Élodie")
    assert [room._name() for _ in range(3)] == ["Élodie"] * 3 and len(asked) == 1  # pylint: disable=protected-access


def test_verify_really_tells_the_board(app, atelier):
    """« python aurore/verify.py 4 », comme une personne, avec un exercice intact et une page au bout."""
    with served(app) as server:
        process = subprocess.run(
            [sys.executable, "aurore/verify.py", "4"], cwd=atelier.folder, check=False, encoding="utf-8",
            capture_output=True, env=atelier.environment(AURORE_SALLE=server.url, AURORE_PRENOM="Germain"))
        assert "Où vous en êtes" in process.stdout, process.stderr
        deadline = time.monotonic() + 5
        while not board.Notebook(board.FILE).read() and time.monotonic() < deadline:
            time.sleep(0.05)
    told = board.Notebook(board.FILE).read()["Germain"]
    assert set(board.todos()) == set(told) and {state for state, *_ in told.values()} == {WAITING}
