"""register() and unregister(): stacks when a signal comes, and who is called besides."""

import io
import os
import signal
import subprocess
import sys

import pytest
from greenlet.debug import register, unregister

from helpers import parked
from support import in_thread, raised_by

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "SIGUSR2"), reason="this system has no signal for users"
)


@pytest.fixture(autouse=True)
def handler_as_before():
    before = signal.getsignal(signal.SIGUSR2)
    yield
    signal.signal(signal.SIGUSR2, before)


def test_signal_dumps_all_stacks():
    text = io.StringIO()
    waiting = parked()
    register(signal.SIGUSR2, text)
    signal.raise_signal(signal.SIGUSR2)
    assert unregister(signal.SIGUSR2)
    assert f"Greenlet {id(waiting):#x} wait_parked, parked" in text.getvalue()
    # The handler itself is not what is to be seen.
    running = text.getvalue().splitlines()[1]
    assert running.endswith(" in test_signal_dumps_all_stacks")


def test_signal_dumps_past_the_buffer(tmp_path):
    with open(tmp_path / "dump", "w") as file:
        register(signal.SIGUSR2, file)
        signal.raise_signal(signal.SIGUSR2)
        assert "main, running" in (tmp_path / "dump").read_text()
        unregister(signal.SIGUSR2)


def test_handler_of_before_is_called_only_if_asked():
    seen = []

    def before(number, frame):
        seen.append((number, frame.f_code.co_name))

    signal.signal(signal.SIGUSR2, before)
    for chain in (False, True):
        register(signal.SIGUSR2, io.StringIO(), chain=chain)
        signal.raise_signal(signal.SIGUSR2)
        assert unregister(signal.SIGUSR2)
        assert signal.getsignal(signal.SIGUSR2) is before
    assert [number for number, _ in seen] == [signal.SIGUSR2]


def test_registering_twice_is_registering_once():
    first, second = io.StringIO(), io.StringIO()
    before = signal.getsignal(signal.SIGUSR2)
    register(signal.SIGUSR2, first)
    register(signal.SIGUSR2, second)
    signal.raise_signal(signal.SIGUSR2)
    assert not first.getvalue() and second.getvalue()
    assert unregister(signal.SIGUSR2)
    assert not unregister(signal.SIGUSR2)
    assert signal.getsignal(signal.SIGUSR2) == before


def test_handler_set_since_stays():
    register(signal.SIGUSR2, io.StringIO())
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    assert unregister(signal.SIGUSR2)
    assert signal.getsignal(signal.SIGUSR2) is signal.SIG_IGN


def test_file_that_is_closed_does_not_disturb(tmp_path):
    file = open(tmp_path / "dump", "w")
    register(signal.SIGUSR2, file)
    file.close()
    signal.raise_signal(signal.SIGUSR2)
    assert unregister(signal.SIGUSR2)


def test_wrong_use():
    assert raised_by(register, 12345)[0] is ValueError
    assert raised_by(register, signal.SIGKILL)[0] is OSError
    assert raised_by(in_thread, register, signal.SIGUSR2)[0] is ValueError
    assert not unregister(signal.SIGKILL) and not unregister(12345)


def test_default_action_follows_if_asked():
    program = (
        "import os, signal, greenlet.debug as debug\n"
        "debug.register(signal.SIGUSR2, chain=True)\n"
        "os.kill(os.getpid(), signal.SIGUSR2)\n"
        "print('lives')\n"
    )
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert outcome.returncode == -signal.SIGUSR2
    assert outcome.stdout == ""
    assert outcome.stderr.startswith("Greenlet 0x")


def test_stuck_process_is_looked_at_from_outside():
    program = (
        "import signal, sys, time, greenlet.debug as debug\n"
        "from greenlet import greenlet\n"
        "def stuck():\n"
        "    print('ready', flush=True)\n"
        "    while True: time.sleep(0.01)\n"
        "debug.register(signal.SIGUSR2)\n"
        "greenlet(stuck).switch()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        os.kill(process.pid, signal.SIGUSR2)
        heading, place = process.stderr.readline(), process.stderr.readline()
        process.kill()
    assert b" stuck, running, MainThread" in heading
    assert place in [b'  File "<string>", line %d in stuck\n' % line for line in (4, 5)]
