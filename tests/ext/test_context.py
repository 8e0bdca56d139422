"""contextvars: each greenlet runs in a context of its own, seen and set by gr_context."""

import contextvars
import threading

import pytest
from greenlet import getcurrent, greenlet

from support import (
    echo,
    finished,
    in_greenlet,
    in_thread,
    join,
    killed,
    ours_only,
    parked,
    raised_by,
    unstarted,
)

variable = contextvars.ContextVar("variable", default="unset")


@pytest.fixture(autouse=True)
def own_context():
    """The test may set variables without a trace in the next test."""
    main = getcurrent()
    before = main.gr_context
    main.gr_context = contextvars.Context()
    yield
    main.gr_context = before


def set_and_park(value):
    variable.set(value)
    getcurrent().parent.switch()
    return variable.get()


def parked_with(value):
    child = greenlet(set_and_park)
    child.switch(value)
    return child


def test_new_greenlet_starts_with_an_empty_context():
    variable.set("main's")
    assert in_greenlet(variable.get) == "unset"


def test_setting_inside_stays_inside():
    variable.set("main's")
    child = parked_with("child's")
    assert variable.get() == "main's"
    assert child.switch() == "child's"
    assert variable.get() == "main's"


def test_setting_outside_while_parked_stays_outside():
    child = parked_with("child's")
    variable.set("main's")
    assert child.switch() == "child's"


def test_many_greenlets_have_many_contexts():
    children = [parked_with(number) for number in range(20)]
    assert [child.switch() for child in children] == list(range(20))
    assert variable.get() == "unset"


@pytest.mark.parametrize("make", [unstarted, parked, finished, killed])
def test_no_context_where_none_was_set(make):
    assert make().gr_context is None


def test_context_appears_when_a_variable_is_set():
    child = parked_with("x")
    assert isinstance(child.gr_context, contextvars.Context)
    assert child.gr_context[variable] == "x"
    child.switch()


def test_context_of_the_current_greenlet():
    def run():
        before = getcurrent().gr_context
        variable.set("x")
        return before, getcurrent().gr_context[variable]

    assert in_greenlet(run) == (None, "x")


def test_context_of_the_main_greenlet():
    variable.set("main's")
    main = getcurrent()
    assert main.gr_context[variable] == "main's"
    assert in_greenlet(lambda: main.gr_context[variable]) == "main's"


def test_context_of_a_dead_greenlet_is_kept():
    child = parked_with("x")
    context = child.gr_context
    child.switch()
    assert child.dead
    assert child.gr_context is context


def test_unstarted_greenlet_is_given_a_context():
    context = contextvars.Context()
    context.run(variable.set, "given")
    child = greenlet(lambda: variable.get())
    child.gr_context = context
    assert child.gr_context is context
    assert child.switch() == "given"


def test_unstarted_greenlet_shares_the_given_context():
    context = contextvars.Context()
    child = greenlet(lambda: variable.set("by the child"))
    child.gr_context = context
    child.switch()
    assert context[variable] == "by the child"


def test_copy_of_the_current_context_is_inherited():
    variable.set("inherited")
    child = greenlet(set_and_park_after_reading)
    child.gr_context = contextvars.copy_context()
    assert child.switch() == "inherited"
    assert variable.get() == "inherited"
    child.switch()


def set_and_park_after_reading():
    before = variable.get()
    variable.set("changed")
    getcurrent().parent.switch(before)


def test_parked_greenlet_is_given_a_context():
    context = contextvars.Context()
    context.run(variable.set, "given")
    child = parked_with("own")
    child.gr_context = context
    assert child.switch() == "given"


def test_current_greenlet_is_given_a_context():
    context = contextvars.Context()
    context.run(variable.set, "given")

    def run():
        variable.set("own")
        getcurrent().gr_context = context
        return variable.get()

    assert in_greenlet(run) == "given"
    assert variable.get() == "unset"


def test_current_greenlet_s_context_is_set_from_inside_another():
    context = contextvars.Context()
    context.run(variable.set, "given")
    main = getcurrent()

    def run():
        main.gr_context = context

    in_greenlet(run)
    assert variable.get() == "given"


@pytest.mark.parametrize("make", [unstarted, parked, finished, killed])
def test_context_may_be_none(make):
    child = make()
    child.gr_context = None
    assert child.gr_context is None


def test_context_none_forgets_the_variables_of_a_parked_greenlet():
    child = parked_with("x")
    child.gr_context = None
    assert child.switch() == "unset"


def test_context_none_forgets_the_variables_of_the_current_greenlet():
    def run():
        variable.set("x")
        getcurrent().gr_context = None
        return variable.get()

    assert in_greenlet(run) == "unset"


def test_dead_greenlet_may_be_given_a_context():
    context = contextvars.Context()
    child = finished()
    child.gr_context = context
    assert child.gr_context is context


@pytest.mark.parametrize("make", [unstarted, parked, finished, killed, getcurrent])
@pytest.mark.parametrize("value", [1, "x", {}, contextvars.Context, variable], ids=repr)
def test_wrong_types_are_refused(make, value):
    child = make()
    assert raised_by(setattr, child, "gr_context", value) == (
        TypeError,
        "greenlet context must be a contextvars.Context or None",
    )


@pytest.mark.parametrize("make", [unstarted, parked, finished, killed, getcurrent])
def test_context_cannot_be_deleted(make):
    child = make()
    assert raised_by(delattr, child, "gr_context") == (
        AttributeError,
        "can't delete context attribute",
    )


def test_context_of_a_greenlet_running_in_another_thread_cannot_be_read_or_set():
    main = getcurrent()

    def elsewhere():
        return (
            raised_by(lambda: main.gr_context),
            raised_by(setattr, main, "gr_context", None),
            raised_by(setattr, main, "gr_context", contextvars.Context()),
        )

    cannot_get = "cannot get context of a greenlet that is running in a different thread"
    cannot_set = "cannot set context of a greenlet that is running in a different thread"
    assert in_thread(elsewhere) == (
        (ValueError, cannot_get),
        (ValueError, cannot_set),
        (ValueError, cannot_set),
    )


def test_context_of_a_greenlet_parked_in_another_thread_can_be_read_and_set():
    child = parked_with("x")
    context = contextvars.Context()
    context.run(variable.set, "given elsewhere")

    def elsewhere():
        seen = child.gr_context[variable]
        child.gr_context = context
        return seen

    assert in_thread(elsewhere) == "x"
    assert child.switch() == "given elsewhere"


def test_switch_inside_context_run_keeps_both_apart():
    context = contextvars.copy_context()
    main = getcurrent()

    def inside():
        variable.set("entered")
        main.switch()
        return variable.get()

    child = greenlet(context.run)
    child.switch(inside)
    assert variable.get() == "unset"
    variable.set("main's")
    assert child.switch() == "entered"
    assert context[variable] == "entered"


def test_context_entered_by_a_parked_greenlet_cannot_be_entered_again():
    context = contextvars.Context()
    main = getcurrent()
    child = greenlet(context.run)
    child.switch(main.switch)
    kind, message = raised_by(context.run, echo)
    assert kind is RuntimeError
    assert message.startswith("cannot enter context: ")
    assert message.endswith(" is already entered")
    child.switch()
    assert context.run(echo) == ((), {})


def test_greenlet_created_in_context_run_starts_with_an_empty_context():
    context = contextvars.Context()

    def inside():
        variable.set("entered")
        return in_greenlet(variable.get), variable.get()

    assert context.run(inside) == ("unset", "entered")


def test_context_set_while_inside_context_run_of_another_greenlet():
    context, other = contextvars.Context(), contextvars.Context()
    other.run(variable.set, "other")
    main = getcurrent()

    def inside():
        variable.set("entered")
        main.switch()
        return variable.get()

    child = greenlet(inside)
    child.gr_context = context
    child.switch()
    child.gr_context = other
    assert child.switch() == "other"
    assert context[variable] == "entered"


def test_token_of_another_greenlet_s_context_is_refused():
    token = variable.set("main's")
    kind, message = raised_by(in_greenlet, variable.reset, token)
    assert kind is ValueError
    assert "was created in a different Context" in message
    variable.reset(token)


def test_token_is_reset_after_a_switch():
    def run():
        token = variable.set("x")
        getcurrent().parent.switch()
        variable.reset(token)
        return variable.get()

    child = greenlet(run)
    child.switch()
    variable.set("main's")
    assert child.switch() == "unset"


def test_cached_value_is_not_used_after_a_switch():
    """ContextVar.get() caches by the context's version: a switch must spoil it."""
    seen = []

    def run(own):
        variable.set(own)
        for _ in range(5):
            seen.append(variable.get() == own)
            getcurrent().parent.switch()

    children = [greenlet(run) for _ in range(3)]
    for number, child in enumerate(children):
        child.switch(number)
    for _ in range(5):
        for child in children:
            child.switch()
    assert seen == [True] * 15


def test_exception_passes_contexts():
    def run():
        variable.set("x")
        raise LookupError(variable.get())

    variable.set("main's")
    assert raised_by(in_greenlet, run) == (LookupError, "x")
    assert variable.get() == "main's"


def test_context_released_with_its_greenlet():
    import weakref

    class Value:
        pass

    def run():
        value = Value()
        references.append(weakref.ref(value))
        variable.set(value)
        getcurrent().parent.switch()

    references = []
    child = greenlet(run)
    child.switch()
    assert references[0]() is not None
    del child
    assert references[0]() is None


def test_decimal_context_is_per_greenlet():
    import decimal

    def run():
        decimal.getcontext().prec = 5
        getcurrent().parent.switch()
        return decimal.getcontext().prec

    before = decimal.getcontext().prec
    child = greenlet(run)
    child.switch()
    assert decimal.getcontext().prec == before
    assert child.switch() == 5


@ours_only("releases them in the context of whoever kills")
def test_locals_of_a_killed_greenlet_are_released_in_its_context():
    seen = []

    class Local:
        def __del__(self):
            seen.append(variable.get())

    def run():
        variable.set("inside")
        local = Local()
        getcurrent().parent.switch()
        return local

    child = greenlet(run)
    child.switch()
    del child
    assert seen == ["inside"]


@ours_only("releases them in the context of whoever kills")
def test_locals_of_a_greenlet_killed_from_another_thread_are_released_in_its_context():
    seen = []
    dropped = threading.Event()

    class Local:
        def __del__(self):
            seen.append((variable.get(), threading.current_thread()))

    def run():
        variable.set("inside")
        local = Local()
        getcurrent().parent.switch()
        return local

    def body():
        children.append(greenlet(run))
        children[0].switch()
        made.set()
        dropped.wait()
        getcurrent()

    children = []
    made = threading.Event()
    thread = threading.Thread(target=body)
    thread.start()
    made.wait()
    children.clear()
    dropped.set()
    join(thread)
    assert seen == [("inside", thread)]
