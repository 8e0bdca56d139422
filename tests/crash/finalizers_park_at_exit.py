"""What runs at the interpreter's end leaves greenlets parked, and is left parked itself."""

import atexit
import gc
import os
import sys
import types
import weakref

import greenlet

kept = []


def leave_parked(make=greenlet.greenlet, current=greenlet.getcurrent, kept=kept, write=os.write):
    """Two that are parked, the second below C code."""

    def park():
        try:
            here.switch()
        finally:
            write(1, b"never written\n")

    here = current()
    for run in (park, lambda: sorted([2, 1], key=lambda number: park())):
        child = make(run)
        child.switch()
        child.itself = child
        kept.append(child)


def ticks(switch):
    while True:
        switch()


def park_myself(make=greenlet.greenlet, current=greenlet.getcurrent, kept=kept):
    """The caller goes on only if it is switched to again: here it is."""
    here = current()
    other = make(here.switch)
    kept.append(other)
    other.switch("go on")


class Switches:
    """Without asking anything of the module: it can be tried at the very end."""

    def __init__(self):
        self.ticking = greenlet.greenlet(ticks)
        self.ticking.switch(greenlet.getcurrent().switch)

    def __del__(self, error=greenlet.error):
        try:
            self.ticking.switch()
        except (error, RuntimeError):
            pass


class Parks:
    def __init__(self):
        self.itself = self

    def __del__(self, functions=(leave_parked, park_myself), alive=greenlet.getcurrent):
        try:
            alive()
        except RuntimeError:
            return
        for function in functions:
            function()


def when_collected(phase, info, function=leave_parked, alive=greenlet.getcurrent):
    try:
        alive()
    except RuntimeError:  # Python has told greenlet that it ends
        return
    if len(kept) < 100:
        function()


def holding(what, write=os.write):
    try:
        greenlet.getcurrent().parent.switch()
    finally:
        write(1, b"never written\n")


# In a module that nobody else refers to: it goes when the modules are taken apart.
holders = sys.modules["holders"] = types.ModuleType("holders")
holders.kept = [greenlet.greenlet(holding) for _ in range(3)]
for number in range(3):
    holders.kept[number].switch(Parks())
del holders
sys.kept_by_sys = [Parks(), Switches()]
in_a_cycle = [Switches()]
in_a_cycle.append(in_a_cycle)
thing = Parks()
del thing.itself
watched = Parks()
weakref.finalize(watched, leave_parked)
weakref.finalize(watched, park_myself)
atexit.register(leave_parked)
atexit.register(park_myself)
atexit.register(lambda: greenlet.greenlet(leave_parked).switch())
gc.callbacks.append(when_collected)


@atexit.register
def and_collect():
    for _ in range(3):
        Parks()
    gc.collect()


print("end", flush=True)
