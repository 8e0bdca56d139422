"""What to call greenlets and places in a program, in a few words."""

from __future__ import annotations

import functools
import os
from types import FrameType, FunctionType

from .._greenlet import _run as _run_of
from .._greenlet import greenlet
from ._looking import parent_of

# What stands in the class for a run that was never set.
_NO_RUN = vars(greenlet)["run"]

_OWN_FILES = os.path.dirname(__file__) + os.sep


def attribute(owner: object, name: str) -> object:
    """Of an object that is somebody's, and may do anything when asked; or None."""
    try:
        return getattr(owner, name, None)
    except Exception:
        return None


def name_of(greenlet: greenlet) -> str:
    """What `greenlet` runs, or that it is a main one."""
    return shortened(full_name_of(greenlet))


def shortened(name: str) -> str:
    """Without the functions in which a function or a class was made."""
    return name.rpartition("<locals>.")[2]


def full_name_of(greenlet: greenlet) -> str:
    """The same, not shortened: a recording has no time for that."""
    run: object = _run_of(greenlet)
    if type(run) is FunctionType:  # nearly always
        return run.__qualname__
    if run is None and parent_of(greenlet) is None:
        return "main"
    if run is None or attribute(run, "__self__") is greenlet:
        # Its class has a method `run`; gevent's keeps in `_run` what that will call.
        run = attribute(greenlet, "_run") or run or attribute(type(greenlet), "run")
    if run is None or run is _NO_RUN:
        return type(greenlet).__qualname__
    return _name_of_callable(run)


def _name_of_callable(called: object) -> str:
    """Its qualified name, or that of its class."""
    while isinstance(called, functools.partial):
        called = called.func
    name = attribute(called, "__qualname__")
    return name if isinstance(name, str) else type(called).__qualname__


def place_of(frame: FrameType | None) -> str:
    """File, line and function, or nothing."""
    if frame is None:
        return ""
    code = frame.f_code
    return f"{os.path.basename(code.co_filename)}:{frame.f_lineno} in {code.co_name}"


def skip_own(frame: FrameType | None) -> FrameType | None:
    """The innermost frame that is not of greenlet.debug itself, nor of what runs its commands."""
    while frame is not None and _is_own(frame):
        frame = frame.f_back
    return frame


def _is_own(frame: FrameType) -> bool:
    return (
        frame.f_code.co_filename.startswith(_OWN_FILES)
        or frame.f_globals.get("__name__") == "runpy"
        or "__greenlet_attached__" in frame.f_globals  # see _attaching.py
    )
