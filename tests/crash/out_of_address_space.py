"""Stacks are parked until the system gives no more memory: a MemoryError, and all still works."""

import gc
import resource

import greenlet

main = greenlet.getcurrent()
LIMIT = 64 << 20


def park_deep(depth):
    if depth == 0:
        return main.switch()
    return sorted([depth], key=lambda value: park_deep(depth - 1))


def address_space():
    with open("/proc/self/statm") as status:
        return int(status.read().split()[0]) * resource.getpagesize()


def fill(children):
    while True:
        child = greenlet.greenlet(park_deep)
        child.switch(80)
        children.append(child)


for _ in range(2):
    children = []
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (address_space() + LIMIT, hard))
    try:
        fill(children)
    except MemoryError:
        failed = True
    except SystemError as error:
        # Without memory for the frame object of a traceback Python loses the MemoryError itself.
        assert str(error) == "error return without exception set"
        failed = True
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    assert failed
    assert len(children) > 50
    for child in children:
        assert child.switch(1) == [80]
    children.clear()
    del child
    gc.collect()
    assert greenlet.greenlet(lambda: "works").switch() == "works"
print("end")
