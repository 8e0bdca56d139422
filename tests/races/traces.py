"""Trace functions: each thread sets its own, and greenlet.debug those of all threads."""

import os
import threading

import greenlet
from greenlet import debug

import racing


def check_event(event, pair):
    assert event in ("switch", "throw"), event
    origin, target = pair
    # In the thread that switches.
    assert target is greenlet.getcurrent()
    assert origin is not target


def throw_into(each):
    try:
        each.throw(ValueError("thrown"))
    except ValueError as error:
        assert str(error) == "thrown"


def setter():
    source = racing.source_of(threading.get_ident())
    while racing.going():
        seen = []

        def trace(event, pair, seen=seen):
            check_event(event, pair)
            seen.append(event)

        before = greenlet.settrace(trace)
        parked = racing.parked()
        if source.random() < 0.5:
            assert parked.switch("value") == "value"
        else:
            throw_into(parked)
        assert greenlet.gettrace() is not None
        greenlet.settrace(source.choice([None, before]))


def switcher():
    while racing.going():
        parked = racing.parked()
        assert parked.switch("value") == "value"


def short_thread():
    """The hooks reach threads that use greenlets for the first time, and end at once."""
    racing.parked().switch()


def recorder():
    while racing.going():
        with debug.timeline(os.devnull, limit=1000):
            racing.parked().switch()


def watcher():
    while racing.going():
        with debug.watch(0.5, report=lambda hold: None):
            racing.parked().switch()


racing.race(setter, switcher, racing.one_by_one(short_thread), recorder, watcher)
racing.finish()
