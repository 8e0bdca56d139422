"""Greenlets are parked inside sys.settrace functions, resumed, killed, and left there."""

import sys

import greenlet

main = greenlet.getcurrent()


def tracer(frame, event, argument):
    if frame.f_code is traced.__code__:
        main.switch(event)
    return tracer


def traced():
    value = 1
    return value + 1


def run():
    sys.settrace(tracer)
    traced()
    sys.settrace(None)
    return "end"


child = greenlet.greenlet(run)
seen = [child.switch()]
while not child.dead:
    seen.append(child.switch())
print(seen)
killed = greenlet.greenlet(run)
killed.switch()
del killed
sys.settrace(None)
left = greenlet.greenlet(run)
left.switch()
sys.settrace(None)
print("end")
