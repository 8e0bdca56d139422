"""Reading, setting and deleting the attributes of greenlets at every stage of their life."""

import sys

import greenlet as greenlet_module
import pytest
from greenlet import getcurrent, greenlet

from support import (
    echo,
    finished,
    in_greenlet,
    in_thread,
    killed,
    parked,
    raised_by,
    unstarted,
)

STATES = [unstarted, parked, finished, killed]
STATES_AND_MAIN = STATES + [getcurrent]
STARTED = [parked, finished, killed]

AFTER_START = (AttributeError, "run cannot be set after the start of the greenlet")
NO_RUN_IN_MAIN = (AttributeError, "Main greenlets do not have a run attribute.")


def missing_attribute(name, owner="greenlet.greenlet"):
    """What deleting an absent instance attribute says; newer Pythons say it better."""
    if sys.version_info < (3, 11):
        return AttributeError, name
    return AttributeError, "'{}' object has no attribute '{}'".format(owner, name)


def test_run_of_an_unstarted_greenlet_is_what_it_was_given():
    assert unstarted().run is echo


def test_run_of_an_unstarted_greenlet_can_be_set():
    child = greenlet(len)
    child.run = echo
    assert child.run is echo
    assert child.switch() == ((), {})


@pytest.mark.parametrize("value", [None, 1, "x"])
def test_run_can_be_set_to_anything(value):
    child = greenlet(echo)
    child.run = value
    assert child.run is value
    with pytest.raises(TypeError, match="not callable"):
        child.switch()


def test_run_of_an_unstarted_greenlet_can_be_deleted():
    child = unstarted()
    del child.run
    assert not hasattr(child, "run")
    assert raised_by(child.switch) == (AttributeError, "run")
    child.run = echo
    assert child.switch() == ((), {})


def test_run_can_be_deleted_twice():
    child = unstarted()
    del child.run
    del child.run


def test_run_that_was_never_given():
    assert raised_by(lambda: greenlet().run) == (AttributeError, "run")


@pytest.mark.parametrize("make", STARTED)
def test_run_is_gone_after_the_start(make):
    assert raised_by(lambda: make().run) == (AttributeError, "run")


@pytest.mark.parametrize("make", STARTED)
@pytest.mark.parametrize("value", [None, echo])
def test_run_cannot_be_set_after_the_start(make, value):
    assert raised_by(setattr, make(), "run", value) == AFTER_START


@pytest.mark.parametrize("make", STARTED)
def test_run_cannot_be_deleted_after_the_start(make):
    assert raised_by(delattr, make(), "run") == AFTER_START


def test_run_of_the_current_greenlet():
    def run():
        current = getcurrent()
        return (
            raised_by(lambda: current.run),
            raised_by(setattr, current, "run", echo),
            raised_by(delattr, current, "run"),
        )

    assert in_greenlet(run) == ((AttributeError, "run"), AFTER_START, AFTER_START)


def test_run_of_the_main_greenlet():
    main = getcurrent()
    assert raised_by(lambda: main.run) == NO_RUN_IN_MAIN
    assert raised_by(setattr, main, "run", echo) == NO_RUN_IN_MAIN
    assert raised_by(delattr, main, "run") == NO_RUN_IN_MAIN
    assert not hasattr(main, "run")


class WithRun(greenlet):
    def run(self, *args):
        return "method", args


class WithParkingRun(greenlet):
    def run(self):
        return self.parent.switch()


def test_run_method_is_bound():
    child = WithRun()
    assert child.run.__self__ is child


def test_run_of_a_class_with_a_method_is_an_instance_attribute():
    child = WithRun()
    child.run = echo
    assert child.__dict__ == {"run": echo}
    assert child.switch(1) == ((1,), {})


def test_run_of_a_class_with_a_method_can_be_set_after_the_start():
    child = WithParkingRun()
    child.switch()
    child.run = echo
    assert child.switch("value") == "value"


def test_run_of_a_class_with_a_method_cannot_be_deleted():
    assert raised_by(delattr, WithRun(), "run") == missing_attribute("run", "WithRun")


@pytest.mark.parametrize("name", ["dead", "gr_frame", "_stack_saved"])
@pytest.mark.parametrize("make", STATES_AND_MAIN)
def test_read_only_attributes(make, name):
    child = make()
    refusal = (
        AttributeError,
        "attribute '{}' of 'greenlet.greenlet' objects is not writable".format(name),
    )
    for value in (None, 1, True):
        assert raised_by(setattr, child, name, value) == refusal
    assert raised_by(delattr, child, name) == refusal


def test_read_only_attributes_leave_the_greenlet_usable():
    child = parked()
    for name in "dead", "gr_frame", "_stack_saved", "run", "parent", "gr_context":
        with pytest.raises((AttributeError, TypeError)):
            setattr(child, name, 1)
        with pytest.raises(AttributeError):
            delattr(child, name)
    assert child.switch("value") == "value"


@pytest.mark.parametrize("make, dead", [(unstarted, False), (parked, False), (finished, True)])
def test_dead_is_a_bool(make, dead):
    assert make().dead is dead


@pytest.mark.parametrize("make", [unstarted, finished, killed, getcurrent])
def test_stack_saved_is_nothing_unless_parked(make):
    assert make()._stack_saved == 0


def test_stack_saved_of_a_parked_greenlet_is_a_number_of_bytes():
    def deep(depth):
        if depth:
            return sorted([1], key=lambda value: deep(depth - 1))
        return getcurrent().parent.switch()

    shallow, deeper = greenlet(deep), greenlet(deep)
    shallow.switch(1)
    deeper.switch(20)
    assert 0 < shallow._stack_saved < deeper._stack_saved
    assert type(shallow._stack_saved) is int
    shallow.switch()
    deeper.switch()
    assert shallow._stack_saved == deeper._stack_saved == 0


def test_stack_saved_of_the_current_greenlet_is_nothing():
    assert in_greenlet(lambda: getcurrent()._stack_saved) == 0


@pytest.mark.parametrize("make", STATES)
def test_dict_can_be_replaced(make):
    child = make()
    attributes = {"x": 1}
    child.__dict__ = attributes
    assert child.x == 1
    assert child.__dict__ is attributes


@pytest.mark.parametrize("make", STATES_AND_MAIN)
@pytest.mark.parametrize("value", [None, 1, []], ids=repr)
def test_dict_must_be_a_dict(make, value):
    assert raised_by(setattr, make(), "__dict__", value) == (
        TypeError,
        "__dict__ must be a dictionary",
    )


@pytest.mark.parametrize("make", STATES_AND_MAIN)
def test_dict_cannot_be_deleted(make):
    assert raised_by(delattr, make(), "__dict__") == (
        TypeError,
        "__dict__ may not be deleted",
    )


CLASS_ATTRIBUTES = ["error", "GreenletExit", "getcurrent", "settrace", "gettrace"]


@pytest.mark.parametrize("name", CLASS_ATTRIBUTES)
@pytest.mark.parametrize("make", STATES_AND_MAIN)
def test_class_attributes_are_seen_on_instances(make, name):
    assert getattr(make(), name) is getattr(greenlet_module, name)


@pytest.mark.parametrize("name", CLASS_ATTRIBUTES + ["switch", "throw"])
@pytest.mark.parametrize("make", STATES)
def test_class_attributes_can_be_hidden_on_instances(make, name):
    child = make()
    setattr(child, name, 1)
    assert getattr(child, name) == 1
    delattr(child, name)
    assert getattr(child, name) != 1


@pytest.mark.parametrize("name", CLASS_ATTRIBUTES + ["switch", "throw", "custom"])
@pytest.mark.parametrize("make", STATES)
def test_absent_instance_attributes_cannot_be_deleted(make, name):
    assert raised_by(delattr, make(), name) == missing_attribute(name)


@pytest.mark.parametrize("make", STATES_AND_MAIN)
def test_unknown_attribute(make):
    assert raised_by(lambda: make().custom) == (
        AttributeError,
        "'greenlet.greenlet' object has no attribute 'custom'",
    )


def test_class_attributes_cannot_be_changed():
    for name in ("switch", "anything"):
        assert raised_by(setattr, greenlet, name, 1) == (
            TypeError,
            "cannot set '{}' attribute of immutable type 'greenlet.greenlet'".format(name),
        )
    assert raised_by(delattr, greenlet, "switch") == (
        TypeError,
        "cannot set 'switch' attribute of immutable type 'greenlet.greenlet'",
    )


def test_subclass_attributes_can_be_changed():
    class Sub(greenlet):
        pass

    Sub.label = "sub"
    assert Sub(echo).label == "sub"


def test_attributes_of_the_main_greenlet():
    main = getcurrent()
    assert main.parent is None
    assert main.dead is False
    assert main.gr_frame is None
    main.mark = 1
    assert main.__dict__ == {"mark": 1}
    del main.mark


def test_attributes_of_another_thread_s_greenlets_can_be_read():
    child, main = parked(), getcurrent()

    def elsewhere():
        return (
            child.dead,
            bool(child),
            child.parent is main,
            child.gr_frame is not None,
            child.gr_context,
            main.dead,
            bool(main),
            main.parent,
            main.gr_frame,
        )

    assert in_thread(elsewhere) == (False, True, True, True, None, False, True, None, None)


def test_run_of_another_thread_s_unstarted_greenlet_can_be_set():
    child = unstarted()

    def elsewhere():
        child.run = len

    in_thread(elsewhere)
    assert child.switch("four") == 4


@pytest.mark.parametrize(
    "operate, message",
    [
        (lambda child: child(), "'greenlet.greenlet' object is not callable"),
        (iter, "'greenlet.greenlet' object is not iterable"),
        (len, "object of type 'greenlet.greenlet' has no len()"),
        (
            lambda child: child + 1,
            "unsupported operand type(s) for +: 'greenlet.greenlet' and 'int'",
        ),
        (
            lambda child: child < child,
            "'<' not supported between instances of 'greenlet.greenlet' and 'greenlet.greenlet'",
        ),
        (lambda child: -child, "bad operand type for unary -: 'greenlet.greenlet'"),
    ],
)
def test_what_greenlets_are_not(operate, message):
    assert raised_by(operate, unstarted()) == (TypeError, message)


def test_truth_has_a_method():
    assert unstarted().__bool__() is False
    assert parked().__bool__() is True
    assert finished().__bool__() is False


def test_descriptors_refuse_other_objects():
    for name in "parent", "dead", "run", "gr_frame", "gr_context":
        kind, message = raised_by(vars(greenlet)[name].__get__, 1)
        assert kind is TypeError
        assert message == (
            "descriptor '{}' for 'greenlet.greenlet' objects "
            "doesn't apply to a 'int' object".format(name)
        )
