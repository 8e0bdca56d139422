"""A greenlet that a pending call ends switches away from it for good; then others add calls."""

import ctypes
import gc

import greenlet


def run():
    try:
        greenlet.getcurrent().parent.switch()
    finally:
        main.switch("switched away")


def lets_go():
    child = greenlet.greenlet(run)
    child.switch()
    child.itself = child
    del child
    gc.collect()
    for _ in range(1000):
        pass
    main.switch("not switched away")


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
def call(unused):
    calls.append(1)
    return 0


main, calls = greenlet.getcurrent(), []
interrupted = greenlet.greenlet(lets_go)
print(interrupted.switch())
for _ in range(2):
    ctypes.pythonapi.Py_AddPendingCall(call, None)
    for _ in range(1000):
        pass
print("made:", len(calls), flush=True)
ctypes.pythonapi.Py_AddPendingCall(call, None)
