# Two commands on a machine with Python 3.11+, pip and make: `make demo` and `make test`.
# Each makes .venv if there is none and installs what it needs.
PYTHON ?= python3
# A third one on two cores costs more, with its own imports and databases, than waiting tests leave idle.
WORKERS ?= 2
BIN := .venv/bin
PYTEST := $(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal

# A thread for each worker: more would only wait for each other.
test quick: export OMP_NUM_THREADS = 1
# The many short processes that tests start read compiled modules instead of compiling them again.
test quick: export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test quick structure lint audit bench clean

demo: .venv/installed
	$(BIN)/monitor demo --output demo-report

# Each worker goes through its part of the tests and then takes over of the rest of others. Lint and audit run
# beside them, in the time in which tests wait for browsers, servers and processes, and are printed after.
test: .venv/installed-dev
	@nice -n 19 $(MAKE) --no-print-directory lint audit >.checks.log 2>&1 & checks=$$!; \
	$(PYTEST); tests=$$?; \
	wait $$checks; checks=$$?; cat .checks.log; rm .checks.log; \
	exit $$((tests > checks ? tests : checks))

# Without the tests that are marked slow.
quick: .venv/installed-dev lint
	$(PYTEST) -m "not slow"

# The shape of the package in numbers; fails beyond their bounds.
structure: .venv/installed-dev
	$(BIN)/python -m tests.structure

lint: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	@if [ -d web/node_modules ]; then npm --prefix web run --silent lint; \
	else echo "scripts of the page: not linted; npm ci --prefix web --ignore-scripts brings what lints them"; fi

# Known weak spots: in our code, and in the packages that are installed.
audit: .venv/installed-dev
	$(BIN)/bandit --quiet --recursive monitor --configfile pyproject.toml
	$(BIN)/python .ci/audit.py

bench: .venv/installed-dev
	$(BIN)/python benchmarks/walkthrough.py
	$(BIN)/python benchmarks/contributors.py
	$(BIN)/python benchmarks/month.py

.venv/bin/python:
	$(PYTHON) -m venv .venv

# torch and torchvision are resolved together, so that they come as a matching pair: a torch of another
# build than the registry's torchvision cannot import open_clip.
.venv/installed: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv demo-report build dist *.egg-info
