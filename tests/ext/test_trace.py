"""settrace() and gettrace(): switch and throw events, and tracers that misbehave."""

import gc
import threading
import weakref

import greenlet as greenlet_module
import pytest
from greenlet import GreenletExit, getcurrent, gettrace, greenlet, settrace

from support import (
    catcher,
    echo,
    finished,
    in_greenlet,
    in_thread,
    join,
    parked,
    raised_by,
    unstarted,
)


class Recorder:
    """Collects events while it is the trace function."""

    def __init__(self):
        self.events = []

    def __call__(self, event, arguments):
        self.events.append((event, arguments))

    def __enter__(self):
        self.before = settrace(self)
        return self.events

    def __exit__(self, *triple):
        settrace(self.before)


def test_no_tracer_at_first():
    assert gettrace() is None


def test_settrace_returns_the_tracer_before():
    first, second = Recorder(), Recorder()
    assert settrace(first) is None
    assert gettrace() is first
    assert settrace(second) is first
    assert settrace(None) is second
    assert gettrace() is None
    assert settrace(None) is None


def test_none_removes_the_tracer():
    recorder = Recorder()
    settrace(recorder)
    settrace(None)
    in_greenlet(echo)
    assert recorder.events == []


@pytest.mark.parametrize("count", [0, 2])
def test_settrace_takes_one_argument(count):
    assert raised_by(settrace, *[None] * count) == (
        TypeError,
        "function takes exactly 1 argument ({} given)".format(count),
    )


def test_settrace_takes_no_keyword():
    assert raised_by(settrace, callback=None) == (
        TypeError,
        "settrace() takes no keyword arguments",
    )


def test_gettrace_takes_no_argument():
    kind, message = raised_by(gettrace, 1)
    assert kind is TypeError
    assert message.endswith("gettrace() takes no arguments (1 given)")


def test_switch_and_return():
    main = getcurrent()
    child = greenlet(echo)
    with Recorder() as events:
        child.switch()
    assert events == [("switch", (main, child)), ("switch", (child, main))]


def test_arguments_are_a_pair_of_greenlets():
    with Recorder() as events:
        in_greenlet(echo)
    event, arguments = events[0]
    assert type(event) is str
    assert type(arguments) is tuple
    assert [type(one) for one in arguments] == [greenlet, greenlet]


def test_every_switch_is_an_event():
    main, child = getcurrent(), parked()
    with Recorder() as events:
        child.switch()
    assert events == [("switch", (main, child)), ("switch", (child, main))]


def test_switch_to_oneself_is_an_event():
    main = getcurrent()
    with Recorder() as events:
        main.switch()
    assert events == [("switch", (main, main))]


def test_switch_to_a_dead_one_is_an_event_of_the_one_it_ends_in():
    main, dead = getcurrent(), finished()
    with Recorder() as events:
        dead.switch()
    assert events == [("switch", (main, main))]


def test_throw_is_an_event_of_its_own():
    main, child = getcurrent(), catcher()
    with Recorder() as events:
        child.throw(ValueError)
    assert events == [("throw", (main, child)), ("switch", (child, main))]


def test_throw_that_is_not_caught_is_thrown_twice():
    main, child = getcurrent(), parked()
    with Recorder() as events, pytest.raises(ValueError):
        child.throw(ValueError)
    assert events == [("throw", (main, child)), ("throw", (child, main))]


def test_greenlet_exit_is_thrown_once():
    main, child = getcurrent(), parked()
    with Recorder() as events:
        assert type(child.throw()) is GreenletExit
    assert events == [("throw", (main, child)), ("switch", (child, main))]


def test_exception_that_leaves_is_a_throw_event():
    def fails():
        raise ValueError

    main, child = getcurrent(), greenlet(fails)
    with Recorder() as events, pytest.raises(ValueError):
        child.switch()
    assert events == [("switch", (main, child)), ("throw", (child, main))]


def test_throw_at_an_unstarted_one():
    main, child = getcurrent(), unstarted()
    with Recorder() as events, pytest.raises(ValueError):
        child.throw(ValueError)
    observed = [(event, main in pair) for event, pair in events]
    assert observed[-1] == ("throw", True)
    assert all(event == "throw" for event, _ in events)
    assert child.dead


def test_throw_at_oneself():
    main = getcurrent()
    with Recorder() as events, pytest.raises(ValueError):
        main.throw(ValueError)
    assert events == [("throw", (main, main))]


def test_refused_throw_is_no_event():
    child = parked()
    with Recorder() as events:
        raised_by(child.throw, 1)
        raised_by(child.throw, ValueError, 1, 2)
    assert events == []


def test_refused_switch_is_no_event():
    other = in_thread(lambda: greenlet(echo))
    bare = greenlet()
    with Recorder() as events:
        raised_by(bare.switch)
        raised_by(other.switch)
    assert events == []


def test_release_is_a_throw_event():
    main, child = getcurrent(), parked()
    identity = id(child)
    with Recorder() as events:
        del child
    assert [
        (event, origin is main, target is main, id(origin) == identity or id(target) == identity)
        for event, (origin, target) in events
    ] == [("throw", True, False, True), ("switch", False, True, True)]
    events.clear()


def test_siblings_and_parents():
    main = getcurrent()

    def first():
        second.switch()

    def second_run():
        main.switch()

    one, second = greenlet(first), greenlet(second_run)
    with Recorder() as events:
        one.switch()
        second.switch()
        one.switch()
    assert events == [
        ("switch", (main, one)),
        ("switch", (one, second)),
        ("switch", (second, main)),
        ("switch", (main, second)),
        ("switch", (second, main)),
        ("switch", (main, one)),
        ("switch", (one, main)),
    ]


def test_tracer_runs_in_the_target():
    seen = []

    def tracer(event, pair):
        seen.append(pair[1] is getcurrent())

    settrace(tracer)
    in_greenlet(echo)
    settrace(None)
    assert seen == [True, True]


def test_tracer_set_inside_a_greenlet_goes_on_outside():
    recorder = Recorder()

    def run():
        settrace(recorder)

    child = greenlet(run)
    child.switch()
    settrace(None)
    assert recorder.events == [("switch", (child, getcurrent()))]
    recorder.events.clear()


def test_tracer_removed_inside_a_greenlet_is_removed():
    recorder = Recorder()
    settrace(recorder)
    in_greenlet(settrace, None)
    assert gettrace() is None
    assert [event for event, _ in recorder.events] == ["switch"]
    recorder.events.clear()


def test_tracer_replaced_by_itself():
    other = Recorder()

    def tracer(event, pair):
        settrace(other)

    settrace(tracer)
    in_greenlet(echo)
    assert settrace(None) is other
    assert [event for event, _ in other.events] == ["switch"]
    other.events.clear()


def test_switches_of_the_tracer_itself_are_events_too():
    pairs = []

    def tracer(event, pair):
        pairs.append(pair)
        if len(pairs) == 1:
            in_greenlet(echo)

    main, child = getcurrent(), greenlet(echo)
    settrace(tracer)
    child.switch()
    settrace(None)
    started, helper_started, helper_ended, ended = pairs
    assert started == (main, child)
    assert helper_started[0] is child
    assert helper_ended == helper_started[::-1]
    assert ended == (child, main)


def test_tracer_that_raises_at_the_start_kills_the_greenlet():
    def tracer(event, pair):
        raise KeyError("tracer")

    ran = []
    child = greenlet(ran.append)
    settrace(tracer)
    assert raised_by(child.switch, 1) == (KeyError, "'tracer'")
    assert gettrace() is None
    assert child.dead
    assert ran == []


def test_tracer_that_raises_on_the_way_back():
    def tracer(event, pair):
        if pair[1] is main:
            raise KeyError("tracer")

    main, ran = getcurrent(), []
    child = greenlet(ran.append)
    settrace(tracer)
    assert raised_by(child.switch, 1) == (KeyError, "'tracer'")
    assert gettrace() is None
    assert child.dead
    assert ran == [1]


def test_tracer_that_raises_raises_in_the_resumed_greenlet():
    def tracer(event, pair):
        raise KeyError("tracer")

    child = catcher()
    settrace(tracer)
    caught = child.switch()
    assert type(caught) is KeyError
    assert gettrace() is None


def test_tracer_that_raises_replaces_what_was_thrown():
    def tracer(event, pair):
        raise KeyError("tracer")

    child = catcher()
    settrace(tracer)
    assert type(child.throw(ValueError)) is KeyError
    assert gettrace() is None


def test_tracer_that_raises_for_a_switch_to_oneself():
    def tracer(event, pair):
        raise KeyError("tracer")

    settrace(tracer)
    assert raised_by(getcurrent().switch) == (KeyError, "'tracer'")
    assert gettrace() is None


def test_tracer_that_cannot_be_called():
    settrace(3)
    assert gettrace() == 3
    assert raised_by(unstarted().switch) == (TypeError, "'int' object is not callable")
    assert gettrace() is None


def test_result_of_the_tracer_is_ignored():
    settrace(lambda event, pair: "ignored")
    assert in_greenlet(echo, 1) == ((1,), {})
    settrace(None)


def test_values_are_not_disturbed_by_a_switching_tracer():
    inside = []

    def tracer(event, pair):
        if not inside:
            inside.append(True)
            in_greenlet(echo, "noise")
            inside.clear()

    child = parked()
    settrace(tracer)
    try:
        assert child.switch("value") == "value"
    finally:
        settrace(None)


def test_handled_exception_is_not_disturbed_by_the_tracer():
    import sys

    def tracer(event, pair):
        try:
            raise OSError
        except OSError:
            pass

    settrace(tracer)
    try:
        raise KeyError("mine")
    except KeyError as error:
        in_greenlet(echo)
        assert sys.exc_info()[1] is error
    settrace(None)


def test_tracer_is_of_its_thread():
    recorder = Recorder()
    settrace(recorder)

    def elsewhere():
        in_greenlet(echo)
        seen = gettrace()
        settrace(print)
        return seen

    assert in_thread(elsewhere) is None
    assert gettrace() is recorder
    assert recorder.events == []
    settrace(None)


def test_tracer_is_released_with_its_thread():
    recorder = Recorder()
    reference = weakref.ref(recorder)
    in_thread(lambda tracer: settrace(tracer) and None, recorder)
    del recorder
    gc.collect()
    assert reference() is None


def test_two_threads_trace_at_the_same_time():
    recorders = Recorder(), Recorder()
    barrier = threading.Barrier(2)

    def body(recorder):
        barrier.wait()
        with recorder:
            for _ in range(50):
                in_greenlet(echo)

    threads = [threading.Thread(target=body, args=(recorder,)) for recorder in recorders]
    for thread in threads:
        thread.start()
    for thread in threads:
        join(thread)
    assert [len(recorder.events) for recorder in recorders] == [100, 100]
    assert not {pair[0] for _, pair in recorders[0].events} & {
        pair[0] for _, pair in recorders[1].events
    }


def test_class_carries_the_functions():
    assert greenlet.settrace is settrace
    assert greenlet.gettrace is gettrace
    assert greenlet_module.GREENLET_USE_TRACING


def test_tracer_does_not_keep_greenlets_alive():
    recorder = Recorder()
    child = greenlet(echo)
    reference = weakref.ref(child)
    with recorder:
        child.switch()
    recorder.events.clear()
    del child
    assert reference() is None
