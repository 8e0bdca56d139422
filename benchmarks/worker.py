"""One side of the comparison: a process that runs cases when asked.

Names of cases come in, one a line; a JSON line goes out for each.
"""

import dataclasses
import gc
import json
import sys

import greenlet

import cases  # noqa: F401  (fills the registry)
import cold  # noqa: F401  (likewise)
from measure import CASES


def main():
    # As in timeit: the collector would run in whichever case happens to
    # cross its threshold.
    gc.disable()
    reply(
        python=sys.version.split()[0],
        greenlet=greenlet.__version__,
        file=greenlet.__file__,
        cases=[described(case) for case in CASES.values()],
    )
    for name in sys.stdin:
        reply(value=CASES[name.strip()].measure())
        # What a case has left behind must not weigh on the next.
        gc.collect()


def described(case):
    fields = dataclasses.asdict(case)
    return {name: value for name, value in fields.items() if not callable(value)}


def reply(**answer):
    print(json.dumps(answer), flush=True)


main()
