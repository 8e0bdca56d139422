"""Threads that run code in one interpreter in turn find greenlets that another has parked.

Until Python 3.12 they do so with one and the same thread state. The interpreter is one that
shares the lock, or has its own where there are such."""

import sys
import textwrap
import threading

import greenlet

try:
    import _interpreters as interpreters  # Python 3.13 and later
except ImportError:
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        print("skipped: this Python has no subinterpreters")
        raise SystemExit(0) from None

# One thread state for all that run code in it: a session finds what an earlier one of the same
# thread has parked.
IS_SHARED = sys.version_info < (3, 13)

PARK = textwrap.dedent(
    """
    import gc, greenlet

    def park():
        return deep(5)

    def deep(depth):
        return greenlet.getcurrent().parent.switch("parked") if depth == 0 else deep(depth - 1)

    greenlet.stack_policy(MODE)
    left = [greenlet.greenlet(park) for _ in range(20)]
    assert [each.switch() for each in left] == ["parked"] * 20
    for each in left[:5]:
        each.cycle = each
    del each
    """
)

# The first thing is a switch: nothing else tells that the thread is another one.
GO_ON = textwrap.dedent(
    """
    def refused(call, *args):
        try:
            call(*args)
        except greenlet.error as error:
            return str(error)
        raise AssertionError("not refused")

    exited = "cannot switch to a different thread (which happens to have exited)"
    for each in left:
        assert refused(each.switch, 1) == exited
    assert refused(left[0].throw) == exited
    assert left[0].dead and not left[0]
    frame = left[1].gr_frame
    del left[:10], each
    gc.collect()
    assert greenlet.greenlet(lambda value: value + 1).switch(1) == 2
    """
)

# What another thread has parked ends.
DROP = "left.clear()\ngc.collect()\n" + PARK

GO_ON_AS_BEFORE = textwrap.dedent(
    """
    assert [each.switch(number) for number, each in enumerate(left[:15])] == list(range(15))
    """
)


def create_legacy():
    if sys.version_info >= (3, 13):
        return interpreters.create("legacy")
    return interpreters.create(isolated=False)


def create_isolated():
    if sys.version_info >= (3, 13):
        return interpreters.create("isolated")
    return interpreters.create()


def run(interpreter, program):
    failure = interpreters.run_string(interpreter, program)  # or raises, before 3.13
    assert failure is None, failure.errdisplay


def directly(function, *args):
    function(*args)


def in_thread(function, *args):
    done = []
    thread = threading.Thread(target=lambda: done.append(function(*args)))
    thread.start()
    thread.join()
    assert done == [None]


def in_greenlet(function, *args):
    """On a stack of its own, as a rule, which goes when it ends."""
    greenlet.greenlet(function).switch(*args)


PLACES = [
    (in_thread, directly, directly),
    (in_thread, in_thread, directly),
    (directly, in_thread, in_thread),
    (directly, directly, in_thread),
]
PLACES_OF_GREENLETS = [
    (in_greenlet, directly, directly),
    (directly, in_greenlet, in_greenlet),
]


def sessions(create, mode, places):
    """Park in one place, go on in another, end the interpreter in a third."""
    park, drop = ("MODE = {!r}\n".format(mode) + program for program in (PARK, DROP))
    for first, second, last in places:
        same_thread = in_thread not in (first, second)
        for program in (GO_ON_AS_BEFORE if same_thread and IS_SHARED else GO_ON, drop):
            interpreter = create()
            first(run, interpreter, park)
            second(run, interpreter, program)
            last(interpreters.destroy, interpreter)


for create in [create_legacy] + [create_isolated] * (sys.version_info >= (3, 12)):
    for mode in ("shared", "own", "automatic"):
        sessions(create, mode, PLACES)
    for mode in ("own", "automatic"):
        sessions(create, mode, PLACES_OF_GREENLETS)
print("end")
