"""Parked greenlets that hold each other in a long chain are released at the end."""

import greenlet


def run(other):
    greenlet.getcurrent().parent.switch()
    return other


last = None
for _ in range(300):
    child = greenlet.greenlet(run)
    child.switch(last)
    last = child
del child
print("end")
