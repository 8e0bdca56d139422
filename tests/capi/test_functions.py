"""Each entry of the C interface, called from C, right and wrong."""

import gc
import sys

import greenlet
import pytest

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
    unstarted,
)

BAD_ARGUMENT = (TypeError, "bad argument type for built-in operation")

# What no function takes for a greenlet; the C NULL is one more.
NO_GREENLETS = [None, 3, "greenlet", object(), greenlet.greenlet]


def no_greenlets(client):
    return [client.NULL, *NO_GREENLETS]


def references_kept(function, *watched, times=200):
    """By how much `times` calls change the reference count of each of `watched`."""
    function()
    gc.collect()
    before = [sys.getrefcount(each) for each in watched]
    for _ in range(times):
        function()
    gc.collect()
    after = [sys.getrefcount(each) for each in watched]
    return [late - early for early, late in zip(before, after, strict=True)]


# The capsule


def test_capsule_name_and_repr():
    assert type(greenlet._C_API).__name__ == "PyCapsule"
    assert '"greenlet._C_API"' in repr(greenlet._C_API)


def test_table_has_twelve_distinct_entries(client):
    addresses = client.table(greenlet._C_API)
    assert len(addresses) == 12
    assert all(addresses)
    assert len(set(addresses)) == 12


def test_table_begins_with_the_three_objects(client):
    expected = (greenlet.greenlet, greenlet.error, greenlet.GreenletExit)
    assert client.table(greenlet._C_API)[:3] == tuple(id(each) for each in expected)
    assert client.objects() == expected


# PyGreenlet_Check


def test_check(client):
    class Subclass(greenlet.greenlet):
        pass

    for yes in (greenlet.getcurrent(), unstarted(), parked(), finished(), Subclass()):
        assert client.check(yes) is True
    for no in no_greenlets(client):
        assert client.check(no) is False


# PyGreenlet_New


def test_new_with_run(client):
    made = client.new(echo, client.NULL)
    assert type(made) is greenlet.greenlet
    assert made.run is echo
    assert made.parent is greenlet.getcurrent()
    assert made.switch(1, two=2) == ((1,), {"two": 2})


@pytest.mark.parametrize("spelling", ["NULL", None])
def test_new_takes_the_current_greenlet_as_parent(client, spelling):
    absent = client.NULL if spelling == "NULL" else None

    def inner():
        return client.new(echo, absent).parent is greenlet.getcurrent()

    assert in_greenlet(inner) is True


def test_new_with_parent(client):
    parent = unstarted()
    assert client.new(client.NULL, parent).parent is parent


def test_new_without_run_has_none(client):
    made = client.new(client.NULL, client.NULL)
    assert raised_by(lambda: made.run) == (AttributeError, "run")
    assert raised_by(made.switch) == (AttributeError, "run")
    made.run = echo
    assert made.switch() == ((), {})


@pytest.mark.parametrize("wrong", [3, "parent", greenlet.greenlet])
def test_new_refuses_a_parent_that_is_no_greenlet(client, wrong):
    kind = type(wrong).__name__
    message = "GreenletChecker: Expected any type of greenlet, not " + kind
    assert raised_by(client.new, echo, wrong) == (TypeError, message)


def test_new_owns_what_it_returns_and_borrows_what_it_gets(client):
    def run():
        pass

    parent = unstarted()
    assert references_kept(lambda: client.new(run, parent), run, parent) == [0, 0]
    assert sys.getrefcount(client.new(run, parent)) == sys.getrefcount(unstarted())


# PyGreenlet_GetCurrent


def test_get_current(client):
    assert client.get_current() is greenlet.getcurrent()
    made = greenlet.greenlet(client.get_current)
    assert made.switch() is made


def test_get_current_in_a_new_thread(client):
    def body():
        current = client.get_current()
        return current is greenlet.getcurrent(), current is main

    main = greenlet.getcurrent()
    assert in_thread(body) == (True, False)


def test_get_current_returns_a_new_reference(client):
    assert references_kept(client.get_current, greenlet.getcurrent()) == [0]


# PyGreenlet_Switch


def test_switch_starts_with_the_arguments(client):
    assert client.switch(unstarted(), (1, 2), {"three": 3}) == ((1, 2), {"three": 3})


@pytest.mark.parametrize(
    ("args", "kwargs", "handed_over"),
    [
        ("NULL", "NULL", ()),
        ((), {}, ()),
        ((1,), "NULL", 1),
        ((1, 2), "NULL", (1, 2)),
        ((None,), {}, None),
        ("NULL", {"a": 1}, {"a": 1}),
        ((), {"a": 1}, {"a": 1}),
        ((1,), {"a": 1}, ((1,), {"a": 1})),
        ((1, 2), {"a": 1}, ((1, 2), {"a": 1})),
    ],
)
def test_switch_hands_over(client, args, kwargs, handed_over):
    args, kwargs = (client.NULL if each == "NULL" else each for each in (args, kwargs))
    assert client.switch(parked(), args, kwargs) == handed_over
    assert client.switch(greenlet.getcurrent(), args, kwargs) == handed_over
    assert client.switch(finished(), args, kwargs) == handed_over


def test_switch_hands_none_over_as_it_is(client):
    """Not documented; but None starts a greenlet without arguments, and arrives as None."""
    for target in (parked(), greenlet.getcurrent(), finished()):
        assert client.switch(target, None, client.NULL) is None
    assert client.switch(unstarted(), None, client.NULL) == ((), {})


def test_switch_ignores_keywords_that_are_no_dict(client):
    assert client.switch(unstarted(), (1,), 3) == ((1,), {})
    assert client.switch(parked(), (1,), None) == 1


def test_switch_refuses_keywords_that_are_no_strings(client):
    error, message = raised_by(client.switch, unstarted(), (), {1: 2})
    assert (error, message) == (TypeError, "keywords must be strings")


@ours_only("takes anything for a tuple, reads wild memory, crashes")
@pytest.mark.parametrize("wrong", [3, [1], "ab", {"a": 1}])
def test_switch_refuses_arguments_that_are_no_tuple(client, wrong):
    target = parked()
    assert raised_by(client.switch, target, wrong, client.NULL) == BAD_ARGUMENT
    assert client.switch(target, ("still usable",), client.NULL) == "still usable"


def test_switch_refuses_what_is_no_greenlet(client):
    for wrong in no_greenlets(client):
        assert raised_by(client.switch, wrong, client.NULL, client.NULL) == BAD_ARGUMENT


def test_switch_passes_on_the_exception_of_the_target(client):
    def fail():
        raise KeyError("from the target")

    target = greenlet.greenlet(fail)
    with pytest.raises(KeyError, match="from the target"):
        client.switch(target, client.NULL, client.NULL)
    assert target.dead


def test_switch_without_run(client):
    target = greenlet.greenlet()
    assert raised_by(client.switch, target, client.NULL, client.NULL) == (AttributeError, "run")


def test_switch_across_threads(client):
    target = parked()
    error, message = in_thread(raised_by, client.switch, target, client.NULL, client.NULL)
    assert error is greenlet.error
    assert message.lower().startswith("cannot switch to a different thread")
    assert target.switch("still usable") == "still usable"


def test_switch_borrows_its_arguments(client):
    class Thing:
        pass

    thing, args, kwargs = Thing(), (Thing(), Thing()), {"key": Thing()}
    watched = thing, args, kwargs, kwargs["key"]

    def start():
        client.switch(unstarted(), (thing,), client.NULL)
        client.switch(unstarted(), args, kwargs)

    assert references_kept(start, *watched) == [0] * 4

    def resume():
        client.switch(parked(), (thing,), client.NULL)
        client.switch(parked(), args, kwargs)

    assert references_kept(resume, *watched) == [0] * 4

    def stay():
        client.switch(greenlet.getcurrent(), (thing,), client.NULL)
        client.switch(greenlet.getcurrent(), args, kwargs)

    assert references_kept(stay, *watched) == [0] * 4


def test_switch_does_not_keep_the_target(client):
    def wait_for_ever():
        while True:
            greenlet.getcurrent().parent.switch()

    target = greenlet.greenlet(wait_for_ever)
    switch = lambda: client.switch(target, client.NULL, client.NULL)
    assert references_kept(switch, target) == [0]
    target.throw()


# PyGreenlet_Throw


def catcher_from_c(client):
    """A parked greenlet that returns what is thrown into it, and with which traceback."""

    def run():
        try:
            greenlet.getcurrent().parent.switch()
        except BaseException as caught:
            return caught
        raise AssertionError("nothing was thrown")

    waiting = greenlet.greenlet(run)
    client.switch(waiting, client.NULL, client.NULL)
    return waiting


@pytest.mark.parametrize(
    ("value", "args"),
    [
        ("NULL", ()),
        (None, ()),
        ("text", ("text",)),
        (3, (3,)),
        ((1, 2), (1, 2)),
        ("instance", ("an instance",)),
    ],
)
def test_throw_a_class(client, value, args):
    if value == "instance":
        # Made anew: it keeps the traceback.
        value = ValueError("an instance")
    passed = client.NULL if value == "NULL" else value
    for no_traceback in (client.NULL, None):
        target = catcher_from_c(client)
        caught = client.throw(target, ValueError, passed, no_traceback)
        assert type(caught) is ValueError
        assert caught.args == args
        if isinstance(value, ValueError):
            assert caught is value
        assert target.dead


def test_throw_an_instance(client):
    thrown = ValueError("one of its own")
    for no_value in (client.NULL, None):
        assert client.throw(catcher_from_c(client), thrown, no_value, client.NULL) is thrown


def test_throw_with_a_traceback(client):
    try:
        raise KeyError("for the traceback")
    except KeyError as error:
        traceback = error.__traceback__
    caught = client.throw(catcher_from_c(client), ValueError, client.NULL, traceback)
    seen = []
    step = caught.__traceback__
    while step is not None:
        seen.append(step.tb_frame)
        step = step.tb_next
    assert traceback.tb_frame in seen


@pytest.mark.parametrize(
    ("triple", "message"),
    [
        ((3, None, None), "exceptions must be classes, or instances, not int"),
        ((None, None, None), "exceptions must be classes, or instances, not NoneType"),
        (("text", None, None), "exceptions must be classes, or instances, not str"),
        ((int, None, None), "exceptions must be classes, or instances, not type"),
        ((ValueError("x"), 3, None), "instance exception may not have a separate value"),
        ((ValueError, None, 3), "throw() third argument must be a traceback object"),
        ((3, 3, 3), "throw() third argument must be a traceback object"),
    ],
)
def test_throw_refuses_bad_triples_and_switches_nothing(client, triple, message):
    target = parked()
    assert raised_by(client.throw, target, *triple) == (TypeError, message)
    assert target.switch("still usable") == "still usable"


@ours_only("crashes")
def test_throw_refuses_no_type(client):
    target = parked()
    assert raised_by(client.throw, target, client.NULL, client.NULL, client.NULL) == BAD_ARGUMENT
    assert target.switch("still usable") == "still usable"


def test_throw_refuses_what_is_no_greenlet(client):
    for wrong in no_greenlets(client):
        error = raised_by(client.throw, wrong, ValueError, client.NULL, client.NULL)
        assert error == BAD_ARGUMENT


def test_throw_into_an_unstarted_greenlet_ends_it(client):
    target = unstarted()
    with pytest.raises(ValueError, match="early"):
        client.throw(target, ValueError, "early", client.NULL)
    assert target.dead


def test_throw_into_a_dead_greenlet_raises_in_the_caller(client):
    for dead in (finished(), killed()):
        with pytest.raises(ValueError, match="late"):
            client.throw(dead, ValueError, "late", client.NULL)


def test_throw_greenlet_exit_comes_back_as_a_value(client):
    for target in (unstarted(), parked(), finished()):
        value = client.throw(target, greenlet.GreenletExit, "bye", client.NULL)
        assert type(value) is greenlet.GreenletExit
        assert value.args == ("bye",)
        assert target.dead


def test_throw_borrows_its_arguments(client):
    class Error(Exception):
        pass

    value = object()

    def thrown():
        try:
            client.throw(unstarted(), Error, value, client.NULL)
        except Error:
            pass
        client.throw(catcher_from_c(client), Error, value, client.NULL)

    assert references_kept(thrown, value, Error) == [0, 0]


# PyGreenlet_SetParent


def test_set_parent(client):
    child, parent = unstarted(), unstarted()
    assert client.set_parent(child, parent) == 0
    assert child.parent is parent


def test_set_parent_decides_where_the_result_goes(client):
    def adopt():
        return "from the parent", park_once()

    parent = greenlet.greenlet(adopt)
    parent.switch()
    child = parked()
    assert client.set_parent(child, parent) == 0
    assert child.switch("from the child") == ("from the parent", "from the child")


def test_set_parent_refuses_a_cycle(client):
    grandparent = unstarted()
    parent = greenlet.greenlet(echo, grandparent)
    child = greenlet.greenlet(echo, parent)
    assert raised_by(client.set_parent, grandparent, child) == (
        ValueError,
        "cyclic parent chain",
    )
    assert grandparent.parent is greenlet.getcurrent()


def test_set_parent_refuses_a_main_greenlet(client):
    main = greenlet.getcurrent()
    assert raised_by(client.set_parent, main, unstarted()) == (
        AttributeError,
        "cannot set the parent of a main greenlet",
    )


def test_set_parent_cannot_delete(client):
    child = unstarted()
    assert raised_by(client.set_parent, child, client.NULL) == (
        AttributeError,
        "can't delete attribute",
    )
    assert child.parent is greenlet.getcurrent()


@pytest.mark.parametrize("wrong", [None, 3, "parent"])
def test_set_parent_refuses_what_is_no_greenlet(client, wrong):
    kind = type(wrong).__name__
    message = "GreenletChecker: Expected any type of greenlet, not " + kind
    assert raised_by(client.set_parent, unstarted(), wrong) == (TypeError, message)
    assert raised_by(client.set_parent, wrong, unstarted()) == (TypeError, message)


@ours_only("crashes")
def test_set_parent_refuses_a_child_that_is_not_there(client):
    assert raised_by(client.set_parent, client.NULL, unstarted()) == BAD_ARGUMENT


def test_set_parent_keeps_one_reference_to_the_parent(client):
    child, parents = unstarted(), [unstarted(), unstarted()]

    def swap():
        for parent in parents:
            client.set_parent(child, parent)

    assert references_kept(swap, child, *parents) == [0, 0, 0]


# PyGreenlet_GET_PARENT, MAIN, STARTED, ACTIVE


def test_get_parent(client):
    parent = unstarted()
    assert client.get_parent(greenlet.greenlet(echo, parent)) is parent
    assert client.get_parent(finished()) is greenlet.getcurrent()


def test_a_main_greenlet_has_no_parent_and_that_is_no_error(client):
    assert client.get_parent(greenlet.getcurrent()) is client.NULL


def test_get_parent_returns_a_new_reference(client):
    parent = unstarted()
    child = greenlet.greenlet(echo, parent)
    assert references_kept(lambda: client.get_parent(child), child, parent) == [0, 0]


def test_states(client):
    def states(candidate):
        return client.main(candidate), client.started(candidate), client.active(candidate)

    assert states(greenlet.getcurrent()) == (1, 1, 1)
    assert states(unstarted()) == (0, 0, 0)
    assert states(parked()) == (0, 1, 1)
    assert states(finished()) == (0, 1, 0)
    assert in_greenlet(lambda: states(greenlet.getcurrent())) == (0, 1, 1)


def test_states_of_another_thread(client):
    def main_of_thread():
        return greenlet.getcurrent()

    def seen_from_a_thread(candidate):
        return client.main(candidate), client.active(candidate)

    assert in_thread(seen_from_a_thread, greenlet.getcurrent()) == (1, 1)
    assert client.started(in_thread(main_of_thread)) == 1


@pytest.mark.parametrize("function", ["get_parent", "main", "started", "active"])
def test_questions_about_what_is_no_greenlet(client, function):
    for wrong in no_greenlets(client):
        assert raised_by(getattr(client, function), wrong) == BAD_ARGUMENT
