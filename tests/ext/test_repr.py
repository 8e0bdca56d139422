"""repr(): the words for each state."""

import re

import pytest
from greenlet import getcurrent, greenlet

from support import (
    ADDRESS,
    NO_ADDRESS,
    echo,
    finished,
    in_greenlet,
    in_thread,
    killed,
    masked,
    parked,
    unstarted,
)


@pytest.mark.parametrize(
    "make, state",
    [
        (unstarted, "pending"),
        (parked, "suspended active started"),
        (finished, "dead"),
        (killed, "dead"),
        (getcurrent, "current active started main"),
    ],
)
def test_state_is_shown(make, state):
    child = make()
    assert masked(repr(child)) == (
        "<greenlet.greenlet object at 0x.. (otid=0x..) {}>".format(state)
    )


def test_current_greenlet():
    assert masked(in_greenlet(lambda: repr(getcurrent()))) == (
        "<greenlet.greenlet object at 0x.. (otid=0x..) current active started>"
    )


def test_main_greenlet_seen_from_another():
    main = getcurrent()
    assert masked(in_greenlet(repr, main)) == (
        "<greenlet.greenlet object at 0x.. (otid=0x..) suspended active started main>"
    )


def test_unstarted_one_has_no_thread():
    assert re.search(rf"\(otid={NO_ADDRESS}\)", repr(unstarted()))


def test_thread_is_the_same_for_all_started_greenlets_of_it():
    def thread_of(child):
        return repr(child).split("otid=")[1].split(")")[0]

    assert thread_of(parked()) == thread_of(finished()) == thread_of(getcurrent())
    assert in_thread(lambda: thread_of(getcurrent())) != thread_of(getcurrent())


def test_address_is_the_object_s():
    child = unstarted()
    (address,) = re.findall(f" object at ({ADDRESS}) ", repr(child))
    assert int(address, 16) == id(child)


def test_subclass_shows_its_name():
    class Sub(greenlet):
        pass

    assert masked(repr(Sub(echo))) == "<Sub object at 0x.. (otid=0x..) pending>"


@pytest.mark.parametrize("make", [parked, finished, getcurrent])
def test_greenlets_of_an_ended_thread(make):
    assert masked(repr(in_thread(make))) == (
        "<greenlet.greenlet object at 0x.. (otid=0x..) (thread exited) dead>"
    )


def test_unstarted_one_of_an_ended_thread():
    assert masked(repr(in_thread(unstarted))) == (
        "<greenlet.greenlet object at 0x.. (otid=0x..) pending>"
    )


@pytest.mark.parametrize(
    "make, state",
    [
        (unstarted, "pending"),
        (parked, "suspended active started"),
        (finished, "dead"),
        (getcurrent, "suspended active started main"),
    ],
)
def test_seen_from_another_thread(make, state):
    child = make()
    assert masked(in_thread(repr, child)) == (
        "<greenlet.greenlet object at 0x.. (otid=0x..) {}>".format(state)
    )


def test_str_and_format_are_the_same():
    child = unstarted()
    assert str(child) == repr(child) == "{}".format(child)
