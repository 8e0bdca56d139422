"""Parents: changing them, what they refuse, and how results and exceptions climb to them."""

import threading
import weakref

import pytest
from greenlet import GreenletExit, error, getcurrent, greenlet, settrace

from support import (
    echo,
    finished,
    in_greenlet,
    in_thread,
    killed,
    ours_only,
    park_once,
    parked,
    raised_by,
    scaled,
    unstarted,
)


def test_main_greenlet_has_no_parent():
    assert getcurrent().parent is None


def test_root_of_every_chain_is_the_main_greenlet():
    main = getcurrent()

    def run():
        return greenlet(lambda: getcurrent().parent.parent).switch()

    assert in_greenlet(run) is main


@pytest.mark.parametrize("make", [unstarted, parked, finished, killed])
def test_parent_can_be_changed_in_every_state(make):
    child, parent = make(), unstarted()
    child.parent = parent
    assert child.parent is parent


def test_parent_of_the_running_greenlet_can_be_changed():
    caught = []

    def new_parent():
        caught.append(getcurrent().parent.switch())

    def run():
        getcurrent().parent = adopter
        return "to the adopter"

    adopter = greenlet(new_parent)
    adopter.switch()
    # The adopter ends into main, which is its own parent.
    assert greenlet(run).switch() is None
    assert caught == ["to the adopter"]


def test_parent_may_be_set_to_what_it_is():
    child = unstarted()
    child.parent = getcurrent()
    assert child.parent is getcurrent()


@pytest.mark.parametrize("make", [unstarted, parked, finished, killed])
@pytest.mark.parametrize("parent", [None, 1, "x", echo, greenlet], ids=repr)
def test_parent_of_a_wrong_type_is_refused(make, parent):
    child = make()
    assert raised_by(setattr, child, "parent", parent) == (
        TypeError,
        "GreenletChecker: Expected any type of greenlet, not " + type(parent).__name__,
    )
    assert child.parent is getcurrent()


@pytest.mark.parametrize("make", [unstarted, parked, finished, killed, getcurrent])
def test_parent_cannot_be_deleted(make):
    child = make()
    before = child.parent
    assert raised_by(delattr, child, "parent") == (AttributeError, "can't delete attribute")
    assert child.parent is before


@pytest.mark.parametrize("parent", [None, 1, getcurrent()], ids=type)
def test_parent_of_the_main_greenlet_cannot_be_set(parent):
    assert raised_by(setattr, getcurrent(), "parent", parent) == (
        AttributeError,
        "cannot set the parent of a main greenlet",
    )


@pytest.mark.parametrize("make", [unstarted, parked, finished, killed])
def test_greenlet_cannot_be_its_own_parent(make):
    child = make()
    assert raised_by(setattr, child, "parent", child) == (ValueError, "cyclic parent chain")
    assert child.parent is getcurrent()


@pytest.mark.parametrize("length", [2, 3, 10])
def test_ring_of_parents_is_refused(length):
    eldest = unstarted()
    youngest = eldest
    for _ in range(length - 1):
        youngest = greenlet(echo, youngest)
    assert raised_by(setattr, eldest, "parent", youngest) == (
        ValueError,
        "cyclic parent chain",
    )
    assert eldest.parent is getcurrent()
    # Results climb the whole chain, wrapped once more by each parent.
    expected = 1
    for _ in range(length):
        expected = ((expected,), {})
    assert youngest.switch(1) == expected


def test_refused_parent_leaves_a_parked_greenlet_usable():
    child = parked()
    for wrong in None, child:
        with pytest.raises((TypeError, ValueError)):
            child.parent = wrong
    assert child.switch("value") == "value"


def test_return_value_goes_to_the_parent_of_that_moment():
    first, second = parked(), parked()
    child = greenlet(park_once)
    child.switch()
    child.parent = first
    child.parent = second
    assert child.switch("value") == "value"
    assert second.dead
    assert not first.dead


def test_return_value_starts_an_unstarted_parent():
    parent = greenlet(lambda value: ("parent got", value))
    assert greenlet(lambda: "result", parent).switch() == ("parent got", "result")


def test_returned_tuple_is_one_argument_for_an_unstarted_parent():
    assert greenlet(lambda: (1, 2), greenlet(echo)).switch() == (((1, 2),), {})


def test_exception_goes_to_the_parent():
    def run():
        try:
            greenlet(fails).switch()
        except ValueError as error:
            return "caught", str(error)

    def fails():
        raise ValueError("from the child")

    assert in_greenlet(run) == ("caught", "from the child")


def test_exception_climbs_through_parents_that_do_not_catch():
    order = []

    def level(depth):
        try:
            if depth == 0:
                raise ValueError("deep")
            greenlet(level).switch(depth - 1)
        finally:
            order.append(depth)

    assert raised_by(in_greenlet, level, 4) == (ValueError, "deep")
    assert order == [0, 1, 2, 3, 4]


def test_exception_in_an_unstarted_parent_is_thrown_without_running_it():
    ran = []

    def fails():
        raise ValueError("from the child")

    parent = greenlet(ran.append)
    assert raised_by(greenlet(fails, parent).switch) == (ValueError, "from the child")
    assert parent.dead
    assert ran == []


def test_exception_passes_dead_parents():
    def fails():
        raise ValueError("v")

    assert raised_by(greenlet(fails, greenlet(echo, finished())).switch) == (ValueError, "v")
    assert raised_by(greenlet(fails, finished()).switch) == (ValueError, "v")


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, BaseException])
def test_base_exceptions_go_to_the_parent_as_they_are(kind):
    def fails():
        raise kind("b")

    assert raised_by(in_greenlet, fails) == (kind, "b")


def test_exception_object_is_the_same_in_the_parent():
    error = ValueError("v")

    def fails():
        raise error

    with pytest.raises(ValueError) as caught:
        in_greenlet(fails)
    assert caught.value is error
    error.__traceback__ = None


def test_parent_that_dies_first_leaves_the_grandparent():
    def child():
        return "child", park_once()

    parent = greenlet(lambda: grandchild.switch() or "parent ends")
    grandchild = greenlet(child, parent)
    # The child parks by switching to its parent, which then ends into main.
    assert parent.switch() == "parent ends"
    assert parent.dead
    assert grandchild.switch("in") == ("child", "in")


def test_parent_dying_while_the_child_is_parked():
    def child():
        main.switch("child parked")
        return "child ends"

    main = getcurrent()
    parent = parked()
    youngest = greenlet(child, parent)
    assert youngest.switch() == "child parked"
    assert isinstance(parent.throw(GreenletExit), GreenletExit)
    assert youngest.switch() == "child ends"


def test_dead_parent_is_still_the_parent():
    parent = finished()
    child = greenlet(echo, parent)
    child.switch()
    assert child.parent is parent


def test_parent_is_kept_alive_by_its_child():
    import weakref

    child = greenlet(echo, parked())
    reference = weakref.ref(child.parent)
    assert reference() is not None
    del child
    assert reference() is None


def test_long_chain_of_parents():
    eldest = youngest = greenlet(lambda value: value)
    for _ in range(300):
        youngest = greenlet(lambda value: value + 1, youngest)
    assert youngest.switch(0) == 300
    assert eldest.dead


@ours_only("takes time that grows with the square of the length")
def test_very_long_chain_of_parents():
    youngest = getcurrent()
    for _ in range(scaled(100_000)):
        youngest = greenlet(lambda value: value + 1, youngest)
    assert youngest.switch(0) == scaled(100_000)


def test_long_chain_of_parents_released_at_once():
    youngest = unstarted()
    for _ in range(scaled(5000)):
        youngest = greenlet(echo, youngest)
    del youngest


def test_unstarted_greenlet_may_move_to_a_parent_of_this_thread():
    main_here = getcurrent()
    made = in_thread(lambda: greenlet(echo))
    assert made.parent is not main_here
    made.parent = main_here
    assert made.switch(1) == ((1,), {})


@pytest.mark.parametrize("make", [parked, finished, killed])
def test_started_greenlet_cannot_get_a_parent_of_another_thread(make):
    mine = make()

    def elsewhere():
        return raised_by(setattr, mine, "parent", getcurrent())

    assert in_thread(elsewhere) == (ValueError, "parent cannot be on a different thread")
    assert mine.parent is getcurrent()


def test_unstarted_greenlet_may_get_a_parent_of_another_thread():
    main_here = getcurrent()

    def elsewhere():
        child = greenlet(echo)
        child.parent = main_here
        return child

    child = in_thread(elsewhere)
    assert child.switch(1) == ((1,), {})
    assert greenlet(echo, in_thread(getcurrent)).parent is not main_here


@ours_only("makes a cycle of parents, and hangs at the next switch")
def test_parent_that_became_a_child_during_a_kill():
    """Killed, a greenlet has another parent for a while, and can become its old one's."""
    main = getcurrent()
    kept = []

    def old_parent_run():
        return main.switch()

    old_parent = greenlet(old_parent_run)
    old_parent.switch()

    def run():
        try:
            main.switch()
        finally:
            kept.append(getcurrent())
            old_parent.parent = getcurrent()

    child = greenlet(run, old_parent)
    child.switch()
    del child
    child = kept.pop()
    assert child.dead
    assert child.parent is main
    assert old_parent.parent is child
    assert old_parent.switch("through a dead parent") == "through a dead parent"
    old_parent.parent = main


def test_parent_that_is_freed_while_the_child_looks_for_an_heir():
    main = getcurrent()
    log = []

    class Value:
        def __del__(self):
            without_run.parent = main
            log.extend(bytearray(40) for _ in range(50))

    without_run = greenlet(parent=greenlet(lambda *args: "never"))
    child = greenlet(Value, without_run)
    with pytest.raises(AttributeError, match="run"):
        child.switch()
    assert without_run.parent is main


def test_unstarted_chain_follows_its_first_one_to_another_thread():
    first = greenlet(echo)
    second = greenlet(echo, first)
    third = greenlet(echo, second)
    # Asked for, and so perhaps remembered: the thread of each.
    third.parent = second

    def adopt():
        here = getcurrent()
        first.parent = here
        return third.switch("value")

    assert in_thread(adopt) == (((((("value",), {}),), {}),), {})
    assert third.dead and second.dead and first.dead


def test_unstarted_chain_that_has_left_is_refused():
    first = greenlet(echo)
    second = greenlet(echo, first)
    second.parent = first
    adopted = threading.Event()
    done = threading.Event()

    def adopt():
        first.parent = getcurrent()
        adopted.set()
        done.wait()
        first.parent = main

    main = getcurrent()
    thread = threading.Thread(target=adopt)
    thread.start()
    adopted.wait()
    try:
        with pytest.raises(error, match="different thread"):
            second.switch()
    finally:
        done.set()
        thread.join()
    assert second.switch() == ((((), {}),), {})


def test_parent_of_others_cannot_become_their_child():
    child = greenlet(echo)
    grandchild = greenlet(echo, child)
    with pytest.raises(ValueError, match="cyclic"):
        child.parent = grandchild
    with pytest.raises(ValueError, match="cyclic"):
        child.parent = child
    del grandchild
    lonely = greenlet(echo)
    child.parent = lonely
    with pytest.raises(ValueError, match="cyclic"):
        lonely.parent = child


def exit_inside():
    raise GreenletExit("bye")


@pytest.mark.parametrize("between", [0, 1])
@pytest.mark.parametrize("traced", [False, True])
def test_exit_starts_an_unstarted_parent_without_arguments(between, traced):
    ended = finished()
    parent = greenlet(echo)
    ended.parent = parent
    child = greenlet(exit_inside, ended if between else parent)
    events = []
    settrace((lambda event, pair: events.append(event)) if traced else None)
    try:
        assert child.switch() == ((), {})
    finally:
        settrace(None)
    assert events == (["switch"] * 3 if traced else [])


def test_throw_that_ends_a_child_starts_an_unstarted_parent_without_arguments():
    child = parked()
    child.parent = greenlet(echo)
    assert child.throw() == ((), {})


def test_exit_thrown_at_a_dead_child_starts_an_unstarted_parent_without_arguments():
    child = finished()
    child.parent = greenlet(echo)
    assert child.throw(GreenletExit, "late") == ((), {})
    child.parent = greenlet(echo)
    assert child.switch("value") == (("value",), {})


def test_exit_does_not_stop_a_parent_that_fails_to_start():
    class Unstartable(greenlet):
        @property
        def run(self):
            raise ValueError("no run")

    child = greenlet(exit_inside, Unstartable(parent=greenlet(echo)))
    assert raised_by(child.switch) == (ValueError, "no run")


def test_ended_child_holds_its_dead_parent_once():
    parent = finished()
    parent.parent = waiting = parked()
    child = greenlet(echo, parent)
    assert child.switch() == ((), {})
    assert waiting.dead
    freed = weakref.ref(parent)
    child.parent = getcurrent()
    del parent
    assert freed() is None


def test_waiting_in_the_switch_of_a_dead_greenlet_holds_that_one_alone():
    main = getcurrent()
    home = parked()
    ended = finished()
    ended.parent = home

    def run():
        return ended.switch()

    waiting = greenlet(run, main)
    waiting.switch()
    assert home.dead
    freed = weakref.ref(home)
    ended.parent = main
    del home
    assert freed() is None
    waiting.switch()
