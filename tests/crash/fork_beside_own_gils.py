"""fork() while interpreters with GILs of their own have parked greenlets: the child goes on
switching in the main interpreter, which forks in a greenlet.

It is the C library's fork, as an extension calls it.  In a child of os.fork() CPython (3.12 to
3.15) destroys all other interpreters without a thread state, and crashes or hangs even if they
have done nothing.  No other interpreter runs while this one forks: a lock of CPython's that it
held would be held for ever in the child."""

import ctypes
import gc
import os
import sys
import textwrap
import threading
import traceback

import greenlet

if sys.version_info < (3, 12):
    print("skipped: before Python 3.12 all interpreters share one GIL")
    raise SystemExit(0)
try:
    import _interpreters as interpreters  # Python 3.13 and later
except ImportError:
    import _xxsubinterpreters as interpreters

# Keeps the GIL, which is the child's as well.
fork = ctypes.PyDLL(None).fork

INTERPRETERS, FORKS = 4, 10

# Seconds until a child that hangs is ended.
PATIENCE = 600 if os.environ.get("GREENLET_TEST_SLOW_MACHINE") == "1" else 120

# On either kind of stack, some of them in cycles, some known to the module.
PARK = textwrap.dedent(
    """
    import greenlet

    def park(depth):
        if depth:
            return park(depth - 1)
        return greenlet.getcurrent().parent.switch()

    left = []
    for mode in ("own", "shared", "automatic"):
        greenlet.stack_policy(mode)
        left += [greenlet.greenlet(park) for _ in range(20)]
    for number, each in enumerate(left):
        each.switch(number)
        each.cycle = each
    del left[::3], each
    """
)


def create():
    return interpreters.create("isolated") if sys.version_info >= (3, 13) else interpreters.create()


def run(interpreter, program):
    failure = interpreters.run_string(interpreter, program)  # or raises, on 3.12
    assert failure is None, failure.errdisplay


def park(depth=0):
    return park(depth - 1) if depth else greenlet.getcurrent().parent.switch()


def use_greenlets():
    """Those from before the fork, and new ones of all kinds."""
    for number in range(100):
        assert greenlet.greenlet(lambda value: value).switch(number) == number
    for mode in ("own", "shared", "automatic"):
        greenlet.stack_policy(mode)
        row = [greenlet.greenlet(park) for _ in range(100)]
        for number, each in enumerate(row):
            each.switch(number % 20)
        assert [each.switch(number) for number, each in enumerate(row)] == list(range(100))
    cycle = greenlet.greenlet(park)
    cycle.switch()
    cycle.myself = cycle
    del cycle
    gc.collect()
    for each in parked:
        each.parent = greenlet.getcurrent()
    assert type(parked[0].throw()) is greenlet.GreenletExit
    assert parked[1].switch("value") == "value"


def fork_and_switch():
    """The child's number; in the child it does not return."""
    process = fork()
    if process == 0:
        try:
            use_greenlets()
            # There and back again.
            assert switcher.switch(greenlet.getcurrent()) == "back"
            os._exit(7)  # the interpreters are there, and nobody to end them
        finally:
            traceback.print_exc()
            os._exit(1)
    use_greenlets()
    return process


def switch_back(to):
    to.switch("back")


def exit_code(process):
    """How the child has ended; it is ended if it hangs."""
    killer = threading.Timer(PATIENCE, os.kill, (process, 9))
    killer.start()
    _, status = os.waitpid(process, 0)
    killer.cancel()
    killer.join()
    return os.waitstatus_to_exitcode(status)


def rounds():
    for _ in range(FORKS):
        parked[:] = [greenlet.greenlet(park) for _ in range(2)]
        for each in parked:
            each.switch(3)
        codes.append(exit_code(greenlet.greenlet(fork_and_switch).switch()))


switcher = greenlet.greenlet(switch_back)
parked, codes = [], []
own_process = os.getpid()

others = [create() for _ in range(INTERPRETERS)]
for each in others:
    run(each, PARK)
try:
    rounds()
finally:
    if os.getpid() != own_process:
        os._exit(2)
for each in others:
    run(each, "assert greenlet.greenlet(lambda: 5).switch() == 5")
    interpreters.destroy(each)
print(*codes)
