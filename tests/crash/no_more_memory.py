"""What programs of this folder share that let the system give no more memory for a while."""

import contextlib
import os
import resource

usual = resource.getrlimit(resource.RLIMIT_AS)


def call_deep(depth):
    if depth:
        sorted([depth], key=lambda value: call_deep(depth - 1))


def forbid():
    """From now on this process gets no more memory than it has.

    The stack is grown before, for whatever comes until `allow`: no system lets a process live
    whose own stack cannot grow.  A debug build of CPython 3.13 allows fewer calls from C than
    this wants: then nothing goes deeper later either.
    """
    with contextlib.suppress(RecursionError):
        call_deep(50)
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE"), usual[1]))


def allow():
    resource.setrlimit(resource.RLIMIT_AS, usual)
