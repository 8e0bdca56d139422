"""`make endurance` in small: each case in a process of its own, some thousand times."""

import pathlib
import re
import subprocess
import sys

import pytest

from support import ON_ORACLE, heavy

PROGRAM = pathlib.Path(__file__).with_name("endurance.py")
CASES = re.findall(r'^    "(\w+)": Case\(', PROGRAM.read_text(), re.MULTILINE)

# Those whose greenlets the published package leaks.
OURS = ("cycles", "threads_with_parked")


def endure(case, *options):
    return subprocess.run(
        [sys.executable, str(PROGRAM), case, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1000,
    )


@heavy
@pytest.mark.parametrize("case", CASES)
def test_nothing_is_left(case):
    if ON_ORACLE and case in OURS:
        pytest.skip("published package: leaks them")
    done = endure(case, "--quick")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("planted", "complaint"),
    [
        ("greenlet", r"greenlets: \d+ instead of \d+"),
        ("memory", r"in_use grows by \d+ bytes"),
        ("thread", r"records: 21 instead of 1\b"),
    ],
)
def test_planted_leak_is_found(planted, complaint):
    done = endure("lives", "--count", "1000", "--plant", planted)
    assert done.returncode == 1
    assert re.search(complaint, done.stdout), done.stdout


def test_runner_knows_all_cases():
    runner = PROGRAM.with_name("run.py").read_text()
    assert re.search(r"^CASES = \((.*)\)$", runner, re.MULTILINE)[1] == ", ".join(
        '"{}"'.format(case) for case in CASES
    )
