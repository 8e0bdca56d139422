"""The class comes to an interpreter that has not imported the package: what it says is true."""

import sys
import sysconfig
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
    import ctypes
    kind = ctypes.cast({}, ctypes.py_object).value
    for function in (kind, kind.getcurrent, kind.gettrace, lambda: kind.settrace(None)):
        try:
            function()
        except RuntimeError as error:
            assert str(error) == (
                "greenlet is not, or no longer, imported in this interpreter"
            ), error
        else:
            raise AssertionError("it has not been refused")
    import greenlet
    assert (greenlet.greenlet is kind) == {}
    assert kind(kind.getcurrent).switch() is not None
    """
).format(id(greenlet.greenlet), not sysconfig.get_config_var("Py_GIL_DISABLED"))


def create():
    """An interpreter that shares the lock, if there is one, and with it the class; embedding
    programs make such."""
    if sys.version_info >= (3, 13):
        return interpreters.create("legacy")
    return interpreters.create(isolated=False)


for _ in range(2):
    interpreter = create()
    failure = interpreters.run_string(interpreter, PROGRAM)  # or raises, until 3.12
    assert failure is None, failure.errdisplay
    interpreters.destroy(interpreter)


class Late:
    """Deleted while the interpreter ends."""

    def __del__(self, getcurrent=greenlet.getcurrent):
        try:
            getcurrent()
        except RuntimeError as error:
            print(error)


late = Late()
