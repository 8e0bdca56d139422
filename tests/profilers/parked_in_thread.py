"""A thread starts many greenlets; each says so, and waits for a line of input, before the next.

Their memory comes from all over the heap, its edges too.
"""

import sys
import threading

from greenlet import getcurrent, greenlet

parked = []


def outer():
    inner()


def inner():
    print("waiting", flush=True)
    sys.stdin.readline()
    getcurrent().parent.switch()


def run():
    for _ in range(int(sys.argv[1])):
        parked.append(greenlet(outer))
        parked[-1].switch()


thread = threading.Thread(target=run)
thread.start()
thread.join()
