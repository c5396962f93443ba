# Included by the Makefile. tests/bench/README.md says what is measured.

.PHONY: bench bench-quick bench-curves

bench: $(STAMPS)/dev
	$(BIN)/python -m tests.bench $(BENCH)

bench-quick: $(STAMPS)/dev
	$(BIN)/python -m tests.bench --quick $(BENCH)

bench-curves: $(STAMPS)/dev
	$(BIN)/python -m tests.bench --curve members messages conversations --pictures docs/pictures $(BENCH)
