"""sys.settrace and sys.setprofile: they belong to the thread and go on across switches."""

import sys
import threading

import pytest
from greenlet import getcurrent, greenlet

from support import echo, in_greenlet, in_thread, ours_only


class Tracer:
    """Collects (event, function name) of the functions whose name starts with `traced`."""

    def __init__(self, lines=False):
        self.events = []
        self.lines = lines

    def __call__(self, frame, event, argument):
        name = frame.f_code.co_name
        if name.startswith("traced"):
            if self.lines or event != "line":
                self.events.append((event, name))
        return self

    def names(self, event):
        return [name for kind, name in self.events if kind == event]


class Profiler(Tracer):
    def __call__(self, frame, event, argument):
        name = frame.f_code.co_name
        if name.startswith("traced") and not event.startswith("c_"):
            self.events.append((event, name))


def traced_leaf():
    return getcurrent()


def traced_run():
    traced_leaf()
    getcurrent().parent.switch()
    traced_leaf()
    return "result"


def test_trace_set_outside_sees_the_inside():
    tracer = Tracer()
    child = greenlet(traced_run)
    sys.settrace(tracer)
    child.switch()
    traced_leaf()
    child.switch()
    sys.settrace(None)
    assert tracer.events == [
        ("call", "traced_run"),
        ("call", "traced_leaf"),
        ("return", "traced_leaf"),
        ("call", "traced_leaf"),
        ("return", "traced_leaf"),
        ("call", "traced_leaf"),
        ("return", "traced_leaf"),
        ("return", "traced_run"),
    ]


def test_profile_set_outside_sees_the_inside():
    profiler = Profiler()
    child = greenlet(traced_run)
    sys.setprofile(profiler)
    child.switch()
    traced_leaf()
    child.switch()
    sys.setprofile(None)
    assert profiler.events == [
        ("call", "traced_run"),
        ("call", "traced_leaf"),
        ("return", "traced_leaf"),
        ("call", "traced_leaf"),
        ("return", "traced_leaf"),
        ("call", "traced_leaf"),
        ("return", "traced_leaf"),
        ("return", "traced_run"),
    ]


def test_profile_counts_c_calls_inside():
    events = []

    def profiler(frame, event, argument):
        if event.startswith("c_") and argument is len:
            events.append(event)

    def run():
        len("x")
        getcurrent().parent.switch()
        len("y")

    child = greenlet(run)
    sys.setprofile(profiler)
    child.switch()
    child.switch()
    sys.setprofile(None)
    assert events == ["c_call", "c_return"] * 2


def test_trace_set_inside_goes_on_outside():
    tracer = Tracer()

    def run():
        sys.settrace(tracer)
        getcurrent().parent.switch()
        traced_leaf()
        sys.settrace(None)

    child = greenlet(run)
    child.switch()
    assert sys.gettrace() is tracer
    traced_leaf()
    child.switch()
    assert sys.gettrace() is None
    assert tracer.names("call") == ["traced_leaf", "traced_leaf"]


def test_profile_set_inside_goes_on_outside():
    profiler = Profiler()

    def run():
        sys.setprofile(profiler)
        getcurrent().parent.switch()
        traced_leaf()
        sys.setprofile(None)

    child = greenlet(run)
    child.switch()
    assert sys.getprofile() is profiler
    traced_leaf()
    child.switch()
    assert sys.getprofile() is None
    assert profiler.names("call") == ["traced_leaf", "traced_leaf"]


def test_trace_removed_inside_stays_removed_outside():
    tracer = Tracer()

    def run():
        sys.settrace(None)

    sys.settrace(tracer)
    in_greenlet(run)
    traced_leaf()
    assert sys.gettrace() is None
    assert tracer.events == []


def test_trace_removed_outside_stays_removed_inside():
    tracer = Tracer()
    child = greenlet(traced_run)
    sys.settrace(tracer)
    child.switch()
    sys.settrace(None)
    before = len(tracer.events)
    child.switch()
    assert len(tracer.events) == before


def test_trace_set_while_parked_sees_what_follows():
    tracer = Tracer()
    child = greenlet(traced_run)
    child.switch()
    sys.settrace(tracer)
    child.switch()
    sys.settrace(None)
    assert tracer.names("call") == ["traced_leaf"]


def test_line_events_go_on_after_a_switch():
    tracer = Tracer(lines=True)
    child = greenlet(traced_run)
    sys.settrace(tracer)
    child.switch()
    before = len(tracer.names("line"))
    child.switch()
    sys.settrace(None)
    assert before == 3
    assert len(tracer.names("line")) == 6


def test_exception_events_inside():
    tracer = Tracer()

    def traced_fails():
        raise ValueError

    def traced_catches():
        try:
            in_greenlet(traced_fails)
        except ValueError:
            return getcurrent().parent.switch()

    child = greenlet(traced_catches)
    sys.settrace(tracer)
    child.switch()
    child.switch()
    sys.settrace(None)
    assert ("exception", "traced_fails") in tracer.events
    assert tracer.names("return") == ["traced_fails", "traced_catches"]


def test_switch_from_inside_a_trace_function():
    seen = []
    main = getcurrent()

    def tracer(frame, event, argument):
        if frame.f_code is traced_leaf.__code__ and event == "call":
            seen.append(main.switch("from the tracer"))

    def run():
        sys.settrace(tracer)
        traced_leaf()
        sys.settrace(None)
        return "end"

    child = greenlet(run)
    first = child.switch()
    sys_trace_outside = sys.gettrace()
    assert first == "from the tracer"
    assert child.switch("back") == "end"
    assert seen == ["back"]
    assert sys_trace_outside is tracer


def test_nothing_is_traced_while_a_greenlet_is_parked_in_a_trace_function():
    main = getcurrent()
    events = []

    def tracer(frame, event, argument):
        if frame.f_code is traced_leaf.__code__:
            events.append(event)
            if len(events) == 1:
                main.switch()

    def run():
        sys.settrace(tracer)
        traced_leaf()
        traced_leaf()
        sys.settrace(None)

    child = greenlet(run)
    child.switch()
    traced_leaf()
    assert events == ["call"]
    child.switch()
    assert events == ["call"] * 2


def test_greenlet_that_dies_inside_a_trace_function():
    events = []

    def tracer(frame, event, argument):
        if frame.f_code is traced_leaf.__code__:
            events.append(event)
            if len(events) == 1:
                main.switch()

    def run():
        sys.settrace(tracer)
        traced_leaf()

    main = getcurrent()
    child = greenlet(run)
    child.switch()
    child.throw()
    # An exception out of a tracer removes it.
    assert sys.gettrace() is None
    sys.settrace(tracer)
    traced_leaf()
    sys.settrace(None)
    assert events == ["call", "call"]


def test_new_greenlet_started_from_a_trace_function_is_not_traced():
    events = []

    def tracer(frame, event, argument):
        events.append(frame.f_code.co_name)
        if frame.f_code is traced_leaf.__code__:
            events.append(in_greenlet(echo))

    sys.settrace(tracer)
    traced_leaf()
    sys.settrace(None)
    assert events == ["traced_leaf", ((), {})]


def test_trace_is_of_its_thread():
    tracer = Tracer()
    sys.settrace(tracer)
    in_thread(in_greenlet, traced_leaf)
    sys.settrace(None)
    assert tracer.events == []


def test_threading_settrace_reaches_greenlets():
    tracer = Tracer()
    threading.settrace(tracer)
    try:
        in_thread(in_greenlet, traced_leaf)
    finally:
        threading.settrace(None)
    assert tracer.names("call") == ["traced_leaf"]


def test_opcode_events_inside_a_greenlet():
    opcodes = []

    def tracer(frame, event, argument):
        if not frame.f_code.co_name.startswith("traced"):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            opcodes.append(getcurrent())
        return tracer

    sys.settrace(tracer)
    traced_leaf()
    traced_leaf()
    sys.settrace(None)
    if not opcodes:
        pytest.skip("this Python (3.12.1) sends no opcode events to a tracer set like this")
    opcodes.clear()
    child = greenlet(traced_run)
    sys.settrace(tracer)
    child.switch()
    parked_count = len(opcodes)
    child.switch()
    sys.settrace(None)
    assert 0 < parked_count < len(opcodes)
    assert set(opcodes) == {child}


@ours_only("settrace prepares the code of running frames only, from Python 3.12")
def test_frame_trace_function_of_a_parked_frame():
    lines = []

    def local_tracer(frame, event, argument):
        lines.append(event)
        return local_tracer

    child = greenlet(traced_run)
    child.switch()
    child.gr_frame.f_trace = local_tracer
    sys.settrace(lambda *arguments: None)
    child.switch()
    sys.settrace(None)
    assert "line" in lines


def test_profile_of_many_greenlets_balances():
    profiler = Profiler()
    children = [greenlet(traced_run) for _ in range(20)]
    sys.setprofile(profiler)
    for child in children:
        child.switch()
    for child in reversed(children):
        child.switch()
    sys.setprofile(None)
    assert len(profiler.names("call")) == len(profiler.names("return")) == 60
