"""Real threads and locks, in programs too whose threads have been replaced by greenlets.

gevent and eventlet put functions of their own into the modules `_thread` and `threading`.  What
looks at greenlets from outside must not be one.  So this is a second copy of the built-in module,
which nobody else has.
"""

import importlib.machinery
import importlib.util
import threading
from typing import Any


def second_copy(name: str) -> Any:
    """The built-in module of this name, made anew."""
    spec = importlib.machinery.BuiltinImporter.find_spec(name)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_thread = second_copy("_thread")

allocate_lock = _thread.allocate_lock
get_ident = _thread.get_ident
local = _thread._local
RLock = _thread.RLock
start_new_thread = _thread.start_new_thread
TIMEOUT_MAX: float = _thread.TIMEOUT_MAX

# gevent gives threading's main thread another ident.
_main_ident = get_ident() if threading.current_thread() is threading.main_thread() else None


def thread_name(ident: int | None) -> str:
    """What threading calls the thread with this ident.

    Takes no lock: it may be asked for in a signal handler, at any moment.
    """
    if ident is None:
        return "ended thread"
    known = vars(threading).get("_active", {}).get(ident)
    if known is not None:
        return str(known.name)
    if ident == _main_ident:
        return str(threading.main_thread().name)
    return f"thread {ident:#x}"
