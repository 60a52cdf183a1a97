# `make` alone prints the targets. Everything runs in .venv, which `make` fills from requirements.lock, hash by hash.

SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= python3
IN := .venv/bin
INSTALLED := .venv/.installed
WORKERS ?= 2

.PHONY: help install check test bench power mutants up down demo recording settings schemas jars lock clean

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## make .venv from the lock (uv where it is on PATH, else pip)

# 3.11 or newer, else a sentence; a .venv that cannot run that is made anew. uv and pip take a mirror from their own
# configuration, so no index is named here.
$(INSTALLED): requirements.lock pyproject.toml
	@python=""; \
	for each in "$(PYTHON)" python3.14 python3.13 python3.12 python3.11; do \
	  if "$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python="$$each"; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "Intabaza needs Python 3.11 or newer, and $(PYTHON) is $$("$(PYTHON)" -V 2>&1 || echo missing): install one, or name it: make test PYTHON=/path/to/python3.11" >&2; \
	  exit 1; \
	fi; \
	set -e; \
	if ! $(IN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	  rm -rf .venv; \
	  if command -v uv >/dev/null; then \
	    echo "Making .venv with uv and $$("$$python" -V)."; uv venv --quiet --python "$$python" .venv; \
	  else \
	    echo "Making .venv with $$("$$python" -V)."; \
	    "$$python" -m venv .venv || { echo "This Python cannot make a virtual environment: install its venv module (on Debian: apt install python3-venv) or uv." >&2; rm -rf .venv; exit 1; }; \
	  fi; \
	fi; \
	if command -v uv >/dev/null; then \
	  echo "Installing requirements.lock with uv, checking every hash."; \
	  uv pip install --quiet --compile-bytecode --python $(IN)/python --require-hashes -r requirements.lock; \
	  uv pip install --quiet --python $(IN)/python --no-build-isolation --no-deps -e .; \
	else \
	  echo "Installing requirements.lock with pip, checking every hash; the first time takes minutes."; \
	  $(IN)/python -m pip --version >/dev/null 2>&1 || $(IN)/python -m ensurepip >/dev/null; \
	  $(IN)/python -m pip install --quiet --require-hashes -r requirements.lock; \
	  $(IN)/python -m pip install --quiet --no-build-isolation --no-deps -e .; \
	fi; \
	touch $@

check: $(INSTALLED) ## format, lint, types, import rules, fast tests: under two minutes
	$(IN)/ruff format --check .
	$(IN)/ruff check .
	$(IN)/mypy
	$(IN)/lint-imports
	$(IN)/pytest -q -n $(WORKERS) --dist loadfile tests/architecture tests/unit
	@echo "Checked: format, lint, types, import rules and fast tests are in order."

test: $(INSTALLED) ## everything, on real servers that the tests start and end
	@echo "Running every test; the first run also fetches the Kafka jars (44 MB)."
	@$(IN)/python -m compileall -q events projections schemas services tests  # tests start hundreds of processes
	$(IN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
	@echo "All tests passed."

faults: $(INSTALLED) ## strike the stack N times under load and judge what came of it; SEED=n repeats a session
	@$(IN)/python -m compileall -q events projections schemas services tests
	$(IN)/python -m tests.faults --faults $(or $(N),1000) $(if $(SEED),--seed $(SEED))

bench: $(INSTALLED) ## measure, and compare with others, in one run; GROW=1: what an event costs as history grows
	@$(IN)/python -m compileall -q events projections schemas services tests
	$(IN)/python -m $(if $(GROW),tests.benchmarks.growth,tests.benchmarks --events $${INTABAZA_BENCH_EVENTS:-200000})

power: $(INSTALLED) ## cut the power under PostgreSQL and Kafka; CUTS=20 of each kind
	INTABAZA_POWER_CUTS=$(or $(CUTS),20) $(IN)/pytest -q -s tests/faults/power

mutants: $(INSTALLED) ## seed each bug of tests/faults/mutants into a copy and let the checker of the faults find it; NAMES="one other"
	@$(IN)/python -m compileall -q events projections schemas services tests
	INTABAZA_MUTANTS="$(or $(NAMES),all)" $(IN)/pytest -q tests/faults/mutants

up: $(INSTALLED) ## start the local stack here until Ctrl-C
	@$(IN)/intabaza up

down: $(INSTALLED) ## end the local stack
	@$(IN)/intabaza down

demo: $(INSTALLED) ## watch the Burundi crisis of 2015 on a stack of its own; SCENARIO=name, SEED=n, ONCE=1 checks and ends it
	@$(IN)/intabaza demo $(SCENARIO) $(if $(ONCE),--once) $(if $(SEED),--seed $(SEED)) $(if $(FOLDER),--folder $(FOLDER))

recording: $(INSTALLED) ## record the demonstration as deploy/demo.svg
	@$(IN)/intabaza demo $(SCENARIO) --once --folder .intabaza-recording --record deploy/demo.svg

settings: $(INSTALLED) ## write deploy/example.env from the settings
	@$(IN)/python -c 'import pathlib, services.settings; pathlib.Path("deploy/example.env").write_text(services.settings.example())'

schemas: $(INSTALLED) ## write the published schemas and examples from the code
	$(IN)/python -m services.contracts write

jars: $(INSTALLED) ## resolve the Kafka jars anew and write services/local/kafka.lock.toml
	$(IN)/python -m services.local.jars

lock: ## resolve every Python dependency anew and write requirements.lock (needs uv)
	@command -v uv >/dev/null || [ -x $(IN)/uv ] || { echo "make lock needs uv: install it (pip install uv) and try again." >&2; exit 1; }
	PATH="$$PATH:$(IN)" uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-emit-index-url \
	  --python-version 3.11 --custom-compile-command "make lock" -o requirements.lock

clean: ## remove .venv and what tools cached; the local stack's data stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
