"""Greenlets in several interpreters of one process, left parked when each ends."""

import sys
import textwrap

import greenlet

try:
    import _interpreters as interpreters  # Python 3.13 and later
except ImportError:
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        print("skipped: this Python has no subinterpreters")
        raise SystemExit(0) from None

PROGRAM = textwrap.dedent(
    """
    import greenlet
    assert greenlet.getcurrent().parent is None
    child = greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch("parked"))
    assert child.switch() == "parked"
    other = greenlet.greenlet(lambda value: value + 1)
    assert other.switch(1) == 2
    assert child.switch("value") == "value"
    left = greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch("parked"))
    left.switch()
    """
)


def create():
    """An interpreter that shares the lock and the allocator, as embedding programs make it."""
    if sys.version_info >= (3, 13):
        return interpreters.create("legacy")
    return interpreters.create(isolated=False)


outside = greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch())
outside.switch()
for _ in range(3):
    made = [create(), create()]
    for interpreter in made:
        failure = interpreters.run_string(interpreter, PROGRAM)
        assert failure is None, failure
    for interpreter in made:
        interpreters.destroy(interpreter)
print(outside.switch("end"))
