"""Tests for test_references.py to run: their names say what must come of them."""

import itertools

import pytest
from greenlet import greenlet

kept = []
runs = itertools.count(1)


def test_flat():
    assert greenlet(lambda: "value").switch() == "value"


def test_cycle_is_flat():
    child = greenlet(lambda: None)
    child.itself = child


def test_printing_is_flat():
    print("something")


def test_filling_a_cache_is_flat():
    if next(runs) <= 3:
        kept.append(object())


def test_skipped_is_not_repeated():
    pytest.skip("with a reason")


@pytest.mark.loses_references(1)
def test_loses_no_more_than_it_says():
    kept.append(object())


@pytest.mark.loses_references(1)
def test_loses_more_than_it_says():
    kept.extend([object(), object()])


def test_leaks_an_object():
    kept.append(object())


@pytest.fixture
def leaking():
    yield
    kept.append(object())


def test_leaks_in_a_fixture(leaking):
    pass


def test_fails_when_repeated():
    assert "mark" not in globals()
    globals()["mark"] = True


def test_fails_at_once():
    raise AssertionError("at once")
