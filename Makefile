# Two commands do everything: `make demo` and `make test`. Python >= 3.11 with venv, and make, are all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.made-from-lock
ARGS ?=
export PYTHONDONTWRITEBYTECODE :=

.PHONY: env demo check test matrix soak bench docs lock clean

env: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Banksman needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode requirements.lock
	VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/uv pip install --quiet --no-deps --editable .
	$(BIN)/python -m compileall -q console screens widgets
	touch $@

demo: env
	$(BIN)/banksman demo $(ARGS)

check: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not matrix and not soak and not bench" $(ARGS)

matrix: env
	$(BIN)/python -m pytest -m matrix --timeout 3600 $(ARGS)

soak: env
	$(BIN)/python -m pytest -m soak --timeout 14400 $(ARGS)

bench: env
	$(BIN)/python -m pytest -m bench --timeout 3600 -s $(ARGS)

# What is made from the code: a test compares each.
docs: env
	$(BIN)/python -m console.settings.schema
	$(BIN)/python -m tests.tools.readme

# The lock holds versions and hashes and no address, so that any index serves it.
lock:
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	    --group lab --group test --group bench -o requirements.lock pyproject.toml

clean:
	rm -rf $(VENV)
