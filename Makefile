# The words a contributor types. Everything is installed into .venv, which `make clean` removes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 8787

.PHONY: serve test lint format bench campaign docs clean help

help:  ## list these words
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

serve: $(VENV)/.runs  ## install what it takes to run, and run the server
	$(BIN)/python -m dummyllm serve --host $(HOST) --port $(PORT)

test: $(VENV)/.tests lint  ## install what it takes to test, check the code and run every test
	$(BIN)/python -m pytest -n auto

lint: $(VENV)/.tests  ## format, lint and types, as the gate has them
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.tests  ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.tests  ## measure, and print a table of ratios
	$(BIN)/python -m benchmarks $(ARGS)

campaign: $(VENV)/.tests  ## the long searches: jobs against their model, runners under two hundred seeds; some minutes
	CAMPAIGN=1 $(BIN)/python -m pytest -n auto tests/web/test_job_machine.py tests/runners

docs: $(VENV)/.tests  ## write the pages, and parts of pages, that the program knows
	$(BIN)/python -m dummyllm faults --markdown > docs/faults.md
	$(BIN)/python -m dummyllm verdict --rules --markdown > docs/verdict.md
	$(BIN)/python -m tests.test_docs_settings

clean:  ## remove what the other words made
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "dummyLLM needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runs: $(BIN)/python requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.tests: $(VENV)/.runs pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@
