"""Reporting greenlets that do not give the thread back."""

from __future__ import annotations

import os
import sys
import time
import traceback
import weakref
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, NamedTuple

from .. import _greenlet
from .._greenlet import greenlet
from . import _native
from ._hooks import Hook
from ._looking import Description, describe
from ._names import name_of
from ._stacks import heading, stack_lines

if TYPE_CHECKING:
    from .._greenlet import _TraceCallback, _TraceEvent

# Packages in whose functions a thread waits when nothing is to be done.
_EVENT_LOOPS = frozenset({"asyncio", "eventlet", "gevent", "selectors", "trio", "uvloop"})


class Hold(NamedTuple):
    """A greenlet that has held its thread for too long, and holds it still."""

    greenlet: greenlet
    thread: int  # its `ident`
    seconds: float  # up to now
    stack: list[str]  # a line for each frame, the innermost first
    name: str  # what the greenlet runs


def waits_for_events(frame: FrameType) -> bool:
    """Whether the function of this innermost frame belongs to an event loop.

    Then the thread has most likely nothing to do: `asyncio`, `eventlet`, `gevent`, `selectors`,
    `trio` and `uvloop` are known.

        >>> import sys
        >>> waits_for_events(sys._getframe())
        False
    """
    module = frame.f_globals.get("__name__")
    return isinstance(module, str) and module.partition(".")[0] in _EVENT_LOOPS


class _Watched:
    """A thread.  Its trace function writes `since`, the watcher reads it."""

    def __init__(self, main: greenlet) -> None:
        self.main = weakref.ref(main)
        self.since = time.perf_counter()  # seconds
        self.reported: float | None = None  # the `since` of the last report


class watch:
    """Context manager: reports a greenlet that holds its thread for more than `threshold` seconds.

    A thread of its own looks, so the report comes while the greenlet is at it, with its stack at
    that time; once for each time that it gets the thread.  `report` is called with a `Hold`, in
    that thread; without one, the stack is written to sys.stderr.  What it raises is printed, and
    the watch goes on.

    All threads are watched.  Nobody is reported in a thread where no other greenlet is parked, and
    not if `idle` says of its innermost frame that the thread only waits for something to do; see
    `waits_for_events`, which knows the usual event loops.

    C code that does not release the interpreter's lock holds up the report as well.  While it is
    on a switch takes some 0.2 microseconds more.  Raises ValueError if the threshold is not more
    than 0.

        >>> import threading
        >>> from greenlet import getcurrent, greenlet
        >>> seen = threading.Event()
        >>> def report(hold):
        ...     print(hold.name, "at", hold.stack[-1].split()[-1])
        ...     seen.set()
        >>> def block():
        ...     return seen.wait(10)
        >>> with watch(0.01, report):
        ...     greenlet(block).switch()
        block at block
        True
    """

    def __init__(
        self,
        threshold: float,
        report: Callable[[Hold], object] | None = None,
        *,
        idle: Callable[[FrameType], bool] = waits_for_events,
    ) -> None:
        if not threshold > 0:
            raise ValueError(f"the threshold is more than 0 seconds, not {threshold}")
        self._threshold = threshold
        self._report = report or _print_hold
        self._idle = idle
        self._threads: list[_Watched] = []
        self._process = os.getpid()
        self._hook = Hook(self._noter)
        # Held until the watcher is to stop, and until it has stopped.
        self._going = _native.allocate_lock()
        self._running = _native.allocate_lock()

    def __enter__(self) -> watch:
        if self._going.locked() or self._threads:
            raise RuntimeError("a watch goes on once")
        self._hook.install()
        self._process = os.getpid()
        self._going.acquire()
        self._running.acquire()
        try:
            _native.start_new_thread(self._look_again_and_again, ())
        except BaseException:
            self._hook.remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._hook.remove()
        self._going.release()
        if os.getpid() == self._process:  # no thread has followed the fork of another one
            with self._running:
                pass

    def _noter(self, main: greenlet, before: _TraceCallback | None, is_new: bool) -> _TraceCallback:
        watched = _Watched(main)
        self._threads.append(watched)
        clock = time.perf_counter

        def note(event: _TraceEvent, pair: tuple[greenlet, greenlet]) -> None:
            watched.since = clock()
            if before is not None:
                before(event, pair)

        return note

    def _look_again_and_again(self) -> None:
        pause = self._threshold
        try:
            while not self._going.acquire(timeout=min(pause, _native.TIMEOUT_MAX)):
                pause = self._look()
        finally:
            self._running.release()

    def _look(self) -> float:
        """Report whoever is to be reported; how many seconds nobody can be, afterwards."""
        now = time.perf_counter()
        pause = self._threshold
        for watched in [*self._threads]:
            main = watched.main()
            if main is None or describe(main).thread is None:
                self._threads.remove(watched)
                continue
            since = watched.since
            if since == watched.reported:
                continue
            left = since + self._threshold - now
            if left > 0:
                pause = min(pause, left)
                continue
            watched.reported = since
            hold = self._find_hold(main, watched, since)
            if hold is not None:
                self._tell(hold)
        return pause

    def _find_hold(self, main: greenlet, watched: _Watched, since: float) -> Hold | None:
        """What to report; nothing if it is over, or nothing to worry about."""
        ident = describe(main).thread
        if ident is None:
            return None
        running: tuple[greenlet, Description] | None = None
        is_alone = True
        for each in _greenlet._started():
            description = describe(each)
            if description.thread != ident:
                continue
            if description.state == "running":
                running = each, description
            else:
                is_alone = False
            if running is not None and not is_alone:
                break
        if running is None or is_alone:
            return None
        holder, description = running
        frame = description.frame
        if frame is None or self._idle(frame):
            return None
        stack = list(stack_lines(frame))
        name = name_of(holder)
        seconds = time.perf_counter() - since
        if watched.since != since:
            return None
        return Hold(holder, ident, seconds, stack, name)

    def _tell(self, hold: Hold) -> None:
        try:
            self._report(hold)
        except Exception:
            traceback.print_exc()


def _print_hold(hold: Hold) -> None:
    lines = [
        f"For {hold.seconds:.3f} seconds nobody else has had the thread:",
        heading(hold.greenlet, describe(hold.greenlet)),
        *hold.stack,
    ]
    print("\n".join(lines), file=sys.stderr)
