"""A greenlet trace function that fails is set when greenlets are killed, and at the end."""

import greenlet


def tracer(event, pair):
    raise ValueError("from the tracer")


def run():
    try:
        greenlet.getcurrent().parent.switch()
    finally:
        order.append("finally")


order = []
killed, left = greenlet.greenlet(run), greenlet.greenlet(run)
killed.switch()
left.switch()
greenlet.settrace(tracer)
del killed
print(order)
