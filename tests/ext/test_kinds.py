"""Greenlets that run the same code get the room for frames that others of them needed."""

import functools
import gc
import os
import random
import sys
import types

import pytest
from greenlet import getcurrent, greenlet

from growth import resident_bytes
from support import (
    heavy,
    needs_memory_as_usual,
    needs_proc,
    needs_small_frames,
    ours_only,
)

COUNT = 2000
DEEP = 12  # more than the smallest chunk has room for, less than a large one

needs_data_stack = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="before 3.11 frames are objects"
)


def park_below(depth, *rest):
    if depth:
        return 1 + park_below(depth - 1)
    getcurrent().parent.switch()
    return 1


def own_kinds(count):
    """So many functions, each with a code of its own."""
    code = park_below.__code__
    return [types.FunctionType(code.replace(), globals()) for _ in range(count)]


def growth(runs, depths):
    """Bytes for each of the greenlets that park as deep as `depths` says."""
    parked = [None] * len(runs)
    gc.collect()
    before = resident_bytes()
    for index, (run, depth) in enumerate(zip(runs, depths, strict=True)):
        parked[index] = greenlet(run)
        parked[index].switch(depth)
    grown = resident_bytes() - before
    assert [g.switch() for g in parked] == [depth + 1 for depth in depths]
    return grown / len(runs)


@needs_data_stack
@ours_only("every one takes a chunk of 16 KiB")
@heavy
@needs_memory_as_usual
@needs_small_frames
def test_deep_ones_need_no_page_each():
    kinds = own_kinds(COUNT)
    strange = growth(kinds, [DEEP] * COUNT)
    known = growth([park_below] * COUNT, [DEEP] * COUNT)
    assert known < strange - 2000


@needs_data_stack
@ours_only("every one takes a chunk of 16 KiB")
@heavy
@needs_memory_as_usual
def test_few_deep_ones_do_not_count():
    mixed = types.FunctionType(park_below.__code__.replace(), globals())
    shallow = growth([mixed] * COUNT, [0] * COUNT)
    some = growth([mixed] * COUNT, [DEEP if i % 100 == 50 else 0 for i in range(COUNT)])
    assert some < 1.3 * shallow


# A few frames, and so little room beside them that the slice has to be copied elsewhere.
CRAMPED = 3


@needs_data_stack
@ours_only("frames and slices are apart")
@heavy
@needs_memory_as_usual
@needs_small_frames
def test_slices_lie_beside_frames():
    count = 5 * COUNT  # what others have left to be used again counts for little
    strange = growth(own_kinds(count), [CRAMPED] * count)
    known = growth([park_below] * count, [CRAMPED] * count)
    assert known < strange - 100


@needs_data_stack
@ours_only("frames and slices are apart")
@heavy
@needs_memory_as_usual
@needs_small_frames
@pytest.mark.skipif(
    sys.version_info >= (3, 14), reason="the interpreter's C frames are larger than that room"
)
def test_a_minority_does_not_make_room():
    mixed = types.FunctionType(park_below.__code__.replace(), globals())
    shallow = growth([mixed] * COUNT, [0] * COUNT)
    some = growth([mixed] * COUNT, [CRAMPED if i % 5 == 2 else 0 for i in range(COUNT)])
    assert some < 1.3 * shallow


def mapped_bytes():
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


@needs_data_stack
@ours_only("every one takes a chunk of 16 KiB")
@needs_memory_as_usual
@needs_small_frames
@needs_proc
@pytest.mark.skipif(
    os.environ.get("GREENLET_TEST_UNDER_VALGRIND") == "1", reason="valgrind maps pages of its own"
)
def test_few_of_a_deep_kind_show_what_it_needs():
    """Whether greenlets need the room that they are given is seen by those without it: these
    take a chunk of the interpreter's."""
    (run,) = own_kinds(1)
    # Its place may have been another kind's, of which something is remembered.
    known = [greenlet(run) for _ in range(300)]
    for g in known:
        g.switch(DEEP)
    count = 1280
    parked = [None] * count
    chunks = 0
    before = mapped_bytes()
    for index in range(count):
        parked[index] = greenlet(run)
        parked[index].switch(DEEP)
        now = mapped_bytes()
        # Whatever else is mapped takes 64 KiB or more at a time.
        chunks += now - before == 16 * 1024
        before = now
    assert chunks < count / 64
    assert all(g.switch() == DEEP + 1 for g in known + parked)


class Caller:
    def park(self, depth):
        return park_below(depth)

    def __call__(self, depth):
        return park_below(depth)


RUNS = {
    "function": park_below,
    "method": Caller().park,
    "method of a method": types.MethodType(types.MethodType(park_below, 20), "ignored"),
    "instance": Caller(),
    "partial": functools.partial(park_below),
    "built-in": park_below.__call__,
    "class": type("Class", (), {"__init__": lambda self, depth: park_below(depth) and None}),
}


@pytest.mark.parametrize("name", RUNS)
def test_any_depth_of_any_kind(name):
    """Whatever was learnt of a kind, each of it has room enough."""
    source = random.Random(name)
    parked = []
    for _ in range(300):
        depth = source.choice([0, 1, 5, 8, 13, 30, 70, 150])
        g = greenlet(RUNS[name])
        g.switch(depth)
        parked.append((g, depth))
        if source.random() < 0.5:
            other, depth = parked.pop(source.randrange(len(parked)))
            result = other.switch()
            assert other.dead
            if name not in ("class", "method of a method"):
                assert result == depth + 1
    for other, _ in parked:
        other.throw()
        assert other.dead
