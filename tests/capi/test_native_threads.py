"""Threads that Python did not create, which come for visits: most of them have a thread state
only as long as each visit takes, and the next one may be at the same address."""

import gc
import sys
import threading
import weakref

import pytest
from greenlet import GreenletExit, _greenlet, error, getcurrent, greenlet

from growth import resident_bytes
from support import (
    FREE_THREADED,
    echo,
    finished,
    in_greenlet,
    masked,
    needs_memory_as_usual,
    ours_only,
    park_once,
    park_refusing,
    parked,
    raised_by,
    recurse_c,
    recurse_python,
    scaled,
    unstarted,
)

# Those with a new thread state for each visit.
NEW_STATES = ["ensured", "new", "cleared elsewhere"]
KINDS = [*NEW_STATES, "nested"]

ENDED_THREAD = (error, "cannot switch to a different thread (which happens to have exited)")

each_kind = pytest.mark.parametrize("kind", KINDS)
each_new_state = pytest.mark.parametrize("kind", NEW_STATES)

visits_are_told_apart = ours_only("takes the visits for one thread, and crashes at what is left")


def resumed_by(left, number):
    """Why a greenlet of an earlier visit cannot be resumed in this one: nothing else may
    come of trying."""
    return [
        raised_by(left.switch, number),
        raised_by(left.throw),
        raised_by(left.throw, ValueError, "from a later visit"),
    ]


def test_error_in_a_visit_is_raised_when_the_thread_has_ended(client):
    numbers = []

    def visit(number):
        numbers.append(number)
        raise KeyError(number)

    assert raised_by(client.visit, "ensured", 3, visit) == (KeyError, "0")
    assert numbers == [0]


@each_kind
def test_greenlets_work_in_each_visit(client, kind):
    log = []

    def visit(number):
        child = greenlet(lambda first: getcurrent().parent.switch(first + 1))
        log.append(child.switch(number))
        log.append(child.switch("end"))
        log.append(in_greenlet(recurse_c, 5, lambda: in_greenlet(echo, number)))
        log.append(raised_by(in_greenlet, {}.__getitem__, number))
        log.append(type(parked().throw()))

    client.visit(kind, 3, visit)
    assert log == [
        each
        for number in range(3)
        for each in (
            number + 1,
            "end",
            ((number,), {}),
            (KeyError, str(number)),
            GreenletExit,
        )
    ]


@visits_are_told_apart
@each_new_state
def test_each_new_thread_state_has_a_main_greenlet_of_its_own(client, kind):
    mains = []

    def visit(number):
        main = getcurrent()
        assert main.parent is None
        assert main not in mains
        assert in_greenlet(lambda: getcurrent().parent) is main
        mains.append(main)

    client.visit(kind, 5, visit)
    assert len(mains) == 5
    assert all(main.dead for main in mains)


def test_a_thread_state_that_is_kept_keeps_its_main_greenlet(client):
    mains = []
    addresses = client.visit("nested", 5, lambda number: mains.append(getcurrent()))
    assert len(set(addresses)) == 1
    assert len(set(mains)) == 1


def test_greenlets_of_a_thread_state_that_is_kept_go_on_in_the_next_visit(client):
    log = []
    left = []

    def visit(number):
        if left:
            log.append(left.pop().switch("from visit %d" % number))
        left.append(greenlet(recurse_python))
        left[-1].switch(number, park_once)

    client.visit("nested", 4, visit)
    assert log == ["from visit 1", "from visit 2", "from visit 3"]
    assert resumed_by(left.pop(), 4) == [ENDED_THREAD] * 3


@visits_are_told_apart
@each_new_state
@pytest.mark.parametrize("make", [parked, unstarted, finished, getcurrent])
def test_greenlets_of_an_earlier_visit_are_refused(client, kind, make):
    left = []
    refused = []

    def visit(number):
        in_greenlet(echo)
        refused.extend(resumed_by(each, number) for each in left)
        left.append(make())

    client.visit(kind, 4, visit)
    assert refused == [[ENDED_THREAD] * 3] * 6
    assert [resumed_by(each, 4) for each in left] == [[ENDED_THREAD] * 3] * 4


@visits_are_told_apart
@each_new_state
def test_greenlets_of_an_earlier_visit_are_refused_by_a_visit_that_begins_with_them(client, kind):
    """Nothing has made a record of the new thread state before."""
    left = []
    refused = []

    def visit(number):
        if left:
            refused.append(raised_by(left[-1].switch))
        left.append(parked())

    client.visit(kind, 4, visit)
    assert refused == [ENDED_THREAD] * 3


@visits_are_told_apart
@each_new_state
def test_thread_state_at_the_address_of_an_earlier_one_is_another_thread(client, kind):
    count = 50
    left = []
    refused = []

    def visit(number):
        refused.extend(raised_by(each.switch, number) for each in left)
        left.append(parked())
        # What is above must not hang on this one being the latest.
        assert in_greenlet(echo, number) == ((number,), {})

    addresses = client.visit(kind, count, visit)
    assert refused == [ENDED_THREAD] * (count * (count - 1) // 2)
    if len(set(addresses)) == count:
        pytest.skip("the allocator gave no address twice")


@visits_are_told_apart
@each_new_state
def test_frames_of_an_earlier_visit_can_be_looked_at(client, kind):
    left = []
    names = []

    def visit(number):
        # Other code and data where their stack was.
        in_greenlet(recurse_c, 20, lambda: None)
        names.extend(each.gr_frame.f_back.f_code.co_name for each in left)
        child = greenlet(recurse_python)
        child.switch(0, park_refusing)
        left.append(child)

    client.visit(kind, 3, visit)
    assert names == ["recurse_python"] * 3


@ours_only("kills none, since the thread state has gone")
@pytest.mark.parametrize("kind", ["ensured", "new", "nested"])
def test_greenlets_left_to_themselves_end_with_their_thread_state(client, kind):
    log = []

    def park(number):
        try:
            park_once()
        except GreenletExit:
            log.append((number, threading.get_ident()))

    identities = []

    def visit(number):
        identities.append(threading.get_ident())
        child = greenlet(park)
        child.switch(number)
        child.itself = child
        del child
        # It is doomed now, and waits for its thread's next use of greenlets.
        gc.collect()

    client.visit(kind, 3, visit)
    # On 3.10 any call may be a callback that is under way: then none of its code runs.
    assert log == ([] if sys.version_info < (3, 11) else list(enumerate(identities)))


class Held:
    """Something that a frame refers to."""


@ours_only("leaks them")
def test_greenlets_of_a_thread_state_that_another_thread_clears_are_dropped(client):
    """Their code cannot run there."""
    log = []
    held = []

    def park(number):
        local = Held()
        held.append(weakref.ref(local))
        try:
            park_once()
        finally:
            log.append(number)

    def visit(number):
        child = greenlet(park)
        child.switch(number)
        child.itself = child

    client.visit("cleared elsewhere", 3, visit)
    gc.collect()
    assert [reference() for reference in held] == [None] * 3
    assert log == []


@ours_only("keeps one of a thread of which greenlets are held")
@pytest.mark.parametrize("is_held", [True, False], ids=["held", "dropped"])
@each_kind
def test_records_of_visits_do_not_outlive_them(client, kind, is_held):
    before = _greenlet.get_total_main_greenlets()
    left = []

    def visit(number):
        children = [parked() for _ in range(3)]
        if is_held:
            left.extend(children)

    client.visit(kind, 10, visit)
    assert _greenlet.get_total_main_greenlets() == before


@ours_only("grows by 8 KB a visit")
@needs_memory_as_usual
@pytest.mark.parametrize("is_held", [True, False], ids=["held", "dropped"])
@each_kind
def test_memory_does_not_grow_from_visit_to_visit(client, kind, is_held):
    if is_held and kind != "nested" and sys.version_info < (3, 14):
        pytest.skip("this Python does not tell what the call refers to that never returns")
    count = scaled(1000)
    left = []

    def visit(number):
        # No C frames: nobody would release what those held refer to.
        children = [greenlet(recurse_python) for _ in range(3)]
        for child in children:
            child.switch(3, park_once)
        if is_held:
            left[:] = children

    client.visit(kind, count, visit)
    before = resident_bytes()
    client.visit(kind, count, visit)
    # Without a GIL each thread has a heap, whose pages others get piece by piece.
    assert resident_bytes() - before < (4 if FREE_THREADED else 1) << 20


def test_refusal_names_the_main_greenlets_of_a_visitor_and_of_the_target(client):
    target = parked()
    main = getcurrent()
    messages = []

    def visit(number):
        try:
            target.switch()
        except error as refusal:
            messages.append((str(refusal), repr(getcurrent()), repr(main)))

    client.visit("ensured", 3, visit)
    assert len(messages) == 3
    for message, current, expected in messages:
        assert message == (
            "Cannot switch to a different thread\n"
            "\tCurrent:  {}\n\tExpected: {}".format(current, expected)
        )
        assert "current active started main" in current
        assert "suspended active started main" in expected
        assert masked(current) != current
    assert target.switch("value") == "value"
