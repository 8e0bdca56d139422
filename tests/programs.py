"""Programs that run as a process of their own, and what they must do.

GREENLET_TEST_COMMAND_PREFIX, for example "valgrind --error-exitcode=99", is put before the
interpreter.
"""

import contextlib
import functools
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys

import pytest

import support
from support import ON_SLOW_MACHINE

try:
    import resource
except ImportError:  # Windows
    resource = None

TIMEOUT = 1500 if ON_SLOW_MACHINE else 300
PREFIX = shlex.split(os.environ.get("GREENLET_TEST_COMMAND_PREFIX", ""))


class Program:
    """A script and what it must do; the outputs are regular expressions.

    Whatever waits, idles or ends in it must not spin. So its processor time is limited, in starts
    of an interpreter. Most programs take 1 to 8; others say some five times what they take.
    """

    def __init__(
        self, script, stdout="end\n", stderr="", code=0, ours_only=None, marks=(), starts=40
    ):
        self.script, self.stdout, self.stderr, self.code = script, stdout, stderr, code
        self.starts = starts
        self.marks = list(marks)
        if ours_only is not None:
            self.marks.append(support.ours_only(ours_only))


class Outcome:
    """What a process did, and the seconds that processors spent on it and its children."""

    def __init__(self, code, stdout, stderr, seconds):
        self.code, self.stdout, self.stderr, self.seconds = code, stdout, stderr, seconds

    def __str__(self):
        return "exit code {}, {:.2f} s of processor time\n--- stdout\n{}--- stderr\n{}".format(
            self.code, self.seconds, self.stdout, self.stderr
        )


def run_python(*arguments):
    command = [sys.executable, "-X", "faulthandler", *arguments]
    before = seconds_of_children()
    process = subprocess.Popen(
        PREFIX + command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    tasks = None
    try:
        output = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        tasks = tasks_of(process)
        output = abort(process)
    done = Outcome(process.returncode, *output, seconds_of_children() - before)
    if tasks is not None:
        pytest.fail("\n".join(["it hangs", *tasks, str(done)]))
    return done


def seconds_of_children():
    """Processor time of all that have ended, and that somebody has waited for; 0 where the
    system does not tell."""
    if resource is None:
        return 0.0
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@functools.cache
def seconds_of_a_start():
    """Processor time of an interpreter that imports what most programs do, and ends.  It says
    how slow everything is here: the machine, a debug build, a sanitizer, valgrind."""
    return min(run_python("-c", "import threading, greenlet").seconds for _ in range(3))


def abort(process):
    """End it, and return its output: where there are such signals, faulthandler writes where
    each thread is."""
    if os.name == "posix":
        process.send_signal(signal.SIGABRT)
    else:
        process.kill()
    try:
        return process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()


def tasks_of(process):
    """Of each thread what the kernel tells: whether it runs, for how many ticks it has, what it
    waits for."""
    tasks = pathlib.Path("/proc", str(process.pid), "task")
    said = []
    for task in sorted(tasks.iterdir()) if tasks.exists() else []:
        with contextlib.suppress(OSError):  # it may end meanwhile
            state, *numbers = (task / "stat").read_text().rpartition(") ")[2].split()
            ticks = numbers[10:12]
            waits = [(task / name).read_text().strip() for name in ("wchan", "syscall")]
            said.append(" ".join([task.name, state, *ticks, *waits]))
    return said


def check(program, done):
    """Has it done what it must?"""
    if done.stdout.startswith("skipped: "):
        pytest.skip(done.stdout.strip())
    assert done.code == program.code, str(done)
    assert re.fullmatch(program.stdout, done.stdout), str(done)
    # A prefix such as valgrind writes there as well.
    if not PREFIX:
        assert re.fullmatch(program.stderr, done.stderr), str(done)
    assert done.seconds <= program.starts * seconds_of_a_start(), str(done)
