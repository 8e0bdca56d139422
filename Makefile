# Every target makes what it needs below build/.  Interpreters are found by
# tools/interpreters.py; name your own with PYTHONS="path path", or let PYTHONS=all
# bring more than the machine has (Debian, as root).

# Runs the tools: any Python from 3.10 on.
PYTHON ?= python3
# More arguments for pytest or for the benchmarks.
ARGS ?=
# Of Python, for targets that choose some themselves or take all; "3.14t" has no GIL.
VERSIONS ?=

# Those whose figures we promise.
BENCH_VERSIONS = 3.11 3.12 3.13 3.14 3.15

# An unpacked Python's library is not compiled yet: let that be done once, not by every process.
unexport PYTHONDONTWRITEBYTECODE

RUN_TESTS = $(PYTHON) tools/run_tests.py

CHOSEN = $(if $(VERSIONS),--versions $(VERSIONS))

SWITCHING_TESTS = tests/ext tests/capi tests/crash tests/profilers

help:
	@echo "make demo           build for the newest Python found, run the examples"
	@echo "make test           all tests on all Pythons found"
	@echo "make test-core      the stack machine's C tests (CC=clang; in build/core, meson test NAME)"
	@echo "make test-python    the Python tests (ARGS='-k throw' picks some)"
	@echo "make test-upstream  the published package's tests on our build"
	@echo "make test-hard      the Python tests with invariants checked, stacks poisoned, UBSan"
	@echo "make test-policy    the Python tests, hard modes, random programs, POLICY=own or shared"
	@echo "make test-valgrind  the Python tests under valgrind"
	@echo "make test-asan      the Python tests with AddressSanitizer in the extension"
	@echo "make test-tsan      threads that race, in an interpreter that ThreadSanitizer watches"
	@echo "make test-debug     the Python tests on debug builds of Python"
	@echo "make test-references  each Python test several times: no reference may be left"
	@echo "make test-jit       all Python tests with the interpreter's JIT on"
	@echo "make test-differential  random programs, the published package and ours"
	@echo "make test-search    the same, programs that Hypothesis makes"
	@echo "make test-patch-releases  each of two patch releases with what was built for the other"
	@echo "make test-compilers  newer compilers, from Debian (COMPILERS='trixie-gcc sid-clang')"
	@echo "make test-windows   the Python tests on CPythons for Windows, under Wine"
	@echo "make test-musl      the same on CPythons for musl"
	@echo "make test-macos     wheels for macOS, built and looked at, since they cannot be run here"
	@echo "make test-arches    other architectures, under emulators (ARCHES='arm64 riscv64')"
	@echo "make clients        real programs on our build (ARGS=--all: more of them)"
	@echo "make client-suites  the test suites of gevent and eventlet, the published package and ours"
	@echo "make soak           ten minutes of gevent on our build, with flat memory, and of races"
	@echo "make endurance      millions of lives, kills and threads, with flat memory"
	@echo "make bench          the published package and ours, side by side"
	@echo "make bench-threads  switches and lives in 1, 2 and 4 threads at a time, with a GIL and without"
	@echo "make bench-windows  the same cases as bench on CPythons for Windows, under Wine"
	@echo "make chart          pictures of what make bench and bench-threads have measured last"
	@echo "make picture        docs/gui.png anew (needs xvfb, xdotool and imagemagick)"
	@echo "make bench-count    their instructions, and those on record"
	@echo "make lint           compilers' warnings, clang-tidy, formats, types, layers"
	@echo "make format         mend what of that can be mended"
	@echo "make docs           these pages as HTML in build/docs, without a warning or a dead link"
	@echo "make dist           a source archive, and from it a wheel for each Python found"
	@echo "make wheels         wheels for all platforms, judged and run (ARGS='--platforms aarch64 win')"
	@echo "make clean          remove build/"

demo:
	@python=$$($(PYTHON) tools/environment.py newest --without-tests) && "$$python" examples/demo.py

test:
	@$(RUN_TESTS) $(CHOSEN)

test-core:
	@$(RUN_TESTS) core

test-python:
	@$(RUN_TESTS) python $(CHOSEN) -- $(ARGS)

test-upstream:
	@$(RUN_TESTS) upstream $(CHOSEN)

test-hard:
	@$(RUN_TESTS) python --variant hard $(CHOSEN) -- $(ARGS)

# Whatever switches, with POLICY=shared or POLICY=own for which greenlets have a stack
# of their own; the other tests run with the automatic policy.
test-policy: export GREENLET_STACK_POLICY = $(POLICY)
test-policy:
	@$(PYTHON) tools/tally.py \
	    "make test-python VERSIONS='$(or $(VERSIONS),3.11 3.13 3.15)' ARGS='$(SWITCHING_TESTS)'" \
	    "make test-hard VERSIONS=3.12 ARGS='$(SWITCHING_TESTS)'" \
	    "make test-asan VERSIONS=3.13" "make test-differential ARGS='--count 2000'"

# AddressSanitizer is ten times faster; valgrind alone sees what was never written.
test-valgrind:
	@$(RUN_TESTS) python --versions 3.12 --under tools/valgrind/run.sh \
	    -- tests/ext -m "not heavy" $(ARGS)

test-asan:
	@$(RUN_TESTS) python --variant asan --versions $(or $(VERSIONS),3.11 3.13) --under tools/asan/run.sh \
	    -- tests/ext tests/capi tests/crash $(ARGS)

# Three minutes more where the interpreter has to be built first, with PYTHONS=all.
test-tsan:
	@$(PYTHON) tools/test_tsan.py $(ARGS)

test-debug:
	@$(RUN_TESTS) python --debug-builds $(CHOSEN) -- $(ARGS)

# Others with VERSIONS="3.11 3.13 3.15".  What is repeated has short loops.
test-references:
	@GREENLET_TEST_SHORT_LOOPS=1 $(RUN_TESTS) python --debug-builds \
	    --versions $(or $(VERSIONS),3.15) -- --count-references tests/ext tests/capi $(ARGS)

test-jit:
	@PYTHON_JIT=1 $(RUN_TESTS) python upstream --versions $(or $(VERSIONS),3.14 3.15) -- $(ARGS)

# The programs of ten thousand seeds, always the same ones; ARGS="--first 10000" for others.
# Not without a GIL: there the published package reports some errors in another order.
test-differential:
	@tags=$$($(PYTHON) tools/environment.py \
	    $(or $(VERSIONS),3.10 3.11 3.12 3.13 3.14 3.15) --without-tests --tags) && \
	    $(PYTHON) tests/differential/compare.py $$tags $(ARGS)

# ARGS="--seed 1 --count 10000" for others.
test-search:
	@tags=$$($(PYTHON) tools/environment.py $(VERSIONS) --without-tests --tags) && \
	    python=$$($(PYTHON) tools/environment.py newest) && \
	    "$$python" tests/differential/search.py $$tags $(ARGS)

# Without PYTHONS=all nothing is brought, and all is skipped.
test-patch-releases:
	@$(PYTHON) tools/test_patch_releases.py $(VERSIONS)

# VERSIONS, and paths of tests as ARGS; without PYTHONS=all all is skipped.
test-windows:
	@$(PYTHON) tools/test_windows.py $(VERSIONS) $(ARGS)

test-musl:
	@$(PYTHON) tools/test_musl.py $(VERSIONS) $(ARGS)

test-macos:
	@python=$$($(PYTHON) tools/environment.py newest --variant wheels) && \
	    "$$python" tools/macos.py $(VERSIONS)

# Without ARCHES all, and without PYTHONS=all no more than what is here.
test-arches:
	@$(PYTHON) tools/test_arches.py $(ARCHES) $(ARGS)

# The same holds of COMPILERS.
test-compilers:
	@$(PYTHON) tools/test_compilers.py $(COMPILERS)

clients:
	@pythons=$$($(PYTHON) tools/interpreters.py $(or $(VERSIONS),3.12 3.13 3.14 3.15)) && \
	    $(PYTHON) tests/clients/run.py $(ARGS) $$pythons

# A quarter of an hour for each Python.
client-suites:
	@pythons=$$($(PYTHON) tools/interpreters.py $(or $(VERSIONS),3.13)) && \
	    $(PYTHON) tests/clients/suites.py $(ARGS) $$pythons

# ARGS="--minutes 1" for less; VERSIONS for others than the newest that gevent has a wheel for.
soak: soak-races
	@pythons=$$($(PYTHON) tools/interpreters.py $(or $(VERSIONS),3.13)) && \
	    $(PYTHON) tests/soak/run.py $$pythons $(ARGS)

# RACES=200 for a hundred minutes.
soak-races:
	@GREENLET_TEST_RACES=$(or $(RACES),20) $(RUN_TESTS) python --versions 3.14t 3.15t -- tests/races

# Some ten minutes for each Python; ARGS="--scale 0.01" for a look.
endurance:
	@tags=$$($(PYTHON) tools/environment.py $(VERSIONS) --without-tests --tags) && \
	    $(PYTHON) tests/endurance/run.py $$tags $(ARGS)

bench:
	@tags=$$($(PYTHON) tools/environment.py $(BENCH_VERSIONS) --without-tests --tags) && \
	    $(PYTHON) benchmarks/run.py $$tags --json build/bench.json $(ARGS)

chart:
	@python=$$($(PYTHON) tools/environment.py 3.13 --variant chart) && \
	    "$$python" benchmarks/chart.py build/bench.json docs/benchmarks.svg && \
	    "$$python" benchmarks/threads_chart.py build/threads.json docs/threads.svg

picture:
	@python=$$($(PYTHON) tools/environment.py 3.13 --without-tests) && \
	    "$$python" tests/picture_of_gui.py docs/gui.png

bench-count:
	@tags=$$($(PYTHON) tools/environment.py --without-tests --tags) && \
	    $(PYTHON) benchmarks/count.py $$tags $(ARGS)

# With a GIL beside them, to see what that costs.
bench-threads:
	@tags=$$($(PYTHON) tools/environment.py $(or $(VERSIONS),3.14t 3.15t 3.14) --without-tests --tags) && \
	    $(PYTHON) benchmarks/threads.py $$tags --json build/threads.json $(ARGS)

# 3.13 without VERSIONS; ARGS are those of benchmarks/run.py.
bench-windows:
	@$(PYTHON) tools/bench_windows.py $(VERSIONS) -- $(ARGS)

# ARGS=--quick for half the time.
lint:
	@$(PYTHON) tools/lint.py $(ARGS)

format:
	@$(PYTHON) tools/lint.py --format

docs:
	@python=$$($(PYTHON) tools/environment.py newest --variant docs) && "$$python" tools/docs.py

dist:
	@tags=$$($(PYTHON) tools/environment.py --without-tests --tags) && \
	    for tag in $$tags; do build/env/$$tag/bin/python -m build --outdir build/dist || exit 1; done

# For all CPythons but with VERSIONS; without PYTHONS=all this machine's own run them, only.
wheels:
	@python=$$($(PYTHON) tools/environment.py newest --variant wheels) && \
	    "$$python" tools/wheels.py $(CHOSEN) $(ARGS)

clean:
	rm -rf build

.PHONY: help demo docs test test-core test-python test-upstream test-hard test-policy test-valgrind \
    test-asan test-tsan test-debug test-references test-jit test-differential test-search \
    test-patch-releases test-arches test-windows test-musl test-macos test-compilers clients client-suites \
    soak soak-races endurance bench chart picture bench-count bench-threads bench-windows lint format dist wheels clean
