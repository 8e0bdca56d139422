"""Stacks of their own: who gets one, and that nothing else about a greenlet changes."""

import gc
import os
import shutil
import struct
import subprocess
import sys
import threading
import traceback
import weakref

import greenlet as package
import pytest
from greenlet import getcurrent, greenlet

from support import (
    ON_ORACLE,
    ON_SLOW_MACHINE,
    in_greenlet,
    in_thread,
    loses_references,
    names_from,
    needs_fork,
    needs_memory_as_usual,
    needs_proc,
    needs_small_frames,
    park_refusing,
    recurse_c,
    recurse_python,
    scaled,
)

pytestmark = pytest.mark.skipif(ON_ORACLE, reason="published package: has no such stacks")

MIB = 2**20

POINTER_SIZE = struct.calcsize("P")

# As long as no more are in use in a thread, any greenlet gets one.
FEW = 16

# How many idle ones a thread keeps.
KEPT = 1024
KEPT_ALWAYS = 4


def stack_policy(*arguments, **settings):
    return package.stack_policy(*arguments, **settings)


UNDER_VALGRIND = os.environ.get("GREENLET_TEST_UNDER_VALGRIND") == "1"
needs_stacks = pytest.mark.skipif(
    UNDER_VALGRIND, reason="there are no stacks but the thread's under valgrind"
)


@pytest.fixture
def usual_stack_limit():
    """Where the main thread's stack may reach farther than any other, it serves all there."""
    resource = pytest.importorskip("resource")
    if not 0 < resource.getrlimit(resource.RLIMIT_STACK)[0] <= 64 * MIB:
        pytest.skip("RLIMIT_STACK is unusually large")


@pytest.fixture(autouse=True)
def policy_restored():
    before = stack_policy()
    yield
    stack_policy(before.mode, limit=before.limit, size=before.size, idle=before.idle)


@pytest.fixture
def own():
    stack_policy("own")


@pytest.fixture
def automatic():
    stack_policy("automatic")


def stacks_in_use(function):
    """How many more stacks are mapped once `function` has run, in a thread of its own:
    without a pool of idle ones."""

    def count():
        before = stack_policy().mapped
        keep = function()
        added = stack_policy().mapped - before
        for each in keep:
            while not each.dead:
                each.switch()
        return added

    return in_thread(count)


def park():
    getcurrent().parent.switch()


def parked(run, *arguments):
    child = greenlet(run)
    child.switch(*arguments)
    return child


# --- The function ----------------------------------------------------------


def test_policy_is_a_named_tuple():
    policy = stack_policy()
    assert isinstance(policy, package.StackPolicy)
    assert isinstance(policy, tuple)
    assert policy.mode in ("automatic", "shared", "own")
    assert policy.size == 0
    assert policy.limit > 0
    assert policy.mapped >= 0


def test_setting_returns_the_policy_before():
    stack_policy("automatic", limit=7, size=16 * MIB)
    assert stack_policy("own", limit=5)[:3] == ("automatic", 7, 16 * MIB)
    assert stack_policy()[:3] == ("own", 5, 16 * MIB)
    stack_policy(size=0)
    assert stack_policy()[:3] == ("own", 5, 0)


def test_none_leaves_things_as_they_are():
    before = stack_policy()
    stack_policy(None, limit=None, size=None)
    assert stack_policy()[:3] == before[:3]


@pytest.mark.parametrize(
    "arguments, settings",
    [
        (("private",), {}),
        (("",), {}),
        ((), {"limit": -1}),
        ((), {"size": -1}),
        ((), {"size": 1}),
        ((), {"size": sys.maxsize}),
    ],
)
def test_what_makes_no_sense_is_a_value_error(arguments, settings):
    before = stack_policy()
    with pytest.raises(ValueError):
        stack_policy(*arguments, **settings)
    assert stack_policy() == before


@pytest.mark.parametrize(
    "arguments, settings",
    [((1,), {}), (("own", 3), {}), ((), {"limit": "3"}), ((), {"size": 1.5}), ((), {"sise": 0})],
)
def test_wrong_types_are_type_errors(arguments, settings):
    before = stack_policy()
    with pytest.raises(TypeError):
        stack_policy(*arguments, **settings)
    assert stack_policy() == before


def test_numbers_too_large_are_overflow_errors():
    with pytest.raises(OverflowError):
        stack_policy(limit=2**70)


def run_program(program, **variables):
    outcome = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
    )
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout.strip(), outcome.stderr


TELL_MODE = "import greenlet; print(greenlet.stack_policy().mode)"


@pytest.mark.parametrize("mode", ["automatic", "shared", "own"])
def test_environment_sets_the_mode(mode):
    assert run_program(TELL_MODE, GREENLET_STACK_POLICY=mode) == (mode, "")


def test_empty_environment_variable_is_none():
    assert run_program(TELL_MODE, GREENLET_STACK_POLICY="") == ("automatic", "")


def test_wrong_environment_variable_is_a_warning():
    mode, complaint = run_program(TELL_MODE, GREENLET_STACK_POLICY="mine")
    assert mode == "automatic"
    assert "RuntimeWarning: GREENLET_STACK_POLICY is 'mine'" in complaint


# --- Who gets one ----------------------------------------------------------


def deep_in_c():
    recurse_c(20, park)


def deep_in_python():
    recurse_python(150 * 8 // POINTER_SIZE, park)


@needs_stacks
def test_own_gives_each_its_own(own):
    assert stacks_in_use(lambda: [parked(park) for _ in range(5)]) == 5


def test_shared_gives_none():
    stack_policy("shared")
    assert stacks_in_use(lambda: [parked(deep_in_c) for _ in range(5)]) == 0


@needs_stacks
@pytest.mark.parametrize(
    "run",
    [
        deep_in_c,
        pytest.param(
            deep_in_python,
            marks=pytest.mark.skipif(
                sys.version_info < (3, 11), reason="frames are objects: none is visited"
            ),
        ),
    ],
)
def test_automatic_gives_those_that_proved_deep_their_own(automatic, run):
    # On 32 bits there is room for few more, and on Windows none where a stack was lost.
    added = stacks_in_use(lambda: [parked(run) for _ in range(FEW + 4)])
    # The first on the shared stack proves it when the second needs its place, or when it
    # parks.
    assert FEW + 2 <= added <= FEW + 3


@needs_stacks
@needs_small_frames
def test_automatic_leaves_the_shallow_on_the_shared_stack_if_they_are_many(automatic):
    assert stacks_in_use(lambda: [parked(park) for _ in range(5)]) == 5
    assert stacks_in_use(lambda: [parked(park) for _ in range(100)]) == FEW


@needs_stacks
@pytest.mark.skipif(sys.version_info < (3, 11), reason="each Python frame is a C frame, too")
@needs_small_frames
def test_a_few_more_frames_than_expected_are_not_deep(automatic):
    def run():
        recurse_python(9, park)

    def program():
        for _ in range(2):
            children = [parked(run) for _ in range(FEW + 10)]
            for child in children:
                child.switch()
        return [parked(run) for _ in range(FEW + 10)]

    assert stacks_in_use(program) == FEW


@needs_stacks
@needs_small_frames
def test_a_kind_that_turns_shallow_is_forgotten(automatic):
    def run(dive):
        if dive:
            recurse_c(20, park)
        else:
            park()

    def program():
        first = [parked(park) for _ in range(FEW)]
        deep = [parked(run, True) for _ in range(3)]
        before = stack_policy().mapped
        for _ in range(100):
            parked(run, False).switch()
        shallow = [parked(run, False) for _ in range(50)]
        assert stack_policy().mapped <= before + 1
        return first + deep + shallow

    assert FEW + 1 <= stacks_in_use(program) <= FEW + 3


@needs_stacks
def test_those_that_never_park_get_none(automatic):
    """But for the first ones, and one in so many that shows whether it is still so."""

    def program():
        keep = []
        taken = []
        for number in range(100):
            before = stack_policy().mapped
            greenlet(len).switch("")
            if stack_policy().mapped > before:
                taken.append(number)
                keep.append(parked(park))  # leaves none idle
        assert 4 < len(taken) < FEW
        assert taken[:4] == [0, 1, 2, 3]
        return keep

    stacks_in_use(program)


@needs_stacks
@needs_small_frames
def test_a_kind_that_begins_to_park_gets_stacks_again(automatic):
    def run(parks):
        if parks:
            park()

    def program():
        for _ in range(40):
            greenlet(run).switch(False)
        for _ in range(40):
            parked(run, True).switch()
        return [parked(run, True) for _ in range(FEW + 10)]

    assert stacks_in_use(program) == FEW


@needs_stacks
def test_methods_are_kinds_by_their_code(automatic):
    class Worker:
        def run(self):
            recurse_c(20, park)

    assert stacks_in_use(lambda: [parked(Worker().run) for _ in range(FEW + 5)]) >= FEW + 3


@needs_stacks
def test_what_is_no_function_is_a_kind_by_the_class(automatic):
    class Callable:
        def __call__(self):
            recurse_c(20, park)

    class Deep(greenlet):
        pass

    def program():
        children = [Deep(Callable()) for _ in range(FEW + 5)]
        for child in children:
            child.switch()
        return children

    assert stacks_in_use(program) >= FEW + 3


# --- Limits ----------------------------------------------------------------


@needs_stacks
def test_beyond_the_limit_greenlets_are_slices(own):
    def program():
        stack_policy(limit=stack_policy().mapped + 3)
        children = [parked(recurse_c, 3, park) for _ in range(10)]
        for _ in range(3):
            for child in children:
                if child:
                    child.switch()
        return children

    assert stacks_in_use(program) == 3


@needs_stacks
@needs_memory_as_usual
@needs_proc
@pytest.mark.skipif(ON_SLOW_MACHINE, reason="an emulator does not limit its program's addresses")
def test_stacks_leave_address_space_to_others(usual_stack_limit):
    program = """
import resource, greenlet
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**29, used + 2**29))
greenlet.stack_policy("own")
children = [greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch(1)) for _ in range(100)]
assert [child.switch() for child in children] == [1] * 100
print(0 < greenlet.stack_policy().mapped < 20)
for child in children:
    child.switch()
"""
    assert run_program(program)[0] == "True"


@needs_stacks
def test_stacks_of_a_burst_are_unmapped(own):
    # On 32 bits there is room for few.
    kept = max(KEPT_ALWAYS, min(KEPT, stack_policy().limit // 8))

    def program():
        children = [parked(park) for _ in range(2 * kept)]
        assert stack_policy().mapped >= 2 * kept
        for child in children:
            child.switch()
        return []

    assert stacks_in_use(program) <= kept


@needs_stacks
def test_stacks_of_a_thread_go_with_it(own):
    before = stack_policy().mapped
    in_thread(lambda: [parked(park).switch() for _ in range(20)] and None)
    assert stack_policy().mapped == before


@needs_stacks
def test_stacks_of_a_lost_greenlet_go_when_it_goes(own):
    before = stack_policy().mapped
    # Not below C frames, which would never release what they refer to.
    lost = in_thread(lambda: [parked(recurse_python, 3, park_refusing) for _ in range(20)])
    assert stack_policy().mapped == before + 20
    frame = lost[0].gr_frame
    assert [each.name for each in traceback.extract_stack(frame)][-1] == "park_refusing"
    del frame
    lost.clear()
    gc.collect()
    assert stack_policy().mapped == before


@needs_stacks
@pytest.mark.skipif(sys.platform != "linux", reason="the list of mappings is that of Linux")
def test_size_is_that_of_new_stacks():
    def span():
        """Of the mapping that holds the stack of a new greenlet."""
        with open("/proc/self/maps") as file:
            return sum(
                int(high, 16) - int(low, 16)
                for low, high in (line.split()[0].split("-") for line in file)
            )

    def grown(size):
        stack_policy("own", size=size)
        before = span()
        child = parked(park)
        after = span()
        child.switch()
        return after - before

    # An emulator's list may be without the guard.
    assert in_thread(grown, 64 * MIB) >= 63 * MIB
    assert in_thread(grown, 16 * MIB) < 64 * MIB


# --- Recursion -------------------------------------------------------------


def sort_for_ever():
    return sorted([1], key=lambda value: sort_for_ever())


def smallest_size():
    for exponent in range(16, 30):
        try:
            stack_policy(size=2**exponent)
        except ValueError:
            continue
        return 2**exponent
    raise AssertionError("no size was small enough")


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("size", ["smallest", "usual"])
@pytest.mark.parametrize(
    "run",
    [
        sort_for_ever,
        lambda: repr(nested(1_000_000)),
        lambda: nested(1_000_000) == nested(1_000_000),
        lambda: recurse_python(100_000, park),
    ],
)
def test_runaway_recursion_is_an_error(own, run, size):
    if size == "smallest":
        smallest_size()
    with pytest.raises(RecursionError):
        in_greenlet(run)
    # And still so outside, where other bounds hold.
    with pytest.raises(RecursionError):
        run()


def test_bounds_are_the_threads_again_after_each_way_back(own):
    child = parked(recurse_c, 3, park)
    with pytest.raises(RecursionError):
        sort_for_ever()
    child.switch()
    assert child.dead
    with pytest.raises(RecursionError):
        sort_for_ever()
    other = parked(park)
    with pytest.raises(ZeroDivisionError):
        other.throw(ZeroDivisionError)
    with pytest.raises(RecursionError):
        sort_for_ever()


def test_as_deep_as_on_the_shared_stack():
    def depth_of_sort():
        deepest = 0

        def deeper(depth):
            nonlocal deepest
            deepest = depth
            return sorted([1], key=lambda value: deeper(depth + 1))

        with pytest.raises(RecursionError):
            deeper(0)
        return deepest

    stack_policy("shared")
    shared = in_greenlet(depth_of_sort)
    stack_policy("own")
    assert in_greenlet(depth_of_sort) >= shared * 0.95


# --- Frames, the collector, threads, processes ------------------------------


def test_frames_of_parked_ones_can_be_walked(own):
    def inner():
        getcurrent().parent.switch(sys._getframe())

    def outer():
        return list(map(lambda _: inner(), [0]))

    child = greenlet(outer)
    held = child.switch()
    expected = ["inner", "<lambda>", "outer"]
    assert names_from(held) == expected
    assert names_from(child.gr_frame) == expected
    in_greenlet(recurse_c, 10, lambda: None)
    assert names_from(held) == expected
    child.switch()
    assert names_from(held) == expected
    del held


@loses_references(6)
def test_cycles_through_parked_frames_are_collected(own):
    class Probe:
        pass

    def run(probe, others):
        others.append(getcurrent())
        recurse_c(2, park)

    probe = Probe()
    gone = weakref.ref(probe)
    if sys.version_info >= (3, 11):
        child = greenlet(run)
        child.switch(probe, [child])
        del child, probe
        gc.collect()
        assert gone() is None


def test_killed_while_parked_deep(own):
    ended = []

    def run():
        try:
            recurse_c(10, park)
        finally:
            ended.append(True)

    for _ in range(10):
        child = parked(run)
        del child
    assert ended == [True] * 10


def test_hub_with_its_own_starts_slices(own):
    """Those that it starts on the shared stack take each other's place."""

    def hub():
        stack_policy("shared")
        children = [parked(recurse_c, 2, park) for _ in range(scaled(20_000))]
        for child in children:
            child.switch()
        return all(child.dead for child in children)

    assert in_greenlet(hub)


def test_both_kinds_switch_to_each_other():
    def add():
        total = 0
        number = getcurrent().parent.switch()
        while number is not None:
            total += number
            number = getcurrent().parent.switch(total)
        totals.append(total)

    totals = []
    children = []
    for index in range(20):
        stack_policy("own" if index % 2 else "shared")
        children.append(parked(recurse_c, index % 4, add))
    for _ in range(5):
        for index, child in enumerate(children):
            child.switch(index)
    for child in children:
        child.switch(None)
    assert totals == [5 * index for index in range(20)]


def test_threads_have_stacks_of_their_own(own):
    results = []

    def body():
        children = [parked(recurse_c, 5, park) for _ in range(20)]
        for child in children:
            child.switch()
        results.append(all(child.dead for child in children))

    threads = [threading.Thread(target=body) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 8


@needs_fork
def test_a_forked_child_goes_on(own):
    program = """
import os, greenlet
greenlet.stack_policy("own")
def run():
    here = greenlet.getcurrent().parent.switch()
    if os.fork():
        os.wait()
        here = "parent"
    return here + greenlet.getcurrent().parent.switch()
child = greenlet.greenlet(run)
child.switch()
child.switch("child")
print(child.switch("!"), child.dead, flush=True)
"""
    assert run_program(program)[0].split("\n") == ["child! True", "parent! True"]


# --- The promise to programs that insist on the thread's stack ---------------


@pytest.mark.skipif(ON_SLOW_MACHINE, reason="strace shows what an emulator itself maps, too")
def test_shared_never_maps_a_stack(tmp_path, usual_stack_limit):
    strace = shutil.which("strace")
    if (
        strace is None
        or subprocess.run([strace, "-o", os.devnull, sys.executable, "-c", ""]).returncode
    ):
        pytest.skip("strace does not work here")
    program = """
import greenlet
def deep(depth):
    if depth:
        list(map(lambda _: deep(depth - 1), [0]))
    else:
        greenlet.getcurrent().parent.switch()
for _ in range(3):
    children = [greenlet.greenlet(deep) for _ in range(50)]
    for child in children:
        child.switch(20)
    for child in children:
        child.switch()
"""

    def stacks_mapped(mode):
        log = tmp_path / mode
        command = ["strace", "-f", "-e", "trace=mmap", "-o", log, sys.executable, "-c", program]
        subprocess.run(command, check=True, env={**os.environ, "GREENLET_STACK_POLICY": mode})
        return log.read_text().count("MAP_STACK")

    assert stacks_mapped("shared") == 0
    assert stacks_mapped("automatic") > 10
