"""all_greenlets() and describe(): of all threads and states, and what a greenlet runs."""

import gc
import os
import subprocess
import sys
import textwrap
import threading

import pytest
from greenlet import getcurrent, greenlet, settrace, stack_policy
from greenlet._greenlet import _exchange_trace, _is_dead, _run, _started
from greenlet.debug import all_greenlets, describe, stack_of

from helpers import busy_thread, parked, wait_parked
from support import finished, in_greenlet, in_thread, killed, raised_by


def test_states_of_a_life():
    child = greenlet(wait_parked)
    assert describe(child) == ("unstarted", threading.get_ident(), wait_parked, None)
    child.switch()
    state, thread, run, frame = describe(child)
    assert (state, thread, run) == ("parked", threading.get_ident(), wait_parked)
    assert frame is child.gr_frame and frame.f_code is wait_parked.__code__
    child.switch()
    assert describe(child) == ("dead", threading.get_ident(), None, None)


@pytest.mark.parametrize("mode", ["shared", "own"])
def test_stack_of_a_life(mode):
    if mode == "own" and os.environ.get("GREENLET_TEST_UNDER_VALGRIND") == "1":
        pytest.skip("there are no stacks but the thread's under valgrind")
    before = stack_policy(mode)
    try:
        child = greenlet(wait_parked)
        assert stack_of(child) is None
        child.switch()
        assert stack_of(child) == mode
        assert in_greenlet(lambda: stack_of(getcurrent())) == mode
        child.switch()
        assert stack_of(child) is None
    finally:
        stack_policy(before.mode)
    assert stack_of(getcurrent()) == "shared"


def test_running_one_is_in_its_caller():
    state, thread, run, frame = describe(getcurrent())
    assert (state, thread, run) == ("running", threading.get_ident(), None)
    assert frame is sys._getframe()


def test_main_greenlet_is_parked_while_another_runs():
    main = getcurrent()
    assert in_greenlet(lambda: describe(main).state) == "parked"


def test_greenlets_of_another_thread():
    with busy_thread() as running:
        state, thread, run, frame = describe(running)
        assert state == "running" and run.__name__ == "run_here"
        assert thread not in (None, threading.get_ident())
        names = []
        while frame is not None:
            names.append(frame.f_code.co_name)
            frame = frame.f_back
        assert names[-1] == "run_here"
        there = all_greenlets(thread)
        assert sorted(describe(each).state for each in there) == ["parked", "parked", "running"]
        assert all_greenlets(thread) != all_greenlets()
        (by_object,) = (each for each in threading.enumerate() if each.ident == thread)
        assert set(all_greenlets(by_object)) == set(there)
    assert describe(running).state == "dead"
    assert running not in all_greenlets()


def test_one_whose_thread_has_ended_is_dead_and_of_no_thread():
    orphan = in_thread(lambda: greenlet(wait_parked))
    assert describe(orphan)[:2] == ("unstarted", None)
    assert orphan in all_greenlets()


def test_what_a_greenlet_runs_while_its_heir_is_asked():
    described = []

    class Asked(greenlet):
        @property
        def run(self):
            described.append(describe(child))
            return lambda value: value

    child = greenlet(lambda: "value", Asked())
    assert child.switch() == "value"
    [(state, _, run, _)] = described
    assert state == "running"
    assert run is None
    assert describe(child).state == "dead"


def test_dead_is_not_what_a_subclass_calls_so():
    class Stubborn(greenlet):
        dead = False

    stubborn = Stubborn(parked)
    assert not _is_dead(stubborn) and stubborn in all_greenlets()
    stubborn.switch()
    assert _is_dead(stubborn) and stubborn not in all_greenlets()


def test_all_are_found_once_and_dead_ones_are_not():
    unstarted, waiting, ended, thrown = greenlet(print), parked(), finished(), killed()
    found = all_greenlets()
    assert len(found) == len(set(found))
    assert {unstarted, waiting, getcurrent()} <= set(found)
    assert ended not in found and thrown not in found


def test_started_ones_are_found_although_they_are_frozen():
    waiting = parked()
    gc.freeze()
    try:
        assert waiting in all_greenlets()
    finally:
        gc.unfreeze()


def test_object_that_pretends_to_be_a_greenlet_is_not_asked():
    class Pretender:
        asked = 0

        @property
        def __class__(self):
            type(self).asked += 1
            return greenlet

    pretender = Pretender()
    assert pretender not in all_greenlets()
    assert Pretender.asked == 0


def test_subclass_with_an_own_idea_of_death():
    class Immortal(greenlet):
        dead = False

    immortal = Immortal(int)
    assert immortal in all_greenlets()
    immortal.switch()
    assert immortal not in all_greenlets()


def test_looking_keeps_nobody_alive():
    waiting = parked()
    found = all_greenlets()
    assert waiting in found
    before = sys.getrefcount(waiting)
    del found
    assert sys.getrefcount(waiting) == before - 1
    describe(waiting)
    assert sys.getrefcount(waiting) == before - 1


def test_first_event_tells_what_is_about_to_be_called():
    seen = []
    child = greenlet(wait_parked)

    def trace(event, pair):
        seen.append((describe(pair[1]).run, hasattr(pair[1], "run")))

    before = settrace(trace)
    child.switch()
    child.switch()
    settrace(before)
    # The attribute is gone by then, as it always has been.
    assert seen == [(wait_parked, False), (None, False)] * 1 + seen[2:]
    assert [run for run, _ in seen] == [wait_parked, None, wait_parked, None]


def test_run_of_a_subclass_is_known_when_it_has_started():
    class Worker(greenlet):
        def run(self):
            return describe(self).run

    worker = Worker()
    assert describe(worker).run is None
    assert worker.switch() == worker_run(worker)


def worker_run(worker):
    return type(worker).run.__get__(worker)


@pytest.mark.parametrize("function", [describe, _run, _is_dead, stack_of])
def test_something_else_than_a_greenlet(function):
    assert raised_by(function, 3)[0] is TypeError


def test_trace_function_is_exchanged_only_for_the_expected_one():
    def first(event, pair):
        pass

    main = getcurrent()
    assert _exchange_trace(main, first, print) is None
    assert _exchange_trace(main, first, None) is None
    assert _exchange_trace(main, None, None) is first
    assert _exchange_trace(main, None) is first
    assert _exchange_trace(main, None) is None
    assert raised_by(_exchange_trace, None, None)[0] is TypeError


def test_thread_that_has_ended_has_no_trace_function():
    orphan = in_thread(lambda: greenlet(print))
    assert _exchange_trace(orphan, print) is None
    assert _exchange_trace(orphan, None) is None


def test_no_memory_for_the_list():
    _testcapi = pytest.importorskip("_testcapi", reason="CPython's own tests are not installed")
    waiting = parked()
    refused = 0
    for allowed in range(50):
        _testcapi.set_nomemory(allowed)
        try:
            found = _started()
        except MemoryError:
            refused += 1
            continue
        finally:
            _testcapi.remove_mem_hooks()
        assert waiting in found
        break
    assert refused > 0 and waiting in found


def test_list_whose_making_starts_and_ends_greenlets():
    """A collection may run in the midst of it, and its finalizers anything."""

    class Starter:
        def __del__(self):
            kept.append(parked())
            kept[0].switch()

    kept = [parked()]
    thresholds = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(20):
            starter = Starter()
            starter.itself = starter
            del starter
            assert getcurrent() in _started()
    finally:
        gc.set_threshold(*thresholds)
    gc.collect()
    assert set(kept[1:]) <= set(_started())


INTERPRETER = textwrap.dedent(
    """
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters
    import sys
    from greenlet import greenlet
    from greenlet.debug import all_greenlets, timeline

    def create():
        if sys.version_info >= (3, 13):
            return interpreters.create("legacy")
        return interpreters.create(isolated=False)

    waiting = greenlet(print)
    program = '''if True:
        from greenlet import getcurrent, greenlet
        from greenlet import debug
        child = greenlet(lambda: getcurrent().parent.switch())
        child.switch()
        assert set(debug.all_greenlets()) == {getcurrent(), child}, debug.tree()
        import os
        with debug.timeline(os.devnull), debug.watch(100):
            child.switch()
    '''
    made = create()
    failure = interpreters.run_string(made, program)
    assert failure is None, failure
    interpreters.destroy(made)
    assert len(all_greenlets()) == 2
    print("end")
    """
)


def test_each_interpreter_has_its_own():
    name = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    pytest.importorskip(name, reason="this Python has no subinterpreters")
    outcome = subprocess.run(
        [sys.executable, "-W", "error", "-c", INTERPRETER], capture_output=True, text=True
    )
    assert (outcome.stdout, outcome.returncode) == ("end\n", 0), outcome.stderr
