# The targets that people, pre-commit and continuous integration call. `make` alone lists them.

PYTHON ?= python3
EXTRAS ?= test
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help course test mutation lint format install bench bench-gpu docs clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

course: $(VENV)/installed ## Install, train a small U-Net on made images, draw its figures (minutes)
	$(BIN)/tinyconv train unet --data synthetic --epochs 12 --run runs/course --overwrite

test: $(VENV)/installed-$(EXTRAS) lint ## Install the test tools, run lint and every test (JOBS=8: in 8 processes)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

mutation: $(VENV)/installed-$(EXTRAS) ## Plant mistakes in a copy of the engine: do the tests see each? (minutes)
	$(BIN)/python -m tests.mutations --jobs $(JOBS)

lint: $(VENV)/installed-$(EXTRAS) ## Check style, format and types; change nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed-$(EXTRAS) ## Mend style and format where that needs no judgement
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: $(VENV)/installed-$(EXTRAS) ## Install for work on tinyconv; EXTRAS=test,bench adds PyTorch

bench: $(VENV)/installed-bench,contenders ## Time tinyconv against PyTorch and others (half an hour); writes docs/benchmarks/
	$(BIN)/python -m benchmarks

bench-gpu: $(VENV)/installed-bench,gpu ## Time tinyconv against PyTorch on a GPU; writes docs/benchmarks/gpu.md
	$(BIN)/python -m benchmarks.gpu

docs: $(VENV)/installed-docs ## Build the site, every lesson run, in docs/_build/html (QUICK=1: docs/_build/quick)
	$(BIN)/python docs/build.py $(if $(filter-out 0,$(QUICK)),--quick)

clean: ## Remove .venv and everything made by tools; runs/ stays
	rm -rf $(VENV) docs/_build build dist *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find tinyconv lessons tests benchmarks -type d -name __pycache__ -prune -exec rm -rf {} +

# A stamp per set of extras: pip is called again only when setup.cfg has changed.
$(VENV)/installed: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/installed-%: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[$*]'
	@touch $@ $(VENV)/installed

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "tinyconv needs Python 3.11 or later; say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
