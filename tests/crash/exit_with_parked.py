"""Greenlets are parked in many places when the interpreter ends."""

import builtins
import functools
import re
import sys

import greenlet


def park(*ignored):
    return greenlet.getcurrent().parent.switch()


def started(run):
    child = greenlet.greenlet(run)
    child.switch()
    return child


shallow = started(park)
below_sort = started(lambda: sorted([2, 1], key=park))
below_reduce = started(lambda: functools.reduce(park, [1, 2, 3]))
below_re = started(lambda: re.sub("a", park, "aaa"))
in_generator = started(lambda: list(park() for _ in "ab"))
sys.kept_by_sys = started(park)
builtins.kept_by_builtins = started(park)
in_a_list = [started(park) for _ in range(100)]
in_a_cycle = started(park)
in_a_cycle.itself = in_a_cycle
print("end")
