"""Trace and profile functions and tools of sys.monitoring come and go while threads switch."""

import sys
import threading

import greenlet

import racing


def work(count):
    parent = greenlet.getcurrent().parent
    total = 0
    for _ in range(count):
        total += parent.switch()
        total += sum(sorted([1, 2, 3], key=lambda value: parent.switch() and value))
    return total


def switcher():
    source = racing.source_of(threading.get_ident())
    while racing.going():
        own = [greenlet.greenlet(work) for _ in range(10)]
        for each in own:
            each.switch(3)
        results = []
        while own:
            each = source.choice(own)
            result = each.switch(1)
            if each.dead:
                own.remove(each)
                results.append(result)
        assert results == [3 * (1 + 6)] * 10, results


def noting(events):
    def note(frame, event, argument):
        events.append(event)
        return note

    return note


def tracer():
    """Its own thread's, while that switches; `tracer_of_all` may take them away at any time."""
    while racing.going():
        events = []
        before = sys.gettrace(), sys.getprofile()
        sys.settrace(noting(events))
        parked = racing.parked()
        sys.setprofile(noting(events))
        assert parked.switch("value") == "value"
        sys.settrace(before[0])
        sys.setprofile(before[1])


def tracer_of_all():
    if sys.version_info < (3, 12):
        return
    while racing.going():
        events = []
        threading.settrace_all_threads(noting(events))
        racing.parked().switch()
        threading.setprofile_all_threads(noting(events))
        racing.parked().switch()
        threading.settrace_all_threads(None)
        threading.setprofile_all_threads(None)


def monitor():
    if sys.version_info < (3, 12):
        return
    tools = sys.monitoring
    events = tools.events
    while racing.going():
        seen = []
        tools.use_tool_id(4, "racing")
        for event in (events.PY_START, events.LINE, events.PY_RETURN, events.CALL):
            tools.register_callback(4, event, lambda *args, seen=seen: seen.append(1))
        tools.set_events(4, events.PY_START | events.LINE | events.PY_RETURN | events.CALL)
        racing.parked().switch()
        tools.set_events(4, events.LINE)
        racing.parked().switch()
        tools.set_events(4, 0)
        assert seen
        tools.free_tool_id(4)


racing.race(switcher, switcher, tracer, tracer_of_all, monitor)
sys.settrace(None)
sys.setprofile(None)
racing.finish()
