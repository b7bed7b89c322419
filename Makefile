# Les commandes de l'atelier. « make » seul les rappelle.

PYTHON ?= python3
SOURCE ?= embedded
SECONDES ?= 60
FOIS ?= 20
VENV_PYTHON := .venv/bin/python
IN_BACKGROUND := nice -n 19 $(VENV_PYTHON)
PARALLEL := --numprocesses=2 --dist=loadfile --no-loadscope-reorder
# Le bytecode se garde, même là où l'on dit à Python de ne pas l'écrire : les tests lancent cent fois les leçons.
export PYTHONDONTWRITEBYTECODE :=
LESSONS := 1_prepare_dataset 2_tokenize 3_train 4_generate

.PHONY: help atelier web kit test lint suite test-fast test-recipe coverage faults structure exercises images bench load lock sbom audit hooks

help:
	@echo "make atelier               tout l'atelier avec les contes embarqués, sans connexion"
	@echo "make atelier SOURCE=auto   le même avec les vrais livres"
	@echo "make web                   la page, sur http://127.0.0.1:8080/generate"
	@echo "make kit                   tout ce qu'il faut à une salle sans connexion, dans le dossier kit (plusieurs Go)"
	@echo "make test                  pylint et les tests (ou l'un ou l'autre : make lint, make suite)"
	@echo "make test-fast             les tests rapides, sans TensorFlow ni navigateur"
	@echo "make coverage              les tests, puis les lignes de workshop/ qu'ils ont parcourues (un tiers plus long)"
	@echo "make test-recipe           ceux de la recette, avec PyTorch (5 Go la première fois sous Linux)"
	@echo "make faults                tuer, affamer, abîmer l'atelier, et compter ce à quoi il survit (FOIS=20 chaque panne)"
	@echo "make structure             qui importe qui, étage par étage"
	@echo "make exercises             retailler les exercices dans les solutions"
	@echo "make images                redessiner les images du guide"
	@echo "make bench                 la vitesse de l'atelier, à côté de celle des autres (20 min)"
	@echo "make load                  la page devant 1, 8, 32, 100 et 200 lecteurs (SECONDES=60 chaque fois)"
	@echo "make hooks                 refuser désormais un commit qui emporterait votre jeton"
	@echo "make sbom                  ce dont l'atelier est fait (CycloneDX), dans sbom.json"
	@echo "make audit                 les failles que l'on connaît à ces versions (avec le réseau)"
	@echo "make lock                  refaire requirements*.txt depuis requirements*.in"

atelier: .venv/atelier-installed
	@for lesson in $(LESSONS); do \
		AURORE_SOURCE=$(SOURCE) $(VENV_PYTHON) aurore/$${lesson}_solution.py || exit $$?; \
	done
	@echo
	@echo "L'atelier est allé jusqu'au bout."
	@echo "  Ouvrir la page :         make web, puis http://127.0.0.1:8080/generate"
	@[ "$(SOURCE)" = auto ] || echo "  Avec les vrais livres :  make atelier SOURCE=auto"

web: .venv/atelier-installed
	@$(VENV_PYTHON) aurore/5_flask.py

kit: .venv/atelier-installed
	@$(VENV_PYTHON) aurore/kit.py

# Les deux à la fois : pylint prend ce que les tests laissent des cœurs.
test: .venv/tests-installed
	@$(MAKE) --no-print-directory --jobs=2 lint suite

lint: .venv/tests-installed
	$(IN_BACKGROUND) -m pylint --ignore-patterns='[1-4]_[a-z]*(_dataset)?\.py' aurore recipe bench tests docs/images
	$(IN_BACKGROUND) -m pylint $(LESSONS:%=aurore/%.py)
	$(IN_BACKGROUND) -m ruff check --quiet .
	$(IN_BACKGROUND) -m mypy

suite: .venv/tests-installed
	$(VENV_PYTHON) -m pytest $(PARALLEL)

coverage: .venv/tests-installed
	COVERAGE_FILE=$(CURDIR)/.coverage $(VENV_PYTHON) -m coverage run -m pytest $(PARALLEL)
	@$(VENV_PYTHON) -m coverage combine --quiet
	@$(VENV_PYTHON) -m coverage report

test-fast: .venv/tests-installed
	$(VENV_PYTHON) -m pytest @tests/fast.txt

# Deux fois ceux qui ouvrent nos réseaux ailleurs : avec les versions de l'atelier, et celles d'aujourd'hui.
test-recipe: .venv-recipe/installed .venv-current/installed
	.venv-recipe/bin/python -m pytest recipe/tests
	.venv-current/bin/python -m pytest recipe/tests/test_elsewhere.py

faults: .venv/tests-installed
	@FAULT_TRIES=$(FOIS) FAULT_SECONDS=$(SECONDES) $(VENV_PYTHON) -m pytest -m fault tests/faults.py tests/test_*.py

structure: .venv/atelier-installed
	@$(VENV_PYTHON) tests/structure.py

exercises: .venv/atelier-installed
	@PYTHONPATH=aurore $(VENV_PYTHON) -m workshop.exercises

images: .venv/atelier-installed
	@$(VENV_PYTHON) docs/images/draw.py

bench: .venv/atelier-installed .venv-recipe/installed
	@PYTHONPATH=aurore:tests:. $(VENV_PYTHON) -m bench.training .venv-recipe/bin/python
	@PYTHONPATH=aurore:tests:. $(VENV_PYTHON) -m bench.generation .venv-recipe/bin/python

load: .venv/tests-installed
	@PYTHONPATH=aurore:tests:. $(VENV_PYTHON) -m bench.load --secondes $(SECONDES)

COMPILE := $(VENV_PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
lock: .venv/tests-installed
	$(COMPILE) requirements.in --output-file requirements.txt
	$(COMPILE) --constraints requirements.txt requirements-dev.in --output-file requirements-dev.txt
	$(COMPILE) --constraints requirements.txt recipe/requirements.in --output-file recipe/requirements.txt
	$(COMPILE) recipe/requirements-current.in --output-file recipe/requirements-current.txt

sbom: .venv/tests-installed
	@$(VENV_PYTHON) -m cyclonedx_py requirements requirements.txt --output-reproducible --of JSON --output-file sbom.json
	@echo "Écrit : sbom.json"

audit: .venv/tests-installed
	@$(VENV_PYTHON) -m pip_audit --strict --disable-pip --requirement requirements.txt --progress-spinner off || \
		{ echo "Une faille, ou la base injoignable : ce que l'on en sait est dans docs/reference/dependances.md."; exit 1; }

hooks:
	@git config core.hooksPath .githooks
	@echo "Dans cette copie, un commit qui emporterait un jeton est maintenant refusé."

.venv/atelier-installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "L'atelier demande Python 3.11, 3.12 ou 3.13 ; « $(PYTHON) » n'en est pas un, ou n'existe pas."; \
		echo "Indiquez le bon :  make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@echo "Installation des bibliothèques dans .venv : quelques minutes, une seule fois..."
	@$(PYTHON) -m venv .venv || { \
		echo "L'environnement virtuel n'a pas pu être créé. Sur Debian ou Ubuntu :  sudo apt install python3-venv"; \
		exit 2; }
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	@touch $@

.venv/tests-installed: .venv/atelier-installed requirements-dev.txt
	@echo "Installation des outils de test..."
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@touch $@

# À part : transformers ne se conduit pas de même quand il trouve PyTorch à côté de TensorFlow.
.venv-recipe/installed: recipe/requirements.txt
	@echo "Installation de PyTorch dans .venv-recipe : quelques minutes, une seule fois (5 Go sous Linux)..."
	@$(PYTHON) -m venv .venv-recipe
	@.venv-recipe/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--requirement recipe/requirements.txt
	@touch $@

# Python y cherche dans .venv-recipe ce qui n'est pas ici : PyTorch, pytest.
.venv-current/installed: .venv-recipe/installed recipe/requirements-current.txt
	@$(PYTHON) -m venv --without-pip .venv-current
	@.venv-current/bin/python -c 'import pathlib, sysconfig; here = sysconfig.get_path("purelib"); \
		pathlib.Path(here, "recipe.pth").write_text(here.replace(".venv-current", ".venv-recipe"))'
	@.venv-recipe/bin/python -m pip --python .venv-current/bin/python install --quiet --disable-pip-version-check \
		--require-hashes --requirement recipe/requirements-current.txt
	@touch $@
