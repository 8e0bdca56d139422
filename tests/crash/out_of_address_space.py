"""Stacks are parked until the system gives no more memory: a MemoryError, and all still works.

The limit holds while greenlets begin and while they park, not while they recurse: CPython 3.11
loses references when a frame finds no memory, and no system lets a process live whose own stack
cannot grow.
"""

import functools
import gc
import resource

import greenlet

main = greenlet.getcurrent()
# For a few mapped stacks, and some slices after that.
MORE = 30 << 20


def address_space():
    with open("/proc/self/statm") as status:
        return int(status.read().split()[0]) * resource.getpagesize()


def limit_setter(limit):
    """A function that needs no frame when it is called."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    return functools.partial(resource.setrlimit, resource.RLIMIT_AS, (limit, hard))


def park_deep(depth):
    lift_limit()
    return nest(depth)


def nest(depth):
    if depth > 0:
        return sorted([depth], key=lambda value: nest(depth - 1))
    set_limit()
    try:
        return main.switch()
    finally:
        lift_limit()


def fill(children):
    while True:
        child = greenlet.greenlet(park_deep)
        set_limit()
        child.switch(80)
        lift_limit()
        children.append(child)


# The main thread's stack is grown as far as it ever will be.
set_limit = lift_limit = limit_setter(resource.getrlimit(resource.RLIMIT_AS)[1])
before = greenlet.stack_policy("shared")
deepest = greenlet.greenlet(nest)
deepest.switch(90)
assert deepest.switch(1) == [90]
greenlet.stack_policy(before.mode)

for _ in range(2):
    set_limit = limit_setter(address_space() + MORE)
    children = []
    failure = None
    try:
        fill(children)
    except (MemoryError, SystemError) as error:
        lift_limit()
        failure = error
    # Without memory for the frame object of a traceback Python loses the MemoryError itself.
    assert isinstance(failure, MemoryError) or "without" in str(failure), failure
    del failure
    assert len(children) > greenlet.stack_policy().mapped + 3
    for child in children:
        assert child.switch(1) == [80]
    children.clear()
    del child
    gc.collect()
    assert greenlet.greenlet(lambda: "works").switch() == "works"
print("end")
