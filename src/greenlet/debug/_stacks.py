"""The stacks of all greenlets, as faulthandler prints those of threads."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType
from typing import Protocol

from .._greenlet import greenlet
from . import _native
from ._looking import Description, all_greenlets, describe
from ._names import name_of, skip_own

# As many frames of each as faulthandler prints.
_FRAMES = 100

_ORDER = ("running", "parked", "unstarted", "dead")


class Writable(Protocol):
    def write(self, text: str, /) -> object: ...


def dump_stacks(file: Writable | None = None) -> None:
    """Write the stacks of all greenlets of all threads to `file`, sys.stderr if it is None.

    The innermost function comes first, as in faulthandler's output, and not more than 100 of a
    greenlet.  Running greenlets come first, then parked ones, then those that have not started.
    What `file.write` raises, this raises.

        >>> import io
        >>> text = io.StringIO()
        >>> dump_stacks(text)
        >>> print(text.getvalue())  # doctest: +ELLIPSIS
        Greenlet 0x... main, running, MainThread (most recent call first):
          File ...
    """
    for line in dump_lines():
        print(line, file=sys.stderr if file is None else file)


def dump_lines() -> Iterator[str]:
    looked = [(describe(each), each) for each in all_greenlets()]
    looked.sort(key=lambda pair: _ORDER.index(pair[0].state))
    for description, each in looked:
        yield heading(each, description)
        yield from stack_lines(skip_own(description.frame))
        yield ""


def heading(greenlet: greenlet, description: Description) -> str:
    name = name_of(greenlet)
    thread = _native.thread_name(description.thread)
    order = " (most recent call first):" if description.frame is not None else ""
    return f"Greenlet {id(greenlet):#x} {name}, {description.state}, {thread}{order}"


def stack_lines(frame: FrameType | None) -> Iterator[str]:
    for _ in range(_FRAMES):
        if frame is None:
            return
        code = frame.f_code
        yield f'  File "{code.co_filename}", line {frame.f_lineno} in {code.co_name}'
        frame = frame.f_back
    if frame is not None:
        yield "  ..."
