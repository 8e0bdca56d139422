"""How things are measured: loops without overhead, resident memory, the
registry of cases.  The cases themselves are in cases.py."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

# So many copies of the statement stand in the body of a timed loop that the
# loop's own cost is a fraction of a nanosecond for each.
COPIES = 10

# One repeat of a timed loop lasts at least about this: long against the
# clock's grain, short enough to fall between two interruptions.
LEAST_SECONDS = 0.002

# How long the runs of a case are whose instructions are counted.  The first
# warms up; what is counted is the difference of the other two lengths, each the
# least of its runs, since the interpreter does other things now and then.
SHORT, LONG = 20, 120
RUNS_COUNTED = (SHORT, *(SHORT, LONG) * 4)

CASES: dict = {}  # name -> Case, in the order of the table


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    name: str
    title: str
    what: str  # the sentence that says what is measured
    unit: str
    measure: Callable  # takes nothing, returns one figure in `unit`
    alone: bool  # needs a process of its own
    launches: int  # then, it is measured in this number of processes, the best kept
    limit: int  # and each is given up after this number of seconds
    only_full: bool  # too heavy for every day
    comparable: bool  # whether "so many times less" means better
    prepare: Callable | None  # of a timed loop: returns `run(rounds)`
    operations: int  # in one statement of that loop
    needs: str  # a package beside greenlet, if any


def _register(function, title, unit, measure, **flags):
    defaults = {
        "alone": False,
        "launches": 1,
        "limit": 30,
        "only_full": False,
        "comparable": True,
        "prepare": None,
        "operations": 1,
        "needs": "",
    }
    CASES[function.__name__] = Case(
        name=function.__name__,
        title=title,
        what=" ".join(function.__doc__.split()),
        unit=unit,
        measure=measure,
        **{**defaults, **flags},
    )
    return function


def timed(title, operations=1, needs=""):
    """Register a case that returns `run(rounds)`, which returns the
    nanoseconds of one statement; it holds so many operations."""

    def decorate(prepare):
        def measure():
            run = prepare()
            return best_of(run) / operations

        return _register(
            prepare,
            title,
            "ns",
            measure,
            prepare=prepare,
            operations=operations,
            needs=needs,
        )

    return decorate


def sampled(title, unit, **flags):
    """Register a case that returns its figure itself."""

    def decorate(function):
        return _register(function, title, unit, function, **flags)

    return decorate


def best_of(run, repeats=3):
    """The least of a few repeats of `run`, each of a sensible length."""
    rounds = 10
    while seconds_of(run, rounds) < LEAST_SECONDS:
        rounds *= 2
    return min(run(rounds) for _ in range(repeats))


def seconds_of(run, rounds):
    start = time.perf_counter()
    run(rounds)
    return time.perf_counter() - start


def unrolled(statement, **names):
    """A function of `rounds`, and of a clock that it is timed by, that runs the
    statement rounds * COPIES times and returns the nanoseconds of one; `names` are
    its local variables."""
    lines = [
        f"def loop(rounds, clock, {', '.join(names)}):",
        "    start = clock()",
        "    for _ in range(rounds):",
        *[f"        {statement}"] * COPIES,
        "    return (clock() - start) / rounds",
    ]
    scope: dict = {}
    exec("\n".join(lines), scope)
    loop = scope["loop"]

    def run(rounds, clock=time.perf_counter_ns):
        return loop(rounds, clock, **names) / COPIES

    return run


def resident_bytes():
    """Memory of this process that is really there, from the kernel."""
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def page_table_bytes():
    """Of this process's page tables."""
    with open("/proc/self/status") as status:
        kib = next(line.split()[1] for line in status if line.startswith("VmPTE:"))
    return int(kib) * 1024
