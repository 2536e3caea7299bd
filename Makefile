# `make demo` does the main job, `make test` runs the tests. Any CPython 3.12-3.14; override: make PYTHON=/path/to/python
VENV ?= .venv
BIN  := $(VENV)/bin
OK   := import sys; raise SystemExit(not (3, 12) <= sys.version_info[:2] < (3, 15))
CANDIDATES := python3.13 python3.14 python3.12 python3 python \
  $(wildcard $(HOME)/.pyenv/versions/3.13.*/bin/python3) $(wildcard $(HOME)/.pyenv/versions/3.1[24].*/bin/python3)
PYTHON ?= $(firstword $(foreach p,$(CANDIDATES),$(shell $(p) -c '$(OK)' >/dev/null 2>&1 && echo $(p))))
PYTEST := $(BIN)/python -m pytest -q -n auto

.PHONY: demo test lint bench soak lock clean
demo: $(VENV)/.ready
	$(BIN)/python -m pyfutures.demo
test: $(VENV)/.ready .tools/.ready
	$(PYTEST)
lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pyfutures validate --strict contracts
	$(BIN)/pyfutures fmt --check contracts
bench: $(VENV)/.ready
	$(BIN)/python -m benchmarks
# The long proofs, each with its seed and result printed; `make test` runs a sample of them.
soak: $(VENV)/.ready
	$(PYTEST) -m hypothesis --hypothesis-profile random
	$(BIN)/python -m tests.ib.client.cuts 300
	$(BIN)/python -m tests.ib.fuzz 1000000
	$(BIN)/python -m tests.specs.fuzz 100000
	$(BIN)/python -m tests.nautilus.data_cuts 20
	$(BIN)/python -m tests.nautilus.test_execution_kill 25
	$(BIN)/python -m tests.nautilus.kills 200
	$(BIN)/python -m tests.nautilus.roll_kills 200
	$(BIN)/python -m tests.nautilus.actor_restarts 40
	$(BIN)/python -m tests.nautilus.week 7
lock: $(VENV)/.ready
	$(BIN)/python -m pip freeze --exclude-editable > constraints.txt

$(VENV)/.ready: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "pyfutures needs Python 3.12-3.14; none of: $(CANDIDATES). Install one, or: make PYTHON=/path/to/python3.13"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -U pip
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[nautilus,series,plots,postgres,cluster]' --group dev
	@touch $@
# The language server of YAML that the tests of the editor drive.
.tools/.ready: tests/editor/package-lock.json
	@command -v npm >/dev/null || { echo "the tests of the editor need node and npm: install them, or run .ci/servers"; exit 2; }
	mkdir -p .tools && cp tests/editor/package.json tests/editor/package-lock.json .tools/
	npm ci --prefix .tools --no-audit --no-fund --silent
	@touch $@
clean:
	rm -rf $(VENV) .tools
