"""Chunk slabs and data stacks of src/cpython, in C: each test is a process of its own.

A check that does not hold aborts it, having said what it saw. GREENLET_TEST_COMMAND_PREFIX is
put before the interpreter.
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from support import ON_SLOW_MACHINE

HERE = pathlib.Path(__file__).resolve().parent
PREFIX = shlex.split(os.environ.get("GREENLET_TEST_COMMAND_PREFIX", ""))
TIMEOUT = 1500 if ON_SLOW_MACHINE else 300

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="CPython 3.10 has no data stack: its frames are objects"
)


def names():
    """What tests.h lists, and module.c has by that."""
    lines = (HERE / "tests.h").read_text().partition("#define FOR_EACH_TEST(DO)")[2]
    found = re.findall(r"^ +DO\((\w+)\)", lines, re.MULTILINE)
    assert len(found) == lines.count("DO(") > 0
    return found


def run(module, name):
    command = [*PREFIX, sys.executable, "-X", "faulthandler", HERE / "run_one.py", module, name]
    environment = dict(os.environ)
    if ON_SLOW_MACHINE:
        # For tests/core/checks.c.
        environment["CORE_TEST_EMULATED"] = "1"
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment,
        timeout=TIMEOUT,
    )


@pytest.mark.parametrize("name", names())
def test_in_c(chunk_tests, name):
    done = run(chunk_tests, name)
    assert done.returncode == 0, done.stderr
    if done.stdout:
        pytest.skip(done.stdout.strip())
