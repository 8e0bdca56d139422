"""Functions that are told of what all greenlets do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from .. import _greenlet
from .._greenlet import greenlet

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    _SwitchEvent: TypeAlias = Literal["create", "start", "switch", "throw", "finish"]
    _SwitchHook: TypeAlias = Callable[[frozenset[_SwitchEvent], greenlet, greenlet], object]

# As in greenlet.h.
_BITS: dict[_SwitchEvent, int] = {"switch": 1, "throw": 2, "start": 4, "finish": 8, "create": 16}

# What a callback gets for all combinations of these bits: each is made once.
_NAMES = tuple(
    frozenset(name for name, bit in _BITS.items() if bits & bit)
    for bits in range(sum(_BITS.values()) + 1)
)


def add_switch_hook(
    callback: _SwitchHook, events: Iterable[_SwitchEvent] = ("switch", "throw")
) -> int:
    """Have `callback(what, origin, target)` called for the `events` of all threads, also of those
    to come, until `remove_switch_hook` is called with the number that this returns.

    `what` is a frozenset of all that is true of a switch, or of a creation:

    - `'switch'` or `'throw'`: `origin` has switched to `target`, and has handed over a value or an
      exception; nearly always one of the two is there;
    - `'start'`: `target` begins by it;
    - `'finish'`: `origin` has ended by it;
    - `'create'`: `origin` has made `target`; it is alone then, and main greenlets have none.

    The callback is called once for each switch of which one of these is among `events`: by the
    target, when the switch has happened.  Several hooks are called in the order in which they were
    added, before the trace function of `settrace`, which is called as ever.  What a callback raises
    is reported as unraisable (`sys.unraisablehook`), and it goes on being called.

    It is told of switches that it makes itself.  Functions of `sys.settrace` and `sys.setprofile`
    do not see it.  Raises ValueError for an unknown event, or for none.  Hooks in C cost less: see
    `greenlet.h`.

        >>> from greenlet import greenlet
        >>> def note(what, origin, target):
        ...     print(*sorted(what), end="; ")
        >>> number = add_switch_hook(note)
        >>> greenlet(sorted).switch("ba")
        start switch; finish switch; ['a', 'b']
        >>> remove_switch_hook(number)
    """
    mask = 0
    for event in events:
        if event not in _BITS:
            raise ValueError(f"there is no event {event!r}, but {', '.join(_BITS)}")
        mask |= _BITS[event]
    return _greenlet._add_hook(callback, mask, _NAMES)


def remove_switch_hook(number: int) -> None:
    """Have no call of this hook begin any more, in no thread.

    One that is under way in another thread may end later.  Raises ValueError if there is no hook of
    this number, which another one never has.

        >>> remove_switch_hook(add_switch_hook(print, ["create"]))
    """
    _greenlet._remove_hook(number)


def serial_of(greenlet: greenlet) -> int:
    """Return a number, from 1 on, that no other greenlet of the process has, had or will have.

    Its `id` may be another one's afterwards.  Raises TypeError if it is no greenlet.

        >>> from greenlet import greenlet
        >>> serial_of(greenlet()) < serial_of(greenlet())
        True
    """
    return _greenlet._serial_of(greenlet)
