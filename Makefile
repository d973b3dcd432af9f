# Everything that is done with this project. `make help` lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test test-browser lint format types check lock wheel torture bench scale pages fit words clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: $(VENV)/runtime ## live one day offline: four readers, four mails, into var/demo/inbox
	@$(BIN)/python -m digest demo

test: $(VENV)/development ## every test; nothing needs to be installed or running
	$(BIN)/python -m pytest -n auto --dist worksteal

test-browser: $(VENV)/browser ## the web part in a real browser; needs chromium, npm and java
	$(BIN)/python -m pytest -n 2 --dist worksteal tests/browser $(if $(PICTURES),--pictures $(PICTURES))

lint: $(VENV)/development ## style and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/development ## mypy, strict
	$(BIN)/mypy

check: lint types test ## all that needs no browser

format: $(VENV)/development ## put the code in its form
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

torture: $(VENV)/development ## kill the mailer 30 times while 2,000 mails go out, and count; the same with workers on three machines
	PYTHONPATH=$(CURDIR) $(BIN)/python tests/torture/kills.py --readers 2000 --kills 30
	PYTHONPATH=$(CURDIR) $(BIN)/python tests/torture/machines.py --readers 2000 --machines 3 --kills 30 --frozen 3

bench: $(VENV)/development ## delivery beside aiosmtplib, nodemailer, smtp-source and Django: writes BENCHMARKS.md, in some minutes
	PYTHONPATH=$(CURDIR) $(BIN)/python tests/benchmarks/compare.py --date $$(date -u +%F)

scale: $(VENV)/development ## a day of 1,000 papers collected into 100,000, and searched; picks for 100,000 readers
	PYTHONPATH=$(CURDIR) $(BIN)/python tests/torture/collecting.py --papers 100000 --readings 14 --day 1000
	PYTHONPATH=$(CURDIR) $(BIN)/python tests/torture/ranking.py --readers 100000 --candidates 2000

pages: $(VENV)/development ## pages answered while 5,000 mails go out (needs wrk); what time gives away of who is a reader
	PYTHONPATH=$(CURDIR) $(BIN)/python tests/benchmarks/serving.py --readers 5000 --seconds 30
	PYTHONPATH=$(CURDIR) $(BIN)/python tests/torture/enumeration.py --addresses 1000

fit: $(VENV)/development ## fit what trending ranks with to a folder of past lists: make fit DATA=folder
	$(BIN)/python -m digest.evaluation.fit $(DATA) --out digest/ranking/trending.json

words: $(VENV)/development ## count again how rare words are, in a folder of abstracts: make words DATA=folder
	$(BIN)/python -m digest.evaluation.words $(DATA) --out digest/ranking/words.tsv

wheel: $(VENV)/development ## build the wheel into dist/
	$(BIN)/python -m hatchling build -t wheel

lock: ## resolve the dependencies anew (needs uv)
	uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade -o requirements.lock
	uv pip compile -q pyproject.toml --group dev --extra postgres --extra semantic --extra speed --extra workers --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -c requirements.lock -o requirements-dev.lock
	echo 'playwright>=1.60' | uv pip compile -q - --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade -c requirements-dev.lock -o requirements-browser.lock

clean: ## forget the environment and what the demo made
	rm -rf $(VENV) var/demo dist tests/browser/node_modules

# The virtual environment: pinned and hash-checked. Two stamps, for the demo needs less than the tests.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; say which one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "This Python cannot make virtual environments. Install its venv package first:"; \
	    echo "  Debian, Ubuntu: apt-get install python3-venv      Alpine: apk add py3-pip"; exit 1; }
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/runtime: requirements.lock $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/development: requirements-dev.lock $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@ $(VENV)/runtime

# What only the browser's tests need: its driver, and the two programs that judge pages. No script of a package is run.
$(VENV)/browser: requirements-browser.lock tests/browser/package-lock.json $(VENV)/development
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-browser.lock
	@npm ci --prefix tests/browser --silent --ignore-scripts --no-audit --no-fund
	@touch $@
