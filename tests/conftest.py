"""Ce que les tests partagent : le réseau coupé, une copie de l'atelier, de petits serveurs."""

import atexit
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from filelock import FileLock
from pytest_socket import socket_allow_hosts

ROOT = Path(__file__).resolve().parent.parent
AURORE = ROOT / "aurore"
GUTENBERG = ROOT.parent / "shared" / "gutenberg"
# D'abord les fichiers les plus longs, pour qu'à plusieurs processus aucun ne finisse seul, et ceux qui attendent (un
# navigateur, un serveur muet), pendant que pylint calcule (make test).
FIRST = ("test_verify", "test_browser", "test_hub", "test_neuron", "test_attention", "test_strategy", "test_crowd",
         "test_atelier", "test_training", "test_bad_inputs", "test_sharing", "test_library", "test_step_3",
         "test_board", "test_kit", "test_kit_lessons", "test_sources", "test_engine_elsewhere")
CLOSED_PORT = "http://127.0.0.1:9"  # le port « discard », où rien n'écoute
ONE_OUTPUT = {"stderr": subprocess.STDOUT}  # ce que dit un script et ce dont il se plaint, comme dans un terminal

sys.path.insert(0, str(AURORE))
# Ce que les étapes ont laissé sous aurore/ ne doit rien changer aux tests : ils ont leurs caches, et les réseaux
# qu'ils font écrire sont nommés.
_LEFT = Path(tempfile.mkdtemp(prefix="aurore-tests-"))
atexit.register(shutil.rmtree, _LEFT, ignore_errors=True)
os.environ.update(HF_HOME=str(_LEFT / "huggingface"), KERAS_HOME=str(_LEFT / "keras"),
                  MPLCONFIGDIR=str(_LEFT / "matplotlib"))
for _name in ("HF_TOKEN", "AURORE_SOURCE", "GUTENBERG_MIRROR"):
    os.environ.pop(_name, None)
os.environ["HF_HUB_ETAG_TIMEOUT"] = os.environ["HF_HUB_DOWNLOAD_TIMEOUT"] = "2"

# Un shell qui lance les tests en arrière-plan leur fait ignorer Ctrl-C, et à leurs scripts aussi.
signal.signal(signal.SIGINT, signal.default_int_handler)

from warm_start import start_script  # pylint: disable=wrong-import-position  # après sys.path
from web_servers import BookServer, HubServer  # pylint: disable=wrong-import-position  # de même

# huggingface_hub lit son adresse à l'import : le serveur doit exister avant.
_HUB = HubServer()
os.environ["HF_ENDPOINT"] = _HUB.url
_ENVIRONMENT = dict(os.environ)  # avant qu'un test importe « workshop », qui le règle : les scripts le font eux-mêmes


def required(found, message):
    """Renvoie `found`, ce que le test demande à la machine ; vide, il passe son tour, et `message` dit pourquoi.

    Avec AURORE_TESTS=all (notre intégration, .ci/run), rien n'a le droit de manquer : le test échoue.
    """
    if not found:
        (pytest.fail if os.environ.get("AURORE_TESTS") == "all" else pytest.skip)(message)
    return found


def pytest_runtest_setup():
    """Coupe le réseau de chaque test, sauf la machine elle-même."""
    socket_allow_hosts(["127.0.0.1", "localhost", "::1"], allow_unix_socket=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call():
    """Oublie ce qu'un test a trouvé hors d'atteinte : une séance ne l'attend plus, le test suivant n'en est pas une."""
    modules = [(sys.modules.get("huggingface_hub.constants"), "HF_HUB_OFFLINE"),
               (sys.modules.get("transformers.utils.hub"), "_is_offline_mode")]
    before = [(module, name, getattr(module, name)) for module, name in modules if module]
    try:
        return (yield)
    finally:
        for kept in before:
            setattr(*kept)
        if "workshop.learning.offline" in sys.modules:
            sys.modules["workshop.learning.offline"].is_reachable.cache_clear()


def pytest_collection_modifyitems(items):
    """Met les fichiers dans l'ordre de FIRST ; retient la panne que chaque test essaie, pour le tableau."""
    items.sort(key=lambda item: FIRST.index(item.path.stem) if item.path.stem in FIRST else len(FIRST))
    for item in items:
        marker = item.get_closest_marker("fault")
        if marker:
            item.user_properties.append(("fault", marker.args[0]))


def pytest_terminal_summary(terminalreporter, config):
    """Avec `-m fault`, affiche combien de fois l'atelier a survécu à chaque panne, sur combien d'essais."""
    if config.option.markexpr != "fault":
        return
    tries = {}
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.getreports(outcome):
            name = dict(report.user_properties).get("fault")
            tries.setdefault(name, {}).setdefault(report.nodeid, []).append(outcome == "passed")
    terminalreporter.section("Pannes : survécu / essayé")
    for name, runs in tries.items():
        terminalreporter.line(f"{sum(map(all, runs.values())):>4} / {len(runs):<4} {name}")


def read_until(process, pattern):
    """Lit ce que dit un processus, jusqu'à cette expression régulière, et le renvoie."""
    said = ""
    while not re.search(pattern, said):
        line = process.stdout.readline()
        complained = process.stderr.read() if process.stderr and not line else ""
        assert line, f"arrêté avant de dire « {pattern} » : {said}{complained}"
        said += line
    return said


class Atelier:
    """Une copie de l'atelier dans un dossier à elle, dont on lance les scripts comme une personne."""

    def __init__(self, folder, said=None):
        """`said` est donné si l'atelier de ce dossier est déjà fait."""
        self.folder = folder
        self.said = said or {}  # ce qu'a affiché chaque script, là où un test l'a gardé
        self.aurore = folder / "aurore"
        if said is not None:
            return
        shutil.copytree(AURORE, self.aurore, ignore=shutil.ignore_patterns(
            "data", "tokenizer", "model", "embedded", "*.pyc.*"))  # ces derniers s'écrivent encore
        (self.aurore / "embedded").symlink_to(AURORE / "embedded", target_is_directory=True)

    def copied(self, folder):
        """Copie cet atelier dans `folder`, tel qu'il en est, et renvoie la copie."""
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        return Atelier(folder, dict(self.said))

    def environment(self, **settings):
        """Renvoie l'environnement d'un script : réseau coupé, contes embarqués sauf avis contraire."""
        offline = str(Path(__file__).parent / "offline")
        return {**_ENVIRONMENT, "PYTHONPATH": offline, "PYTHONUNBUFFERED": "1", "AURORE_SOURCE": "embedded",
                "HF_ENDPOINT": CLOSED_PORT, "GUTENBERG_MIRROR": CLOSED_PORT, **settings}

    def start(self, script, *arguments, cold=False, options=None, **settings):
        """Lance `script` depuis le dossier de la copie et renvoie le processus ; `cold` : sans rien d'importé d'avance
        (warm_start.py) ; `options` : celles de subprocess.Popen."""
        options = {"cwd": self.folder, "env": self.environment(**settings), "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, "encoding": "utf-8", "errors": "strict", **(options or {})}
        return start_script([f"aurore/{script}", *arguments], cold=cold, **options)

    def run(self, script, *arguments, timeout=280, cold=False, **settings):
        """Lance `script` et renvoie le processus terminé."""
        with self.start(script, *arguments, cold=cold, **settings) as process:
            try:
                said, complained = process.communicate(timeout=timeout)
            finally:
                process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, said, complained)

    def interrupt(self, script, after, cold=False):
        """Envoie Ctrl-C à `script` quand il a affiché `after` (une expression régulière), et renvoie (code, tout ce
        qu'il a dit)."""
        with self.start(script, cold=cold, options=ONE_OUTPUT) as process:
            try:
                said = read_until(process, after)
                process.send_signal(signal.SIGINT)
                said += process.communicate(timeout=60)[0]
            finally:
                process.kill()
        return process.returncode, said

    def kill(self, script, after):
        """Tue `script`, sans préavis, quand il a affiché `after`."""
        with self.start(script, options=ONE_OUTPUT) as process:
            try:
                read_until(process, after)
            finally:
                process.kill()

    def change(self, script, old, new):
        """Remplace un réglage dans un script de la copie."""
        path = self.aurore / script
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(name="atelier")
def _atelier(tmp_path):
    return Atelier(tmp_path)


@pytest.fixture(scope="session", name="made_once")
def _made_once(tmp_path_factory, worker_id):
    """Une fonction qui fait un atelier une fois pour toute la séance, et le rend : `name` est celui de son dossier,
    `scripts` ce qu'il y faut lancer, `start` l'atelier dont il part.

    Quand plusieurs processus se partagent les tests, le premier le fait et les autres le trouvent fait.
    """
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent

    def make(name, scripts, start=None):
        folder, said = shared / name, shared / f"{name}.json"
        with FileLock(shared / f"{name}.lock"):
            if said.is_file():
                return Atelier(folder, json.loads(said.read_text(encoding="utf-8")))
            made = start.copied(folder) if start else Atelier(folder)
            for script in scripts:
                process = made.run(f"{script}_solution.py", cold=True)
                assert process.returncode == 0, process.stdout + process.stderr
                made.said[script] = process.stdout + process.stderr
            said.write_text(json.dumps(made.said), encoding="utf-8")
        return made
    return make


@pytest.fixture(scope="session", name="tokenized_atelier")
def _tokenized_atelier(made_once):
    """L'atelier embarqué, dont les étapes 1 et 2 sont faites ; `said` donne ce qu'a affiché chaque script."""
    return made_once("étapes 1 et 2", ("1_prepare_dataset", "2_tokenize"))


@pytest.fixture(scope="session", name="finished_atelier")
def _finished_atelier(made_once, tokenized_atelier):
    """Le même, de bout en bout."""
    return made_once("atelier terminé", ("3_train", "4_generate"), start=tokenized_atelier)


@pytest.fixture(name="atelier_with_data")
def _atelier_with_data(atelier, tokenized_atelier):
    """Une copie de l'atelier où l'étape 1 est faite."""
    shutil.copytree(tokenized_atelier.aurore / "data", atelier.aurore / "data")
    return atelier


@pytest.fixture(scope="session", name="small_for_all")
def _small_for_all(tmp_path_factory, tokenizer):
    from small_atelier import make_small  # pylint: disable=import-outside-toplevel  # TensorFlow, si l'on s'en sert
    return make_small(Atelier(tmp_path_factory.mktemp("petit")), tokenizer)


@pytest.fixture(name="small")
def _small(small_for_all):
    """Un atelier où l'étape 3 a peu à faire (small_atelier.py), et où rien n'est entraîné."""
    for name in ("model", "tokenizer"):
        shutil.rmtree(small_for_all.aurore / name, ignore_errors=True)
    return small_for_all


@pytest.fixture(scope="session", name="alone")
def _alone(small_for_all):
    """Ce qu'y donne l'étape 3, seule et sans histoire : (ses pertes, ce qu'elle a dit)."""
    from small_atelier import SCRIPT, curve  # pylint: disable=import-outside-toplevel  # de même
    shutil.rmtree(small_for_all.aurore / "model", ignore_errors=True)
    process = small_for_all.run(SCRIPT)
    assert process.returncode == 0, process.stderr
    return curve(small_for_all), process.stdout


@pytest.fixture(scope="session", name="lesson")
def _lesson():
    """Importe un script numéroté, dont le nom commence par un chiffre."""
    def load(name):
        spec = importlib.util.spec_from_file_location(f"lesson_{name}", AURORE / f"{name}.py")
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # Flask l'y cherche
        spec.loader.exec_module(module)
        return module
    return load


@pytest.fixture(name="generator")
def _generator():
    """Un réseau d'emprunt."""
    from fake_generator import FakeGenerator  # pylint: disable=import-outside-toplevel  # seuls les tests de la page
    return FakeGenerator()


@pytest.fixture(name="app")
def _app(lesson, generator):
    """La page, devant ce réseau."""
    return lesson("5_flask").create_app(generator)


@pytest.fixture(name="client")
def _client(app):
    """Un visiteur, sans navigateur."""
    return app.test_client()


@pytest.fixture(scope="session", name="tokenizer")
def _tokenizer():
    from transformers import AutoTokenizer  # pylint: disable=import-outside-toplevel  # après les réglages ci-dessus
    return AutoTokenizer.from_pretrained(AURORE / "embedded" / "base_model")


@pytest.fixture(name="gutenberg", scope="session")
def _gutenberg():
    """Le dossier des neuf vrais livres."""
    return required(GUTENBERG.is_dir() and GUTENBERG,
                    "Les neuf livres de ../shared/gutenberg ne sont pas sur cette machine.")


@pytest.fixture(name="book_server")
def _book_server():
    with BookServer() as server:
        yield server


@pytest.fixture(name="hub_server")
def _hub_server():
    _HUB.start_again()
    return _HUB


@pytest.fixture(scope="session", name="chromium")
def _chromium(tmp_path_factory):
    """Le Chromium de Debian, sans écran."""
    from selenium import webdriver  # pylint: disable=import-outside-toplevel  # seuls ces tests en ont besoin
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    required(all(programs),
             "Chromium et chromedriver ne sont pas sur cette machine (Debian : chromium, chromium-driver).")
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for flag in ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-dev-shm-usage",
                 "disable-background-networking", "disable-component-update", "disable-sync",
                 f"user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(programs[1]))
    yield driver
    driver.quit()


@pytest.fixture(name="browser")
def _browser(chromium):
    """Un navigateur qui n'a rien visité : ni cookie, ni texte gardé, fenêtre d'un portable."""
    chromium.get("about:blank")
    chromium.delete_all_cookies()
    chromium.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
    chromium.set_window_size(1280, 800)
    for kind in ("browser", "performance"):
        chromium.get_log(kind)
    return chromium


@pytest.fixture(scope="session", name="axe")
def _axe():
    """Le programme d'axe-core, à exécuter dans une page pour vérifier son accessibilité."""
    script = Path(__file__).parent / "browser" / "node_modules" / "axe-core" / "axe.min.js"
    required(script.is_file(), "axe-core n'est pas installé :  npm ci --prefix tests/browser")
    return script.read_text(encoding="utf-8")
