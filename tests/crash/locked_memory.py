"""Where memory is locked as soon as it is mapped, greenlets take no more of it than they use.

Each case is a process of its own.
"""

import contextlib
import ctypes
import os
import resource
import subprocess
import sys

import greenlet

MIB = 1 << 20
MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4
GREENLETS = 40

libc = ctypes.CDLL(None, use_errno=True)


def status(name):
    """In bytes."""
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1]) << 10
    raise LookupError(name)


def park():
    return greenlet.getcurrent().parent.switch()


def park_below_c(depth):
    return park() if depth == 0 else max([depth], key=lambda _: park_below_c(depth - 1))


def park_many(run, *arguments):
    children = [greenlet.greenlet(run) for _ in range(GREENLETS)]
    for child in children:
        child.switch(*arguments)
    return children


def end_all(children):
    for child in children:
        child.switch()
        assert child.dead


def case(flags, limit, greenlets_before):
    if greenlets_before:
        end_all(park_many(park_below_c, 5))
    with contextlib.suppress(ValueError):  # whoever may lock all may do without
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit))
    if libc.mlockall(flags) != 0:
        return  # not allowed to lock what there is
    resident, locked = status("VmRSS"), status("VmLck")
    for _ in range(2):
        children = park_many(park) + park_many(park_below_c, 5)
        assert status("VmRSS") - resident < 8 * MIB, status("VmRSS") - resident
        assert status("VmLck") - locked < 16 * MIB, status("VmLck") - locked
        end_all(children)


CASES = {
    "from now on": (MCL_FUTURE, 512 * MIB, False),
    "all": (MCL_CURRENT | MCL_FUTURE, 512 * MIB, False),
    "what is touched": (MCL_FUTURE | MCL_ONFAULT, 512 * MIB, False),
    "from now on, after greenlets": (MCL_FUTURE, 512 * MIB, True),
    "little": (MCL_FUTURE, 64 * MIB, False),
    "little of what is touched": (MCL_FUTURE | MCL_ONFAULT, 64 * MIB, False),
    "little, after greenlets": (MCL_FUTURE, 64 * MIB, True),
}


def run_all():
    for name in CASES:
        command = [sys.executable, "-X", "faulthandler", __file__, name]
        done = subprocess.run(command, env={**os.environ, "MALLOC_ARENA_MAX": "1"})
        assert done.returncode == 0, (name, done.returncode)
    print("end")


if len(sys.argv) > 1:
    case(*CASES[sys.argv[1]])
else:
    run_all()
