"""Interpreters with GILs of their own give back what their greenlets took, parked or not."""

import os
import sys
import sysconfig
import textwrap

import greenlet  # noqa: F401 - for the process, and not each time anew

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from growth import resident_bytes  # noqa: E402 - found by the line above

if sys.version_info < (3, 12):
    print("skipped: before Python 3.12 all interpreters share one GIL")
    raise SystemExit(0)
try:
    import _interpreters as interpreters  # Python 3.13 and later
except ImportError:
    import _xxsubinterpreters as interpreters

ROUNDS = 10

# Of what CPython itself does not give back there is more if there has been more code.  Without a
# GIL that is all that an interpreter's objects took.
HAS_GIL = not sysconfig.get_config_var("Py_GIL_DISABLED")
ALLOWED = (64 if HAS_GIL else 900) * 1024

WITHOUT = "import contextvars, gc, sys, weakref"

# Before 3.14 an interpreter that ends leaves all of its own allocator's pages behind.  (Without a
# GIL there is one allocator only.)
if HAS_GIL and os.environ.get("PYTHONMALLOC") != "malloc":
    os.execve(sys.executable, sys.orig_argv, {**os.environ, "PYTHONMALLOC": "malloc"})

# A megabyte and more of slices, frames and objects.  (What a C function has in its variables
# that a greenlet is parked in would not come back: nobody can find it.)
WITH = WITHOUT + textwrap.dedent(
    """
    import greenlet

    class Child(greenlet.greenlet):
        pass

    def park(depth):
        if depth > 0:
            return park(depth - 1)
        return greenlet.getcurrent().parent.switch()

    left = []
    for mode in ("shared", "own", "automatic"):
        greenlet.stack_policy(mode)
        left += [kind(park) for kind in (greenlet.greenlet, Child) for _ in range(100)]
    for number, each in enumerate(left):
        each.switch(number % 20)
    for each in left[::2]:
        each.cycle = each
    del left[::3], each
    unstarted = [greenlet.greenlet() for _ in range(1000)]
    """
)


def create():
    return interpreters.create("isolated") if sys.version_info >= (3, 13) else interpreters.create()


def live(program, count):
    for _ in range(count):
        interpreter = create()
        failure = interpreters.run_string(interpreter, program)  # or raises, on 3.12
        assert failure is None, failure.errdisplay
        interpreters.destroy(interpreter)


def growth(program):
    """Bytes for each interpreter."""
    live(program, 4)
    before = resident_bytes()
    live(program, ROUNDS)
    return (resident_bytes() - before) // ROUNDS


without, grown = growth(WITHOUT), growth(WITH)
assert grown - without < ALLOWED, (without, grown)
print("end")
