#!/usr/bin/env bash
# Runs a python command with an extension that AddressSanitizer watches, by a compiler
# like gcc: tools/asan/run.sh PYTHON ARGUMENT...
set -euo pipefail

compiler=${CC:-cc}
# clang knows where gcc's is, too.
if $compiler --version | grep -q clang; then
    runtime=$($compiler -print-file-name="libclang_rt.asan-$(uname -m).so")
else
    runtime=$($compiler -print-file-name=libasan.so)
fi
if [[ $runtime != /* ]]; then
    echo "the compiler has no AddressSanitizer" >&2
    exit 1
fi
# It looks for the functions that throw once, when it is loaded.
throwing=$($compiler -print-file-name=libstdc++.so)
if [[ $throwing != /* ]]; then
    throwing=
fi

# With pymalloc it would see one big block instead of many objects.  Leaks are for the
# tests to count: the interpreter itself never frees everything.
export LD_PRELOAD="$runtime $throwing" PYTHONMALLOC=malloc
options=detect_leaks=0:quarantine_size_mb=8:allocator_may_return_null=1
export ASAN_OPTIONS=$options${ASAN_OPTIONS:+:$ASAN_OPTIONS}
exec "$@"
