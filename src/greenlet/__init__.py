"""Coroutines that are whole call stacks: switch anywhere, no yield, no async.

    >>> from greenlet import getcurrent, greenlet
    >>> def double(number):
    ...     while True:
    ...         number = main.switch(number * 2)
    >>> main = getcurrent()
    >>> doubling = greenlet(double)
    >>> doubling.switch(4), doubling.switch(21)
    (8, 42)

All of it is in C, in greenlet._greenlet; this module says what is public.
"""

from ._greenlet import (
    _C_API,
    GreenletExit,
    __version__,
    error,
    getcurrent,
    gettrace,
    greenlet,
    settrace,
)

# Public for those who ask by name, but not part of `from greenlet import *`,
# which has always given the names below only.
from ._greenlet import _C_API_2 as _C_API_2
from ._greenlet import CLOCKS_PER_SEC as CLOCKS_PER_SEC
from ._greenlet import GREENLET_USE_CONTEXT_VARS as GREENLET_USE_CONTEXT_VARS
from ._greenlet import GREENLET_USE_GC as GREENLET_USE_GC
from ._greenlet import GREENLET_USE_TRACING as GREENLET_USE_TRACING
from ._greenlet import StackPolicy as StackPolicy
from ._greenlet import enable_optional_cleanup as enable_optional_cleanup
from ._greenlet import (
    get_clocks_used_doing_optional_cleanup as get_clocks_used_doing_optional_cleanup,
)
from ._greenlet import stack_policy as stack_policy

__all__ = [
    "_C_API",
    "GreenletExit",
    "__version__",
    "error",
    "getcurrent",
    "gettrace",
    "greenlet",
    "settrace",
]
