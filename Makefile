# Everything a newcomer needs. `make` lists the targets.
.DEFAULT_GOAL := help
.PHONY: help setup demo test frameworks format lock bench coverage newest clean

PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
UV := $(BIN)/uv
FRAMEWORKS := $(patsubst environments/%.in,%,$(wildcard environments/*.in))

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.ready .venv-base/.ready  ## Make the environments: .venv (everything), .venv-base (the base install alone)

.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(UV) pip install --quiet --python $(BIN)/python -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

.venv-base/.ready: requirements-base.lock .venv/.ready
	$(UV) venv --quiet --clear --python $(BIN)/python .venv-base
	$(UV) pip install --quiet --python .venv-base/bin/python -r requirements-base.lock
	$(UV) pip install --quiet --python .venv-base/bin/python --no-deps -e .
	@touch $@

# Heavy frameworks live apart, each with the versions it agrees with. PyTorch comes first and through pip, which
# finds its build for processors.
.venvs/%/.ready: environments/%.lock pyproject.toml .venv/.ready
	$(UV) venv --quiet --seed --clear --python $(BIN)/python .venvs/$*
	@if [ -f environments/$*.first ]; then .venvs/$*/bin/python -m pip install --quiet --disable-pip-version-check -r environments/$*.first; fi
	$(UV) pip install --quiet --python .venvs/$*/bin/python --no-deps -r environments/$*.lock
	$(UV) pip install --quiet --python .venvs/$*/bin/python --no-deps -e .
	@touch $@

demo: .venv/.ready  ## The main job on the flights of 2013: leaves demo/late.ship and demo/report.html
	@$(BIN)/python examples/flights/prepare.py demo
	$(BIN)/shiplap run demo

test: setup  ## Every check and every test
	@bash scripts/components.sh
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest
	$(MAKE) --no-print-directory frameworks

frameworks: .venv/.ready  ## The tests of the heavy frameworks, each in its own environment
	@$(BIN)/python scripts/frameworks.py $(FRAMEWORKS)

format: .venv/.ready  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: .venv/.ready  ## Pin the newest versions that agree
	$(UV) pip compile pyproject.toml --extra dev --universal --upgrade -q --no-annotate --custom-compile-command "make lock" -o requirements.lock
	$(UV) pip compile pyproject.toml --universal -q --no-annotate --custom-compile-command "make lock" -c requirements.lock -o requirements-base.lock
	@for name in $(FRAMEWORKS); do bash scripts/lock.sh $$name; done

bench: .venv/.ready  ## The main job, start-up and the ship in figures (docs/measured.md)
	$(BIN)/python benchmarks/keel.py

coverage: .venv/.ready  ## Write docs/coverage.md from what the tests of all frameworks recorded
	$(BIN)/python docs/make_coverage.py

newest: .venv/.ready  ## Import every module and run the quick tests against the newest versions, pinned or not
	$(UV) venv --quiet --clear --python $(BIN)/python .venv-newest
	$(UV) pip install --quiet --python .venv-newest/bin/python --upgrade -e '.[dev]'
	.venv-newest/bin/pytest tests/test_light_imports.py tests/core tests/scoring

clean:  ## Remove the environments and everything that was made
	rm -rf .venv .venv-base .venv-newest .venvs demo build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
