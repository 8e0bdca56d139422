"""Eyes for what greenlets do: which there are, where they are, who holds the thread, and when.

    >>> from greenlet import getcurrent, greenlet
    >>> from greenlet import debug
    >>> def serve():
    ...     getcurrent().parent.switch("ready")
    >>> server = greenlet(serve)
    >>> server.switch()
    'ready'
    >>> what = debug.describe(server)
    >>> what.state, what.run.__name__, what.frame.f_lineno
    ('parked', 'serve', 2)
    >>> server in debug.all_greenlets()
    True

| name | what it is for |
|---|---|
| `all_greenlets`, `describe` | which greenlets there are, and what each is doing |
| `stack_of` | on which C stack a greenlet is |
| `tree` | the same as text, by parent |
| `dump_stacks`, `register`, `unregister` | all stacks, at once or when a signal comes |
| `watch` | reports who does not give the thread back |
| `add_switch_hook`, `remove_switch_hook` | calls a function for each switch, in all threads |
| `serial_of` | a number for a greenlet that is never used twice |
| `timeline` | records all switches, for Perfetto or chrome://tracing |

`python -m greenlet.debug` runs a program under `timeline` or `tree`, or looks into a process that
is there already.  Nothing here takes time while it is not used.
"""

from ._looking import Description as Description
from ._looking import all_greenlets as all_greenlets
from ._looking import describe as describe
from ._looking import stack_of as stack_of
from ._signals import register as register
from ._signals import unregister as unregister
from ._stacks import dump_stacks as dump_stacks
from ._switch_hooks import add_switch_hook as add_switch_hook
from ._switch_hooks import remove_switch_hook as remove_switch_hook
from ._switch_hooks import serial_of as serial_of
from ._timeline import timeline as timeline
from ._tree import tree as tree
from ._watching import Hold as Hold
from ._watching import waits_for_events as waits_for_events
from ._watching import watch as watch

__all__ = [
    "Description",
    "Hold",
    "add_switch_hook",
    "all_greenlets",
    "describe",
    "dump_stacks",
    "register",
    "remove_switch_hook",
    "serial_of",
    "stack_of",
    "timeline",
    "tree",
    "unregister",
    "waits_for_events",
    "watch",
]
