"""The command attach: a process that has prepared nothing is looked into, and goes on."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

import trace_format
from support import heavy, needs_proc

PROGRAM = pathlib.Path(__file__).with_name("program_to_look_into.py")

# Seconds after which a test has failed.
PATIENCE = 120

pytestmark = [heavy, needs_proc]

needs_asking = pytest.mark.skipif(
    not hasattr(sys, "remote_exec"), reason="CPython 3.14 and later run a script when asked"
)


class Target:
    def __init__(self, count, *arguments, **environment):
        self.count = count
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(count), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n"

    def finish(self):
        """It has been left as it was: nothing on its streams, all greenlets end as they should."""
        output, errors = self.process.communicate("\n", timeout=PATIENCE)
        assert (self.process.returncode, errors) == (0, "")
        assert int(output) == sum(range(self.count)) + self.count


@pytest.fixture
def start():
    targets = []

    def start_target(*arguments, **environment):
        targets.append(Target(*arguments, **environment))
        return targets[-1]

    yield start_target
    for target in targets:
        target.process.kill()
        target.process.communicate()


def attach(target, *arguments, code=0):
    pid = getattr(target, "process", target)
    command = [sys.executable, "-m", "greenlet.debug", "attach", str(getattr(pid, "pid", pid))]
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE
    )
    if "Operation not permitted" in done.stderr or "may not look into" in done.stderr:
        pytest.skip("this system lets no process be looked into")
    assert done.returncode == code, done.stderr
    return done


@needs_asking
def test_stacks(start):
    target = start(3)
    stacks = attach(target).stdout.split("\n\n")
    assert sum("wait_parked, parked, MainThread" in each for each in stacks) == 3
    running = next(each for each in stacks if ", running, " in each)
    title, *lines = running.splitlines()
    assert title.endswith("look_around, running, MainThread (most recent call first):")
    assert [line.rpartition(" ")[2] for line in lines] == ["look_around"]
    target.finish()


@needs_asking
def test_tree(start):
    target = start(2)
    thread, main, *children = attach(target, "tree").stdout.splitlines()
    assert thread == "MainThread" and main.startswith("  main, parked, ")
    assert sorted(line.split(",")[0][5:] for line in children) == [
        "look_around",
        "wait_parked",
        "wait_parked",
    ]
    target.finish()


@needs_asking
def test_ten_thousand(start):
    target = start(10_000)
    assert attach(target).stdout.count("wait_parked, parked, ") == 10_000
    assert len(attach(target, "tree").stdout.splitlines()) == 10_003
    target.finish()


@needs_asking
def test_timeline(start, tmp_path):
    target = start(1)
    path = tmp_path / "out.json"
    done = attach(target, "timeline", "--seconds", 0.2, "-o", path)
    assert done.stdout == f"written: {path}\n"
    trace_format.checked(path)
    target.finish()


@needs_asking
def test_timeline_that_cannot_be_written(start, tmp_path):
    target = start(1)
    done = attach(target, "timeline", "-o", tmp_path / "missing" / "out.json", code=1)
    assert "FileNotFoundError" in done.stderr
    target.finish()


@needs_asking
def test_no_folder_is_left(start, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    attach(start(1))
    assert list(tmp_path.iterdir()) == []


@needs_asking
def test_process_that_waits_in_c_code(start, monkeypatch, tmp_path):
    """It is told nothing, then or later."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    target = start(1, "stuck")
    said = attach(target, "--patience", 0.3, code=1).stderr
    assert f"process {target.process.pid} has not answered within 0.3 seconds" in said
    target.finish()


@needs_asking
def test_process_that_lets_nobody_look(start):
    target = start(1, PYTHON_DISABLE_REMOTE_DEBUG="1")
    said = attach(target, code=1).stderr
    assert "not enabled" in said and "--gdb" in said
    target.finish()


def test_no_such_process():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    said = attach(ended, code=1).stderr
    assert said.startswith("greenlet.debug: ") and "Traceback" not in said


def test_timeline_is_not_for_gdb(start):
    said = attach(start(1), "timeline", "--gdb", code=1).stderr
    assert said.startswith("greenlet.debug: gdb can only look")


def test_gdb_is_missing(monkeypatch):
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable))
    if shutil.which("gdb"):
        pytest.skip("gdb is beside this Python")
    assert "gdb is not installed" in attach(os.getpid(), "--gdb", code=1).stderr
