"""Greenlets are parked inside sys.setprofile functions, resumed, and left there."""

import sys

import greenlet

main = greenlet.getcurrent()


def profiler(frame, event, argument):
    if frame.f_code is profiled.__code__:
        main.switch(event)


def profiled():
    return len("x")


def run():
    sys.setprofile(profiler)
    profiled()
    sys.setprofile(None)
    return "end"


child = greenlet.greenlet(run)
seen = [child.switch()]
while not child.dead:
    seen.append(child.switch())
print(seen)
left = greenlet.greenlet(run)
left.switch()
sys.setprofile(None)
print("end")
