"""What make bench takes from two packages: the best of each, or how it failed."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "benchmarks"))

import compare  # noqa: E402 - found by the line above


def alone(monkeypatch, launches, figures):
    """figures_alone() of a case whose processes on each side say what `figures` has for it;
    also the sides in the order in which they were asked."""
    asked = []

    def figure(side, case, borrowed):
        asked.append(side)
        return figures[side].pop(0)

    monkeypatch.setattr(compare, "figure_alone", figure)
    pythons = {side: side for side in compare.SIDES}
    case = {"name": "case", "title": "a case", "launches": launches}
    return compare.figures_alone(pythons, [case], None)["case"], asked


def test_the_best_process_of_each_side_counts(monkeypatch):
    figures = {"ours": [3.0, 1.0, 2.0], "oracle": [6.0, 7.0, 5.0]}
    best, asked = alone(monkeypatch, 3, figures)
    assert best == {"ours": 1.0, "oracle": 5.0}
    assert len(asked) == 6
    # The sides take turns.
    assert all(set(asked[i : i + 2]) == set(compare.SIDES) for i in (0, 2, 4))


@pytest.mark.parametrize("failure", ["crashed", "> 10 s"])
def test_a_side_that_has_failed_is_not_asked_again(monkeypatch, failure):
    figures = {"ours": [3.0, 1.0, 2.0], "oracle": [6.0, failure]}
    best, asked = alone(monkeypatch, 3, figures)
    assert best == {"ours": 1.0, "oracle": failure}
    assert asked.count("oracle") == 2


def test_either_side_comes_first(monkeypatch):
    count = 100
    figures = {side: [1.0] * count for side in compare.SIDES}
    _, asked = alone(monkeypatch, count, figures)
    assert set(asked[::2]) == set(compare.SIDES)


def test_cases_take_turns(monkeypatch):
    asked = []

    def figure(side, case, borrowed):
        asked.append(case["name"])
        return 1.0

    monkeypatch.setattr(compare, "figure_alone", figure)
    cases = [{"name": name, "title": name, "launches": int(name)} for name in ("1", "3", "2")]
    figures = compare.figures_alone({side: side for side in compare.SIDES}, cases, None)
    assert "".join(asked[::2]) == "132323"
    assert figures == {name: {"ours": 1.0, "oracle": 1.0} for name in "132"}
