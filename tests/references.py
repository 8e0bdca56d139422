"""Repeats each test and fails it if the interpreter's count of all references grows each time.

A test may be marked as one that loses some: then no more than it says may be left each time.

Only debug builds of CPython keep that count.  It is as CPython's own `regrtest -R` does it:
what caches and late threads keep grows now and then; a leak grows always.
"""

import array
import gc
import itertools
import sys

import pytest
from _pytest.runner import runtestprotocol

# A test has leaked if the count has grown in each of so many repetitions.
REPETITIONS = 8

# Whose first run took longer is not run once more for caches to fill.
LONG_SECONDS = 1


def add_option(parser):
    parser.addoption(
        "--count-references",
        action="store_true",
        help="repeat each test; it fails if the count of all references grows each time",
    )


def configure(config):
    config.addinivalue_line(
        "markers", "loses_references(most): what is tested leaves some behind each time"
    )
    if config.getoption("--count-references"):
        if not hasattr(sys, "gettotalrefcount"):
            raise pytest.UsageError("--count-references: only debug builds of Python count them")
        config.pluginmanager.register(ReferenceCounter(), "reference-counter")


def are_counted(config):
    return config.pluginmanager.has_plugin("reference-counter")


class NotRepeatable(Exception):
    """A test that has passed did not pass again; the message is what pytest says."""


# What the interpreter remembers of attributes refers to their names.
if hasattr(sys, "_clear_internal_caches"):
    clear_caches = sys._clear_internal_caches
else:
    clear_caches = sys._clear_type_cache


def total():
    clear_caches()
    gc.collect()
    return sys.gettotalrefcount()


def lists_that_grow(item):
    """pytest's lists to which each run of the test adds the same again: what is to be done when
    fixtures of wider scopes end, and what the test has printed."""
    yield item._report_sections
    yield from (entry[0] for entry in item.session._setupstate.stack.values())
    for definitions in item._fixtureinfo.name2fixturedefs.values():
        yield from (definition._finalizers for definition in definitions)


def repeat(item):
    """Run the test once more, its fixtures included."""
    lengths = [(each, len(each)) for each in lists_that_grow(item)]
    # As if the next test were of the same module: the test's own fixtures end.
    reports = runtestprotocol(item, nextitem=item.parent, log=False)
    for each, length in lengths:
        del each[length:]
    for report in reports:
        if report.failed:
            raise NotRepeatable(report.longreprtext)


def growth(item):
    """By how much the count grows in each repetition until the first in which it does not."""
    # An array, since it refers to none of its numbers.
    counts = array.array("q", [0] * (REPETITIONS + 1))
    counts[0] = total()
    done = 0
    while done < REPETITIONS:
        repeat(item)
        done += 1
        counts[done] = total()
        if counts[done] <= counts[done - 1]:
            break
    return [after - before for before, after in itertools.pairwise(counts[: done + 1])]


def complaint(item, seconds):
    """What is wrong with a test that has passed once, in so many seconds; None if nothing is."""
    try:
        if seconds < LONG_SECONDS:
            repeat(item)
        grown = growth(item)
    except NotRepeatable as failure:
        return "passed, but not when repeated:\n{}".format(failure)
    lossy = item.get_closest_marker("loses_references")
    if min(grown) > (lossy.args[0] if lossy else 0):
        return "the count of all references grows: {}".format(grown)
    return None


class ReferenceCounter:
    """The plugin that takes over the running of each test."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        # What is here stays: the collector shall not walk it at each repetition.
        gc.collect()
        gc.freeze()
        reports = runtestprotocol(item, nextitem=item.parent, log=False)
        if all(report.passed for report in reports):
            found = complaint(item, sum(report.duration for report in reports))
            if found is not None:
                call = next(report for report in reports if report.when == "call")
                call.outcome = "failed"
                call.longrepr = "E   " + found.replace("\n", "\nE   ")
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.session._setupstate.teardown_exact(nextitem)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True
