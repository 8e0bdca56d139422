"""tests/references.py decides whether a test leaks: what it makes of known ones."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

SAMPLE = pathlib.Path(__file__).parent / "sample_of_leaks.py"


def run_sample():
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider"]
    # In CI pytest's summary says in full what has been said above it.
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run(
        [*command, "--count-references", str(SAMPLE)],
        capture_output=True,
        text=True,
        env=environment,
    )


@pytest.mark.skipif(
    not hasattr(sys, "gettotalrefcount"), reason="only debug builds of Python count references"
)
def test_leaks_are_told_from_noise():
    done = run_sample()
    outcomes = re.findall(r"^(PASSED|FAILED) \S+::(\w+)", done.stdout, re.M)
    assert {name: outcome for outcome, name in outcomes} == {
        "test_flat": "PASSED",
        "test_cycle_is_flat": "PASSED",
        "test_printing_is_flat": "PASSED",
        "test_filling_a_cache_is_flat": "PASSED",
        "test_loses_no_more_than_it_says": "PASSED",
        "test_loses_more_than_it_says": "FAILED",
        "test_leaks_an_object": "FAILED",
        "test_leaks_in_a_fixture": "FAILED",
        "test_fails_when_repeated": "FAILED",
        "test_fails_at_once": "FAILED",
    }, done.stdout
    assert done.stdout.count("the count of all references grows: [") == 3
    assert "passed, but not when repeated" in done.stdout
    assert re.search("5 failed, 5 passed, 1 skipped", done.stdout)


@pytest.mark.skipif(hasattr(sys, "gettotalrefcount"), reason="a debug build counts references")
def test_only_debug_builds_count():
    done = run_sample()
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "only debug builds of Python count them" in done.stderr
