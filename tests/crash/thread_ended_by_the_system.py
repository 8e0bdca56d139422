"""Windows: C code ends a thread in a greenlet that has a stack of its own.

The system frees the stack that the thread began on.  It must not be the greenlet's, which its
object still knows.
"""

import _thread
import ctypes
import threading
import time

import greenlet

FREE = 0x10000

kernel = ctypes.WinDLL("kernel32")
highest = {}
kept = []


class Region(ctypes.Structure):
    """Windows' MEMORY_BASIC_INFORMATION."""

    _fields_ = [
        ("base", ctypes.c_void_p),
        ("allocation_base", ctypes.c_void_p),
        ("allocation_protect", ctypes.c_uint32),
        ("partition", ctypes.c_uint32),
        ("size", ctypes.c_size_t),
        ("state", ctypes.c_uint32),
        ("protect", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
    ]


def is_free(address):
    region = Region()
    address = ctypes.c_void_p(address)
    if not kernel.VirtualQuery(address, ctypes.byref(region), ctypes.sizeof(region)):
        raise ctypes.WinError()
    return region.state == FREE


def note_stack(name):
    low, high = ctypes.c_void_p(), ctypes.c_void_p()
    kernel.GetCurrentThreadStackLimits(ctypes.byref(low), ctypes.byref(high))
    highest[name] = high.value - 1


def end_thread():
    note_stack("greenlet")
    ctypes.CDLL("ucrtbase")._endthreadex(0)


def in_thread():
    note_stack("thread")
    kept.append(greenlet.greenlet(end_thread))
    kept[0].switch()


greenlet.stack_policy("own")
_thread.start_new_thread(in_thread, ())
while "greenlet" not in highest or not is_free(highest["thread"]):
    # It may be freed only when another thread ends.
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    time.sleep(0.01)
    if "greenlet" in highest:
        assert not is_free(highest["greenlet"])
print("end")
