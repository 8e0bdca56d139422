"""What the frames of a greenlet refer to that the collector has found: the finally blocks which
run then, or code that goes on, use it.

Without a GIL frames need not have counted references to functions and classes of a module; the
collector ends that for what it finds.
"""

import gc
import sys
import threading
import time
import weakref

import pytest
from greenlet import getcurrent, greenlet

from support import ours_only

MODULE = """
class Fresh:
    @staticmethod
    def call(value):
        return len([value])

def fresh(value):
    return len([value])

def forget(name):
    del globals()[name]

def in_variable(park):
    function = fresh
    forget("fresh")
    try:
        park()
    finally:
        check(function)

def in_variable_a_class(park):
    made = Fresh
    forget("Fresh")
    try:
        park()
    finally:
        check(made.call)

def in_frame_below(park):
    function = fresh
    forget("fresh")
    try:
        in_variable_a_class(park)
    finally:
        check(function)

def as_argument(park):
    def parking(function):
        forget("fresh")
        try:
            park()
        finally:
            check(function)
    parking(fresh)

def in_c_code(park):
    function = fresh
    forget("fresh")
    try:
        [1].sort(key=lambda number: park())
    finally:
        check(function)

def in_generator(park):
    def generate():
        function = fresh
        forget("fresh")
        try:
            yield park()
        finally:
            check(function)
    for _ in generate():
        pass

def of_itself(park):
    try:
        park()
    finally:
        check(fresh)

def check(function):
    for _ in range(3):
        used = use_memory()
        for _ in range(1000):
            assert function(0) == 1
    checked.append(1)
"""

CASES = (
    *("in_variable", "in_variable_a_class", "in_frame_below", "as_argument", "in_c_code"),
    *("in_generator", "of_itself"),
)
each_case = pytest.mark.parametrize("case", CASES)


def use_memory():
    """What has been released is something else now."""
    return [{"a": [number]} for number in range(2000)], [lambda: None for _ in range(2000)]


def park_in_cycle(case, checked, park, kind=greenlet):
    """A greenlet that only the collector can find; a weak reference to it."""
    space = {"checked": checked, "use_memory": use_memory}
    exec(MODULE, space)
    child = kind(space[case])
    child.cycle = child
    child.switch(park)
    return weakref.ref(child)


def park():
    return getcurrent().parent.switch()


def collect_often():
    for _ in range(4):
        gc.collect()
        use_memory()
        getcurrent()


def runs_code(case):
    """Whether GreenletExit is thrown; elsewhere the greenlet is only released, or not found."""
    return case not in ("in_c_code", "in_generator") and sys.version_info >= (3, 11)


@ours_only("never collects a parked greenlet")
@each_case
def test_finally_blocks_of_a_greenlet_that_is_found(case):
    checked = []
    reference = park_in_cycle(case, checked, park)
    collect_often()
    if runs_code(case):
        assert checked != []
        assert reference() is None


@ours_only("never collects a parked greenlet")
@each_case
def test_a_greenlet_that_parks_again_while_it_is_killed(case):
    checked = []
    parked = []

    def park_twice():
        try:
            parked.append(1)
            park()
        finally:
            use_memory()
            parked.append(2)
            assert park() == "go on"

    park_in_cycle(case, checked, park_twice)
    collect_often()
    for child in gc.get_objects():
        if isinstance(child, greenlet) and hasattr(child, "cycle"):
            del child.cycle
            child.switch("go on")
    if runs_code(case):
        assert parked == [1, 2]
        assert checked != []


@pytest.fixture
def only_own_collections():
    """Collections run where a test asks for them, and not in whichever thread allocates."""
    gc.disable()
    yield
    gc.enable()


class Found(greenlet):
    """As large as a Waker: the collector, which goes by sizes, calls finalizers of both in turn."""


class Waker(greenlet):
    """Hands what it has found with itself to a thread, and waits until that has it."""

    def __del__(self):
        found, self.found = self.found, None
        if found is not None and not self.handed:
            self.handed.append(found)
            del found
            self.is_taken.wait(10)


@ours_only("never collects a parked greenlet")
@each_case
def test_a_greenlet_that_runs_in_its_own_thread_while_it_is_found(case, only_own_collections):
    handed, checked, ran = [], [], []
    parked, is_taken, is_collected = (threading.Event() for _ in range(3))

    def park_and_run():
        park()
        ran.append(1)
        is_taken.set()
        is_collected.wait(10)

    def own():
        wakers = [Waker() for _ in range(5)]
        reference = park_in_cycle(case, checked, park_and_run, Found)
        wakers += [Waker() for _ in range(5)]
        for each in wakers:
            each.handed, each.is_taken, each.found = handed, is_taken, reference()
        reference().wakers = wakers
        del wakers, each
        parked.set()
        while not handed and not is_collected.is_set():
            time.sleep(0.001)
        if handed:
            # If its own finalizer came before any waker's, it is killed here.
            handed.pop().switch()
            is_taken.set()

    owner = threading.Thread(target=own)
    owner.start()
    parked.wait()
    gc.collect()
    use_memory()
    was_taken = is_taken.is_set()
    is_collected.set()
    owner.join()
    assert (checked != []) == was_taken
    if runs_code(case):
        assert was_taken
