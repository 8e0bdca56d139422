"""Many greenlets, long and random programs, odd sizes: every value that passes is checked."""

import ctypes
import functools
import gc
import platform
import random
import re
import sys
import weakref

import pytest
from greenlet import GreenletExit, getcurrent, greenlet

from growth import resident_bytes
from support import (
    FREE_THREADED,
    ON_SLOW_MACHINE,
    echo,
    heavy,
    in_greenlet,
    needs_memory_as_usual,
    recurse_c,
    recurse_python,
    scaled,
)


class Passed(Exception):
    """An exception of a random program."""


def nest_generator(depth, bottom):
    def generate(level):
        if level:
            yield from generate(level - 1)
        else:
            yield bottom()

    (value,) = generate(depth)
    return value


def nest_sort(depth, bottom):
    if depth == 0:
        return bottom()
    result = []
    [0].sort(key=lambda _: result.append(nest_sort(depth - 1, bottom)) or 0)
    return result[0]


NESTS = [recurse_python, recurse_c, nest_generator, nest_sort]


class RandomProgram:
    """Greenlets that switch, throw, make, release and end at random.

    Only one greenlet runs at a time, so the seed decides everything. Before each handing
    over the program notes who is going to run and with which value or exception; whoever
    runs next compares. Locals at random depths are compared after every return.
    """

    POPULATION = 50
    # New greenlets begin below their starter on the C stack: a bound on that nesting.
    LEVELS = 25

    def __init__(self, seed, steps):
        self.random = random.Random(seed)
        self.steps = steps
        self.main = getcurrent()
        self.main.level = 0
        self.known = []
        self.everyone = weakref.WeakSet()
        self.expected = None
        self.arrivals = 0

    def run(self):
        while self.steps > 0:
            self.act_nested()
        self.finish()

    def finish(self):
        for child in list(self.everyone):
            child.parent = self.main
        self.known.clear()
        while True:
            alive = [child for child in self.everyone if child]
            if not alive:
                break
            assert type(alive.pop().throw()) is GreenletExit
        assert self.expected is None
        del self.main.level

    def body(self, value):
        self.arrive(value)
        while self.steps > 0 and self.random.random() > 0.05:
            self.act_nested()
        return self.leave()

    def leave(self):
        heir = getcurrent().parent
        if self.random.random() < 0.7:
            while heir.dead:
                heir = heir.parent
            if heir.gr_frame is None and not heir:
                heir.level = getcurrent().level
            result = object()
            self.expected = heir, result
            return result
        # An exception kills unstarted ancestors on its way.
        while not heir:
            heir = heir.parent
        error = Passed(self.steps)
        self.expected = heir, error
        raise error

    def arrive(self, value):
        target, expected = self.expected
        self.expected = None
        assert target is getcurrent()
        assert value is expected
        self.arrivals += 1

    def hand_over(self, target, value, operation):
        self.expected = target, value
        try:
            value = operation(value)
        except Passed as error:
            value = error
            # Or its frames would keep every greenlet that it passed.
            error.__traceback__ = None
        self.arrive(value)

    def act_nested(self):
        self.steps -= 1
        nest = self.random.choice(NESTS)
        depth = self.random.choice([0, 0, 1, 2, 5, 15])
        mark = self.random.random()
        local = [mark] * self.random.randrange(20)
        size = len(local)
        assert nest(depth, lambda: (self.act(), mark)[1]) == mark
        assert local == [mark] * size

    def act(self):
        self.random.choice(
            [self.switch] * 8
            + [self.throw] * 2
            + [self.make] * 3
            + [self.adopt, self.release, self.collect, self.look]
        )()

    def switch(self):
        target = self.choose(lambda other: not other.dead and other is not getcurrent())
        if target is None:
            return
        if not target:
            if getcurrent().level >= self.LEVELS:
                return
            target.level = getcurrent().level + 1
        self.hand_over(target, object(), target.switch)

    def throw(self):
        target = self.choose(lambda other: bool(other) and other is not getcurrent())
        if target is not None:
            self.hand_over(target, Passed(self.steps), target.throw)

    def make(self):
        if len(self.known) < self.POPULATION:
            parent = self.choose(lambda other: True) or self.main
            child = greenlet(self.body, parent)
            child.level = 0
            self.known.append(child)
            self.everyone.add(child)

    def adopt(self):
        child = self.choose(lambda other: other is not self.main)
        parent = self.choose(lambda other: True)
        if child is not None and parent is not None:
            try:
                child.parent = parent
            except ValueError as error:
                assert str(error) == "cyclic parent chain"

    def release(self):
        if self.known:
            self.known.pop(self.random.randrange(len(self.known)))

    def collect(self):
        # Without a GIL there is no young generation: all of pytest is walked.
        if not FREE_THREADED or self.random.random() < 0.25:
            gc.collect(0)

    def look(self):
        target = self.choose(lambda other: bool(other) and other is not getcurrent())
        if target is not None:
            frame = target.gr_frame
            while frame.f_back is not None:
                frame = frame.f_back
            if target is not self.main:
                assert frame.f_code is RandomProgram.body.__code__

    def choose(self, condition):
        candidates = [other for other in self.known + [self.main] if condition(other)]
        return self.random.choice(candidates) if candidates else None


@heavy
@pytest.mark.parametrize("seed", range(8))
def test_random_program(seed):
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20000)
    try:
        program = RandomProgram(seed, scaled(10000))
        program.run()
    finally:
        sys.setrecursionlimit(limit)
    assert program.arrivals > scaled(10000) // 3


@heavy
def test_thousands_of_parked_greenlets():
    count = scaled(5000)

    def run(number):
        received = getcurrent().parent.switch(number)
        return number, received

    children = [greenlet(run) for _ in range(count)]
    assert [child.switch(number) for number, child in enumerate(children)] == list(range(count))
    gc.collect()
    order = list(range(count))
    random.Random(1).shuffle(order)
    for number in order:
        assert children[number].switch(-number) == (number, -number)


@heavy
def test_thousands_of_parked_greenlets_released_unfinished():
    count = scaled(5000)
    ended = []

    def run(number):
        try:
            getcurrent().parent.switch()
        finally:
            ended.append(number)

    children = [greenlet(run) for _ in range(count)]
    for number, child in enumerate(children):
        child.switch(number)
    del child
    random.Random(2).shuffle(children)
    children.clear()
    assert sorted(ended) == list(range(count))


@heavy
def test_create_run_finish_many_times():
    total = 0
    for number in range(scaled(20000)):
        total += greenlet(lambda value: value + 1).switch(number) - number
    assert total == scaled(20000)


def sum_down(depth):
    """A recursion whose result tells whether a frame's locals were lost."""
    own = (depth, depth * 3)
    if depth == 0:
        return getcurrent().parent.switch("bottom")
    below = sum_down(depth - 1)
    assert own == (depth, depth * 3)
    return below + own[0]


@pytest.mark.parametrize("step", [1, 7])
def test_recursion_of_every_depth_parked_at_the_bottom(step):
    children = []
    for depth in range(0, 201, step):
        child = greenlet(sum_down)
        assert child.switch(depth) == "bottom"
        children.append((depth, child))
    random.Random(3).shuffle(children)
    for depth, child in children:
        assert child.switch(1000) == 1000 + depth * (depth + 1) // 2
        assert child.dead


def test_recursion_of_every_depth_without_parking():
    def down(depth):
        return 0 if depth == 0 else depth + down(depth - 1)

    for depth in range(201):
        assert in_greenlet(down, depth) == depth * (depth + 1) // 2


@pytest.mark.parametrize("edge", range(0, 60, 3))
def test_calls_and_returns_around_every_depth(edge):
    """A frame stack that grows by chunks is crossed back and forth at one depth."""

    def leaf(a, b, c):
        return a + b + c

    def hover():
        total = 0
        for number in range(20):
            total += leaf(number, 1, 1)
            getcurrent().parent.switch()
            total += recurse_python(3, lambda: leaf(1, 1, 1))
        return total

    child = greenlet(recurse_python)
    child.switch(edge, hover)
    for _ in range(19):
        child.switch()
    assert child.switch() == sum(range(20)) + 20 * 2 + 20 * 3


def function_with_locals(count):
    """A recursive function with `count` local variables, checked on the way up."""
    lines = ["def big(depth, bottom):"]
    lines += ["    v{0} = depth + {0}".format(number) for number in range(count)]
    lines += ["    result = big(depth - 1, bottom) if depth else bottom()"]
    lines += ["    assert v0 == depth and v{0} == depth + {0}".format(count - 1)]
    lines += ["    assert sum([" + ", ".join("v%d" % n for n in range(count)) + "])"]
    lines += ["    return result"]
    names = {}
    exec("\n".join(lines), names)
    return names["big"]


@pytest.mark.parametrize("count", [50, 260, 1000, 3000])
def test_frames_with_many_locals(count):
    big = function_with_locals(count)
    children = [greenlet(big) for _ in range(4)]
    for depth, child in enumerate(children):
        child.switch(depth * 2 + 1, getcurrent().switch)
    for depth, child in reversed(list(enumerate(children))):
        assert child.switch(depth) == depth


def test_first_frame_larger_than_any_chunk():
    big = function_with_locals(3000)
    assert in_greenlet(big, 1, lambda: "bottom") == "bottom"


@heavy
@pytest.mark.parametrize("nest", NESTS, ids=lambda nest: nest.__name__)
def test_greenlets_that_die_unfinished_at_depth(nest):
    for number in range(scaled(500)):
        child = greenlet(nest)
        child.switch(number % 60, getcurrent().switch)
        if number % 3 == 0:
            assert type(child.throw()) is GreenletExit
        elif number % 3 == 1:
            with pytest.raises(Passed):
                child.throw(Passed)
        del child


@heavy
def test_memory_of_greenlets_that_die_unfinished_is_given_back():
    big = function_with_locals(260)

    def live_and_die():
        for number in range(scaled(200)):
            child = greenlet(big)
            child.switch(20 + number % 10, getcurrent().switch)
            del child

    live_and_die()
    before = resident_bytes()
    live_and_die()
    live_and_die()
    # A leak of one chunk of frames each would be over 6 MB.
    assert resident_bytes() - before < 2_500_000


def test_deep_c_nesting_in_several_greenlets():
    children = []
    for depth in (10, 60, 30, 120, 5):
        child = greenlet(recurse_c)
        child.switch(depth, getcurrent().switch)
        children.append((depth, child))
    for _ in range(3):
        in_greenlet(recurse_c, 100, lambda: None)
    for depth, child in children:
        assert child.switch(depth) == depth


def test_greenlet_started_at_depth_and_resumed_shallow():
    def run():
        first = getcurrent().parent.switch("started")
        second = recurse_c(20, getcurrent().parent.switch)
        return first, second

    child = greenlet(run)
    assert recurse_c(50, child.switch) == "started"
    assert child.switch("shallow") == ()
    assert recurse_c(80, lambda: child.switch("deep")) == ("shallow", "deep")


def test_greenlet_started_shallow_and_finished_at_depth():
    child = greenlet(recurse_c)
    child.switch(30, getcurrent().switch)
    assert recurse_c(90, lambda: child.switch("value")) == "value"


@pytest.mark.parametrize("seed", range(3))
def test_chain_of_greenlets_each_started_by_the_last(seed):
    source = random.Random(seed)
    main = getcurrent()
    made = []

    def run(level):
        if level == 0:
            return main.switch("bottom"), 0
        child = greenlet(run)
        made.append(child)
        nest = source.choice(NESTS)
        received, below = nest(source.randrange(6), lambda: child.switch(level - 1))
        return received, below + level

    first = greenlet(run)
    assert first.switch(30) == "bottom"
    for child in made[:-1]:
        assert child.gr_frame is not None
    assert made[-1].switch("value") == ("value", 465)
    assert first.dead


def test_generators_that_switch():
    main = getcurrent()

    def generate(label):
        for number in range(10):
            yield main.switch(label, number)

    def run(label):
        return list(generate(label))

    children = {label: greenlet(run) for label in "abc"}
    seen = [child.switch(label) for label, child in children.items()]
    for _ in range(9):
        for label, child in children.items():
            seen.append(child.switch(label.upper()))
    assert sorted(seen) == [(label, number) for label in "abc" for number in range(10)]
    for label, child in children.items():
        assert child.switch("end") == [label.upper()] * 9 + ["end"]


def test_greenlets_inside_generators():
    def generate(start):
        child = greenlet(lambda: [getcurrent().parent.switch(start + n) for n in range(5)])
        value = child.switch()
        while not child.dead:
            yield value
            value = child.switch()

    merged = [pair for pair in zip(generate(0), generate(100), generate(200))]
    assert merged == [(n, 100 + n, 200 + n) for n in range(5)]


def test_generator_handed_from_greenlet_to_greenlet():
    def generate():
        for number in range(30):
            yield number, getcurrent()

    steps = generate()

    def run():
        taken = []
        for number, runner in steps:
            assert runner is getcurrent()
            taken.append(number)
            main.switch()
        return taken

    main = getcurrent()
    children = [greenlet(run) for _ in range(3)]
    results = []
    while len(results) < 3:
        for child in children:
            if not child.dead:
                result = child.switch()
                if child.dead:
                    results.append(result)
    assert sorted(sum(results, [])) == list(range(30))


def test_recursive_generator_as_a_tree_walk_with_switches():
    tree = functools.reduce(lambda below, number: [below, number, below], range(7), None)

    def walk(node):
        if node is not None:
            left, value, right = node
            yield from walk(left)
            main.switch(value)
            yield value
            yield from walk(right)

    main = getcurrent()
    plain = []

    def collect(node):
        if node is not None:
            collect(node[0])
            plain.append(node[1])
            collect(node[2])

    collect(tree)
    walkers = [greenlet(lambda: list(walk(tree))) for _ in range(2)]
    seen = [[] for _ in walkers]
    for _ in plain:
        for own, walker in zip(seen, walkers):
            own.append(walker.switch())
    assert seen == [plain, plain]
    assert [walker.switch() for walker in walkers] == [plain, plain]


def test_regular_expression_callbacks_of_many_greenlets():
    main = getcurrent()
    text = "0 1 2 3 4 5 6 7 8 9"

    def run(factor):
        return re.sub(r"\d", lambda found: str(main.switch(int(found.group())) * factor), text)

    children = [greenlet(run) for _ in range(10)]
    pending = [child.switch(factor) for factor, child in enumerate(children)]
    while not children[0].dead:
        pending = [child.switch(value) for value, child in zip(pending, children)]
    assert pending == [
        " ".join(str(number * factor) for number in range(10)) for factor in range(10)
    ]


def test_many_arguments():
    values = tuple(range(500))
    keywords = {"k%d" % number: number for number in range(200)}
    assert in_greenlet(echo, *values, **keywords) == (values, keywords)


def test_large_values_on_the_c_stack():
    """A key function below a sort of many elements keeps their array on the stack or heap."""
    main = getcurrent()
    words = [str(number) for number in range(2000)]

    def run():
        count = [0]

        def key(word):
            count[0] += 1
            if count[0] % 500 == 0:
                main.switch(count[0])
            return -int(word)

        return sorted(words, key=key)

    children = [greenlet(run) for _ in range(3)]
    for expected in (500, 1000, 1500, 2000):
        assert [child.switch() for child in children] == [expected] * 3
    for child in children:
        assert child.switch() == words[::-1]


def end_a_burst(count):
    """That many greenlets park, eight functions deep, and end; returns what was resident then."""
    parked = [greenlet(recurse_python) for _ in range(count)]
    for child in parked:
        child.switch(8, getcurrent().switch)
    peak = resident_bytes()
    for child in parked:
        child.switch()
    return peak


@heavy
@needs_memory_as_usual
@pytest.mark.skipif(ON_SLOW_MACHINE, reason="under valgrind what is freed is kept for a while")
def test_memory_of_a_burst_goes_back():
    before = resident_bytes()
    peak = end_a_burst(30_000)
    gc.collect()
    assert resident_bytes() - before < (peak - before) / 2


@needs_memory_as_usual
@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or ON_SLOW_MACHINE,
    reason="only glibc keeps freed pages, and valgrind's allocator is another",
)
def test_a_burst_leaves_the_programs_own_free_memory_alone():
    """To give it back would take a walk through the whole heap, in the middle of a switch."""
    libc = ctypes.CDLL(None)
    libc.malloc.argtypes, libc.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    size = 16 * 1024
    blocks = [libc.malloc(size) for _ in range(6000)]
    for block in blocks:
        ctypes.memset(block, 1, size)
    for block in blocks[::2]:
        libc.free(block)
    before = resident_bytes()
    end_a_burst(6000)
    gone = before - resident_bytes()
    for block in blocks[1::2]:
        libc.free(block)
    assert gone < 3000 * size / 2
