"""Which greenlets there are, and what each is doing."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Literal, NamedTuple

from .. import _greenlet
from .._greenlet import _is_dead as is_dead
from .._greenlet import getcurrent, greenlet

# Subclasses have a property of this name that means something else: gevent's do.
parent_of: Callable[[greenlet], greenlet | None] = vars(greenlet)["parent"].__get__


class Description(NamedTuple):
    """What a greenlet was at one moment."""

    state: Literal["unstarted", "running", "parked", "dead"]
    # The `ident` of the thread to which it belongs; None if that has ended.
    thread: int | None
    # What it has called, or is to call.  None for main greenlets and dead ones, and for unstarted
    # ones whose class has a method `run`.
    run: Callable[..., Any] | None
    # The innermost frame, for one that calls describe() its own; None for unstarted and dead ones.
    frame: FrameType | None


def describe(greenlet: greenlet) -> Description:
    """Return what `greenlet`, of whatever thread, is at this moment.

    The result is a named tuple of its `state`, `thread`, `run` and `frame`.  `run` is still there
    when the greenlet has started, unlike the attribute: so a trace function can tell at the first
    event of a greenlet what that is about to call.

    Raises TypeError if it is no greenlet.  A greenlet of another thread may go on as soon as this
    returns; `frame` then goes on as well.

        >>> from greenlet import greenlet, settrace
        >>> def trace(event, pair):
        ...     what = describe(pair[1])
        ...     print(event, what.state, getattr(what.run, "__name__", None))
        >>> before = settrace(trace)
        >>> greenlet(sorted).switch("ba")
        switch running sorted
        switch running None
        ['a', 'b']
        >>> before = settrace(before)
    """
    state, thread, run, frame = _greenlet._describe(greenlet)
    if frame is sys._getframe():
        frame = frame.f_back
    return Description(state, thread, run, frame)


def stack_of(greenlet: greenlet) -> Literal["shared", "own", "vacated"] | None:
    """Return where the C stack of `greenlet`, of whatever thread, is at this moment.

    'shared' is the thread's stack, on which its greenlets take turns; what is in the way of another
    one is copied to the heap.  'own' is a stack of its own, and 'vacated' that as well: it has been
    parked for so long that what it had there is in the heap, until it goes on (`stack_policy`).
    None for one that has not started, or has ended.

    Raises TypeError if it is no greenlet.

        >>> from greenlet import getcurrent, greenlet
        >>> stack_of(getcurrent())
        'shared'
        >>> stack_of(greenlet(print)) is None
        True
    """
    return _greenlet._stack_of(greenlet)


def all_greenlets(thread: threading.Thread | int | None = None) -> list[greenlet]:
    """Return a list of the greenlets that are alive, in no order.

    Those that have started and not ended, the main ones of all threads included, and those that
    may still start.  Of `thread` only, if one is given: a Thread, or its `ident`, an int.

    It takes a look at every object of the interpreter, since unstarted greenlets are known to
    nobody but the garbage collector; after `gc.freeze()` not even to that.  Raises MemoryError if
    there is no memory for the list.

        >>> from greenlet import greenlet
        >>> waiting = greenlet(print)
        >>> waiting in all_greenlets()
        True
    """
    getcurrent()  # a thread has no main greenlet before it asks for one
    started = _greenlet._started()
    known = {id(each) for each in started}
    found = started + [
        each
        for each in gc.get_objects()
        # Not isinstance(): it asks the object, which may answer for another one.
        if issubclass(type(each), greenlet) and id(each) not in known and not is_dead(each)
    ]
    if thread is None:
        return found
    ident = thread.ident if isinstance(thread, threading.Thread) else thread
    return [each for each in found if describe(each).thread == ident]


def main_greenlets() -> list[greenlet]:
    """Of all threads that use greenlets."""
    return [each for each in _greenlet._started() if parent_of(each) is None]


def main_of(greenlet: greenlet) -> greenlet:
    """The main greenlet at the end of its parents."""
    parent = parent_of(greenlet)
    while parent is not None:
        greenlet = parent
        parent = parent_of(greenlet)
    return greenlet
