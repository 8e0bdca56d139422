"""Switches from code that the interpreter's JIT has compiled, and back into it."""

import gc
import sys

import pytest
from greenlet import GreenletExit, getcurrent, greenlet

pytestmark = pytest.mark.skipif(
    not (hasattr(sys, "_jit") and sys._jit.is_enabled()),
    reason="the JIT is off, or this Python has none (PYTHON_JIT=1 turns it on)",
)

# Enough for a loop to be compiled.
TURNS = 20_000


def is_compiled(function):
    import _opcode

    code = function.__code__
    for offset in range(0, len(code.co_code), 2):
        try:
            if _opcode.get_executor(code, offset) is not None:
                return True
        except ValueError:
            pass
    return False


def freshly_made(function):
    """A copy of `function` of which nothing is compiled yet."""
    return type(function)(function.__code__.replace(), globals())


def add_up(received=0):
    parent = getcurrent().parent
    total = 0
    while received is not None:
        total += received
        received = parent.switch(total)
    return total


def drive(child, turns):
    last = 0
    for turn in range(turns):
        last = child.switch(turn)
    return last


def compiled_and_parked():
    run = freshly_made(add_up)
    child = greenlet(run)
    assert drive(child, TURNS) == TURNS * (TURNS - 1) // 2
    assert is_compiled(run)
    return child, run


def test_switches_between_compiled_loops():
    child, _ = compiled_and_parked()
    assert is_compiled(drive)
    assert child.switch(None) == TURNS * (TURNS - 1) // 2


def test_throw_into_a_compiled_loop():
    child, _ = compiled_and_parked()
    with pytest.raises(KeyError, match="thrown"):
        child.throw(KeyError("thrown"))
    assert child.dead


def test_kill_in_a_compiled_loop():
    child, run = compiled_and_parked()
    assert isinstance(child.throw(), GreenletExit)
    child, run = compiled_and_parked()
    del child
    gc.collect()
    assert is_compiled(run)


def test_compiled_code_that_is_thrown_away_while_parked():
    child, run = compiled_and_parked()
    before = child.switch(0)
    # A trace function makes the interpreter throw away all compiled code.
    sys.settrace(lambda *arguments: None)
    sys.settrace(None)
    assert not is_compiled(run)
    for turn in range(TURNS):
        assert child.switch(1) == before + turn + 1
    assert child.switch(None) == before + TURNS


def test_compiled_code_whose_function_is_dropped_while_parked():
    children = [compiled_and_parked()[0] for _ in range(20)]
    gc.collect()
    for child in children:
        assert child.switch(None) == TURNS * (TURNS - 1) // 2


def park_in_recursion(depth):
    if depth:
        return park_in_recursion(depth - 1) + 1
    return getcurrent().parent.switch()


def test_many_greenlets_parked_in_one_compiled_function():
    for _ in range(TURNS // 100):
        children = [greenlet(park_in_recursion) for _ in range(20)]
        for child in children:
            child.switch(10)
        assert [child.switch(1) for child in children] == [11] * 20
