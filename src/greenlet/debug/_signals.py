"""Dumping all stacks when a signal comes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from types import FrameType
from typing import Any, NamedTuple

from ._stacks import Writable, dump_lines


class _Registration(NamedTuple):
    handler: Any
    before: Any


_registered: dict[int, _Registration] = {}


def register(signum: int, file: Writable | None = None, chain: bool = False) -> None:
    """Have the stacks of all greenlets written whenever the process gets signal `signum`.

    They go to `file`, to sys.stderr if it is None: past its buffer if it has a file descriptor,
    since the program may be filling that at this very moment.  What goes wrong with it is ignored.
    With `chain` what would have happened without this happens then, too.  Call it in the main
    thread; elsewhere, and for a number that is no signal, it raises ValueError, and OSError for a
    signal that cannot be caught.

    Python runs handlers of signals in the main thread, between two steps of Python code or when a
    system call is interrupted: while that thread is deep in C code nothing is written.  For that
    case there is `faulthandler.register`, which shows the running greenlets only.

        >>> import signal
        >>> register(signal.SIGUSR2)  # then, from outside: kill -USR2 1234
        >>> unregister(signal.SIGUSR2)
        True
    """
    unregister(signum)

    def handler(number: int, frame: FrameType | None) -> None:
        # Whatever goes wrong must not appear in the code that was interrupted.
        with contextlib.suppress(Exception):
            _write("\n".join(dump_lines()) + "\n", file)
        if chain:
            _go_on(number, frame, handler, before)

    before = signal.signal(signum, handler)
    _registered[signum] = _Registration(handler, before)


def unregister(signum: int) -> bool:
    """Undo `register` for this signal.

    Returns whether there was anything to undo.  A handler that somebody has set since stays.
    Raises ValueError in another thread than the main one.

        >>> import signal
        >>> unregister(signal.SIGUSR2)
        False
    """
    registration = _registered.get(signum)
    if registration is None:
        return False
    if signal.getsignal(signum) is registration.handler:
        signal.signal(signum, registration.before)
    del _registered[signum]
    return True


def _write(text: str, file: Writable | None) -> None:
    """May come in the midst of another write to the same file, which a buffer refuses."""
    file = sys.stderr if file is None else file
    try:
        descriptor = getattr(file, "fileno")()  # noqa: B009 - not every file has one
    except (AttributeError, OSError, ValueError):
        if file is not None:
            file.write(text)
        return
    rest = text.encode(errors="backslashreplace")
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _go_on(signum: int, frame: FrameType | None, handler: Any, before: Any) -> None:
    """Do what was to be done about the signal before `register`."""
    if callable(before):
        before(signum, frame)
    elif before == signal.SIG_DFL:
        signal.signal(signum, signal.SIG_DFL)
        signal.raise_signal(signum)
        signal.signal(signum, handler)
