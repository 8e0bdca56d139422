"""The examples in docstrings do what they show."""

import doctest
import importlib
import os
import pkgutil

import pytest
from greenlet import debug

MODULES = sorted(each.name for each in pkgutil.iter_modules(debug.__path__))


@pytest.mark.parametrize("name", ["", *MODULES])
def test_docstrings(name):
    if os.name == "nt" and name in ("_signals", "_timeline"):
        pytest.skip("the examples are of signals, and of open files, as POSIX has them")
    module = importlib.import_module(f"greenlet.debug.{name}".rstrip("."))
    assert doctest.testmod(module).failed == 0
