"""Settings of the Python tests, and the check that no test leaves anything behind."""

import gc
import os
import sys
import threading
import weakref

import pytest

# Found by tests that run as files of their own, whatever the import mode.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import greenlet  # noqa: E402

import references  # noqa: E402 - found by the line above
from support import ON_ORACLE  # noqa: E402


def pytest_addoption(parser):
    references.add_option(parser)


def pytest_configure(config):
    references.configure(config)
    if os.environ.get("PYTHON_JIT") == "1" and not jit_is_enabled():
        raise pytest.UsageError("PYTHON_JIT=1, yet this Python does not run its JIT")
    config.addinivalue_line(
        "markers", "heavy: long under valgrind or an emulator; leave out with -m 'not heavy'"
    )
    # An exception in a __del__ or in a thread is a failure unless a test expects it.
    for warning in (
        "pytest.PytestUnraisableExceptionWarning",
        "pytest.PytestUnhandledThreadExceptionWarning",
    ):
        config.addinivalue_line("filterwarnings", "error::" + warning)


def jit_is_enabled():
    return hasattr(sys, "_jit") and sys._jit.is_enabled()


def pytest_report_header():
    return "greenlet {} from {}".format(greenlet.__version__, os.path.dirname(greenlet.__file__))


def pytest_collection_finish():
    # pytest's own objects need not be walked by the collection after every test.
    gc.collect()
    gc.freeze()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call":
        item.call_passed = report.passed


# What a failed test left, and each test after it would be blamed for.
already_reported = weakref.WeakSet()


def left_over_greenlets():
    """Greenlets that are still there, main greenlets apart."""
    gc.collect()
    return [
        candidate
        for candidate in gc.get_objects()
        if isinstance(candidate, greenlet.greenlet)
        and candidate.parent is not None
        and candidate not in already_reported
        # The published package leaks the shell of a greenlet that once refused to die.
        and not (ON_ORACLE and candidate.dead)
    ]


@pytest.fixture(autouse=True)
def nothing_left_over(request):
    """Each test begins and ends in the main greenlet, with no hook and no greenlet left but
    those that it adds to this set."""
    main = greenlet.getcurrent()
    assert main.parent is None
    hooks = sys.gettrace(), sys.getprofile(), sys.getrecursionlimit()
    threads = threading.active_count()
    yield already_reported
    ended_in = greenlet.getcurrent()
    tracer = greenlet.gettrace()
    greenlet.settrace(None)
    hooks_now = sys.gettrace(), sys.getprofile(), sys.getrecursionlimit()
    sys.settrace(hooks[0])
    sys.setprofile(hooks[1])
    sys.setrecursionlimit(hooks[2])
    assert ended_in is main, "the test ended in another greenlet"
    assert tracer is None, "the test left a greenlet trace function"
    assert hooks_now == hooks, "the test left a trace or profile function or a recursion limit"
    assert gc.isenabled(), "the test left the collector disabled"
    left_over = left_over_greenlets()
    already_reported.update(left_over)
    # pytest's records of this test need not be walked after the next.  If references are
    # counted, each must be as before: nothing that is frozen is ever collected.
    if not references.are_counted(request.config):
        gc.freeze()
    # A failed test's traceback keeps its locals alive: that is no leak.
    if getattr(request.node, "call_passed", False):
        assert threading.active_count() == threads, "the test left a thread"
        assert left_over == []


@pytest.fixture
def unraisable(monkeypatch):
    """The exceptions that nobody could catch, as a list of sys.unraisablehook arguments."""
    seen = []

    def note(args):
        # The argument object must not be kept: it would resurrect what is being freed.
        seen.append((args.exc_type, str(args.exc_value)))

    monkeypatch.setattr(sys, "unraisablehook", note)
    return seen
