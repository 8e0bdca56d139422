"""throw() in all its forms, into greenlets in every state, and what it refuses."""

import sys
import traceback

import pytest
from greenlet import GreenletExit, getcurrent, greenlet

from support import catcher, echo, finished, in_greenlet, killed, parked, raised_by, unstarted


class RefusesToBeMade(Exception):
    def __init__(self):
        raise LookupError("not made")


class MakesSomethingElse(Exception):
    def __new__(cls, *args):
        return 42


def some_traceback():
    try:
        raise ZeroDivisionError("held")
    except ZeroDivisionError as error:
        return error.__traceback__


NO_ARGUMENTS = "function takes exactly 5 arguments (0 given)"
NO_INSTANCE = "calling {!r} should have returned an instance of BaseException, not int".format(
    MakesSomethingElse
)

# Arguments of throw(), type and arguments of what is raised.
# A fresh exception for each use: a thrown instance collects tracebacks.
GOOD = [
    (lambda: (), GreenletExit, ()),
    (lambda: (ValueError,), ValueError, ()),
    (lambda: (ValueError("x"),), ValueError, ("x",)),
    (lambda: (ValueError, 1), ValueError, (1,)),
    (lambda: (ValueError, (1, 2)), ValueError, (1, 2)),
    (lambda: (ValueError, False), ValueError, (False,)),
    (lambda: (ValueError, None), ValueError, ()),
    (lambda: (ValueError, None, None), ValueError, ()),
    (lambda: (ValueError, 1, None), ValueError, (1,)),
    (lambda: (ValueError, ValueError(3)), ValueError, (3,)),
    (lambda: (Exception, ValueError(3)), ValueError, (3,)),
    (lambda: (ValueError("x"), None), ValueError, ("x",)),
    (lambda: (ValueError("x"), None, None), ValueError, ("x",)),
    (lambda: (GreenletExit,), GreenletExit, ()),
    (lambda: (GreenletExit, 5), GreenletExit, (5,)),
    (lambda: (GreenletExit(5),), GreenletExit, (5,)),
    (lambda: (KeyboardInterrupt,), KeyboardInterrupt, ()),
    (lambda: (SystemExit, 3), SystemExit, (3,)),
    (lambda: (GeneratorExit,), GeneratorExit, ()),
    (lambda: (StopIteration, 1), StopIteration, (1,)),
    (lambda: (RefusesToBeMade,), LookupError, ("not made",)),
    (lambda: (UnicodeDecodeError,), TypeError, (NO_ARGUMENTS,)),
    (lambda: (MakesSomethingElse,), TypeError, (NO_INSTANCE,)),
]

NOT_A_TRACEBACK = "throw() third argument must be a traceback object"
SEPARATE_VALUE = "instance exception may not have a separate value"


def not_an_exception(name):
    return "exceptions must be classes, or instances, not " + name


BAD = [
    ((ValueError("x"), 2), SEPARATE_VALUE),
    ((ValueError("x"), ValueError("x")), SEPARATE_VALUE),
    ((ValueError, 1, 2), NOT_A_TRACEBACK),
    ((ValueError, 1, "x"), NOT_A_TRACEBACK),
    ((ValueError, 1, False), NOT_A_TRACEBACK),
    ((ValueError("x"), None, 2), NOT_A_TRACEBACK),
    ((1, 2, 3), NOT_A_TRACEBACK),
    ((1,), not_an_exception("int")),
    ((1, 2), not_an_exception("int")),
    ((1, None, some_traceback()), not_an_exception("int")),
    (("x",), not_an_exception("str")),
    ((None,), not_an_exception("NoneType")),
    ((None, None, None), not_an_exception("NoneType")),
    ((None, ValueError("x")), not_an_exception("NoneType")),
    ((int,), not_an_exception("type")),
    ((object(),), not_an_exception("object")),
    (([],), not_an_exception("list")),
    (((ValueError,),), not_an_exception("tuple")),
    ((ValueError, 1, None, 4), "throw() takes at most 3 arguments (4 given)"),
]

STATES = [unstarted, parked, finished, killed, getcurrent]


@pytest.mark.parametrize("arguments, kind, value", GOOD)
def test_parked_receives_it(arguments, kind, value):
    caught = catcher().throw(*arguments())
    assert type(caught) is kind
    assert caught.args == value


@pytest.mark.parametrize("arguments, kind, value", GOOD)
@pytest.mark.parametrize("make", [unstarted, parked, finished, killed])
def test_what_is_not_caught_goes_to_the_parent(make, arguments, kind, value):
    target = make()
    if kind is GreenletExit:
        received = target.throw(*arguments())
    else:
        with pytest.raises(kind) as caught:
            target.throw(*arguments())
        received = caught.value
    assert type(received) is kind
    assert received.args == value
    assert target.dead


@pytest.mark.parametrize("arguments, kind, value", GOOD)
def test_main_greenlet_throws_at_itself(arguments, kind, value):
    with pytest.raises(kind) as caught:
        getcurrent().throw(*arguments())
    assert caught.value.args == value


@pytest.mark.parametrize("arguments, kind, value", GOOD)
def test_current_greenlet_throws_at_itself(arguments, kind, value):
    def run():
        try:
            getcurrent().throw(*arguments())
        except BaseException as caught:
            return caught

    received = in_greenlet(run)
    assert type(received) is kind
    assert received.args == value


@pytest.mark.parametrize("args, message", BAD)
@pytest.mark.parametrize("make", STATES)
def test_bad_arguments_are_refused(make, args, message):
    assert raised_by(make().throw, *args) == (TypeError, message)


@pytest.mark.parametrize("args, message", BAD)
def test_refused_throw_leaves_a_parked_greenlet_parked(args, message):
    waiting = parked()
    assert raised_by(waiting.throw, *args) == (TypeError, message)
    assert waiting
    assert waiting.switch("value") == "value"


@pytest.mark.parametrize("args, message", BAD)
def test_refused_throw_leaves_an_unstarted_greenlet_unstarted(args, message):
    fresh = unstarted()
    assert raised_by(fresh.throw, *args) == (TypeError, message)
    assert not fresh.dead
    assert fresh.switch("value") == (("value",), {})


@pytest.mark.parametrize("name", ["typ", "type", "val", "value", "tb", "bogus"])
def test_keywords_are_refused(name):
    assert raised_by(parked().throw, **{name: ValueError}) == (
        TypeError,
        "throw() takes no keyword arguments",
    )


def test_unbound_throw():
    assert isinstance(greenlet.throw(unstarted()), GreenletExit)
    assert raised_by(greenlet.throw) == (
        TypeError,
        "unbound method greenlet.throw() needs an argument",
    )
    assert raised_by(greenlet.throw, 1) == (
        TypeError,
        "descriptor 'throw' for 'greenlet.greenlet' objects doesn't apply to a 'int' object",
    )


def test_instance_is_thrown_by_identity():
    instance = ValueError("v")
    assert catcher().throw(instance) is instance


def test_instance_as_value_is_thrown_by_identity():
    instance = ValueError("v")
    assert catcher().throw(ValueError, instance) is instance
    assert catcher().throw(Exception, instance) is instance


def test_instance_of_another_class_becomes_the_argument():
    other = KeyError("k")
    caught = catcher().throw(ValueError, other)
    assert type(caught) is ValueError
    assert caught.args == (other,)


def test_greenlet_exit_instance_reaches_the_parent_by_identity():
    leaving = GreenletExit("bye")
    assert parked().throw(leaving) is leaving


def test_subclass_of_greenlet_exit_is_a_value_too():
    class Leaving(GreenletExit):
        pass

    assert isinstance(parked().throw(Leaving), Leaving)


def test_caught_throw_lets_the_greenlet_go_on():
    def run():
        try:
            getcurrent().parent.switch("first")
        except ValueError as error:
            getcurrent().parent.switch("caught", str(error))
        return "end"

    child = greenlet(run)
    assert child.switch() == "first"
    assert child.throw(ValueError, "v") == ("caught", "v")
    assert child.switch() == "end"


def test_throw_returns_what_the_next_switch_brings():
    def run():
        try:
            getcurrent().parent.switch()
        except ValueError:
            return 1, 2

    child = greenlet(run)
    child.switch()
    assert child.throw(ValueError) == (1, 2)


def test_thrown_at_an_unstarted_one_its_run_is_never_called():
    def run():
        raise AssertionError("ran")

    child = greenlet(run)
    assert isinstance(child.throw(), GreenletExit)
    assert child.dead


def test_thrown_at_a_dead_one_it_goes_to_the_nearest_live_ancestor():
    waiting = catcher()
    dead = finished()
    dead.parent = waiting
    caught = dead.throw(ValueError, "up")
    assert type(caught) is ValueError
    assert caught.args == ("up",)


def test_greenlet_exit_at_a_dead_one_is_a_value_for_its_ancestor():
    def run():
        return "got", getcurrent().parent.switch()

    waiting = greenlet(run)
    waiting.switch()
    dead = finished()
    dead.parent = waiting
    label, received = dead.throw(GreenletExit, 3)
    assert label == "got"
    assert type(received) is GreenletExit
    assert received.args == (3,)


def test_throw_at_the_parent_from_a_child():
    def run():
        getcurrent().parent.throw(ValueError, "from below")

    child = greenlet(run)
    assert raised_by(child.switch) == (ValueError, "from below")
    assert not child.dead
    child.switch()
    assert child.dead


def test_throw_into_nested_calls_unwinds_them():
    order = []

    def inner():
        try:
            getcurrent().parent.switch()
        finally:
            order.append("inner")

    def outer():
        try:
            inner()
        finally:
            order.append("outer")

    child = greenlet(outer)
    child.switch()
    assert raised_by(child.throw, ValueError, "v") == (ValueError, "v")
    assert order == ["inner", "outer"]


def test_throw_out_of_a_c_call():
    child = greenlet(lambda: sorted([2, 1], key=lambda value: getcurrent().parent.switch(value)))
    assert child.switch() == 2
    assert raised_by(child.throw, ValueError, "v") == (ValueError, "v")
    assert child.dead


def function_names(error):
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def test_given_traceback_is_continued():
    held = some_traceback()
    caught = catcher().throw(ValueError, "v", held)
    assert function_names(caught) == ["run", "some_traceback"]


def test_given_traceback_is_set_on_an_instance():
    error = ValueError("v")
    catcher().throw(error, None, some_traceback())
    assert function_names(error) == ["run", "some_traceback"]


def test_given_traceback_through_an_unstarted_greenlet():
    with pytest.raises(ValueError) as caught:
        unstarted().throw(ValueError, "v", some_traceback())
    assert function_names(caught.value)[-1] == "some_traceback"


def test_own_traceback_of_an_instance_is_dropped_unless_it_is_given():
    def raised_before():
        raise ValueError("v")

    with pytest.raises(ValueError) as raised:
        raised_before()
    error = raised.value.with_traceback(raised.value.__traceback__.tb_next)
    held = error.__traceback__
    catcher().throw(error)
    # Setting an exception without a traceback leaves it its own from 3.14 on.
    own = ["raised_before"] if sys.version_info >= (3, 14) else []
    assert function_names(error) == ["run", *own]
    catcher().throw(error, None, held)
    assert len(function_names(error)) == 2


def test_traceback_of_an_uncaught_throw_shows_both_sides():
    with pytest.raises(ValueError) as caught:
        parked().throw(ValueError)
    assert function_names(caught.value) == [
        "test_traceback_of_an_uncaught_throw_shows_both_sides",
        "park_once",
    ]


def test_exc_info_triple_can_be_thrown_on():
    def failing():
        raise KeyError("k")

    try:
        failing()
    except KeyError:
        caught = catcher().throw(*sys.exc_info())
    assert type(caught) is KeyError
    assert function_names(caught)[-1] == "failing"


def test_throwing_while_handling_another_exception_sets_no_context_in_the_target():
    try:
        raise KeyError("here")
    except KeyError:
        caught = catcher().throw(ValueError)
    assert caught.__context__ is None


def test_exception_that_the_target_handles_does_not_become_the_context():
    def run():
        try:
            raise KeyError("there")
        except KeyError:
            getcurrent().parent.switch()

    child = greenlet(run)
    child.switch()
    with pytest.raises(ValueError) as caught:
        child.throw(ValueError)
    assert caught.value.__context__ is None


def test_cause_of_a_thrown_instance_is_kept():
    error = ValueError("v")
    error.__cause__ = cause = KeyError("k")
    assert catcher().throw(error).__cause__ is cause


def test_throw_through_several_parents():
    def middle():
        return greenlet(inner).switch()

    def inner():
        top.switch("deep", getcurrent())

    top = getcurrent()
    outer = greenlet(middle)
    _, deep = outer.switch()
    assert raised_by(deep.throw, ValueError, "up") == (ValueError, "up")
    assert deep.dead
    assert outer.dead


def test_throw_of_an_overridden_method_is_used_by_callers_only():
    class Quiet(greenlet):
        def throw(self, *args):
            return "quiet"

    made = Quiet(echo)
    assert made.throw(ValueError) == "quiet"
    assert not made.dead
