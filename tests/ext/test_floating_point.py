"""Floating-point status and rounding belong to a greenlet: what one has computed, or set, does
not show in another.  A new greenlet begins with what its starter had.

The published package keeps both on x86-64 and only rounding on i386; on other processors
greenlets share them."""

import contextlib
import ctypes
import itertools
import os
import platform
import sys

import greenlet as package
import pytest
from greenlet import getcurrent, greenlet

from support import ON_ORACLE, in_thread, recurse_c

# As in <fenv.h>: invalid, division by zero, overflow, underflow; rounding up.  Nobody looks
# at inexact, which the interpreter and pytest raise whenever they read a clock.
CONSTANTS = {
    "x86_64": ((0x01, 0x04, 0x08, 0x10), 0x800),
    "i686": ((0x01, 0x04, 0x08, 0x10), 0x800),
    "aarch64": ((0x01, 0x02, 0x04, 0x08), 0x400000),
    "armv7l": ((0x01, 0x02, 0x04, 0x08), 0x400000),
    "riscv64": ((0x10, 0x08, 0x04, 0x02), 3),
    "ppc64le": ((0x20000000, 0x04000000, 0x10000000, 0x08000000), 2),
    "s390x": ((0x80, 0x40, 0x20, 0x10), 2),
    "loongarch64": ((0x100000, 0x080000, 0x040000, 0x020000), 0x200),
    "mips64": ((0x40, 0x20, 0x10, 0x08), 2),
    # Windows' name of x86-64, with its C library's own numbers.
    "AMD64": ((0x10, 0x08, 0x04, 0x02), 0x200),
}
# A kernel of 64 bits may run 32 bits, too.
IS_I386 = platform.machine() in ("i686", "x86_64") and sys.maxsize < 2**32
MACHINE = "i686" if IS_I386 else platform.machine()
IS_WINDOWS = os.name == "nt"
LIBRARY = ctypes.CDLL("ucrtbase" if IS_WINDOWS else None)
if MACHINE not in CONSTANTS or not hasattr(LIBRARY, "fetestexcept"):
    pytest.skip(f"no <fenv.h> that is known, on {MACHINE}", allow_module_level=True)
if ON_ORACLE and MACHINE != "x86_64":
    pytest.skip("published package: greenlets share it", allow_module_level=True)

FLAGS, UPWARD = CONSTANTS[MACHINE]
INVALID, DIVISION, OVERFLOW, UNDERFLOW = FLAGS
ALL = sum(FLAGS)
RAISERS = {
    INVALID: ("sqrt", -1.0),
    DIVISION: ("log", 0.0),
    OVERFLOW: ("exp", 1e6),
    UNDERFLOW: ("exp", -1e6),
}

# On i386 the C library raises in the x87 unit.
UNDER_VALGRIND = os.environ.get("GREENLET_TEST_UNDER_VALGRIND") == "1"
needs_own_status = pytest.mark.skipif(
    IS_I386 or UNDER_VALGRIND, reason="x87 status is the thread's, and valgrind has none"
)


def raised():
    return LIBRARY.fetestexcept(ALL)


def raise_flags(flags):
    if not IS_WINDOWS:
        LIBRARY.feraiseexcept(flags)
        return
    # Its header has that function, its library has not.
    for flag, (name, argument) in RAISERS.items():
        if flags & flag:
            function = LIBRARY[name]
            function.argtypes, function.restype = [ctypes.c_double], ctypes.c_double
            function(argument)


def clear():
    LIBRARY.feclearexcept(ALL)


@contextlib.contextmanager
def rounding(mode):
    before = LIBRARY.fegetround()
    LIBRARY.fesetround(mode)
    yield
    LIBRARY.fesetround(before)


@pytest.fixture(autouse=True, params=["shared"] if ON_ORACLE else ["shared", "own"])
def on_either_stack(request):
    before = None if ON_ORACLE else package.stack_policy(request.param)
    clear()
    yield
    if before is not None:
        package.stack_policy(before.mode)


def raises_then_parks(flags=DIVISION):
    """A run function: raise flags, then tell whoever asks which there are."""
    raise_flags(flags)
    while True:
        getcurrent().parent.switch(raised())


# ---- Who sees what ----


@needs_own_status
def test_raised_by_another_greenlet():
    other = greenlet(raises_then_parks)
    other.switch()
    assert raised() == 0
    assert other.switch() == DIVISION
    assert raised() == 0


@needs_own_status
def test_raised_before_a_switch_and_cleared_by_another_greenlet():
    other = greenlet(lambda: [clear(), getcurrent().parent.switch(), raised()])
    raise_flags(INVALID)
    other.switch()
    assert raised() == INVALID
    assert other.switch()[-1] == 0


@needs_own_status
def test_each_of_several_keeps_its_own():
    each = {DIVISION: greenlet(raises_then_parks), INVALID: greenlet(raises_then_parks)}
    each[DIVISION | INVALID] = greenlet(raises_then_parks)
    each[0] = greenlet(raises_then_parks)
    for flags, one in each.items():
        one.switch(flags)
    for flags, one in itertools.chain(each.items(), reversed(each.items())):
        assert one.switch() == flags
    assert raised() == 0


@needs_own_status
def test_a_new_greenlet_begins_with_its_starters():
    raise_flags(INVALID)
    started = greenlet(raises_then_parks)
    started.switch()
    assert started.switch() == INVALID | DIVISION
    assert raised() == INVALID


@needs_own_status
def test_a_new_greenlet_does_not_begin_with_those_of_its_maker():
    raise_flags(INVALID)
    made = greenlet(raised)
    clear()
    assert made.switch() == 0


@needs_own_status
def test_one_that_is_started_by_the_end_of_another_begins_with_its():
    outcome = []
    heir = greenlet(lambda value: outcome.append(raised()))
    greenlet(lambda: raise_flags(DIVISION), heir).switch()
    assert outcome == [DIVISION]
    assert raised() == 0


# ---- Ways to leave, and to come back ----


@needs_own_status
def test_ended():
    greenlet(raise_flags).switch(DIVISION)
    assert raised() == 0


@needs_own_status
def test_ended_by_an_exception():
    def fail():
        raise_flags(DIVISION)
        raise KeyError

    with pytest.raises(KeyError):
        greenlet(fail).switch()
    assert raised() == 0


@needs_own_status
def test_thrown_into():
    other = greenlet(raises_then_parks)
    other.switch()
    with pytest.raises(KeyError):
        other.throw(KeyError)
    assert raised() == 0


def raises_when_killed(seen):
    raise_flags(INVALID)
    try:
        getcurrent().parent.switch()
    finally:
        seen.append(raised())
        raise_flags(DIVISION)


@needs_own_status
@pytest.mark.parametrize("way", ["thrown into", "dropped"])
def test_killed(way):
    seen = []
    killed = greenlet(raises_when_killed)
    killed.switch(seen)
    if way == "thrown into":
        killed.throw()
    else:
        del killed
    assert seen == [INVALID]
    assert raised() == 0


@needs_own_status
def test_in_a_generator():
    def generate():
        while True:
            yield getcurrent().parent.switch(raised())
            raise_flags(DIVISION)

    other = greenlet(lambda: list(generate()))
    assert [other.switch(), raised()] == [0, 0]
    assert [other.switch(), raised()] == [DIVISION, 0]
    assert [other.switch(), raised()] == [DIVISION, 0]


@needs_own_status
def test_below_c_calls():
    other = greenlet(lambda: recurse_c(30, raises_then_parks))
    other.switch()
    for between in (0, INVALID, INVALID | DIVISION):
        clear()
        raise_flags(between)
        assert other.switch() == DIVISION
        assert raised() == between


@needs_own_status
def test_in_a_switch_to_oneself():
    raise_flags(INVALID)
    getcurrent().switch()
    assert raised() == INVALID


@needs_own_status
def test_in_another_thread():
    raise_flags(INVALID)

    def run():
        clear()
        test_raised_by_another_greenlet()

    in_thread(run)
    assert raised() == INVALID


# ---- What raises them ----

LARGE, SMALL, INFINITE = 1e308, 1e-308, float("inf")


@needs_own_status
@pytest.mark.parametrize(
    ("flag", "compute"),
    [
        (INVALID, lambda: INFINITE - INFINITE),
        (INVALID, lambda: LIBRARY.sqrt(ctypes.c_double(-1.0))),
        (DIVISION, lambda: LIBRARY.log(ctypes.c_double(0.0))),
        (OVERFLOW, lambda: LARGE * LARGE),
        (UNDERFLOW, lambda: SMALL * SMALL),
    ],
)
def test_computed(flag, compute):
    def computes():
        compute()
        while True:
            getcurrent().parent.switch(raised())

    computing = greenlet(computes)
    computing.switch()
    assert raised() == 0
    assert computing.switch() & flag
    assert raised() == 0


# ---- Rounding ----


def test_rounding():
    usual = LIBRARY.fegetround()

    def run():
        with rounding(UPWARD):
            getcurrent().parent.switch(LIBRARY.fegetround())
            getcurrent().parent.switch(LIBRARY.fegetround())

    other = greenlet(run)
    assert [other.switch(), LIBRARY.fegetround()] == [UPWARD, usual]
    assert [other.switch(), LIBRARY.fegetround()] == [UPWARD, usual]
    other.switch()
    assert LIBRARY.fegetround() == usual


def test_rounding_of_a_new_greenlet_is_its_starters():
    with rounding(UPWARD):
        assert greenlet(LIBRARY.fegetround).switch() == UPWARD


@needs_own_status
def test_rounding_and_status():
    usual = LIBRARY.fegetround()
    other = greenlet(raises_then_parks)
    with rounding(UPWARD):
        other.switch()
    assert other.switch() == DIVISION
    raise_flags(INVALID)
    assert other.switch() == DIVISION
    assert [raised(), LIBRARY.fegetround()] == [INVALID, usual]
