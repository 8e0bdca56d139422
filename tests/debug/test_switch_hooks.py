"""add_switch_hook(): one call for each switch that is wanted, in all threads."""

import gc
import subprocess
import sys
import textwrap
import threading
import weakref

import pytest
from greenlet import getcurrent, greenlet, settrace
from greenlet.debug import add_switch_hook, remove_switch_hook, serial_of

from helpers import parked
from support import echo, in_thread, needs_fork, park_once, raised_by

EVENTS = ["create", "start", "switch", "throw", "finish"]


@pytest.fixture
def add():
    numbers = []

    def add_hook(*arguments):
        numbers.append(add_switch_hook(*arguments))
        return numbers[-1]

    yield add_hook
    for number in numbers:
        remove_switch_hook(number)


def live():
    parked().switch()


def noted(add, events, function):
    """What a hook for these events has been told of while `function` ran."""
    seen = []
    add(lambda what, origin, target: seen.append(" ".join(sorted(what))), events)
    function()
    return seen


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (EVENTS, ["create", "start switch", "switch", "switch", "finish switch"]),
        (("switch", "throw"), ["start switch", "switch", "switch", "finish switch"]),
        (["start"], ["start switch"]),
        ({"finish"}, ["finish switch"]),
        (["throw"], []),
        (["create"], ["create"]),
    ],
)
def test_events_are_chosen(add, events, expected):
    assert noted(add, events, live) == expected


def test_throws(add):
    def run():
        child = parked()
        with pytest.raises(KeyError):
            child.throw(KeyError)

    assert noted(add, ("throw",), run) == ["throw", "finish throw"]


def test_switches_are_wanted_unless_said_otherwise(add):
    seen = []
    add(lambda what, origin, target: seen.append((what, origin, target)))
    main, child = getcurrent(), parked()
    assert seen == [
        ({"start", "switch"}, main, child),
        ({"switch"}, child, main),
    ]


@pytest.mark.parametrize("events", [[], ["swich"], ["switch", "SWITCH"]])
def test_unknown_events_are_refused(events):
    error, said = raised_by(add_switch_hook, print, events)
    assert error is ValueError and "switch" in str(said)


def test_unknown_numbers_are_refused(add):
    number = add(print, ["create"])
    assert raised_by(remove_switch_hook, number + 1)[0] is ValueError
    assert raised_by(remove_switch_hook, "1")[0] is TypeError


def test_what_it_raises_is_reported_with_it(add, monkeypatch):
    reported = []
    monkeypatch.setattr(
        sys, "unraisablehook", lambda what: reported.append((what.exc_type, what.object))
    )

    def fail(*_):
        raise KeyError("mine")

    add(fail)
    live()
    assert reported == [(KeyError, fail)] * 4


def test_profilers_of_sys_do_not_see_it(add):
    def callback(*_):
        pass

    add(callback)
    seen = set()
    child = greenlet(park_once)
    sys.setprofile(lambda frame, event, arg: seen.add(frame.f_code))
    try:
        child.switch()
    finally:
        sys.setprofile(None)
    assert park_once.__code__ in seen and callback.__code__ not in seen


def test_beside_a_trace_function(add):
    order = []
    add(lambda *_: order.append("hook"))
    before = settrace(lambda *_: order.append("trace"))
    try:
        live()
    finally:
        settrace(before)
    assert order == ["hook", "trace"] * 4


def test_trace_function_that_raises_leaves_hooks_alone(add):
    count = []
    add(lambda *_: count.append(0))
    before = settrace(lambda *_: 1 / 0)
    child = greenlet(park_once)
    with pytest.raises(ZeroDivisionError):
        child.switch()
    settrace(before)
    assert child.dead and len(count) == 2


def test_threads_to_come(add):
    idents = set()
    add(lambda *_: idents.add(threading.get_ident()))
    in_thread(live)
    live()
    assert len(idents) == 2


def test_callback_is_kept_and_let_go():
    class Callback:
        calls = 0

        def __call__(self, *_):
            self.calls += 1

    callback = Callback()
    number = add_switch_hook(callback)
    watched = weakref.ref(callback)
    del callback
    live()
    assert watched().calls == 4
    remove_switch_hook(number)
    gc.collect()
    assert watched() is None


def test_serial_is_never_used_twice():
    first = greenlet(echo)
    number, address = serial_of(first), id(first)
    assert serial_of(first) == number
    del first
    reused = [greenlet(echo) for _ in range(100)]
    assert address in map(id, reused)
    numbers = list(map(serial_of, reused))
    assert len(set(numbers)) == 100 and number not in numbers
    assert raised_by(serial_of, None)[0] is TypeError


def run_program(text):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True
    )


@needs_fork
def test_child_process_has_the_hooks():
    done = run_program("""
        import os
        from greenlet import debug, greenlet
        calls = []
        number = debug.add_switch_hook(lambda *_: calls.append(0))
        child = os.fork()
        if child == 0:
            greenlet(print).switch()
            debug.remove_switch_hook(number)
            greenlet(print).switch()
            os._exit(len(calls))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), len(calls))
    """)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.split() == ["2", "0"]


def test_hooks_that_are_left_at_the_end():
    done = run_program("""
        import threading
        from greenlet import debug, getcurrent, greenlet
        def hook(what, origin, target):
            assert "switch" in what or "throw" in what
        debug.add_switch_hook(hook)
        def park():
            getcurrent().parent.switch()
        kept = greenlet(park)
        kept.switch()
        thread = threading.Thread(target=lambda: greenlet(park).switch())
        thread.start()
        thread.join()
    """)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_each_interpreter_has_its_own(add):
    interpreters = pytest.importorskip(
        "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    )
    seen = []
    add(lambda *_: seen.append(0))
    other = interpreters.create()
    try:
        interpreters.run_string(
            other,
            "from greenlet import debug, greenlet\n"
            "calls = []\n"
            "debug.add_switch_hook(lambda *_: calls.append(0))\n"
            "greenlet(len).switch(())\n"
            "assert len(calls) == 2, calls\n",
        )
    finally:
        interpreters.destroy(other)
    assert seen == []
    live()
    assert len(seen) == 4
