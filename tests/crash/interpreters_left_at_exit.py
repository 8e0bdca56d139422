"""The process ends while interpreters are left over in which greenlets are parked."""

import sys
import textwrap
import threading

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
    import greenlet, sys

    class Parks:
        def __del__(self, current=greenlet.getcurrent, make=greenlet.greenlet):
            try:
                here = current()
            except RuntimeError:  # Python has told greenlet that it ends
                return
            child = make(lambda: here.switch())
            kept.append(child)
            child.switch()

    def run():
        held = Parks()
        try:
            main.switch()
        finally:
            main.switch()

    main, kept = greenlet.getcurrent(), []
    sys.kept_by_sys = Parks()
    for number in range(10):
        child = greenlet.greenlet(run)
        kept.append(child)
        child.switch()
        if number % 2:
            child.itself = child
    """
)


def create():
    """An interpreter that shares the lock and the allocator, as embedding programs make it."""
    if sys.version_info >= (3, 13):
        return interpreters.create("legacy")
    return interpreters.create(isolated=False)


def run_in(interpreter):
    failure = interpreters.run_string(interpreter, PROGRAM)
    assert failure is None, failure


outside = greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch())
outside.switch()
made = [create() for _ in range(3)]
run_in(made[0])
greenlet.greenlet(run_in).switch(made[1])
thread = threading.Thread(target=run_in, args=[made[2]])
thread.start()
thread.join()
print("end", flush=True)
