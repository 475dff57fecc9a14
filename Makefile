# Everything starts from Python 3.11+, make and git alone: the environment is made in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Tests start hundreds of processes: none is to compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo example test bench lint types contracts lock clean

demo: $(READY)  ## fire the demo's jobs on the embedded grid for 20 seconds
	$(BIN)/gridsched start cache_config/demo.xml --live --for 20s

example: $(READY)  ## an email when the stock of a product falls to a level
	$(BIN)/python -m examples.stock_alert

test: $(READY)  ## every test; those that need Java are skipped, visibly, where there is none
	$(BIN)/python -m pytest -q -n auto --dist loadgroup

bench: $(READY)  ## herd, steady, submit and memory, beside APScheduler
	$(BIN)/python -m benchmarks

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports

$(READY): pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

lock:  ## pin what pyproject.toml asks for (needs uv)
	uv pip compile pyproject.toml --extra fast --group dev --generate-hashes --no-annotate \
		--universal --python-version 3.11 --upgrade --custom-compile-command "make lock" -o requirements.lock

clean:
	rm -rf $(VENV) .venv-bench .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
