"""A crash in a greenlet that was parked ends the process as any other, and faulthandler tells of
the greenlet's frames alone."""

import faulthandler
import os

import greenlet


def crash():
    greenlet.getcurrent().parent.switch()
    print("end", flush=True)
    if os.name == "nt":
        faulthandler._read_null()
    else:
        faulthandler._sigabrt()


def run():
    sorted([1], key=lambda value: crash())


child = greenlet.greenlet(run)
child.switch()
child.switch()
print("it goes on", flush=True)
