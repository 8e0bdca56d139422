"""Programs whose threads do at the same time what they better would not, each as a process.

They race for about a second, and prove what they do while they do it: each must end, and write
"end". Without a GIL they are what proves the extension; with one they run shorter.
"""

import os
import pathlib

import pytest

import support
from programs import Program, check, run_python
from support import FREE_THREADED, UNDER_THREAD_SANITIZER, WITH_SHORT_LOOPS, heavy

HERE = pathlib.Path(__file__).parent

pytestmark = [heavy, support.ours_only("crashes, hangs or leaks in many of them")]

SECONDS = (1.0 if FREE_THREADED else 0.3) / (3 if WITH_SHORT_LOOPS else 1)

# What the random choices of a program begin with.
SEEDS = int(os.environ.get("GREENLET_TEST_RACES", "1"))

PROGRAMS = sorted({path.stem for path in HERE.glob("*.py")} - {"test_races", "racing"})

# ThreadSanitizer gives up, and says so, or makes CPython 3.13 do what it seldom does.
NOT_UNDER_THREAD_SANITIZER = {
    "daemons_at_exit": "lets no thread end in a greenlet",
    "fork_beside_switches": "does not follow a fork beside threads",
    "traces": "shows that a deque of CPython 3.13 cannot be copied beside threads that change it",
}


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("script", PROGRAMS)
def test_race(script, seed):
    if UNDER_THREAD_SANITIZER and script in NOT_UNDER_THREAD_SANITIZER:
        pytest.skip(f"ThreadSanitizer {NOT_UNDER_THREAD_SANITIZER[script]}")
    # Threads that race take all the time that processors have: that is no spinning.
    program = Program(script, starts=10_000)
    check(program, run_python(str(HERE / (script + ".py")), str(SECONDS), str(seed)))
