"""tests/differential/search.py finds differences: those that are planted here."""

import pathlib
import sys

import pytest

from support import heavy

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "differential"


@pytest.fixture
def search(monkeypatch):
    """The module; its neighbours have names that are not theirs alone."""
    names = ("search", "compare", "program", "known_differences", "environments")
    others = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    monkeypatch.syspath_prepend(str(FOLDER.parent.parent / "benchmarks"))
    monkeypatch.syspath_prepend(str(FOLDER))
    import search

    yield search
    for name in names:
        sys.modules.pop(name, None)
    sys.modules.update(others)


@pytest.fixture
def server(search):
    """Runs programs under this very Python."""
    server = search.Server(sys.executable)
    yield server
    server.close()


def test_choice_is_made_by_weight(search):
    made = []

    def draw_from(numbers):
        drawn = search.Drawn(lambda strategy: numbers.pop(0))
        made.extend(drawn.choices("abc", [2, 0, 1]))

    numbers = [0, 1, 2]
    while numbers:
        draw_from(numbers)
    assert made == ["a", "a", "c"]


def test_search_without_a_difference(search):
    assert search.search(lambda program: None, 20, seed=0) is None


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11),
    reason="Hypothesis takes seconds, and does the same on all versions: once is enough",
)
def test_planted_difference_is_made_small(search, server):
    """As if the other package did not tell of one kind of exception."""

    class SmallWriter(search.ListWriter):
        def __init__(self, source):
            super().__init__(source)
            self.weights = {"switch": 4, "throw": 2, "context": 1, "handling": 1}
            self.last_body, self.keeps = 2, False

    sizes = []

    def kind_of(program):
        server.ask(program.source())
        ours = server.answer()
        theirs = [text for text in ours.lines if "KeyError(" not in text]
        kind = search.kind_of_difference(ours, search.Outcome(theirs))
        if kind is not None:
            sizes.append(len(program.source().splitlines()))
        return kind

    found = search.search(kind_of, 200, seed=0, writer=SmallWriter)
    assert "KeyError" in found.source()
    # What every program has, three greenlets and a switch, are ten.
    assert len(found.source().splitlines()) <= 24 < sizes[0], found.source()


@heavy
def test_server_is_made_anew_after_a_crash(search, server):
    server.ask("import os\nos._exit(3)\n")
    assert server.answer().crash is not None
    server.ask("def program():\n    return 5\n")
    outcome = server.answer()
    assert outcome.crash is None
    assert "result 5" in outcome.lines[0]


@heavy
def test_one_package_does_not_differ_from_itself(search, server):
    other = search.Server(sys.executable)

    def kind_of(program):
        server.ask(program.source())
        other.ask(program.source())
        return search.kind_of_difference(server.answer(), other.answer())

    try:
        assert search.search(kind_of, 30, seed=0) is None
    finally:
        other.close()
