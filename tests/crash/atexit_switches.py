"""Functions that run at the interpreter's end use greenlets."""

import atexit

import greenlet

parked = greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch())
parked.switch()


@atexit.register
def resume():
    print("resumed:", parked.switch("value"))


@atexit.register
def start():
    print("started:", greenlet.greenlet(lambda: "result").switch())


print("end")
