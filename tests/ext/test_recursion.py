"""Recursion depth: runaway recursion is an error, never a crash, and each greenlet has a
depth of its own that begins where it was started."""

import functools
import sys

import pytest
from greenlet import getcurrent, greenlet

from support import echo, in_greenlet, recurse_c, recurse_python, scaled

# The call that asks, and the frame of a greenlet's start, cost a few levels.
TOLERANCE = 10


def room(depth=0):
    """How many more calls fit before RecursionError."""
    try:
        return room(depth + 1)
    except RecursionError:
        return depth


def runaway():
    return runaway() + 1


def runaway_in_c():
    return functools.reduce(lambda left, right: runaway_in_c(), (0, 0))


def runaway_by_sort():
    return sorted([1], key=lambda value: runaway_by_sort())


def runaway_by_attribute():
    class Owner:
        def __getattr__(self, name):
            return getattr(self, name + "x")

    return Owner().x


def nested_list():
    """Deeper than any stack: from CPython 3.14 on that is the only limit."""
    nested = []
    for _ in range(1_000_000):
        nested = [nested]
    return nested


def runaway_by_repr():
    return repr(nested_list())


def runaway_by_comparison():
    return nested_list() == nested_list()


RUNAWAYS = [
    runaway,
    runaway_in_c,
    runaway_by_sort,
    runaway_by_attribute,
    runaway_by_repr,
    runaway_by_comparison,
]


@pytest.mark.parametrize("run", RUNAWAYS, ids=lambda run: run.__name__)
def test_runaway_recursion_is_an_error(run):
    with pytest.raises(RecursionError):
        in_greenlet(run)


@pytest.mark.parametrize("run", RUNAWAYS, ids=lambda run: run.__name__)
def test_room_is_the_same_after_runaway_recursion(run):
    before = room()
    with pytest.raises(RecursionError):
        in_greenlet(run)
    assert room() == before


@pytest.mark.parametrize("run", RUNAWAYS, ids=lambda run: run.__name__)
def test_runaway_recursion_caught_inside_lets_the_greenlet_go_on(run):
    def careful():
        before = room()
        for _ in range(2):
            with pytest.raises(RecursionError):
                run()
            getcurrent().parent.switch()
        return room() == before

    child = greenlet(careful)
    child.switch()
    child.switch()
    assert child.switch() is True


def test_room_in_a_new_greenlet_is_that_of_its_starter():
    assert abs(in_greenlet(room) - room()) < TOLERANCE
    deep = recurse_python(200, lambda: in_greenlet(room))
    assert abs(deep - (room() - 200)) < TOLERANCE


def test_room_of_a_parked_greenlet_is_its_own():
    def run():
        getcurrent().parent.switch()
        return room()

    child = greenlet(run)
    child.switch()
    assert abs(recurse_python(200, child.switch) - room()) < TOLERANCE


def test_room_of_a_deep_greenlet_is_little_wherever_it_is_resumed():
    def run():
        return recurse_python(300, lambda: (getcurrent().parent.switch(), room())[1])

    child = greenlet(run)
    child.switch()
    assert abs(child.switch() - (room() - 300)) < TOLERANCE


def test_room_is_the_same_after_many_switches():
    before = room()
    main = getcurrent()

    def run():
        first = room()
        for _ in range(100):
            main.switch()
        return first, room()

    child = greenlet(run)
    for _ in range(100):
        child.switch()
    first, last = child.switch()
    assert first == last
    assert room() == before


def test_room_is_the_same_after_deaths_at_depth():
    before = room()
    for _ in range(50):
        child = greenlet(recurse_python)
        child.switch(100, getcurrent().switch)
        child.throw()
    assert room() == before


def test_room_is_the_same_after_exceptions_from_the_depth():
    def fails():
        raise ValueError

    before = room()
    for _ in range(50):
        with pytest.raises(ValueError):
            in_greenlet(recurse_python, 100, fails)
    assert room() == before


def test_runaway_nesting_of_greenlets_is_an_error():
    count = []

    def nest():
        count.append(None)
        return greenlet(nest).switch()

    before = room()
    with pytest.raises(RecursionError):
        in_greenlet(nest)
    assert len(count) > 100
    assert room() == before


def test_limit_raised_outside_counts_for_a_parked_greenlet():
    def run():
        first = room()
        getcurrent().parent.switch()
        return room() - first

    child = greenlet(run)
    child.switch()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 200)
    try:
        assert child.switch() == 200
    finally:
        sys.setrecursionlimit(limit)


def test_limit_lowered_outside_counts_for_a_parked_greenlet():
    def run():
        first = room()
        getcurrent().parent.switch()
        second = room()
        getcurrent().parent.switch()
        return first - second, room() - second

    child = greenlet(run)
    child.switch()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit - 200)
    child.switch()
    sys.setrecursionlimit(limit)
    assert child.switch() == (200, 200)


def test_limit_set_inside_counts_outside():
    limit = sys.getrecursionlimit()
    before = room()
    in_greenlet(sys.setrecursionlimit, limit + 200)
    try:
        assert room() - before == 200
    finally:
        sys.setrecursionlimit(limit)


def test_limit_too_low_for_the_depth_of_the_greenlet_is_refused_inside():
    limit = sys.getrecursionlimit()

    def run():
        return recurse_python(300, lambda: sys.setrecursionlimit(200))

    with pytest.raises(RecursionError):
        in_greenlet(run)
    assert sys.getrecursionlimit() == limit


def test_limit_below_the_depth_of_a_parked_greenlet():
    """Resumed it is too deep, and can still return."""
    child = greenlet(recurse_python)
    child.switch(400, getcurrent().switch)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(300)
    try:
        assert child.switch("value") == "value"
    finally:
        sys.setrecursionlimit(limit)


def test_recursion_in_many_greenlets_at_once():
    children = [greenlet(recurse_python) for _ in range(20)]
    for number, child in enumerate(children):
        child.switch(number * 30, getcurrent().switch)
    for number, child in enumerate(children):
        assert child.switch(number) == number


def test_recursion_in_c_in_many_greenlets_at_once():
    children = [greenlet(recurse_c) for _ in range(20)]
    for number, child in enumerate(children):
        child.switch(number * 5, getcurrent().switch)
    for number, child in reversed(list(enumerate(children))):
        assert child.switch(number) == number


def test_switch_at_every_depth_on_the_way_down_and_up():
    main = getcurrent()

    def run(depth):
        main.switch(depth)
        below = run(depth - 1) if depth else 0
        main.switch(-depth)
        return below + depth

    child = greenlet(run)
    seen = [child.switch(100)]
    while not child.dead:
        seen.append(child.switch())
    assert seen == list(range(100, -1, -1)) + [-n for n in range(101)] + [5050]


def test_alternating_runaways():
    """Two greenlets sit near the limit and take turns in running into it."""

    def run():
        def at_the_edge():
            for _ in range(scaled(20)):
                with pytest.raises(RecursionError):
                    runaway()
                getcurrent().parent.switch()

        recurse_python(300, at_the_edge)

    children = [greenlet(run), greenlet(run)]
    while not all(child.dead for child in children):
        for child in children:
            child.switch()


def test_error_at_the_limit_during_a_switch_leaves_everything_usable():
    def to_the_edge(child):
        try:
            return to_the_edge(child)
        except RecursionError:
            return child.switch("at the edge")

    def run():
        return getcurrent().parent.switch()

    child = greenlet(run)
    child.switch()
    try:
        assert to_the_edge(child) == "at the edge"
    except RecursionError:
        assert child.switch("afterwards") == "afterwards"
    assert in_greenlet(echo) == ((), {})


def test_deeply_nested_structure_is_freed_in_a_greenlet():
    def run():
        nested = None
        for _ in range(scaled(200000)):
            nested = (nested,)
        getcurrent().parent.switch()
        del nested
        return "freed"

    child = greenlet(run)
    child.switch()
    assert child.switch() == "freed"


def test_switch_while_a_deeply_nested_structure_is_freed():
    """The interpreter delays deep deallocations in a per-thread list; switching must not mix
    the lists of two greenlets."""
    main = getcurrent()

    class Switching:
        def __del__(self):
            freed.append(main.switch("freeing"))

    def run():
        nested = Switching()
        for _ in range(200):
            nested = [nested]
        del nested
        return "freed"

    freed = []
    children = [greenlet(run) for _ in range(5)]
    assert [child.switch() for child in children] == ["freeing"] * 5
    other = None
    for _ in range(1000):
        other = (other,)
    del other
    assert [child.switch("go on") for child in children] == ["freed"] * 5
    assert freed == ["go on"] * 5
