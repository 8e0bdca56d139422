"""What test_attaching.py looks into: so many parked greenlets, until a line of input comes.

Knows nothing of being looked into.  With "stuck" its main thread waits in C code meanwhile.
"""

import select
import sys

from greenlet import getcurrent, greenlet

COUNT = int(sys.argv[1])


def wait_parked(number):
    return getcurrent().parent.switch() + number


def look_around():
    """A loop of Python code: at each step something else may be run."""
    while not select.select([sys.stdin], [], [], 0.01)[0]:
        pass


waiting = [greenlet(wait_parked) for _ in range(COUNT)]
for number, each in enumerate(waiting):
    each.switch(number)
print("ready", flush=True)
if sys.argv[2:] == ["stuck"]:
    sys.stdin.readline()
else:
    greenlet(look_around).switch()
print(sum(each.switch(1) for each in waiting))
