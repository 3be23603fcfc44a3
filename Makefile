# The commands of the house. `make demo` and `make test` need nothing but a Debian machine and root;
# elsewhere they say what is missing.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
PYTEST_ARGS ?=

.PHONY: install services demo test lint format bench crash soak screenshots clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt scripts/install.sh
	@PYTHON="$(PYTHON)" sh scripts/install.sh "$(VENV)"
	@touch $@

services:
	@bash scripts/services.sh

demo: install services
	@$(BIN)/runbook demo

lint: install
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --check --no-cache .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

format: install
	$(BIN)/ruff check --no-cache --fix .
	$(BIN)/ruff format --no-cache .

# One test among many that talks to real services may lose a race with the machine: it is run once
# more, and the summary names it (R). What fails twice has failed.
test: install services lint
	@$(BIN)/python -m tests.harness.services
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup --reruns 1 --reruns-delay 2 -rR $(PYTEST_ARGS)

# Every action, fault point and victim, one table: see docs/resume.md. ARGS="tag copy" are only these;
# ARGS=--shared has the journal in PostgreSQL;
# MUTATIONS=1 takes the guards away instead, and looks whether their cells fail.
crash: install services
	@$(BIN)/python -m tests.crash $(if $(MUTATIONS),--mutations) $(ARGS)

soak: install services
	@$(BIN)/python -m tests.crash.soak --minutes $(or $(MINUTES),20) $(if $(SEED),--seed $(SEED))

bench: install services
	$(BIN)/python -m benchmarks

screenshots: install services
	$(BIN)/python scripts/screenshots.py docs/images

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
