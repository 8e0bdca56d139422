"""An import that fails on its way leaves nothing behind that the next would stumble over; nor does
an import within an import."""

import _imp
import ctypes
import importlib.machinery
import os
import sys
import warnings

PACKAGE = importlib.machinery.PathFinder.find_spec("greenlet")
SPEC = importlib.machinery.PathFinder.find_spec(
    "greenlet._greenlet", PACKAGE.submodule_search_locations
)


class SpecThatFails:
    """Asked for its name for the nth time it fails."""

    origin = SPEC.origin

    def __init__(self, number):
        self.number = number

    @property
    def name(self):
        self.number -= 1
        if self.number == 0:
            raise LookupError
        return SPEC.name


def attempt(spec):
    """The exception in which the import ends, or None."""
    try:
        check(_imp.create_dynamic(spec))
    except (LookupError, RuntimeWarning) as error:
        assert "greenlet" not in sys.modules
        return error


def check(module):
    kind = module.greenlet
    child = kind(lambda: kind.getcurrent().parent.switch("parked"))
    assert child.switch() == "parked"
    assert child.switch("value") == "value"
    assert module._started() == [module.getcurrent()]


def import_within(*args, **kwargs):
    """Called while the state is being made: it makes another, which is in use then."""
    warnings.simplefilter("ignore")
    module = _imp.create_dynamic(SPEC)
    main = module.getcurrent()
    child = module.greenlet(lambda: main.switch())
    child.switch()
    inner.extend([module, child])


inner = []

# The state cannot be made.
os.environ["GREENLET_STACK_POLICY"] = "no policy"
if os.name == "nt":  # MinGW's C library is not CPython's: it has an environment of its own
    ctypes.CDLL("msvcrt")._putenv(b"GREENLET_STACK_POLICY=no policy")
warnings.simplefilter("error")
assert type(attempt(SPEC)) is RuntimeWarning

# The state is made twice.
warnings.simplefilter("always")
warnings.showwarning = import_within
module = _imp.create_dynamic(SPEC)
assert module.greenlet is inner[0].greenlet
assert module.error is inner[0].error
assert inner[1].switch("value") == "value"
assert inner[1].dead
check(module)

# The state is made, but not the module.
failures = 0
while attempt(SpecThatFails(failures + 1)) is not None:
    failures += 1
assert failures > 1

import greenlet  # noqa: E402

check(greenlet._greenlet)
assert greenlet.greenlet is module.greenlet
print("end")
