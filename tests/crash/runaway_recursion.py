"""Runaway recursion of every kind, in greenlets of the main thread and of a small one."""

import functools
import sys
import threading

import greenlet

# What goes wrong in a __del__ has nowhere to go.
sys.unraisablehook = lambda details: None


def in_python():
    return in_python() + 1


def in_c():
    return functools.reduce(lambda left, right: in_c(), (0, 0))


def in_repr():
    nested = []
    # CPython 3.14 and later go on as long as there is stack.
    for _ in range(1_000_000):
        nested = [nested]
    return repr(nested)


def in_greenlets():
    return greenlet.greenlet(in_greenlets).switch()


def in_throws():
    def run():
        try:
            greenlet.getcurrent().parent.switch()
        except ValueError:
            in_throws()

    child = greenlet.greenlet(run)
    child.switch()
    child.throw(ValueError)


def in_deletions():
    class Deleted:
        def __del__(self):
            in_python()

    Deleted()
    in_python()


def survey():
    for run in in_python, in_c, in_repr, in_greenlets, in_throws, in_deletions:
        for _ in range(2):
            try:
                greenlet.greenlet(run).switch()
            except RecursionError:
                print(run.__name__)


survey()
threading.stack_size(16 << 20)
thread = threading.Thread(target=survey)
thread.start()
thread.join()
