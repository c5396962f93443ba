# The tasks of chatd. They install the locked requirements into .venv, with uv if it exists, else with venv and pip.
# A second call installs nothing.
#
#   make help           print this list
#   make serve          run the server (ARGS="--port 3001" passes options)
#   make test           the tests (ARGS="tests/chatd/config/test_load.py" for some of them)
#   make check          make lint (format, lint, types), and all tests
#   make binary         build dist/chatd, one file that runs without Python
#   make sql            print the SQL of every statement and table into chatd/store/compiled
#   make docs           print chatd.toml and the reference pages from the tables in the code
#   make lock           write the locked requirements again, with the newest versions
#   make node           install what the tests with JavaScript clients need
#   make bench          compare chatd with other servers (make bench-quick: under two minutes)
#   make bench-curves   measure how the cost grows with rooms, stores and users; draws docs/performance.md's pictures
#   make clean          remove everything that these tasks created
#
# PYTHON=python3.12 selects another Python.

SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 16))
PYTHON ?= $(shell for name in python3 python3.15 python3.14 python3.13 python3.12 python3.11; do \
	"$$name" -c '$(SUPPORTED)' 2>/dev/null && echo "$$name" && exit; done; echo python3)
VENV ?= .venv
ARGS ?=
NOTHING :=
SPACE := $(NOTHING) $(NOTHING)
ENVIRONMENT := $(subst $(SPACE),\ ,$(VENV))
BIN := $(ENVIRONMENT)/bin
STAMPS := $(ENVIRONMENT)/stamps
UV = $(shell uv --version >/dev/null 2>&1 && command -v uv)
NPM = $(shell command -v npm)
VERSION_FILES := pyproject.toml chatd/__init__.py
COMPILE := uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --quiet
CHECKED_FOLDERS := chatd protocol tests scripts

.PHONY: help serve test check lint floors binary sql docs lock node clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^#   make/  make/p; s/^# PYTHON/PYTHON/p' Makefile

serve: $(STAMPS)/run
	@exec $(BIN)/chatd serve $(ARGS)

test: $(STAMPS)/dev
	$(BIN)/python -m pytest $(ARGS)

check: lint test

lint: $(STAMPS)/dev
	$(BIN)/ruff format --check $(CHECKED_FOLDERS)
	$(BIN)/ruff check $(CHECKED_FOLDERS)
	$(BIN)/mypy

floors: $(STAMPS)/dev
	$(BIN)/python -m pytest tests/test_floors.py

binary: $(STAMPS)/binary
	$(BIN)/pyinstaller --noconfirm --clean --distpath dist --workpath build scripts/chatd.spec
	dist/chatd version

sql: $(STAMPS)/run
	$(BIN)/python scripts/print_sql.py

docs: $(STAMPS)/run
	$(BIN)/python scripts/print_docs.py

lock:
	$(COMPILE) --upgrade pyproject.toml -o requirements/run.txt
	$(COMPILE) --upgrade -c requirements/run.txt pyproject.toml --group dev -o requirements/dev.txt
	$(COMPILE) --upgrade -c requirements/run.txt pyproject.toml requirements/binary.in -o requirements/binary.txt

node: tests/node/node_modules/.package-lock.json

tests/node/node_modules/.package-lock.json: tests/node/package.json tests/node/package-lock.json
	$(if $(NPM),,$(error npm is missing; install Node.js 18 or newer))
	npm ci --prefix tests/node --no-audit --no-fund
	@touch $@

clean:
	rm -rf $(ENVIRONMENT) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis tests/node/node_modules
	find chatd protocol tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than the requirements that are installed. `dev` and `binary` include everything in `run`.

$(STAMPS)/run: requirements/run.txt $(VERSION_FILES) $(STAMPS)/venv
	@test -e $(STAMPS)/dev -a $(STAMPS)/dev -nt requirements/run.txt || $(call install,requirements/run.txt)
	@$(call link)
	@touch "$@"

$(STAMPS)/dev: requirements/dev.txt $(VERSION_FILES) $(STAMPS)/venv
	@$(call install,requirements/dev.txt)
	@$(call link)
	@touch "$@"

$(STAMPS)/binary: requirements/binary.txt $(VERSION_FILES) $(STAMPS)/venv
	@$(call install,requirements/binary.txt)
	@$(call link)
	@touch "$@"

$(STAMPS)/venv:
	@PYTHON="$(PYTHON)" UV="$(UV)" sh scripts/make_venv.sh $(ENVIRONMENT)
	@mkdir -p $(STAMPS) && echo "$(PYTHON)" >"$@"

# When PYTHON changes, the environment is created again.
ifneq ($(filter command line environment,$(origin PYTHON)),)
ifneq ($(shell cat $(STAMPS)/venv 2>/dev/null),$(PYTHON))
.PHONY: $(STAMPS)/venv
endif
endif

install = PYTHON=$(BIN)/python UV="$(UV)" sh scripts/install.sh $(1)
link = $(BIN)/python scripts/link.py

include tests/bench/bench.mk
