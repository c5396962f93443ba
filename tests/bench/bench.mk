# Included by the Makefile. tests/bench/README.md says what is measured.

.PHONY: bench bench-quick

bench: $(STAMPS)/dev
	$(BIN)/python -m tests.bench $(BENCH)

bench-quick: $(STAMPS)/dev
	$(BIN)/python -m tests.bench --quick $(BENCH)
