"""A greenlet parked in a try-finally when the interpreter ends: killed, or dropped quietly."""

import os

import greenlet


def run(write=os.write):
    try:
        greenlet.getcurrent().parent.switch()
    finally:
        write(1, b"finally\n")


child = greenlet.greenlet(run)
child.switch()
print("end", flush=True)
