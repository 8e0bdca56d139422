"""A process is forked while other threads switch, end, and drop each other's greenlets."""

import contextlib
import gc
import os
import sys
import sysconfig
import threading
import warnings

import greenlet

import racing

if not hasattr(os, "fork"):
    print("skipped: no fork here")
    sys.exit()

# That other threads are there, which the child does not have, is the point.
warnings.simplefilter("ignore", DeprecationWarning)

shared = [None] * 20

# Without a GIL CPython's allocator may have a thread that begins or ends take over the memory of
# another one just while the process is forked: in the child others wait for ever for that to be
# over (mimalloc's _mi_abandoned_await_readers).  So there no such thread is there at that moment.
has_gil = not sysconfig.get_config_var("Py_GIL_DISABLED")
short_lived = contextlib.nullcontext() if has_gil else threading.Lock()


def switcher():
    source = racing.source_of(threading.get_ident())
    while racing.going():
        racing.share_one(shared, source, 0.7)


def take_shared():
    """A list that nobody else uses.  Without a GIL an object that others lock may be locked in a
    child for ever: a thread that is stopped for the fork can just have been handed the lock."""
    mine = []
    for place in range(len(shared)):
        mine.append(shared[place])
        shared[place] = None
    return mine


def in_child(own, mine):
    """All that the other threads had is dead, and can be looked at and dropped."""
    assert own.switch("value") == "value"
    for each in mine:
        if each is not None and each.gr_frame is not None:
            repr(each)
            each.gr_frame.f_back
            try:
                each.switch()
            except greenlet.error:
                pass
    each = None
    mine.clear()
    gc.collect()
    assert greenlet.greenlet(racing.wait_below).switch(2) == ()
    racing.race(racing.parked, racing.parked)
    return 7


def forker():
    while racing.going():
        own, mine = racing.parked(), take_shared()
        with short_lived:
            child = os.fork()
        if child == 0:
            code = 1
            try:
                code = in_child(own, mine)
            finally:
                if code != 7:
                    sys.excepthook(*sys.exc_info())
                os._exit(code)
        _, status = os.waitpid(child, 0)
        assert os.WEXITSTATUS(status) == 7, status
        assert own.switch("value") == "value"


def starter():
    while racing.going():
        with short_lived:
            racing.in_new_thread(racing.parked)


racing.race(switcher, switcher, starter, forker)
shared.clear()
racing.finish()
