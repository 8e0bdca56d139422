"""The process of which count.py counts the instructions.

Its clock, in place of the real one, ends a part of callgrind's profile whenever
it is read, so that what a case times is one part.  A JSON line goes out for
each run of a case, in the order of the parts.
"""

import gc
import itertools
import json
import os
import sys
import time

from greenlet import greenlet

from cases import pause
from measure import CASES, RUNS_COUNTED

# So that a run, which divides by what it did, tells how much that was.
TICK = 10**9


def main():
    gc.disable()
    ticks = itertools.count(TICK, TICK)

    def clock():
        os.sched_yield()  # callgrind is told to end a part here
        return next(ticks)

    time.perf_counter_ns = clock
    for name in sys.argv[1:]:
        case = CASES[name]
        run = case.prepare()
        parked = []
        for rounds in RUNS_COUNTED:
            # Each run finds another heap: in some, what a case makes and drops
            # happens to be the first object of a pool every time.
            parked.append(greenlet(pause))
            parked[-1].switch()
            operations = round(TICK / run(rounds)) * case.operations
            print(json.dumps({"name": name, "rounds": rounds, "operations": operations}))
        gc.collect()


main()
