"""One case of cases.py, many times in this process: fails if anything is left of it.

    python endurance.py CASE [--count N | --quick | --scale X] [--plant LEAK]

After a warm-up, which does a tenth as much again, what the process holds is looked at twenty
times.  Resident memory may grow by less than 2 MiB in all, and half a MiB if it is to be
quick; what is in use, which is known exactly, hardly at all; greenlets, records of threads
and mapped stacks must be as many as before.  A planted leak shows that a leak is found.
"""

import argparse
import ctypes
import gc
import pathlib
import sys
import sysconfig
import threading
from collections import namedtuple

import greenlet
from greenlet import _greenlet

import cases

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from growth import MIB, growth, malloc_bytes, python_blocks, resident_bytes  # noqa: E402

# The whole count, and what is enough to see a leak in what is in use; does it leave greenlets
# to the collector?
Case = namedtuple("Case", "run count quick_count forgets")

CASES = {
    "lives": Case(cases.lives, 10_000_000, 20_000, False),
    "kills": Case(cases.kills, 1_000_000, 10_000, False),
    "cycles": Case(cases.cycles, 100_000, 10_000, True),
    "threads_with_parked": Case(cases.threads_with_parked, 10_000, 400, True),
    "short_threads": Case(cases.short_threads, 1_000_000, 2_000, False),
}

ROUNDS = 20
WARM_UP_ROUNDS = 2

# Bytes.  What is in use goes up and down with the caches of the interpreter and of malloc,
# however often something is repeated.
MOST_RESIDENT = 2 * MIB
MOST_RESIDENT_QUICK = MIB // 2
if sysconfig.get_config_var("Py_GIL_DISABLED"):
    MOST_RESIDENT_QUICK = 2 * MIB  # each thread has a heap, whose pages others get piece by piece
MOST_IN_USE = 48 * 1024
# What the interpreter's compiler makes of the loops here, which it takes its time for.
MOST_COMPILED = MIB // 2
# So much of malloc's or of Python's own memory stands for a block of the latter.
BLOCK = 64

Census = namedtuple("Census", "greenlets doomed records mapped in_use resident")


def mapped_stacks():
    """How many there are; the published package has none."""
    return greenlet.stack_policy().mapped if hasattr(greenlet, "stack_policy") else 0


def take_census():
    """What there is when all that can be collected has been."""
    gc.collect()
    greenlet.getcurrent()
    gc.collect()
    return Census(
        greenlets=sum(isinstance(each, greenlet.greenlet) for each in gc.get_objects()),
        doomed=_greenlet.get_pending_cleanup_count(),
        records=_greenlet.get_total_main_greenlets(),
        mapped=mapped_stacks(),
        in_use=malloc_bytes() + python_blocks() * BLOCK,
        resident=resident_bytes(),
    )


def complaints(censuses, most_resident):
    """What is wrong with a row of them, in words; the first one is the warm-up's."""
    found = []
    compiled = MOST_COMPILED if hasattr(sys, "_jit") and sys._jit.is_enabled() else 0
    first, last = censuses[0], censuses[-1]
    for name in ("greenlets", "doomed", "records", "mapped"):
        before, after = getattr(first, name), getattr(last, name)
        if after > before:
            found.append("{}: {} instead of {}".format(name, after, before))
    for name, most in (("in_use", MOST_IN_USE), ("resident", most_resident)):
        grown = growth([getattr(census, name) for census in censuses])
        if grown >= most + compiled:
            found.append("{} grows by {:.0f} bytes".format(name, grown))
    return found


def told(censuses):
    """How good it is."""
    resident = [census.resident for census in censuses]
    text = "nothing is left; resident {:.1f} MiB, in all {:+.0f} KiB, at most {:+.0f} KiB"
    highest = max(resident) - resident[0]
    return text.format(resident[-1] / MIB, (resident[-1] - resident[0]) / 1024, highest / 1024)


planted = []


def plant_greenlet():
    parked = greenlet.greenlet(cases.park)
    parked.switch()
    planted.append(parked)


def plant_memory():
    # Not Python's: without a GIL that has an allocator of its own for everything.
    planted.append(ctypes.CDLL(None).malloc(100_000))


def plant_thread():
    ready, never = threading.Event(), threading.Event()

    def body():
        greenlet.getcurrent()
        ready.set()
        never.wait()

    threading.Thread(target=body, daemon=True).start()
    ready.wait()


PLANTED = {
    "nothing": lambda: None,
    "greenlet": plant_greenlet,
    "memory": plant_memory,
    "thread": plant_thread,
}


def endure(case, count, leak):
    """The censuses after the warm-up and after each round."""
    each_time = max(1, count // ROUNDS)
    if case.forgets and sys.version_info < (3, 11) and hasattr(greenlet, "stack_policy"):
        # Any call may be a callback that is under way: what is forgotten keeps a stack of its own.
        greenlet.stack_policy("shared")
    # What is here stays: the collector need not walk it each time.
    gc.collect()
    gc.freeze()
    for _ in range(WARM_UP_ROUNDS):
        case.run(each_time)
    # Room for all, lest this list be what grows.
    censuses = [take_census()] * (ROUNDS + 1)
    for number in range(1, ROUNDS + 1):
        case.run(each_time)
        leak()
        censuses[number] = take_census()
    return censuses


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--count", type=int)
    parser.add_argument("--quick", action="store_true", help="seconds at most")
    parser.add_argument("--scale", type=float, default=1, help="of the whole count")
    parser.add_argument("--plant", choices=PLANTED, default="nothing", metavar="LEAK")
    return parser.parse_args()


def main():
    options = parse()
    case = CASES[options.case]
    count = case.quick_count if options.quick else int(case.count * options.scale)
    if options.count is not None:
        count = options.count
    censuses = endure(case, count, PLANTED[options.plant])
    found = complaints(censuses, MOST_RESIDENT_QUICK if options.quick else MOST_RESIDENT)
    first, last = censuses[0], censuses[-1]
    for name, census in ("after the warm-up", first), ("at the end", last):
        values = ("{} {}".format(*pair) for pair in census._asdict().items())
        print("{}: {}".format(name, ", ".join(values)))
    print("{} {}: {}".format(count, options.case, "; ".join(found) or told(censuses)))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
