"""thread_check, in builds that check: each invariant is broken once, and found by its name."""

import pathlib
import re
import signal
import subprocess
import sys

import pytest
from greenlet import _greenlet

SOURCE = pathlib.Path(__file__).parents[2] / "src" / "ext" / "check.c"
TABLE = SOURCE.read_text().split("} faults[] = {")[1]
INVARIANTS = re.findall(r'^    \{"([^"]+)",', TABLE, re.MULTILINE)

pytestmark = pytest.mark.skipif(
    not hasattr(_greenlet, "_break_invariant"), reason="only builds with hard_mode=check do check"
)

# One is parked, the first of those that have been started, and another one runs.
PROGRAM = """
import sys
from greenlet import _greenlet, getcurrent, greenlet

parked = greenlet(lambda: getcurrent().parent.switch())
parked.switch()
greenlet(lambda: _greenlet._break_invariant(sys.argv[1])).switch()
"""


def run(invariant):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, invariant], capture_output=True, text=True, timeout=100
    )


def test_table_is_that_of_all_checks():
    names = re.findall(r'must\((?:[^;]*?)"([^"]+)",\s*thread\)', SOURCE.read_text())
    assert sorted(names) == sorted(INVARIANTS)
    assert len(INVARIANTS) == 20


@pytest.mark.parametrize("invariant", INVARIANTS)
def test_broken_invariant_ends_the_process(invariant):
    done = run(invariant)
    assert done.returncode == -signal.SIGABRT, done.stderr
    assert "thread_check: {} (thread ".format(invariant) in done.stderr


def test_unknown_invariant_is_refused():
    done = run("nonsense")
    assert done.returncode == 1
    assert "ValueError: no such invariant: nonsense" in done.stderr
