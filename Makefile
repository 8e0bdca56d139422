# Every target makes what it needs below build/.  Interpreters are found by
# tools/interpreters.py; name your own with PYTHONS="path path".

# Runs the tools: any Python from 3.10 on.
PYTHON ?= python3
# More arguments for pytest or for the benchmarks.
ARGS ?=

RUN_TESTS = $(PYTHON) tools/run_tests.py

help:
	@echo "make demo           build for the newest Python found, run the examples"
	@echo "make test           all tests on all Pythons found"
	@echo "make test-core      the stack machine's C tests (CC=clang for another compiler)"
	@echo "make test-python    the Python tests (ARGS='-k throw' picks some)"
	@echo "make test-upstream  the published package's tests on our build"
	@echo "make test-hard      the Python tests with invariants checked, stacks poisoned, UBSan"
	@echo "make test-valgrind  the Python tests under valgrind"
	@echo "make test-debug     the Python tests on a debug build of Python"
	@echo "make clients        real programs on our build"
	@echo "make bench          the published package and ours, side by side"
	@echo "make lint           compilers' warnings, clang-tidy, formats, types, layers"
	@echo "make format         mend what of that can be mended"
	@echo "make dist           a source archive, and a wheel built from it"
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
	@python=$$(tools/debug_python.sh) && PYTHONS=$$python $(RUN_TESTS) python

clients:
	@pythons=$$($(PYTHON) tools/interpreters.py 3.12 3.13) && \
	    $(PYTHON) tests/clients/run.py $$pythons

bench:
	@tags=$$($(PYTHON) tools/environment.py 3.11 3.12 3.13 --without-tests --tags) && \
	    $(PYTHON) benchmarks/run.py $$tags $(ARGS)

lint:
	@$(PYTHON) tools/lint.py

format:
	@$(PYTHON) tools/lint.py --format

dist:
	@python=$$($(PYTHON) tools/environment.py newest --without-tests) && \
	    $$python -m build --outdir build/dist

clean:
	rm -rf build

.PHONY: help demo test test-core test-python test-upstream test-hard test-valgrind \
    test-debug clients bench lint format dist clean
