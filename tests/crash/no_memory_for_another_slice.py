"""A switch fails for lack of memory, since a third greenlet's stack cannot be saved; the next
time there is enough. Nothing of the third one's frames is lost."""

import os
import resource

import greenlet

if hasattr(greenlet, "stack_policy"):
    greenlet.stack_policy("shared")

main = greenlet.getcurrent()


def deep(depth):
    if depth:
        # This takes some kilobytes of stack.
        sorted([0], key=lambda _: deep(depth - 1))
    else:
        second.switch()
    returned.append(depth)


def run_second():
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[0])
    usual = resource.getrlimit(resource.RLIMIT_AS)
    size = pages * os.sysconf("SC_PAGE_SIZE")
    for _ in range(3):
        resource.setrlimit(resource.RLIMIT_AS, (size, usual[1]))
        try:
            main.switch()
        except MemoryError:
            failures.append(True)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, usual)
    main.switch()


failures = []
returned = []
first = greenlet.greenlet(deep)
second = greenlet.greenlet(run_second)
first.switch(100)
first.switch()
print(len(failures) > 0, returned == list(range(101)), first.dead, flush=True)
print("end", flush=True)
