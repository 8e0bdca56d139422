"""Whatever RLIMIT_STACK says, and whenever it does: a greenlet recurses as deep as the main stack.

Each case is a process of its own, since the limit counts from its start.
"""

import functools
import resource
import subprocess
import sys
import threading

import greenlet

MIB = 1 << 20
UNLIMITED = resource.RLIM_INFINITY

# Enough for 8 MiB of stack to be too little, where recursion is on the stack at all.
DEPTH = 30_000


class Nested:
    """Looking up an attribute takes frames of C, slot_tp_getattr_hook's among them."""

    def __init__(self, depth):
        self.depth = depth

    def __getattr__(self, name):
        if self.depth == 0:
            return 0
        self.depth -= 1
        return getattr(self, name) + 1


def in_python(depth):
    return 0 if depth == 0 else in_python(depth - 1) + 1


def in_attributes(depth):
    return Nested(depth).attribute


def in_reduce(depth):
    return 0 if depth == 0 else functools.reduce(lambda _, __: in_reduce(depth - 1) + 1, (0, 0))


def outcome(recurse, depth=DEPTH):
    try:
        return recurse(depth)
    except RecursionError:
        return "RecursionError"


def outcomes(depth=DEPTH):
    return [outcome(recurse, depth) for recurse in (in_python, in_attributes, in_reduce)]


def park():
    return greenlet.getcurrent().parent.switch()


def set_limit(soft):
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (soft, hard))


def compare():
    """In the main greenlet, in new ones, in one that parks before and in one below others."""
    expected = outcomes()

    def after_parking():
        park()
        return outcomes()

    for _ in range(2):
        assert greenlet.greenlet(outcomes).switch() == expected
        parked = greenlet.greenlet(after_parking)
        parked.switch()
        assert parked.switch() == expected
        assert greenlet.greenlet(lambda: greenlet.greenlet(outcomes).switch()).switch() == expected
    # That the limits differ is no reason for fewer greenlets, or for threads without.
    children = [greenlet.greenlet(park) for _ in range(100)]
    for child in children:
        child.switch()
    thread = threading.Thread(target=lambda: [greenlet.greenlet(len).switch("") for _ in "123"])
    thread.start()
    thread.join()
    for child in children:
        child.switch()


def from_the_start():
    sys.setrecursionlimit(1_000_000)
    compare()


def raised(soft, first):
    """While greenlets of all sorts are there."""
    parked = [greenlet.greenlet(park) for _ in range(20)]
    for child in parked:
        child.switch()
    for child in parked[:10]:
        child.switch()
    first()
    set_limit(soft)
    sys.setrecursionlimit(1_000_000)
    compare()
    for child in parked[10:]:
        child.switch()


def raised_twice():
    sys.setrecursionlimit(1_000_000)
    set_limit(32 * MIB)
    greenlet.greenlet(len).switch("")
    set_limit(100 * MIB)
    compare()


def lowered():
    """What the main stack has grown to it may go on using."""
    sys.setrecursionlimit(1_000_000)
    outcomes()
    set_limit(8 * MIB)
    for _ in range(3):
        assert greenlet.greenlet(outcomes).switch(DEPTH // 2) == outcomes(DEPTH // 2)


CASES = {
    "unlimited": (UNLIMITED, from_the_start),
    "2 GiB": (2048 * MIB, from_the_start),
    "1 GiB": (1024 * MIB, from_the_start),
    "100 MiB": (100 * MIB, from_the_start),
    "raised": (8 * MIB, lambda: raised(100 * MIB, lambda: None)),
    "raised to no limit": (8 * MIB, lambda: raised(UNLIMITED, lambda: None)),
    "raised after the recursion limit": (
        8 * MIB,
        lambda: raised(100 * MIB, lambda: sys.setrecursionlimit(1_000_000)),
    ),
    "raised twice": (8 * MIB, raised_twice),
    "lowered": (100 * MIB, lowered),
    "lowered from none": (UNLIMITED, lowered),
}


def run_all():
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    for name, (soft, _) in CASES.items():
        if hard != UNLIMITED and (soft == UNLIMITED or soft > hard or hard < 100 * MIB):
            print("skipped: the hard limit of the stack is too low")
            return
        if name == "2 GiB" and sys.maxsize < 1 << 32:
            continue  # In 32 bits a thread with such a stack does not start, with or without us.
        command = [sys.executable, "-X", "faulthandler", __file__, name]
        done = subprocess.run(command, preexec_fn=lambda soft=soft: set_limit(soft))
        assert done.returncode == 0, (name, done.returncode)
    print("end")


if len(sys.argv) > 1:
    CASES[sys.argv[1]][1]()
else:
    run_all()
