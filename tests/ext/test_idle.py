"""Greenlets that stay parked leave their stacks, and nothing else about them changes."""

import gc
import os
import random
import sys
import threading
import time
import traceback
import weakref

import greenlet as package
import pytest
from greenlet import getcurrent, greenlet

from support import (
    ON_ORACLE,
    in_thread,
    loses_references,
    names_from,
    needs_fork,
    recurse_c,
    recurse_python,
)

pytestmark = [
    pytest.mark.skipif(ON_ORACLE, reason="published package: has no such stacks"),
    pytest.mark.skipif(sys.platform == "win32", reason="there nobody leaves a stack"),
    pytest.mark.skipif(
        os.environ.get("GREENLET_TEST_UNDER_VALGRIND") == "1",
        reason="there are no stacks but the thread's under valgrind",
    ),
]

# At each switch, all that are parked, however few.
AT_ONCE = 1e-9

# As long as no more are in use in a thread, all keep theirs.
FEW = 16

DEPTH = 3  # calls of C

stack_policy = getattr(package, "stack_policy", None)


@pytest.fixture(autouse=True)
def policy_restored():
    before = stack_policy("automatic")
    yield
    stack_policy(before.mode, idle=before.idle)


@pytest.fixture
def at_once():
    stack_policy(idle=AT_ONCE)


def park(*values):
    return getcurrent().parent.switch(*values)


def parked(run, *arguments):
    child = greenlet(run)
    child.switch(*arguments)
    return child


def deep(function):
    return recurse_c(DEPTH, function)


def vacated():
    """How many are, after a switch at which others could be."""
    parked(park).switch()
    return stack_policy().vacated


def awake(seconds, enough=lambda: False):
    """Something switches for so long, or until it is enough."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not enough():
        parked(park).switch()
        time.sleep(0.001)


def all_leave_always():
    """Builds with hard_mode=save_all let them."""
    before = stack_policy(idle=0)
    child = parked(park)
    found = vacated()
    child.switch()
    stack_policy(idle=before.idle)
    return found > 0


# --- The setting -----------------------------------------------------------


def test_setting_is_seconds():
    stack_policy(idle=2.5)
    assert stack_policy(idle=3).idle == 2.5
    assert stack_policy(idle=None).idle == 3
    assert stack_policy(idle=0).idle == 3
    assert stack_policy().idle == 0


@pytest.mark.parametrize("idle", [-1, float("nan"), float("inf"), 1e12])
def test_what_makes_no_sense_is_a_value_error(idle):
    before = stack_policy().idle
    with pytest.raises(ValueError, match="idle"):
        stack_policy(idle=idle)
    assert stack_policy().idle == before


def test_what_is_no_number_is_a_type_error():
    with pytest.raises(TypeError):
        stack_policy(idle="1")


# --- Who leaves, and when --------------------------------------------------


def test_who_stays_parked_leaves_the_stack():
    stack_policy(idle=0.05)
    children = [parked(deep, park) for _ in range(FEW + 30)]
    awake(30, lambda: stack_policy().vacated >= FEW)
    assert stack_policy().vacated >= FEW
    for child in children:
        child.switch()
        assert child.dead
    assert stack_policy().vacated == 0


def test_who_switches_may_be_on_the_shared_stack():
    """In a thread that is not the main one its frames are sealed early, and the way is short."""
    stack_policy(idle=0.05)

    def program():
        children = [parked(deep, park) for _ in range(FEW + 30)]
        stack_policy("shared", idle=0.05)
        ticking = parked(lambda: [park() for _ in iter(int, 1)])
        stack_policy("automatic")
        end = time.monotonic() + 30
        while stack_policy().vacated < FEW and time.monotonic() < end:
            ticking.switch()
            time.sleep(0.001)
        found = stack_policy().vacated
        for child in children:
            child.switch()
        ticking.throw()
        return found

    assert program() >= FEW
    assert in_thread(program) >= FEW


def test_few_keep_theirs():
    if all_leave_always():
        pytest.skip("a build with hard_mode=save_all")
    stack_policy(idle=0.01)

    def program():
        children = [parked(deep, park) for _ in range(FEW - 2)]
        awake(0.3)
        return stack_policy().vacated, [child.switch() for child in children]

    assert in_thread(program)[0] == 0


@pytest.mark.parametrize("mode, idle", [("own", 0.01), ("automatic", 0)])
def test_all_keep_theirs_where_that_was_asked_for(mode, idle):
    if all_leave_always():
        pytest.skip("a build with hard_mode=save_all")
    stack_policy(mode, idle=idle)
    children = [parked(deep, park) for _ in range(FEW + 30)]
    awake(0.3)
    assert stack_policy().vacated == 0
    for child in children:
        child.switch()


def test_who_switches_keeps_it():
    """Two that take turns all the time, among others that stay parked."""
    stack_policy(idle=0.05)
    turns = 0

    def turn():
        nonlocal turns
        while True:
            turns += 1
            park()

    active = [parked(deep, turn) for _ in range(2)]
    idle = [parked(deep, park) for _ in range(FEW + 30)]

    def take_turns():
        for child in active:
            child.switch()
        return turns > 20 and stack_policy().vacated >= len(idle) - 3

    awake(30, take_turns)
    if not all_leave_always():
        assert len(idle) - 3 <= stack_policy().vacated <= len(idle) + 1
    assert turns > 10
    for child in idle:
        child.switch()
    for child in active:
        child.throw()


# --- What they do afterwards -----------------------------------------------


def test_all_are_vacated_at_once(at_once):
    children = [parked(deep, park) for _ in range(5)]
    assert vacated() >= 5
    for child in children:
        child.switch()
        assert child.dead


def test_debugger_shows_that_its_stack_is_vacated(at_once):
    from greenlet import debug

    child = parked(deep, park)
    assert vacated() >= 1
    assert debug.stack_of(child) == "vacated"


def test_goes_on_where_it_was(at_once):
    def run(start):
        total = start
        local = list(range(start, start + 10))
        for _ in range(20):
            total += deep(lambda total=total: park(total))
        return total, local

    children = [greenlet(run) for _ in range(8)]
    for index, child in enumerate(children):
        assert child.switch(index) == index
    for turn in range(1, 20):
        for index, child in enumerate(children):
            assert child.switch(turn) == index + turn * (turn + 1) // 2
    for index, child in enumerate(children):
        total, local = child.switch(20)
        assert (total, local) == (index + 210, list(range(index, index + 10)))


def test_exceptions_can_be_thrown_into_it(at_once):
    def run():
        try:
            deep(park)
        except ZeroDivisionError as error:
            return traceback.extract_tb(error.__traceback__)[-1].name
        return None

    child = parked(run)
    assert vacated() >= 1
    assert child.throw(ZeroDivisionError) == "park"


def test_frames_can_be_walked(at_once):
    def inner():
        park(sys._getframe())

    def outer():
        return list(map(lambda _: inner(), [0]))

    child = greenlet(outer)
    held = child.switch()
    expected = ["inner", "<lambda>", "outer"]
    for _ in range(3):
        assert vacated() >= 1
        assert names_from(held)[:3] == ["inner", "<lambda>", "outer"]
        assert names_from(child.gr_frame)[-3:] == expected
        assert [each.name for each in traceback.extract_stack(child.gr_frame)][-1] == "park"
    del held
    child.switch()
    assert child.dead


def test_generators_in_it(at_once):
    def numbers():
        for number in range(5):
            yield deep(lambda number=number: park(number))

    child = greenlet(lambda: list(numbers()))
    found = [child.switch()]
    while len(found) < 5:
        found.append(child.switch(-found[-1]))
    assert found == list(range(5))
    assert child.switch("end") == [0, -1, -2, -3, "end"]


def test_exceptions_that_it_handles_are_its_own(at_once):
    def run():
        try:
            raise KeyError(1)
        except KeyError:
            deep(park)
            return sys.exc_info()[0]

    children = [parked(run) for _ in range(3)]
    assert vacated() >= 3
    assert [child.switch() for child in children] == [KeyError] * 3
    assert sys.exc_info() == (None, None, None)


def test_dropped_while_away(at_once):
    ended = []

    def run():
        try:
            deep(park)
        finally:
            ended.append(True)

    for _ in range(5):
        child = parked(run)
        assert vacated() >= 1
        del child
    assert ended == [True] * 5
    assert vacated() <= 1


def test_found_by_the_collector_while_away(at_once):
    class Probe:
        pass

    def run(probe, others):
        others.append(getcurrent())
        recurse_python(2, park)

    probe = Probe()
    gone = weakref.ref(probe)
    child = greenlet(run)
    child.switch(probe, [child])
    assert vacated() >= 1
    del child, probe
    gc.collect()
    if sys.version_info >= (3, 11):
        assert gone() is None


@loses_references(60)
def test_released_while_away(at_once):
    """Parked in a callback, so that its code is not run and its stack not used again."""

    class Probe:
        pass

    def run(probe, others):
        others.append(getcurrent())
        deep(park)

    for _ in range(5):
        probe = Probe()
        child = greenlet(run)
        child.switch(probe, [child])
        assert vacated() >= 1
        del child, probe
        gc.collect()
    assert vacated() <= 6
    assert parked(deep, park).switch() == ()


def test_its_thread_ends_first(at_once):
    def program():
        stack_policy(idle=AT_ONCE)
        children = [parked(recurse_python, 3, park) for _ in range(5)]
        assert vacated() >= 5
        return children

    lost = in_thread(program)
    for child in lost:
        assert child.dead
        assert traceback.extract_stack(child.gr_frame)[-1].name == "park"
    lost.clear()
    gc.collect()
    assert vacated() <= 1


def test_threads_vacate_their_own(at_once):
    failures = []

    def body():
        try:
            children = [parked(deep, park) for _ in range(10)]
            for child in children * 3:
                if not child.dead:
                    child.switch()
            assert all(child.dead for child in children)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=body) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_random_programs(at_once):
    """Depths, values and who is next are random; each knows what it has to get."""
    source = random.Random(5)

    def run(value):
        for _ in range(source.randrange(1, 12)):
            kind = source.randrange(3)
            if kind == 0:
                value = recurse_c(source.randrange(6), lambda value=value: park(value + 1))
            elif kind == 1:
                value = recurse_python(source.randrange(6), lambda value=value: park(value + 1))
            else:
                value = park(value + 1)
        return None

    alive = {}
    for turn in range(3000):
        if len(alive) < 12:
            child = greenlet(run)
            alive[child] = child.switch(turn)
        child = source.choice(list(alive))
        answer = child.switch(alive[child] * 3)
        if child.dead:
            del alive[child]
        else:
            assert answer == alive[child] * 3 + 1 or answer is not None
            alive[child] = answer
    for child in alive:
        child.throw()
        assert child.dead


@needs_fork
# Of threads that other tests have left.
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_child_wakes_them(at_once):
    child = parked(deep, park)
    assert vacated() >= 1
    process = os.fork()
    if process == 0:
        child.switch()
        os._exit(0 if child.dead else 1)
    assert os.waitpid(process, 0)[1] == 0
    child.switch()
    assert child.dead
