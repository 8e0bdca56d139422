#!/usr/bin/env bash
# Runs a python command with an extension that AddressSanitizer watches, by a compiler
# like gcc: tools/asan/run.sh PYTHON ARGUMENT...
set -euo pipefail

runtime=$(${CC:-cc} -print-file-name=libasan.so)
# It looks for the functions that throw once, when it is loaded.
throwing=$(${CC:-cc} -print-file-name=libstdc++.so)
if [[ $runtime != /* ]]; then
    echo "the compiler has no AddressSanitizer" >&2
    exit 1
fi

# With pymalloc it would see one big block instead of many objects.  Leaks are for the
# tests to count: the interpreter itself never frees everything.
export LD_PRELOAD="$runtime $throwing" PYTHONMALLOC=malloc
export ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=8:allocator_may_return_null=1
exec "$@"
