"""A trace function in every thread of the interpreter, those to come included.

greenlet.settrace() is for the calling thread.  Here each thread that uses greenlets gets a function
of its own, made for it, which passes every event on to the trace function that was there before.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from .. import _greenlet
from .._greenlet import getcurrent, gettrace, greenlet
from . import _native
from ._looking import main_greenlets, main_of

if TYPE_CHECKING:
    from .._greenlet import _TraceCallback, _TraceEvent

    # Makes the function for the thread of a main greenlet, to pass events on to another one; the
    # last argument says that the thread has not switched before.
    _Make: TypeAlias = Callable[[greenlet, _TraceCallback | None, bool], _TraceCallback]


class _Installed:
    """The function of one hook in one thread, which is not to live longer because of this."""

    def __init__(self, callback: _TraceCallback, before: _TraceCallback | None) -> None:
        self.callback = weakref.ref(callback)
        self.before = before
        self.is_retired = False


# Those that are installed, in that order.
_hooks: list[Hook] = []
# The collector and signals may run anything, even what changes them, while they are changed.
_changing = _native.RLock()

# Of all hooks; a function that was to be removed may still be called by one that came later.
_installed: weakref.WeakKeyDictionary[_TraceCallback, _Installed] = weakref.WeakKeyDictionary()

# What _begin() passes events on to, in threads where somebody else calls it.
_own = _native.local()


class Hook:
    """To be installed and removed once; what `make` returns must allow weak references."""

    def __init__(self, make: _Make) -> None:
        self._make = make
        # By the main greenlets of the threads, which are not to live longer either.
        self._own: weakref.WeakKeyDictionary[greenlet, _Installed] = weakref.WeakKeyDictionary()

    def install(self) -> None:
        """May raise MemoryError; then nothing is installed."""
        getcurrent()  # a thread has no main greenlet before it asks for one
        try:
            with _changing:
                _hooks.append(self)
                _greenlet._exchange_trace_of_new_threads(_begin)
                for main in main_greenlets():
                    self._install(main)
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        """Give every thread back what it had before.  A function that somebody has set since, and
        that passes events on to ours, stays."""
        with _changing:
            _hooks.remove(self)
            if not _hooks:
                _greenlet._exchange_trace_of_new_threads(None)
                for main in main_greenlets():
                    _greenlet._exchange_trace(main, None, _begin)
            for main, each in list(self._own.items()):
                each.is_retired = True
                callback = each.callback()
                if callback is not None:
                    _greenlet._exchange_trace(main, _in_use(each.before), callback)
            self._own.clear()

    def is_in(self, main: greenlet) -> bool:
        """Whether its function has been made for this thread."""
        return main in self._own

    def _install(self, main: greenlet) -> None:
        before = _greenlet._exchange_trace(main, None, None)
        while before is not _begin:
            callback = self.make(main, before)
            # The thread may have set another one meanwhile.
            present = _greenlet._exchange_trace(main, callback, before)
            if present is before:
                return
            before = present

    def make(
        self, main: greenlet, before: _TraceCallback | None, is_new: bool = False
    ) -> _TraceCallback:
        callback = self._make(main, before, is_new)
        installed = _Installed(callback, before)
        self._own[main] = installed
        _installed[callback] = installed
        return callback


def _begin(event: _TraceEvent, pair: tuple[greenlet, greenlet]) -> None:
    """The trace function of a thread that has not switched before."""
    main = main_of(pair[1])
    is_set = gettrace() is _begin
    with _changing:
        if is_set:
            callback = _made_by_all(main)
            _greenlet._exchange_trace(main, callback, _begin)
        else:
            # Somebody has set another one, which passes events on to this one.
            if not hasattr(_own, "callback"):
                _own.callback = _made_by_all(main)
            callback = _in_use(_own.callback)
    if callback is not None:
        callback(event, pair)


def _made_by_all(main: greenlet) -> _TraceCallback | None:
    """A function that calls those of all hooks, except of such as have been installed in this
    thread in their own way."""
    callback = None
    for hook in [*_hooks]:
        if not hook.is_in(main):
            callback = hook.make(main, callback, is_new=True)
    return callback


def _in_use(callback: _TraceCallback | None) -> _TraceCallback | None:
    """This trace function, or if that was to be removed what was there before it."""
    while callback is not None:
        try:
            installed = _installed.get(callback)
        except TypeError:  # somebody's, without weak references or hash
            return callback
        if installed is None or not installed.is_retired:
            return callback
        callback = installed.before
    return None
