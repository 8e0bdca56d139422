"""Greenlets that run a switch are parked in it when the process ends, and go at the very end."""

import greenlet


def run():
    """Parked among its locals are greenlets whose function is a greenlet's method."""
    kept = [greenlet.greenlet(greenlet.getcurrent().switch) for _ in range(3)]
    for each in kept:
        each.switch()
    greenlet.getcurrent().parent.switch()


child = greenlet.greenlet(run)
child.switch()
print("end")
