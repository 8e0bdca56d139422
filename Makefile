# Every target makes what it needs below build/.  Interpreters are found by
# tools/interpreters.py; name your own with PYTHONS="path path", or let PYTHONS=all
# bring more than the machine has (Debian, as root).

# Runs the tools: any Python from 3.10 on.
PYTHON ?= python3
# More arguments for pytest or for the benchmarks.
ARGS ?=

# Those whose figures we promise.
BENCH_VERSIONS = 3.11 3.12 3.13 3.14 3.15

RUN_TESTS = $(PYTHON) tools/run_tests.py

help:
	@echo "make demo           build for the newest Python found, run the examples"
	@echo "make test           all tests on all Pythons found"
	@echo "make test-core      the stack machine's C tests (CC=clang for another compiler)"
	@echo "make test-python    the Python tests (ARGS='-k throw' picks some)"
	@echo "make test-upstream  the published package's tests on our build"
	@echo "make test-hard      the Python tests with invariants checked, stacks poisoned, UBSan"
	@echo "make test-valgrind  the Python tests under valgrind"
	@echo "make test-debug     the Python tests on debug builds of Python"
	@echo "make test-jit       all Python tests with the interpreter's JIT on"
	@echo "make test-differential  random programs, the published package and ours"
	@echo "make clients        real programs on our build"
	@echo "make bench          the published package and ours, side by side"
	@echo "make chart          a picture of what make bench has measured last"
	@echo "make bench-count    their instructions, and those on record"
	@echo "make lint           compilers' warnings, clang-tidy, formats, types, layers"
	@echo "make format         mend what of that can be mended"
	@echo "make dist           a source archive, and from it a wheel for each Python found"
	@echo "make clean          remove build/"

demo:
	@python=$$($(PYTHON) tools/environment.py newest --without-tests) && $$python examples/demo.py

test:
	@$(RUN_TESTS)

test-core:
	@$(RUN_TESTS) core

test-python:
	@$(RUN_TESTS) python -- $(ARGS)

test-upstream:
	@$(RUN_TESTS) upstream

test-hard:
	@$(RUN_TESTS) python --variant hard

# 3.11 is the one with suppressions: 3.12 hides nothing.
test-valgrind:
	@$(RUN_TESTS) python --versions 3.11 3.12 --under tools/valgrind/run.sh \
	    -- tests/ext -m "not heavy" $(ARGS)

test-debug:
	@$(RUN_TESTS) python --debug-builds -- $(ARGS)

test-jit:
	@PYTHON_JIT=1 $(RUN_TESTS) python upstream --versions 3.14 3.15 -- $(ARGS)

# The programs of ten thousand seeds, always the same ones; ARGS="--first 10000" for others.
test-differential:
	@tags=$$($(PYTHON) tools/environment.py --without-tests --tags) && \
	    $(PYTHON) tests/differential/compare.py $$tags $(ARGS)

clients:
	@pythons=$$($(PYTHON) tools/interpreters.py 3.12 3.13 3.14 3.15) && \
	    $(PYTHON) tests/clients/run.py $$pythons

bench:
	@tags=$$($(PYTHON) tools/environment.py $(BENCH_VERSIONS) --without-tests --tags) && \
	    $(PYTHON) benchmarks/run.py $$tags --json build/bench.json $(ARGS)

chart:
	@python=$$($(PYTHON) tools/environment.py 3.13 --variant chart) && \
	    $$python benchmarks/chart.py build/bench.json docs/benchmarks.svg

bench-count:
	@tags=$$($(PYTHON) tools/environment.py --without-tests --tags) && \
	    $(PYTHON) benchmarks/count.py $$tags $(ARGS)

lint:
	@$(PYTHON) tools/lint.py

format:
	@$(PYTHON) tools/lint.py --format

dist:
	@pythons=$$($(PYTHON) tools/environment.py --without-tests) && \
	    for python in $$pythons; do $$python -m build --outdir build/dist || exit 1; done

clean:
	rm -rf build

.PHONY: help demo test test-core test-python test-upstream test-hard test-valgrind \
    test-debug test-jit test-differential clients bench chart bench-count lint format dist clean
