#!/usr/bin/env bash
# Runs a python command under valgrind: tools/valgrind/run.sh PYTHON ARGUMENT...
# An error that is not the interpreter's own makes the exit status 99.
set -euo pipefail

if ! command -v valgrind >/dev/null; then
    echo "valgrind is not installed: install the package valgrind" >&2
    exit 1
fi

# With pymalloc valgrind would see one big block instead of many objects; the
# tests know from the others that everything takes 20 to 50 times longer, and what
# there is not.
export PYTHONMALLOC=malloc GREENLET_TEST_SLOW_MACHINE=1 GREENLET_TEST_UNDER_VALGRIND=1

# A switch between slices moves the stack pointer far within the same stack, which
# valgrind must not take for another stack (--max-stackframe).  Leaks are for the
# tests to count: the interpreter itself never frees everything.
exec valgrind --quiet --error-exitcode=99 --leak-check=no \
    --max-stackframe=8388608 --num-callers=30 "$@"
