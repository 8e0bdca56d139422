"""tools/suite.py runs a test suite: what it says is kept, and nothing of it outlives it."""

import os
import pathlib
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def suite(monkeypatch, tmp_path):
    """The module, which writes its logs elsewhere for as long as one test takes."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import suite

    monkeypatch.setattr(suite, "BUILD", tmp_path)
    monkeypatch.setattr(suite, "GRACE", 0.5)
    yield suite
    used = ("counts", "environment", "interpreters", "free_threaded", "assemble", "foreign")
    for name in ("suite", *used, "userland"):
        sys.modules.pop(name, None)


def run_python(suite, program, limit=60):
    return suite.run("name", [sys.executable, "-c", program], os.environ, limit)


def test_what_a_suite_says_is_returned_counted_and_kept(suite):
    program = "import sys; print('2 passed, 1 failed', file=sys.stderr); sys.exit(3)"
    ended = run_python(suite, program)
    assert (ended.output, ended.status) == ("2 passed, 1 failed\n", 3)
    assert str(ended.counts()) == "2 passed, 1 failed, 0 skipped"
    assert ended.log.read_text() == ended.output


def test_a_suite_that_hangs_is_told_to_abort_and_has_failed(suite):
    program = (
        "import faulthandler, time\n"
        "faulthandler.enable()\n"
        "print('2 passed, 0 failed', flush=True)\n"
        "time.sleep(600)"
    )
    ended = run_python(suite, program, limit=1)
    assert "Fatal Python error: Aborted" in ended.output
    assert ended.counts().failed == 1


def test_a_suite_that_does_not_abort_is_killed(suite):
    program = "import signal, time; signal.signal(signal.SIGABRT, signal.SIG_IGN); time.sleep(600)"
    start = time.monotonic()
    assert run_python(suite, program, limit=1).status == -9
    assert time.monotonic() - start < 300


def test_what_a_suite_has_left_running_ends_with_it(suite):
    program = (
        "import os, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],\n"
        "    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print(child.pid, flush=True)\n"
        # Debug builds would complain of the child.
        "os._exit(0)"
    )
    child = int(run_python(suite, program).output)
    for _ in range(600):
        if not is_running(child):
            return
        time.sleep(0.1)
    pytest.fail(f"process {child} goes on")


def is_running(process):
    """A process that nobody has waited for yet does not count."""
    try:
        status = pathlib.Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
