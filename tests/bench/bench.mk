# Included by the Makefile. tests/bench/README.md says what is measured.
PYTHON ?= .venv/bin/python

.PHONY: bench bench-quick

bench:
	$(PYTHON) -m tests.bench $(BENCH)

bench-quick:
	$(PYTHON) -m tests.bench --quick $(BENCH)
