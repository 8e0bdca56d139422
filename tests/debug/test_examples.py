"""The examples in docstrings do what they show."""

import doctest
import importlib
import pkgutil

import pytest
from greenlet import debug

MODULES = sorted(each.name for each in pkgutil.iter_modules(debug.__path__))


@pytest.mark.parametrize("name", ["", *MODULES])
def test_docstrings(name):
    module = importlib.import_module(f"greenlet.debug.{name}".rstrip("."))
    assert doctest.testmod(module).failed == 0
