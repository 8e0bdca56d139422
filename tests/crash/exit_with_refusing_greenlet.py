"""A greenlet that refuses to die when the interpreter ends."""

import greenlet


def run():
    while True:
        try:
            greenlet.getcurrent().parent.switch()
        except greenlet.GreenletExit:
            pass


child = greenlet.greenlet(run)
child.switch()
print("end")
