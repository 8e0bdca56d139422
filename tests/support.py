"""What the Python tests share: small greenlets in a known state, threads, markers."""

import contextlib
import functools
import os
import re
import sys
import sysconfig
import threading
import time

import pytest
from greenlet import GreenletExit, getcurrent, greenlet

# The same files are run against the published package, our oracle, to prove that
# every expectation in them is its behaviour and not our imagination.
ON_ORACLE = os.environ.get("GREENLET_TEST_ORACLE") == "1"

# valgrind and emulated processors run Python 20 to 50 times slower.
ON_SLOW_MACHINE = os.environ.get("GREENLET_TEST_SLOW_MACHINE") == "1"

UNDER_THREAD_SANITIZER = os.environ.get("GREENLET_TEST_UNDER_THREAD_SANITIZER") == "1"

# Threads run at the same time: this Python has no GIL.
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

ON_MUSL = "musl" in (sysconfig.get_config_var("SOABI") or "")

# How the C library writes addresses (%p), and the address of nothing.
ADDRESS = "0x[0-9a-fA-F]+"
NO_ADDRESS = r"0x(\(nil\)|0+)"

# What repeats whole tests need not repeat what is in them so often.
WITH_SHORT_LOOPS = ON_SLOW_MACHINE or os.environ.get("GREENLET_TEST_SHORT_LOOPS") == "1"

heavy = pytest.mark.heavy


def shallowest():
    """How many bytes of the C stack a greenlet has that parks in a function that its own calls."""

    def park():
        return getcurrent().parent.switch()

    child = greenlet(lambda: park())
    child.switch()
    kept = child._stack_saved
    child.switch()
    return kept


# What is so large is no longer kept as a copy.
needs_small_frames = pytest.mark.skipif(
    (ON_MUSL or sys.platform == "win32")
    and sys.version_info[:2] in {(3, 10), (3, 14)}
    and not ON_ORACLE
    and shallowest() > 2048,
    reason="a call takes this interpreter so much of the C stack that no greenlet is shallow",
)
needs_known_stacks = pytest.mark.skipif(
    ON_MUSL, reason="CPython does not know how small a thread's stack is, and overflows it itself"
)
# Wine shows programs for Windows Linux's files.
needs_proc = pytest.mark.skipif(
    sys.platform == "win32" or not os.path.exists("/proc/self/statm"),
    reason="only Linux tells what is asked (/proc)",
)
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

# For a test in which greenlets are released that wait in C code, with a number: what the variables
# of that code hold is lost with its stack, that many references at the most, each time it runs.
loses_references = pytest.mark.loses_references

# For a test that counts on the allocator or on an end of the address space.
needs_memory_as_usual = pytest.mark.skipif(
    "asan" in os.environ.get("LD_PRELOAD", ""),
    reason="AddressSanitizer keeps freed memory, and takes terabytes of addresses",
)


def ours_only(reason):
    """Mark a test of what we do better; `reason` says what the oracle does."""
    return pytest.mark.skipif(ON_ORACLE, reason="published package: " + reason)


def scaled(count, divisor=20):
    """`count` loops on a normal machine, a `divisor`-th of it if loops are to be short."""
    return max(2, count // divisor) if WITH_SHORT_LOOPS else count


def echo(*args, **kwargs):
    """A run function that tells what it was called with."""
    return args, kwargs


def park_once():
    """A run function: give the control back, then return what comes in."""
    return getcurrent().parent.switch()


def park_refusing():
    """A run function that does not end when it shall: its thread has to end without it."""
    while True:
        with contextlib.suppress(GreenletExit):
            getcurrent().parent.switch()


def unstarted():
    return greenlet(echo)


def parked():
    """A greenlet that waits in its first switch and then returns what it gets."""
    waiting = greenlet(park_once)
    waiting.switch()
    return waiting


def finished():
    """A greenlet that died by returning."""
    ended = greenlet(echo)
    ended.switch()
    return ended


def killed():
    """A greenlet that died before it ever ran."""
    never_ran = greenlet(echo)
    never_ran.throw()
    return never_ran


def catcher():
    """A parked greenlet that returns the exception which is thrown into it."""

    def run():
        try:
            getcurrent().parent.switch()
        except BaseException as caught:  # GreenletExit included
            return caught
        raise AssertionError("nothing was thrown")

    waiting = greenlet(run)
    waiting.switch()
    return waiting


def in_greenlet(function, *args, **kwargs):
    """Run `function` in a new greenlet: its result, or its exception."""
    return greenlet(function).switch(*args, **kwargs)


def join(thread):
    """Wait for the end of `thread`, its teardown of greenlets included."""
    thread.join()
    # The published package tears down when the system's thread ends, which join()
    # does not wait for before Python 3.13; we do it while Python ends the thread.
    while ON_ORACLE and os.path.exists("/proc/self/task/{}".format(thread.native_id)):
        time.sleep(0.001)


def in_thread(function, *args):
    """Run `function` in a new thread: its result, or its exception."""
    outcome = []

    def body():
        try:
            outcome.append((function(*args), None))
        except BaseException as error:  # handed to the caller
            outcome.append((None, error))

    thread = threading.Thread(target=body)
    thread.start()
    join(thread)
    result, error = outcome.pop()
    if error is not None:
        try:
            raise error
        finally:
            del error
    return result


def names_from(frame):
    """Function names from `frame` outwards."""
    found = []
    while frame is not None:
        found.append(frame.f_code.co_name)
        frame = frame.f_back
    return found


def masked(text):
    """`text` with its addresses hidden."""
    return re.sub(r"0x(\(nil\)|[0-9a-fA-F]+)", "0x..", str(text))


def raised_by(function, *args, **kwargs):
    """The exception type and message of a call that must fail."""
    # No pytest.raises: its record of the exception forms a cycle with this frame.
    try:
        function(*args, **kwargs)
    except BaseException as caught:  # GreenletExit included
        return type(caught), masked(caught)
    raise AssertionError("nothing was raised")


def recurse_python(depth, bottom):
    """Call `bottom` below `depth` Python frames."""
    return bottom() if depth == 0 else recurse_python(depth - 1, bottom)


def recurse_c(depth, bottom):
    """Call `bottom` below `depth` pairs of a Python frame and a C call."""
    if depth == 0:
        return bottom()
    return functools.reduce(lambda _, __: recurse_c(depth - 1, bottom), (0, 0))
