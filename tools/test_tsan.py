"""Runs tests whose threads race under ThreadSanitizer, on a CPython without a GIL.

    python3 tools/test_tsan.py [PYTEST ARGUMENT...]

Both the interpreter and the extension are built for it (sanitized_python.py).  A report of
ThreadSanitizer ends a process with an error, unless tests/thread_sanitizer.txt has it for
CPython's own.  Without PYTHONS=all in the environment an interpreter that is not there is not
built, and all is skipped.  Ends with a line that counts all tests.
"""

import os
import shlex
import sys
from collections.abc import Iterator

import guests
import lint_c
import outcomes
import sanitized_python
from environment import BUILD, ROOT
from foreign import Unavailable
from outcomes import Result, brings_what_is_missing, run_suite, skipped

SITE = BUILD / "tsan"

FLAGS = ("-O1", "-g", "-fsanitize=thread", "-fno-omit-frame-pointer")

TESTS = ("tests/races", "tests/ext/test_threads.py", "tests/ext/test_found.py")

# Seconds.
TIME_LIMIT = 1800


def build() -> None:
    """The extension, in a folder for Python's path; Unavailable without its interpreter."""
    if brings_what_is_missing():
        sanitized_python.make()
    elif not sanitized_python.is_made():
        raise Unavailable("its interpreter is not there: PYTHONS=all builds it")
    package = guests.lay_out_package(SITE)
    headers = ["-isystem", str(sanitized_python.include())]
    words = guests.extension_words(headers, package)
    guests.compile_extension(["clang", *lint_c.WARNINGS, *FLAGS, *words])
    guests.pytest_packages()


def variables() -> dict[str, str]:
    suppressions = ROOT / "tests" / "thread_sanitizer.txt"
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(SITE), str(guests.PACKAGES))),
        "PYTHONPYCACHEPREFIX": str(BUILD / "tsan-cache"),
        # Three times as slow.
        "GREENLET_TEST_SHORT_LOOPS": "1",
        "GREENLET_TEST_UNDER_THREAD_SANITIZER": "1",
        "TSAN_OPTIONS": f"suppressions={suppressions}",
    }


def results(arguments: list[str]) -> Iterator[Result]:
    try:
        build()
    except Unavailable as error:
        yield skipped("tsan", error)
        return
    except guests.BuildFailed as error:
        yield outcomes.failed("tsan", error)
        return
    python = [*sanitized_python.UNDER, str(sanitized_python.python())]
    command = [*python, *outcomes.PYTEST, *(arguments or TESTS)]
    print(shlex.join(command), flush=True)
    yield run_suite("tsan", command, variables(), TIME_LIMIT)


if __name__ == "__main__":
    sys.exit(outcomes.report(results(sys.argv[1:])))
