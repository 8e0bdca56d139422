"""What a greenlet calls lives as long as the greenlet, though nobody else refers to it.

Without a GIL such a reference is not counted if the function is one that the collector alone
frees: those that no other function contains, as all of this file's programs."""

import gc
import sys
import weakref

import pytest
from greenlet import getcurrent, greenlet

from support import FREE_THREADED, ON_ORACLE, ours_only

PROGRAM = """
def run(*args):
    from greenlet import getcurrent
    seen.append(args)
    seen.append(getcurrent().parent.switch())
    return "returned"
"""


def new_function(**names):
    """The only reference to a new function; and what it sees."""
    names["seen"] = []
    exec(PROGRAM, names)
    return names.pop("run"), names["seen"]


def collect():
    for _ in range(3):
        gc.collect()


def finish(each, seen):
    assert each.switch(1) == ()
    collect()
    assert each.switch(2) == "returned"
    assert each.dead
    assert seen == [(1,), 2]


def test_unstarted_greenlet_keeps_its_function():
    function, seen = new_function()
    reference = weakref.ref(function)
    each = greenlet(function)
    del function
    collect()
    assert reference() is not None
    assert each.run is reference()
    finish(each, seen)
    collect()
    assert reference() is None


def test_unstarted_greenlet_keeps_its_class():
    names = {}
    exec("class Made: pass", names)
    reference = weakref.ref(names["Made"])
    each = greenlet(names.pop("Made"))
    collect()
    assert type(each.switch()) is reference()
    del each
    collect()
    assert reference() is None


def test_parked_greenlet_keeps_its_function():
    function, seen = new_function()
    each = greenlet(function)
    each.switch()
    del function
    collect()
    assert each.switch("value") == "returned"
    assert seen == [(), "value"]


@pytest.mark.parametrize("is_started", [False, True])
def test_function_goes_with_its_greenlet(is_started):
    function, seen = new_function()
    reference = weakref.ref(function)
    each = greenlet(function)
    if is_started:
        each.switch()
    del function
    collect()
    assert reference() is not None
    del each
    collect()
    getcurrent()
    collect()
    assert reference() is None


@pytest.mark.parametrize("is_started", [False, pytest.param(True, marks=ours_only("leaks it"))])
def test_function_in_a_cycle_with_its_greenlet_is_collected(is_started):
    function, seen = new_function()
    reference = weakref.ref(function)
    seen.append(greenlet(function))
    if is_started:
        seen[0].switch()
    del function, seen
    collect()
    getcurrent()
    collect()
    assert reference() is None


class Saves:
    """Brings what it refers to back to life when the collector has found it."""

    def __init__(self, place, each):
        self.place = place
        self.each = each
        self.itself = self

    def __del__(self):
        self.place.append(self.each)


@pytest.mark.parametrize("times", [1, 2])
def test_unstarted_greenlet_that_is_found_and_brought_back_keeps_its_function(times):
    function, seen = new_function()
    each = greenlet(function)
    del function
    saved = []
    for _ in range(times):
        Saves(saved, each)
        del each
        collect()
        each = saved.pop()
        collect()
    assert each.run.__code__.co_name == "run"
    finish(each, seen)


def test_replaced_function_is_let_go_of():
    functions = [new_function()[0] for _ in range(2)]
    references = [weakref.ref(function) for function in functions]
    each = greenlet(functions[0])
    each.run = functions[1]
    functions.clear()
    collect()
    assert references[0]() is None
    assert each.run is references[1]()
    del each.run
    collect()
    assert references[1]() is None
    with pytest.raises(AttributeError):
        each.switch()
    each.run = function = new_function()[0]
    assert each.run is function


def test_greenlet_that_is_initialized_again_lets_go_of_its_function():
    function = new_function()[0]
    reference = weakref.ref(function)
    each = greenlet(function)
    del function
    each.__init__(len)
    collect()
    assert reference() is None
    assert each.switch("four") == 4


@pytest.mark.skipif(ON_ORACLE, reason="published package: shows less to the collector")
@pytest.mark.parametrize("is_started", [False, True])
def test_function_is_among_the_referents(is_started):
    function = new_function()[0]
    each = greenlet(function)
    if is_started:
        each.switch()
    assert any(referent is function for referent in gc.get_referents(each))
    each.throw()


def test_lives_do_not_change_the_count_of_a_function():
    function = new_function()[0]
    before = sys.getrefcount(function)
    for _ in range(10):
        each = greenlet(function)
        each.switch()
        each.switch()
        greenlet(function).throw()
        greenlet(function)
    del each
    assert sys.getrefcount(function) == before
    waiting = [greenlet(function) for _ in range(10)]
    assert sys.getrefcount(function) == before + (0 if FREE_THREADED and not ON_ORACLE else 10)
    del waiting
