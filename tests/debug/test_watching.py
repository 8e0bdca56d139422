"""watch(): who holds a thread is reported while it does, with its stack, and nobody else is."""

import os
import threading
import time

import pytest
from greenlet import getcurrent, gettrace, greenlet, settrace
from greenlet.debug import waits_for_events, watch

from helpers import PATIENCE, busy_thread, parked
from support import in_greenlet, in_thread, names_from, needs_fork, raised_by

# Seconds, the smaller ones for what is to be reported.
SHORT, LONG = 0.01, 3600


class Reports:
    """Keeps what it is called with, and lets others wait for that."""

    def __init__(self):
        self.holds = []
        self.came = threading.Event()

    def __call__(self, hold):
        self.holds.append(hold)
        self.came.set()

    def wait(self):
        assert self.came.wait(PATIENCE)

    def wait_for(self, holder):
        while holder not in [hold.greenlet for hold in self.holds]:
            self.wait()
            self.came.clear()


def test_report_comes_while_the_greenlet_blocks():
    def block():
        reports.wait()

    reports = Reports()
    child = greenlet(block)
    with watch(SHORT, reports):
        child.switch()
    (hold,) = reports.holds
    assert hold.greenlet is child
    assert hold.thread == threading.get_ident()
    assert hold.seconds >= SHORT
    assert hold.name == "block"
    assert [line.split()[-1] for line in hold.stack][-2:] == ["wait", "block"]
    assert hold.stack[-1].startswith('  File "')
    reports.holds.clear()


def test_holding_is_reported_once_and_again_after_a_switch():
    def block():
        reports.wait()
        reports.came.clear()
        time.sleep(SHORT * 5)

    reports = Reports()
    with watch(SHORT, reports):
        for _ in range(2):
            in_greenlet(block)
    names = [hold.name for hold in reports.holds]
    assert names.count("block") == 2
    reports.holds.clear()


def test_short_turns_are_not_reported():
    waiting = parked()
    reports = Reports()
    with watch(LONG, reports):
        waiting.switch()
    assert reports.holds == []


def test_thread_with_one_greenlet_is_nobodys_loss():
    reports = Reports()

    def block():
        done.wait(SHORT * 20)

    done = threading.Event()
    with watch(SHORT, reports):
        in_thread(lambda: (getcurrent(), block()))
    assert [hold for hold in reports.holds if hold.thread != threading.get_ident()] == []


def test_other_threads_are_watched():
    reports = Reports()
    with busy_thread() as running, watch(SHORT, reports):
        reports.wait_for(running)
    reports.holds.clear()


def test_thread_that_starts_meanwhile_is_watched():
    reports = Reports()
    with watch(SHORT, reports), busy_thread() as running:
        reports.wait_for(running)
    reports.holds.clear()


def test_idle_loop_is_not_reported():
    seen = threading.Event()

    def idle(frame):
        if not seen.is_set():
            stacks.append(names_from(frame))
            seen.set()
        return True

    def wait_for_events():
        while not seen.wait(0):
            pass

    stacks = []
    reports = Reports()
    with watch(SHORT, reports, idle=idle):
        in_greenlet(wait_for_events)
    assert reports.holds == []
    assert stacks[0][-1] == "wait_for_events"


@pytest.mark.parametrize(
    ("module", "is_loop"),
    [("selectors", True), ("gevent.hub", True), ("eventlet.hubs.poll", True)]
    + [("geventual", False), ("mine", False), (None, False)],
)
def test_known_loops(module, is_loop):
    code = "import sys\ndef run():\n    return sys._getframe()"
    variables = {"__name__": module}
    exec(code, variables)
    assert waits_for_events(variables["run"]()) is is_loop


def test_report_that_raises_does_not_end_the_watch(capsys):
    def report(hold):
        reports(hold)
        raise ValueError("not my day")

    def block():
        reports.wait()
        reports.came.clear()

    reports = Reports()
    with watch(SHORT, report):
        in_greenlet(block)
        in_greenlet(block)
    assert len(reports.holds) >= 2
    assert "ValueError: not my day" in capsys.readouterr().err
    reports.holds.clear()


def test_report_goes_to_standard_error_by_default(capsys):
    def idle(frame):
        seen.set()
        return False

    def block():
        assert seen.wait(PATIENCE)

    seen = threading.Event()
    with watch(SHORT, idle=idle):
        in_greenlet(block)
        # What is over when the watcher looks again is not reported.
        text = ""
        while "nobody else" not in text:
            in_greenlet(time.sleep, SHORT * 2)
            text += capsys.readouterr().err
    assert " seconds nobody else has had the thread:\nGreenlet 0x" in text
    assert '  File "' in text


def test_tracer_of_before_goes_on():
    def tracer(event, pair):
        seen.append(event)

    seen = []
    settrace(tracer)
    with watch(LONG):
        in_greenlet(int)
    assert gettrace() is tracer
    settrace(None)
    assert seen == ["switch", "switch"]


def test_watch_ends_at_once_and_leaves_nothing():
    with watch(LONG):
        assert gettrace() is not None
    assert gettrace() is None
    assert in_thread(gettrace) is None


def test_watcher_is_a_real_thread(monkeypatch):
    """gevent replaces what threads are made with."""
    import _thread

    def refuse(*args):
        raise AssertionError("not a real one")

    for name in ("start_new_thread", "allocate_lock"):
        monkeypatch.setattr(_thread, name, refuse)
        monkeypatch.setattr(threading, "_" + name, refuse, raising=False)
    with watch(LONG):
        pass


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@needs_fork
def test_forked_child_waits_for_no_watcher():
    with watch(LONG):
        child = os.fork()
    if child == 0:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def test_wrong_use():
    for threshold in (0, -1, float("nan")):
        assert raised_by(watch, threshold)[0] is ValueError
    watching = watch(LONG)
    with watching:
        with pytest.raises(RuntimeError), watching:
            pass
    with pytest.raises(RuntimeError), watching:
        pass
