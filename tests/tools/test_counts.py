"""tools/counts.py decides whether CI passed: what it makes of a suite's last words."""

import importlib.util
import pathlib
import sys

import pytest

PATH = pathlib.Path(__file__).resolve().parents[2] / "tools" / "counts.py"


@pytest.fixture(scope="module")
def counts():
    specification = importlib.util.spec_from_file_location("counts", PATH)
    module = importlib.util.module_from_spec(specification)
    # dataclass looks its module up there.
    sys.modules["counts"] = module
    specification.loader.exec_module(module)
    yield module
    del sys.modules["counts"]


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("3 passed, 1 failed\n", (3, 1, 0)),
        ("3 passed, 1 failed, 2 skipped\n", (3, 1, 2)),
        ("5 passed in 0.12s\n", (5, 0, 0)),
        ("==== 2 failed, 5 passed, 1 skipped, 1 warning in 61.00s (0:01:01) ====\n", (5, 2, 1)),
        ("1 passed, 2 xfailed, 1 xpassed, 1 error in 1.00s\n", (2, 1, 2)),
        ("12 passed, 0 failed\nvalgrind says more\n", (12, 0, 0)),
        ("1 passed, 0 failed\n9 passed, 0 failed, 0 skipped\n", (9, 0, 0)),
    ],
)
def test_closing_line_is_read(counts, output, expected):
    assert counts.judge(output, 0) == counts.Counts(*expected)


def test_words_in_the_middle_of_a_line_do_not_count(counts):
    assert counts.closing_counts("the summary said 3 passed, 0 failed, and that was that\n") is None


def test_suite_that_ran_nothing_has_failed(counts):
    for output in ("", "no tests ran in 0.01s\n", "0 passed, 0 failed, 0 skipped\n"):
        assert counts.judge(output, 0).failed == 1


def test_exit_status_alone_is_a_failure(counts):
    assert counts.judge("5 passed in 0.12s\n", 99) == counts.Counts(5, 1, 0)


def test_failure_is_counted_once(counts):
    assert counts.judge("1 failed, 4 passed in 0.12s\n", 1) == counts.Counts(4, 1, 0)


def test_complaints_are_the_last_lines_that_name_a_failure(counts):
    output = """FAILED is no longer among the last
E   assert 1 == 2
an innocent line that says FAILED
FAILED tests/a.py::test_b - assert 1 == 2
FAIL  3.12 (CPython 3.12.1): python: 1 passed, 1 failed, 0 skipped (1 s)
"""
    last = counts.complaints(output, 3)
    assert [line.split()[0] for line in last] == ["E", "FAILED", "FAIL"]


def test_what_is_indented_below_a_failure_belongs_to_it(counts):
    output = """    of something else
FAIL  test_ping_pong ended with exit status 1: wine test_ping_pong.exe
    wine: no server
    it says more
ok    test_lazy
    of something else
"""
    assert counts.complaints(output, 20) == output.splitlines()[1:4]


def test_what_ended_without_naming_a_failure_is_shown_by_its_last_lines(counts):
    output = "ok       ruff\nTraceback (most recent call last):\nOSError: no such file\n"
    assert counts.complaints(output, 2) == output.splitlines()[-2:]
