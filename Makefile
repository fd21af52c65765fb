# `make` alone, or `make help`, lists the commands.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
BOOT := .venv/.made-boot
RUN := .venv/.made-run
DEV := .venv/.made-dev
UV := $(BIN)/uv
# the system's certificates where there are any, so that an organisation's own authority is believed
TRUST := $(if $(wildcard /etc/ssl/certs/ca-certificates.crt),--system-certs)
LOCK = $(UV) pip compile --quiet $(TRUST) --generate-hashes --universal --python-version 3.11 --no-header
INSTALL = $(UV) pip install --quiet $(TRUST) --python $(BIN)/python

# processes that share the tests, whole files at a time
JOBS ?= auto

.PHONY: help demo test chaos check corpus format bench bench-long lock docs clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(RUN) ## Run a paid and a free request from acceptance to document (ONCE=1 ends by itself)
	@exec $(BIN)/jisr demo $(if $(filter-out 0,$(ONCE)),--once) $(if $(DIR),--dir "$(DIR)")

test: $(DEV) ## Run the whole test suite, on SQLite and on PostgreSQL (ARGS="..." is passed to pytest)
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile --durations=10 $(ARGS)

chaos: $(DEV) ## Kill things for MINUTES (5) on both databases and compare what is left (SEED=N: the same again)
	@$(BIN)/python -m tests.chaos --minutes "$(or $(MINUTES),5)" $(if $(SEED),--seed "$(SEED)")

check: $(DEV) ## Run what stands beside the tests: linter, format, types, imports, generated pages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/jisr docs check

corpus: $(DEV) ## Hold codec and importer against the contracts that packages bring (downloads them)
	@$(BIN)/python -m tests.corpus
	@$(BIN)/python -m tests.corpus.imports

format: $(DEV) ## Put the code into the house's format
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: $(DEV) ## Measure and write bench/results.json (ONLY=name runs one), at most 20 minutes
	@$(BIN)/python -m bench $(if $(ONLY),--only "$(ONLY)")

bench-long: $(DEV) ## Measure what takes longer, into the same file
	@$(BIN)/python -m bench --long $(if $(ONLY),--only "$(ONLY)")

docs: $(RUN) ## Write the generated pages of docs/reference anew
	@$(BIN)/jisr docs write
	@$(BIN)/python -m tests.faults.catalogue

lock: $(BOOT) ## Resolve the dependencies anew, with hashes and without host names
	@$(LOCK) --upgrade pyproject.toml --extra dev -o requirements/dev.txt
	@$(LOCK) pyproject.toml -c requirements/dev.txt -o requirements/run.txt
	@$(LOCK) requirements/bootstrap.in -c requirements/dev.txt -o requirements/bootstrap.txt

clean: ## Remove the environment, the demo's records and all caches
	@rm -rf .venv var dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BOOT): requirements/bootstrap.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python is missing: install python3 (3.11 or newer), then run make again." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $$($(PYTHON) --version) was found. PYTHON=/path/to/python3.11 make ... chooses another." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing: install the package python3-venv, then run make again." >&2; exit 1; }
	@echo "Making the environment in .venv (once) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $@

$(RUN): $(BOOT) requirements/run.txt pyproject.toml
	@echo "Installing the dependencies, each checked against its hash ..."
	@$(INSTALL) --require-hashes -r requirements/run.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(RUN) requirements/dev.txt
	@echo "Installing the development tools, each checked against its hash ..."
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@
