"""Chains of very many greenlets end on a small stack, whatever one holds the next by.

Each is dropped by its head: by far the deepest that a recursion could be.
"""

import os
import sys
import threading

from greenlet import getcurrent, greenlet

LENGTH = 2000 if os.environ.get("GREENLET_TEST_SLOW_MACHINE") == "1" else 50_000
ended = 0


def park(*held):
    global ended
    try:
        getcurrent().back.switch()
    finally:
        ended += 1


def made(run, parent):
    child = greenlet(run, parent)
    child.back = getcurrent()
    return child


def parked_parents():
    last = getcurrent()
    for _ in range(LENGTH):
        last = made(park, last)
        last.switch()
    return last


def unstarted_parents():
    last = getcurrent()
    for _ in range(LENGTH):
        last = made(park, last)
    return last


def hold(argument):
    local = argument
    del argument
    park()
    return local


def held(run):
    last = None
    for _ in range(LENGTH):
        child = made(run, getcurrent())
        child.switch(last)
        last = child
    return last


def held_by_arguments():
    return held(park)


def held_by_locals():
    return held(hold)


def main():
    global ended
    for make, expected in (
        (parked_parents, LENGTH),
        (unstarted_parents, 0),
        (held_by_arguments, LENGTH),
        (held_by_locals, LENGTH),
    ):
        ended = 0
        last = make()
        del last
        if ended != expected:
            print(make.__name__, ended)


threading.stack_size(256 * 1024)
thread = threading.Thread(target=main)
thread.start()
thread.join()
sys.stdout.write("end\n")
