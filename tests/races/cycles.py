"""Greenlets in cycles, found by the collections of any thread, are killed in their own."""

import gc
import threading
import time

import greenlet

import racing


class Counts:
    """Of one thread."""

    def __init__(self):
        self.ident = threading.get_ident()
        self.started = self.ended = 0


def wait(counts, *held_by_frame):
    def made_here():
        return held_by_frame

    counts.started += 1
    try:
        greenlet.getcurrent().parent.switch()
    except greenlet.GreenletExit:
        assert made_here() is held_by_frame
        raise
    finally:
        assert threading.get_ident() == counts.ident
        counts.ended += 1


class WithDel(greenlet.greenlet):
    """In a cycle the collector does not find one of these: its `__del__` may need it whole."""

    def __del__(self):
        assert self.value == 1


def make_cycle(source, kind, counts):
    first, second = kind(wait), greenlet.greenlet(wait)
    first.value = 1
    first.switch(counts, second)
    second.switch(counts, first)
    if source.random() < 0.5:
        first.parent = second
    if source.random() < 0.2:
        first.throw(greenlet.GreenletExit)


def owner(number):
    def run():
        source = racing.source_of(number)
        counts, counts_of_others = Counts(), Counts()
        while racing.going():
            make_cycle(source, greenlet.greenlet, counts)
            if source.random() < 0.1:
                make_cycle(source, WithDel, counts_of_others)
            if source.random() < 0.01:
                gc.collect()
        # Another thread's collection may be the one that finds them, or be in the way.
        late = time.monotonic() + 60
        while counts.ended < counts.started:
            gc.collect()
            greenlet.getcurrent()  # what has been found is killed now
            assert time.monotonic() < late, vars(counts)

    return run


racing.race(owner(0), owner(1), racing.collecting, racing.collecting)
racing.finish()
