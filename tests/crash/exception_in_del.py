"""An exception out of a greenlet that is killed by its release is reported, no more."""

import greenlet


def run():
    try:
        greenlet.getcurrent().parent.switch()
    finally:
        raise ValueError("while dying")


child = greenlet.greenlet(run)
child.switch()
del child
print("main goes on")
