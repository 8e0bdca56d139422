"""A program that uses the whole API: mypy checks it as a user's, and it runs too."""

from __future__ import annotations

import contextvars
import io
import os
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

import greenlet
from greenlet import GreenletExit, debug, error, getcurrent, gettrace, settrace
from greenlet import greenlet as Greenlet

if TYPE_CHECKING:
    from greenlet._greenlet import _TraceCallback, _TraceEvent

version: str = greenlet.__version__
capsule: object = greenlet._C_API
ticks: int = greenlet.CLOCKS_PER_SEC
flags: list[int] = [
    greenlet.GREENLET_USE_CONTEXT_VARS,
    greenlet.GREENLET_USE_GC,
    greenlet.GREENLET_USE_TRACING,
]


def creation() -> None:
    main: Greenlet = getcurrent()
    unset = Greenlet()
    unset.run = print
    run: Callable[..., Any] = unset.run
    del unset.run
    made = [
        Greenlet(run),
        Greenlet(lambda: None, main),
        Greenlet(run=lambda: None, parent=main),
        Greenlet(None, None),
    ]
    assert not any(made)


def switching() -> None:
    def echo(*args: int, **kwargs: str) -> tuple[Any, ...]:
        return args, kwargs

    everything: Any = Greenlet(echo).switch(1, 2, key="value")
    number: int = Greenlet(lambda: 3).switch()
    assert everything == ((1, 2), {"key": "value"})
    assert number == 3


def throwing() -> None:
    caller = getcurrent()

    def run() -> object:
        try:
            return caller.switch()
        except ValueError as caught:
            return caught

    def parked() -> Greenlet:
        waiting = Greenlet(run)
        waiting.switch()
        return waiting

    traceback: TracebackType | None
    try:
        raise ValueError("for its traceback")
    except ValueError:
        traceback = sys.exc_info()[2]

    value: Any = parked().throw()
    assert isinstance(value, GreenletExit)
    parked().throw(GreenletExit)
    parked().throw(GreenletExit, "bye")
    parked().throw(ValueError, ("several", "arguments"))
    parked().throw(ValueError, ValueError("an instance"), None)
    parked().throw(ValueError, None, traceback)
    parked().throw(ValueError("an instance"))
    parked().throw(ValueError("an instance"), None, traceback)


def attributes() -> None:
    waiting = Greenlet(lambda: getcurrent().parent)
    parent: Greenlet | None = waiting.parent
    assert parent is not None
    waiting.parent = parent
    dead: bool = waiting.dead
    alive: bool = bool(waiting)
    frame: FrameType | None = waiting.gr_frame
    waiting.gr_context = contextvars.copy_context()
    context: contextvars.Context | None = waiting.gr_context
    waiting.gr_context = None
    saved: int = waiting._stack_saved
    waiting.__dict__["note"] = "free for all"
    assert not dead and not alive and frame is None and context is not None and saved == 0
    assert waiting.switch() is parent


def on_the_class() -> None:
    current: Greenlet = Greenlet.getcurrent()
    assert current is current.getcurrent()
    kinds: tuple[type[BaseException], type[Exception]] = (Greenlet.GreenletExit, Greenlet.error)
    assert kinds == (GreenletExit, error)
    callback: _TraceCallback | None = Greenlet.gettrace()
    assert callback is None
    Greenlet.settrace(Greenlet.settrace(None))


def tracing() -> None:
    seen: list[str] = []

    def log(event: _TraceEvent, args: tuple[Greenlet, Greenlet]) -> None:
        origin, target = args
        assert origin is not target
        seen.append("throw" if event == "throw" else event)

    before: _TraceCallback | None = settrace(log)
    assert gettrace() is log
    Greenlet(lambda: None).switch()
    settrace(before)
    assert seen == ["switch", "switch"]


class Worker(Greenlet):
    """A subclass with a run method, a field of its own and another __init__."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def run(self, factor: int) -> int:
        return self.number * factor


def subclassing() -> None:
    worker = Worker(6)
    product: int = worker.switch(7)
    assert product == 42
    assert worker.number == 6


def optional_cleanup() -> None:
    greenlet.enable_optional_cleanup(False)
    greenlet.enable_optional_cleanup(True)
    clocks: int | None = greenlet.get_clocks_used_doing_optional_cleanup()
    assert clocks is not None


def debugging() -> None:
    waiting = Greenlet(print)
    found: list[Greenlet] = debug.all_greenlets(threading.current_thread())
    assert waiting in found and waiting in debug.all_greenlets(threading.get_ident())
    state, thread, run, frame = debug.describe(waiting)
    ident: int | None = thread
    innermost: FrameType | None = frame
    assert state == "unstarted" and ident and run is print and innermost is None
    text: str = debug.tree()
    stack: str | None = debug.stack_of(waiting)
    serial: int = debug.serial_of(waiting)
    number: int = debug.add_switch_hook(print, ["start", "finish"])
    debug.remove_switch_hook(number)
    assert stack is None and serial > 0
    assert "print, unstarted" in text
    output = io.StringIO()
    debug.dump_stacks(output)
    assert "Greenlet" in output.getvalue()

    def report(hold: debug.Hold) -> None:
        seconds: float = hold.seconds
        print(hold.name, seconds, *hold.stack)

    with debug.watch(60, report, idle=debug.waits_for_events), debug.timeline(os.devnull, limit=9):
        waiting.switch(end="")


def refused_by_mypy() -> None:
    """Never called: each line is an error, and mypy reports an ignore that is not needed."""
    waiting = Greenlet()
    Greenlet("no callable")  # type: ignore[arg-type]
    Greenlet(None, "no greenlet")  # type: ignore[arg-type]
    Greenlet(callback=print)  # type: ignore[call-arg]
    waiting.throw("no exception")  # type: ignore[call-overload]
    waiting.throw(ValueError(), "a value")  # type: ignore[call-overload]
    waiting.throw(ValueError, None, "no traceback")  # type: ignore[call-overload]
    waiting.no_such_method()  # type: ignore[attr-defined]
    waiting.dead = True  # type: ignore[misc]
    waiting.gr_frame = None  # type: ignore[misc]
    waiting._stack_saved = 0  # type: ignore[misc]
    waiting.parent = None  # type: ignore[assignment]
    waiting.gr_context = {}  # type: ignore[assignment]
    waiting.run = "no callable"  # type: ignore[assignment]
    getcurrent(1)  # type: ignore[call-arg]
    settrace(callback=None)  # type: ignore[call-arg]
    settrace(lambda event: None)  # type: ignore[arg-type,misc]
    greenlet.enable_optional_cleanup()  # type: ignore[call-arg]
    debug.describe(None)  # type: ignore[arg-type]
    debug.add_switch_hook(print, ["begin"])  # type: ignore[list-item]
    debug.dump_stacks("no file")  # type: ignore[arg-type]
    debug.register("SIGUSR1")  # type: ignore[arg-type]
    debug.watch("a second")  # type: ignore[arg-type]
    debug.watch(1, 2)  # type: ignore[arg-type]
    debug.timeline()  # type: ignore[call-arg]


def main() -> None:
    creation()
    switching()
    throwing()
    attributes()
    on_the_class()
    tracing()
    subclassing()
    optional_cleanup()
    debugging()


if __name__ == "__main__":
    main()
