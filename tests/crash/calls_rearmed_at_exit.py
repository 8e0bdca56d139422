"""Pending calls ask for the next one again and again while the interpreter ends.

Some are the program's own, and switch. The others are ours. While the main thread waits for
another thread, that drops one of its greenlets, and the end of each greenlet lets another be
dropped. After that they are dropped one by one while the main thread uses none.
"""

import atexit
import ctypes
import os
import queue
import sys
import threading

import greenlet

OWN = 1000
DROPS = 100

call_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
add_call = ctypes.pythonapi.Py_AddPendingCall
own_left = OWN
drops_left = DROPS
# A pending call may run between any two instructions.  So what it waits for must have no lock
# that the main thread can hold there, as a Semaphore has, written in Python.
to_drop, dropped = queue.SimpleQueue(), queue.SimpleQueue()


def ticks():
    while True:
        greenlet.getcurrent().parent.switch()


@call_type
def again(unused):
    global own_left
    ticking.parent = greenlet.getcurrent()
    ticking.switch()
    own_left -= 1
    if own_left:
        add_call(again, None)
    return 0


def run():
    global drops_left
    try:
        greenlet.getcurrent().parent.switch()
    finally:
        drops_left -= 1
        if drops_left:
            drop_another()
        else:
            os.write(1, b"all are dropped\n")


def other():
    try:
        greenlet.getcurrent().parent.switch()
    finally:
        ended.append(1)


def drop_another():
    child = greenlet.greenlet(run)
    child.switch()
    to_drop.put(child)
    del child
    dropped.get()


def drop():
    while True:
        to_drop.get()  # and let go of it
        dropped.put(None)


@atexit.register
def drop_the_others():
    missing = 0
    for count in range(1, 1 + DROPS):
        to_drop.put(others.pop())
        dropped.get()
        for _ in range(1000):
            pass
        missing += len(ended) < count
    print("missing:", missing)


def drop_first():
    threading.main_thread().join()
    first.clear()


ticking = greenlet.greenlet(ticks)
ticking.switch()
first = [greenlet.greenlet(run)]
first[0].switch()
others, ended = [greenlet.greenlet(other) for _ in range(DROPS)], []
for number in range(DROPS):
    others[number].switch()
threading.Thread(target=drop, daemon=True).start()
threading.Thread(target=drop_first).start()
# A call that a debug build makes at its end must not add another one.
if not hasattr(sys, "gettotalrefcount"):
    add_call(again, None)
print("end", flush=True)
