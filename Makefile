# Each target sets up what it needs; a second call starts at once.
PYTHON := $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11 python,\
	$(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
BIN := .venv/bin
READY := .venv/.ready
# Neighbours stay in one process and share what is costly to make; an idle process takes from the end of the other's.
TOGETHER := -n 2 --dist worksteal

.PHONY: train test test-fast lint bench same proofs canary wheel lock setup clean

train: $(READY)   ## the main job: the PBPK surrogate; options as in `make train ARGS="trainer.max_epochs=5"`
	$(BIN)/python train.py experiment=pbpk $(ARGS)

test: $(READY)    ## all tests, in two processes; a selection as in `make test ARGS="tests/runs"`
	$(BIN)/python -m pytest $(TOGETHER) $(ARGS)

test-fast: $(READY)   ## while working: what needs neither long trainings nor processes of its own
	$(BIN)/python -m pytest $(TOGETHER) -m "not slow and not ddp and not service" $(ARGS)

lint: $(READY)    ## style, types, links between the pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/test_links.py

bench: $(READY)   ## every benchmark script, one after the other
	set -e; for script in $(filter-out benchmarks/same.py,$(wildcard benchmarks/*.py)); do echo "== $$script"; $(BIN)/python $$script; done

same: $(READY)    ## is every result equal, to the bit, to that of the recorded commits? cases as in ARGS="stocks sensors"
	$(BIN)/python benchmarks/same.py $(ARGS)

proofs: $(READY)  ## evidence that takes hours, kept in benchmarks/results; goes on where it stopped; ARGS="<name>"
	$(BIN)/python -m benchmarks.proofs $(ARGS)

canary: $(READY)  ## do the private parts of Lightning that we use still stand in its newest release? in .canary, for a moment
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .canary
	$(BIN)/uv pip install --quiet --python .canary/bin/python -r requirements.lock
	$(BIN)/uv pip install --quiet --python .canary/bin/python --upgrade lightning
	$(BIN)/uv pip install --quiet --python .canary/bin/python --no-deps -e .
	.canary/bin/python -m pytest -p no:cacheprovider tests/test_lightning_private.py tests/callbacks/test_resume.py $(ARGS); \
		status=$$?; rm -rf .canary; exit $$status

setup: $(READY)   ## the environment alone

# The last steps compile everything and write down what its classes take: the first mistake is told within a second.
$(READY): pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 or newer found; install one and call make again" >&2; exit 2; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -W ignore -m compileall -q -j 0 .venv/lib >/dev/null || true
	$(BIN)/python -W ignore -m fulmen schema >/dev/null
	touch $(READY)

wheel: $(READY)   ## dist/fulmen-<version>-py3-none-any.whl, to install fulmen elsewhere
	$(BIN)/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python -o dist

lock: $(READY)    ## pin the versions that pyproject.toml allows today
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --extra dev --extra notebooks --upgrade \
		--no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements.lock

clean:            ## forget the environment; runs stay
	rm -rf .venv .pytest_cache .ruff_cache
