"""What may happen to greenlets, as often as one likes: nothing must be left of it.

Each case takes a count, and fails if something did not end that should have.
"""

import gc
import sys
import threading

from greenlet import GreenletExit, getcurrent, greenlet

# So many are parked together: the first few have stacks of their own, the others slices, of
# which each takes the place of another on the shared stack.
PARKED_AT_ONCE = 50
CYCLES_AT_ONCE = 100
THREADS_AT_ONCE = 4

DEPTHS = (0, 1, 5, 20)


class Subclass(greenlet):
    def run(self, value):
        self.seen = value
        return value


def give_back(value):
    return value


def park(depth=0):
    """Give the control to the parent, below so many calls."""
    if depth:
        return park(depth - 1)
    return getcurrent().parent.switch()


def refuse(value):
    raise LookupError(value)


class Counter:
    """How many greenlets have come to their `finally`."""

    def __init__(self):
        self.ended = 0

    def park(self, depth=0):
        try:
            park(depth)
        finally:
            self.ended += 1


# --- lives


def returns(number):
    each = greenlet(give_back)
    assert each.switch(number) == number


def returns_from_a_subclass(number):
    each = Subclass()
    assert each.switch(number) == number == each.seen


def park_and_return(count):
    parked = [greenlet(park) for _ in range(count)]
    for number, each in enumerate(parked):
        each.switch(DEPTHS[number % len(DEPTHS)])
    for number, each in enumerate(parked):
        assert each.switch(number) == number


def raises(number):
    each = greenlet(refuse)
    try:
        each.switch(number)
    except LookupError as error:
        assert error.args == (number,)
        return
    raise AssertionError("nothing was raised")


def lives(count):
    """Greenlets that come to their own ends."""
    while count > 0:
        for number in range(PARKED_AT_ONCE):
            returns(number)
            returns_from_a_subclass(number)
            raises(number)
        park_and_return(PARKED_AT_ONCE)
        count -= 4 * PARKED_AT_ONCE


# --- kills


def throw_exit(each):
    assert type(each.throw()) is GreenletExit


def throw_error(each):
    try:
        each.throw(LookupError)
    except LookupError:
        return
    raise AssertionError("nothing was raised")


# None: by being dropped.
KILLS = (None, throw_exit, throw_error)


def kills(count):
    """Parked greenlets that are dropped, or that something is thrown into."""
    while count > 0:
        counter = Counter()
        parked = [greenlet(counter.park) for _ in range(PARKED_AT_ONCE)]
        for number, each in enumerate(parked):
            each.switch(DEPTHS[number % len(DEPTHS)])
        del each
        for number in reversed(range(PARKED_AT_ONCE)):
            kill = KILLS[number % len(KILLS)]
            if kill is not None:
                kill(parked[number])
            del parked[number]
        assert counter.ended == PARKED_AT_ONCE, counter.ended
        count -= PARKED_AT_ONCE


# --- collected cycles


def in_its_own_frame(counter):
    def run():
        # Known to the frame, and the frame to nobody else.
        myself = getcurrent()
        counter.park()
        return myself

    return greenlet(run)


def in_another_frame(counter):
    def run(other):
        counter.park()
        return other

    first, second = greenlet(run), greenlet(run)
    first.switch(second)
    second.switch(first)
    return first


def in_a_closure(counter):
    def run():
        counter.park()
        return each

    each = greenlet(run)
    return each


def in_a_generator(counter):
    def generate():
        myself = getcurrent()
        yield
        return myself

    def run():
        generator = generate()
        next(generator)
        counter.park()
        return generator

    return greenlet(run)


CYCLES = ((in_its_own_frame, 1), (in_another_frame, 2), (in_a_closure, 1), (in_a_generator, 1))


def cycles(count):
    """Greenlets that only parked frames refer to, those of their own or of each other."""
    counter = Counter()
    made = 0
    while made < count:
        made_before = made
        while made < made_before + CYCLES_AT_ONCE:
            for make, greenlets in CYCLES:
                each = make(counter)
                if each.gr_frame is None:
                    each.switch()
                made += greenlets
        del each
        gc.collect()
        # What the collector has found is ended as soon as greenlets are used again.
        getcurrent()
        gc.collect()
        # On 3.10 any call may be a callback that is under way: they are released, none ends.
        assert counter.ended == made or sys.version_info < (3, 11), (counter.ended, made)


# --- threads


def run_threads(count, body):
    """Run `body` in so many threads, a few at a time."""
    while count > 0:
        threads = [threading.Thread(target=body) for _ in range(min(count, THREADS_AT_ONCE))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        count -= len(threads)


LOCAL_TO_A_THREAD = 5 * DEPTHS
# Those die with the thread's function; no code is run of two more that are left parked.
ENDED_IN_A_THREAD = len(LOCAL_TO_A_THREAD)


def threads_with_parked(count):
    """Threads that end with greenlets parked, of which somebody knows or nobody."""
    ended_at_home = []
    known = []
    outside = []

    def run(depth):
        home = threading.get_ident()
        try:
            park(depth)
        finally:
            ended_at_home.append(threading.get_ident() == home)

    def run_in_a_cycle():
        myself = getcurrent()
        run(0)
        return myself

    def body():
        local = [greenlet(run) for _ in LOCAL_TO_A_THREAD]
        for each, depth in zip(local, LOCAL_TO_A_THREAD):
            each.switch(depth)
        known_outside = greenlet(run)
        known_outside.switch(0)
        known.append(known_outside)
        greenlet(run_in_a_cycle).switch()
        outside.append(greenlet(give_back, known_outside))  # it will never start

    while count > 0:
        now = min(count, THREADS_AT_ONCE)
        run_threads(now, body)
        gc.collect()
        assert ended_at_home == [True] * now * ENDED_IN_A_THREAD, ended_at_home
        assert all(each.dead for each in known)
        ended_at_home.clear()
        known.clear()
        outside.clear()
        count -= now


def short_threads(count):
    """Threads that use greenlets for a moment."""
    replies = []

    def body():
        parked = greenlet(park)
        parked.switch()
        replies.append(parked.switch(1) + greenlet(give_back).switch(1))

    while count > 0:
        now = min(count, 1000)
        run_threads(now, body)
        assert sum(replies) == 2 * now
        replies.clear()
        count -= now
