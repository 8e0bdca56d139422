"""A switch fails for lack of memory, since a third greenlet's stack cannot be saved; the next
time there is enough. Nothing of the third one's frames is lost."""

import greenlet

import no_more_memory

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
    for _ in range(3):
        no_more_memory.forbid()
        try:
            main.switch()
        except MemoryError:
            failures.append(True)
        finally:
            no_more_memory.allow()
    main.switch()


failures = []
returned = []
first = greenlet.greenlet(deep)
second = greenlet.greenlet(run_second)
first.switch(100)
first.switch()
print(len(failures) > 0, returned == list(range(101)), first.dead, flush=True)
print("end", flush=True)
