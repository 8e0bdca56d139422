"""A function that runs at the interpreter's end parks a greenlet and leaves it."""

import atexit

import greenlet

kept = []


@atexit.register
def leave_parked():
    child = greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch("parked"))
    kept.append(child)
    print(child.switch())


print("end")
