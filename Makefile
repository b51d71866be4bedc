# simorg: `make run` serves the default org, `make test` passes the tests; both install first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .stamps
PYTEST_ARGS ?= -n 2 -m 'not slow'
RUN_ARGS ?=

.PHONY: help run test test-postgres slow bench bench-postgres image-test lint format docs tables screenshots wsdl demo build clean ci-setup

help:  ## show these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

$(STAMPS)/run: setup.cfg pyproject.toml
	@mkdir -p $(STAMPS)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo,postgres]'
	@touch $@

$(STAMPS)/dev: $(STAMPS)/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(STAMPS)/docs: $(STAMPS)/dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

# Node clients are optional: without npm the tests that need them are skipped with a reason.
$(STAMPS)/node: tests/clients/node/package.json
	@mkdir -p $(STAMPS)
	@if command -v npm >/dev/null 2>&1; then \
	  cd tests/clients/node && npm install --no-audit --no-fund --no-package-lock --loglevel=error; \
	else echo "npm not found: tests that need Node will be skipped"; fi
	@touch $@

# The Salesforce CLI is half a gigabyte and slow to start, so its tests run where it is installed.
$(STAMPS)/sfcli: tests/clients/sfcli/package.json
	@mkdir -p $(STAMPS)
	cd tests/clients/sfcli && npm install --no-audit --no-fund --no-package-lock --loglevel=error
	@touch $@

$(STAMPS)/tap: tests/clients/tap/requirements.txt
	@mkdir -p $(STAMPS)
	test -x tests/clients/tap/venv/bin/python || $(PYTHON) -m venv tests/clients/tap/venv
	tests/clients/tap/venv/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

run: $(STAMPS)/run  ## install into .venv and serve the default org (RUN_ARGS="--port 0 ...")
	$(BIN)/simorg serve $(RUN_ARGS)

test: $(STAMPS)/dev $(STAMPS)/node  ## install and pass the tests (SQLite)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-postgres: $(STAMPS)/dev $(STAMPS)/node  ## the same tests on a real PostgreSQL, started on a free port
	$(BIN)/python -m tests.postgres_server $(BIN)/python -m pytest $(PYTEST_ARGS)

slow: $(STAMPS)/dev $(STAMPS)/node $(STAMPS)/sfcli $(STAMPS)/tap  ## the tests kept out of `make test`, the Salesforce CLI's among them
	$(BIN)/python -m pytest -n 2 -m slow

image-test: $(STAMPS)/dev  ## build the image and run it and the compose files, on the Docker here or one of its own (root on Debian)
	$(BIN)/python -m tests.containers.engine $(BIN)/python -m pytest tests/containers

demo: $(STAMPS)/run  ## show the divergence end to end with real clients
	$(BIN)/simorg demo

bench: $(STAMPS)/dev  ## measure the budgets as ratios; writes build/bench.json
	$(BIN)/python -m benchmarks

bench-postgres: $(STAMPS)/dev  ## the same table on a real PostgreSQL; writes build/bench-postgres.json
	$(BIN)/python -m tests.postgres_server sh -c \
	  '$(BIN)/python -m benchmarks --database "$$SIMORG_TEST_POSTGRES" --output build/bench-postgres.json'

lint: $(STAMPS)/dev  ## ruff and mypy strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMPS)/dev  ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMPS)/dev $(STAMPS)/docs $(STAMPS)/node  ## the documentation as a site in build/site; checks it and runs its snippets
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	$(BIN)/python -m pytest $(PYTEST_ARGS) tests/docs

tables: $(STAMPS)/dev  ## rewrite the tables of the docs that are made from the code
	$(BIN)/python tools/docs_tables.py

screenshots: $(STAMPS)/dev  ## pictures of the main pages into docs/images (needs Chromium)
	$(BIN)/python -m tests.browser.screenshots docs/images

wsdl: $(STAMPS)/dev  ## regenerate wsdl/ from the Spyne services
	$(BIN)/python -m simorg.soap.generate wsdl

build: $(STAMPS)/dev  ## wheel and sdist into dist/
	$(BIN)/python -m build --outdir dist .

ci-setup: $(STAMPS)/dev $(STAMPS)/docs  ## what CI needs beyond Python: PostgreSQL, Chromium (Debian), Node clients and the Salesforce CLI (npm)
	sh tests/ci_setup.sh
	@rm -f $(STAMPS)/node
	$(MAKE) $(STAMPS)/node $(STAMPS)/sfcli $(STAMPS)/tap

clean:  ## remove what the targets made
	rm -rf $(VENV) $(STAMPS) build dist *.egg-info tests/clients/*/node_modules tests/clients/tap/venv
