"""A greenlet ends without memory to save the third greenlet that lies where its parent's stack
belongs: the third one gets a MemoryError, and all goes on."""

import greenlet

import no_more_memory

if hasattr(greenlet, "stack_policy"):
    greenlet.stack_policy("shared")


def deep(depth):
    if depth:
        # This takes some kilobytes of stack.
        sorted([0], key=lambda _: deep(depth - 1))
        return
    try:
        second.switch()
    except MemoryError:
        no_more_memory.allow()
        failures.append(second.dead)


def end_without_memory():
    no_more_memory.forbid()


failures = []
for _ in range(3):
    first = greenlet.greenlet(deep)
    second = greenlet.greenlet(end_without_memory, greenlet.getcurrent())
    first.switch(100)
    no_more_memory.allow()
    if not first.dead:
        first.switch()
    print(first.dead, second.dead, flush=True)
print(len(failures) > 0, all(failures), flush=True)
print("end", flush=True)
