"""The cases: each a small function whose docstring says what it measures.

The garbage collector is off while they run (worker.py), as in timeit.  Where
a case switches there and back, the figure is for one switch, one way.
"""

import ctypes
import functools
import math
import time

from greenlet import getcurrent, greenlet

from measure import (
    LEAST_SECONDS,
    page_table_bytes,
    resident_bytes,
    sampled,
    timed,
    unrolled,
)

MANY = 100_000
MILLION = 1_000_000


def nothing(*values):
    pass


def pause():
    getcurrent().parent.switch()


def partner_of(other):
    while True:
        other.switch()


# --- Switching ------------------------------------------------------------


@timed("generator.send (the yardstick)")
def generator_send():
    """The interpreter's own generator: send(None) into it and its yield
    back, the two together."""

    def endless():
        while True:
            yield

    generator = endless()
    generator.send(None)
    return unrolled("generator.send(None)", generator=generator)


@timed("switch, two greenlets", operations=2)
def switch_two():
    """Between the main greenlet and its child, no value."""
    child = greenlet(partner_of)
    child.switch(getcurrent())
    return unrolled("child.switch()", child=child)


@timed("switch with a value", operations=2)
def switch_value():
    """Between the main greenlet and its child, a value handed over each
    way."""

    def echo(main):
        value = None
        while True:
            value = main.switch(value)

    child = greenlet(echo)
    child.switch(getcurrent())
    return unrolled("child.switch(7)", child=child)


def directly(function):
    return function()


def under_python_frames(depth, function):
    if depth == 0:
        return function()
    return under_python_frames(depth - 1, function)


def under_c_calls(depth, function):
    """Call function with `depth` C functions, each entered from Python, in
    between."""
    if depth == 0:
        return function()

    def deeper(*_):
        return under_c_calls(depth - 1, function)

    kind = depth % 3
    if kind == 0:
        return sorted([0], key=deeper)
    if kind == 1:
        return list(map(deeper, [0]))
    return functools.reduce(deeper, [0, 0])


def between_siblings(enter):
    """Two children of the main greenlet switch to each other, both below
    whatever `enter` puts on their stacks."""

    def run(rounds):
        figures = []
        second = greenlet(lambda other: enter(lambda: partner_of(other)))

        def measured():
            second.switch(getcurrent())
            figures.append(unrolled("second.switch()", second=second)(rounds))

        greenlet(lambda: enter(measured)).switch()
        second.throw()  # it and its partner hold each other
        return figures[0]

    return run


@timed("switch, siblings", operations=2)
def switch_siblings():
    """Between two children of the same parent."""
    return between_siblings(directly)


@timed("switch, a hub and 1000 greenlets", operations=2000)
def switch_hub():
    """The main greenlet switches to each of 1000 in turn, each switches
    back."""
    workers = [greenlet(partner_of) for _ in range(1000)]
    for worker in workers:
        worker.switch(getcurrent())

    def run(rounds):
        start = time.perf_counter_ns()
        for _ in range(rounds):
            for worker in workers:
                worker.switch()
        return (time.perf_counter_ns() - start) / rounds

    return run


@timed("switch, 100 Python frames under it", operations=2)
def switch_python_frames():
    """Between two siblings, each 100 Python frames deep."""
    return between_siblings(functools.partial(under_python_frames, 100))


@timed("switch, 30 nested C calls under it", operations=2)
def switch_c_calls():
    """Between two siblings, each below 30 nested sorted, map and reduce
    calls that call back into Python."""
    return between_siblings(functools.partial(under_c_calls, 30))


@timed("switch, 40 nested C calls under it", operations=2)
def switch_40_c_calls():
    """The same below 40."""
    return between_siblings(functools.partial(under_c_calls, 40))


def in_turn(count):
    """A ring of greenlets, each below 16 Python functions and 8 nested C calls, as a
    handler of web requests may be: each switches to the next, the last to the main
    greenlet."""
    ring = [greenlet(functools.partial(under_c_calls, 8)) for _ in range(count)]
    following = dict(zip(ring, [*ring[1:], getcurrent()], strict=True))

    def endless():
        getcurrent().parent.switch()
        partner_of(following[getcurrent()])

    for each in ring:
        each.switch(endless)
    return ring


def time_in_turn(count):
    ring = in_turn(count)

    def run(rounds):
        first = ring[0]
        start = time.perf_counter_ns()
        for _ in range(rounds):
            first.switch()
        return (time.perf_counter_ns() - start) / rounds

    return run


@timed("switch, 16 frames and 8 C calls, 10 in turn", operations=11)
def switch_deep_10():
    """A ring of 10 greenlets, each below 16 Python functions and 8 nested C calls."""
    return time_in_turn(10)


@timed("the same, 1000 in turn", operations=1001)
def switch_deep_1000():
    """A ring of 1000 such."""
    return time_in_turn(1000)


# Which pages of memory a process gets decides whether they contend for the same sets of a
# cache: among processes the figure varies by a factor of two.
@sampled("the same, 10 000 in turn", "ns", alone=True, launches=25)
def switch_deep_10000():
    """A ring of 10 000 such, in many processes."""
    run = time_in_turn(10_000)
    return min(run(1) for _ in range(10)) / 10_001


# --- Lives ----------------------------------------------------------------


@timed("create + run + finish")
def life():
    """A greenlet is made, runs an empty function to its end, is dropped."""
    return unrolled("greenlet(nothing).switch()", greenlet=greenlet, nothing=nothing)


@timed("create + switch out + in + finish")
def life_with_pause():
    """A greenlet is made, parks once, is resumed, ends, is dropped."""
    return unrolled(
        "child = greenlet(pause); child.switch(); child.switch()",
        greenlet=greenlet,
        pause=pause,
    )


@timed("the same, 1000 in parallel, 16 frames deep", operations=1000)
def life_deep():
    """A thousand greenlets are made and run until each is parked sixteen
    Python functions deep; then each is resumed, ends, is dropped."""

    def run(rounds):
        parked = [None] * 1000
        start = time.perf_counter_ns()
        for _ in range(rounds):
            fill_parked(parked, park_below, 15)
            for index in range(len(parked)):
                parked[index].switch()
                parked[index] = None
        return (time.perf_counter_ns() - start) / rounds

    return run


@timed("drop the last reference to a parked one")
def kill():
    """The last reference goes: GreenletExit is raised in it, its `finally`
    block runs, it is freed."""

    def guarded(main):
        try:
            main.switch()
        finally:
            nothing()

    def run(rounds):
        count = rounds * 10
        parked = [greenlet(guarded) for _ in range(count)]
        main = getcurrent()
        for child in parked:
            child.switch(main)
        child = None
        start = time.perf_counter_ns()
        parked.clear()
        return (time.perf_counter_ns() - start) / count

    return run


@timed("greenlet() alone")
def create():
    """The object is made and dropped, never started."""
    return unrolled("greenlet()", greenlet=greenlet)


@sampled("a chain of parents, 1000 long", "ns")
def chain_short():
    """A chain in which each is the parent of the next is made, run and
    dropped: the time for each."""
    figures = [chain(1000) for _ in range(3)]
    # As long altogether as a timed loop's repeats: one chain takes so short a time that
    # the least of three depends on how fast the machine is just then.
    while sum(figures) * 1000 < 3 * LEAST_SECONDS * 1e9:
        figures.append(chain(1000))
    return min(figures)


@sampled("a chain of parents, 100 000 long", "ns", alone=True, launches=5, limit=10)
def chain_long():
    """The same, a hundred times longer: the figure for each should be
    about the same."""
    return min(chain(MANY) for _ in range(3))


def chain(length):
    start = time.perf_counter_ns()
    last = getcurrent()
    for _ in range(length):
        last = greenlet(nothing, last)
    last.switch()
    del last
    return (time.perf_counter_ns() - start) / length


# --- Calls inside a greenlet ----------------------------------------------


def roomy():
    # Its frame is bigger than the recursion's step, so that at some depth
    # the recursion fits a chunk of the data stack and this does not.
    a = b = c = d = e = f = g = h = i = j = k = m = n = o = p = q = None
    return a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q


@sampled("Python call at depth 0 to 200, worst / first", "times")
def call_at_worst_depth():
    """Inside a greenlet, a call is timed at each recursion depth: the
    slowest depth over depth 0."""
    deepest = 200
    least = [math.inf] * (deepest + 1)
    time_calls = unrolled("roomy()", roomy=roomy)

    def descend(depth):
        least[depth] = min(least[depth], time_calls(10))
        if depth < deepest:
            descend(depth + 1)

    for _ in range(12):
        greenlet(descend).switch(0)
    return max(least) / least[0]


# --- Memory ---------------------------------------------------------------


def fill_parked(places, function, *arguments):
    """Park a greenlet in each place of a list."""
    for index in range(len(places)):
        places[index] = greenlet(function)
        places[index].switch(*arguments)


def parked_bytes(count):
    warm_up = [None] * 1000
    fill_parked(warm_up, pause)
    parked = [None] * count
    before = resident_bytes()
    fill_parked(parked, pause)
    return resident_bytes() - before


@sampled("memory, parked", "bytes", alone=True)
def memory_parked():
    """Growth of resident memory for each of 100 000 parked one-frame
    greenlets."""
    return parked_bytes(MANY) / MANY


@sampled("memory, parked below 16 frames and 8 C calls", "bytes", alone=True)
def memory_deep():
    """Growth of resident memory and page tables for each of 10 000 greenlets of the
    ring."""
    rings = [in_turn(100)]
    before = resident_bytes() + page_table_bytes()
    rings.append(in_turn(10_000))
    return (resident_bytes() + page_table_bytes() - before) / 10_000


def stay_awake(seconds):
    """What a server's hub does meanwhile: again and again somebody is to be woken."""
    ticking = greenlet(partner_of)
    ticking.switch(getcurrent())
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.0005)
        ticking.switch()


@sampled("the same, idle for two seconds", "bytes", alone=True)
def memory_deep_idle():
    """The same two seconds later, in which but one greenlet has run."""
    rings = [in_turn(100)]
    before = resident_bytes() + page_table_bytes()
    rings.append(in_turn(10_000))
    stay_awake(2)
    return (resident_bytes() + page_table_bytes() - before) / 10_000


@sampled("memory, unstarted", "bytes", alone=True)
def memory_unstarted():
    """Growth of resident memory for each of 500 000 greenlets that never
    ran."""
    unstarted = [None] * (5 * MANY)
    warm_up = [greenlet(pause) for _ in range(1000)]
    before = resident_bytes()
    for index in range(len(unstarted)):
        unstarted[index] = greenlet(pause)
    grown = resident_bytes() - before
    del warm_up
    return grown / len(unstarted)


def park_below(depth):
    if depth:
        park_below(depth - 1)
    else:
        getcurrent().parent.switch()


def burst():
    """Park 100 000 greenlets eight frames deep and let them end.  Returns
    resident bytes at the peak and after."""
    parked = [None] * MANY
    fill_parked(parked, park_below, 7)
    peak = resident_bytes()
    for child in parked:
        child.switch()
    del child, parked
    return peak, resident_bytes()


@sampled("memory given back after a burst", "%", alone=True, comparable=False)
def burst_given_back():
    """100 000 greenlets are parked eight frames deep and end: how much of
    the growth of resident memory goes back."""
    before = resident_bytes()
    peak, after = burst()
    return 100 * (peak - after) / (peak - before)


@sampled("memory that a second burst adds", "MiB", alone=True, comparable=False)
def burst_second():
    """The peak of a second such burst over the peak of the first."""
    first_peak, _ = burst()
    second_peak, _ = burst()
    return max(0, second_peak - first_peak) / 2**20


# Blocks of malloc's, of which every second is freed: 2 GB in holes.
HOLES = 350_000
HOLE_SIZE = 6 * 1024


def longest_of_a_burst():
    """Microseconds of the longest switch of 10 000 greenlets that park and end; the least
    of ten such bursts, since a machine's other work is longer than any switch."""
    longest = []
    clock = time.perf_counter_ns
    for _ in range(10):
        parked = [greenlet(pause) for _ in range(10_000)]
        worst = 0
        for child in (*parked, *parked):
            start = clock()
            child.switch()
            worst = max(worst, clock() - start)
        longest.append(worst)
    return min(longest) / 1000


@sampled("longest switch of a burst", "us", alone=True, launches=3)
def burst_longest():
    """10 000 greenlets park in the function that they run, and end."""
    return longest_of_a_burst()


@sampled("the same, a heap with 2 GB in holes", "us", alone=True, launches=3, only_full=True)
def burst_longest_in_holes():
    """Beside 350 000 blocks of 6 KB that the program has, every second of them freed."""
    library = ctypes.CDLL(None)
    library.malloc.argtypes, library.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    library.free.argtypes = [ctypes.c_void_p]
    blocks = [library.malloc(HOLE_SIZE) for _ in range(HOLES)]
    for block in blocks:
        ctypes.memset(block, 1, HOLE_SIZE)
    for block in blocks[::2]:
        library.free(block)
    return longest_of_a_burst()


@sampled("a million parked, memory", "GiB", alone=True, limit=300, only_full=True)
def million_memory():
    """Growth of resident memory for a million parked one-frame greenlets."""
    return parked_bytes(MILLION) / 2**30


@sampled("a million parked, time", "s", alone=True, limit=300, only_full=True)
def million_time():
    """A million greenlets are made and run until each is parked."""
    parked = [None] * MILLION
    start = time.perf_counter()
    fill_parked(parked, pause)
    return time.perf_counter() - start


# --- gevent ---------------------------------------------------------------


@timed("gevent: spawn + join", needs="gevent")
def gevent_spawn():
    """A greenlet of gevent's runs an empty function, and is waited for."""
    import gevent

    return unrolled("spawn(nothing).join()", spawn=gevent.spawn, nothing=nothing)


@timed("gevent: sleep(0)", needs="gevent")
def gevent_sleep():
    """To the hub, through its event loop, and back."""
    import gevent

    return unrolled("sleep(0)", sleep=gevent.sleep)


@timed("gevent: a queue hand-over", needs="gevent")
def gevent_queue():
    """One greenlet puts into a queue with room for one item, another gets:
    the time for each item."""
    import gevent
    import gevent.queue

    def run(rounds):
        queue = gevent.queue.Queue(maxsize=1)
        taker = gevent.spawn(lambda: [queue.get() for _ in range(rounds)])
        start = time.perf_counter_ns()
        for item in range(rounds):
            queue.put(item)
        taker.join()
        return (time.perf_counter_ns() - start) / rounds

    return run


@sampled(
    "gevent + Flask, time for each request",
    "us",
    alone=True,
    launches=5,
    limit=60,
    needs="flask",
)
def flask_request():
    """gevent's server with a small Flask application; another process asks over 50
    connections."""
    return min(flask_figure("requests") for _ in range(5))


@sampled("gevent + Flask, memory of an open request", "bytes", alone=True, limit=60, needs="flask")
def flask_open_request():
    """Growth of resident memory and page tables for each of 1000 requests that wait
    in their handler."""
    return flask_figure("memory")


@sampled("gevent + Flask, an idle connection", "bytes", alone=True, limit=60, needs="flask")
def flask_idle():
    """Growth of resident memory and page tables for each of 5000 connections that have had
    an answer and are kept open, two seconds after the last."""
    return flask_figure("idle")


@sampled("the same, inside a view", "bytes", alone=True, limit=60, needs="flask")
def flask_waiting():
    """The same for each of 5000 requests that wait in their handler for two seconds."""
    return flask_figure("waiting")


def flask_figure(which):
    import web

    return getattr(web, which)()
