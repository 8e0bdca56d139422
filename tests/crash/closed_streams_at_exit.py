"""The standard streams are gone when parked greenlets are killed at the end."""

import os
import sys

import greenlet


def run():
    try:
        greenlet.getcurrent().parent.switch()
    finally:
        raise ValueError


child = greenlet.greenlet(run)
child.switch()
sys.stdout.write("end\n")
sys.stdout.flush()
os.close(2)
sys.stderr = None
