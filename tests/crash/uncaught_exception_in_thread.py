"""An exception that no greenlet of a thread catches is reported by threading."""

import threading

import greenlet


def inner():
    raise ValueError("from the greenlet")


def body():
    greenlet.greenlet(inner).switch()


thread = threading.Thread(target=body, name="worker")
thread.start()
thread.join()
print("main goes on")
