"""A thread-local variable is all that holds a parked greenlet when its thread ends."""

import threading

import greenlet

local = threading.local()


def body():
    local.child = greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch())
    local.child.switch()


for _ in range(20):
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
print("end")
