"""Greenlets in interpreters that have GILs of their own: made, used in parallel and ended with
greenlets parked, time and again, while the main interpreter switches, too."""

import contextlib
import gc
import os
import sys
import textwrap
import threading

import greenlet

if sys.version_info < (3, 12):
    print("skipped: before Python 3.12 all interpreters share one GIL")
    raise SystemExit(0)
try:
    import _interpreters as interpreters  # Python 3.13 and later
except ImportError:
    import _xxsubinterpreters as interpreters

SLOW = os.environ.get("GREENLET_TEST_SLOW_MACHINE") == "1"
THREADS = 3
ROUNDS = 3 if SLOW else 12

WORKLOAD = textwrap.dedent(
    """
    import contextvars, gc, importlib, sys, threading, weakref
    import greenlet
    from greenlet import getcurrent

    def park():
        return getcurrent().parent.switch()

    def echo(*args, **kwargs):
        return args, kwargs

    class Child(greenlet.greenlet):
        def run(self, value):
            self.seen = value
            return [value, getcurrent().parent.switch(value)]

    class WithDel(greenlet.greenlet):
        ended = 0

        def __del__(self):
            WithDel.ended += 1

    def lives():
        for number in range(100):
            assert greenlet.greenlet(lambda x: x + 1).switch(number) == number + 1
        assert greenlet.greenlet(echo).switch(1, two=2) == ((1,), {"two": 2})
        parent = greenlet.greenlet(lambda value: ("parent", value))
        child = greenlet.greenlet(lambda: "child", parent)
        assert child.switch() == ("parent", "child")

    def subclasses():
        for number in range(30):
            child = Child()
            assert child.switch(number) == number == child.seen
            assert child.switch("more") == [number, "more"]
        for _ in range(10):
            parked = WithDel(park)
            parked.switch()
        del parked
        gc.collect()
        assert WithDel.ended >= 10

    def weakrefs():
        parked = greenlet.greenlet(park)
        told = []
        reference = weakref.ref(parked, told.append)
        parked.switch()
        del parked
        assert reference() is None and told == [reference]

    def cycles():
        references = []
        for kind in (greenlet.greenlet, Child):
            each = kind()
            each.run = lambda mine=each: park()
            each.myself = [each]
            each.switch()
            references.append(weakref.ref(each))
        del each
        gc.collect()
        getcurrent()
        gc.collect()
        assert [reference() for reference in references] == [None, None]

    def exceptions():
        parked = greenlet.greenlet(park)
        parked.switch()
        try:
            parked.throw(KeyError, "thrown")
        except KeyError as error:
            assert error.args == ("thrown",)
        else:
            raise AssertionError
        parked = greenlet.greenlet(park)
        parked.switch()
        assert isinstance(parked.throw(), greenlet.GreenletExit)
        for wrong in (lambda: greenlet.greenlet(parent=3), lambda: setattr(parked, "parent", "x")):
            try:
                wrong()
            except TypeError:
                continue
            raise AssertionError

    def traced():
        events = []
        before = greenlet.settrace(lambda event, args: events.append(event))
        greenlet.greenlet(echo).switch()
        try:
            greenlet.greenlet(echo).throw(ValueError)
        except ValueError:
            pass
        greenlet.settrace(before)
        assert events == ["switch", "switch", "throw", "throw"], events

    def contexts():
        variable = contextvars.ContextVar("variable", default="default")
        variable.set("outer")

        def run(value):
            variable.set(value)
            park()
            return variable.get()

        both = [greenlet.greenlet(run) for _ in range(2)]
        for number, each in enumerate(both):
            each.switch(number)
        assert [each.switch() for each in both] == [0, 1]
        assert variable.get() == "outer"

    def deep(depth):
        return park() if depth == 0 else deep(depth - 1)

    def policies():
        for mode in ("own", "shared", "automatic"):
            greenlet.stack_policy(mode)
            row = [greenlet.greenlet(deep) for _ in range(20)]
            for number, each in enumerate(row):
                each.switch(number)
            assert [each.switch(number) for number, each in enumerate(row)] == list(range(20))

    def other_threads():
        left = []

        def work():
            mine = greenlet.greenlet(park)
            mine.switch()
            left.append(mine)
            lives()
            try:
                foreign.switch()
            except greenlet.error:
                return
            raise AssertionError

        foreign = greenlet.greenlet(park)
        foreign.switch()
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(left) == 2 and all(each.dead for each in left)
        assert foreign.switch("end") == "end"

    def garbage_of_other_threads():
        handed_over, ready, dropped = [], threading.Event(), threading.Event()

        def work():
            for kind in (greenlet.greenlet, WithDel):
                each = kind(park)
                each.switch()
                each.cycle = each
                handed_over.append(each)
            del each
            ready.set()
            dropped.wait()
            lives()

        thread = threading.Thread(target=work)
        thread.start()
        ready.wait()
        handed_over.clear()
        gc.collect()
        dropped.set()
        thread.join()

    def monitored():
        seen = []
        parked = greenlet.greenlet(deep)
        parked.switch(3)
        sys.settrace(lambda frame, event, arg: seen.append(event))
        parked.switch("end")
        sys.settrace(None)

    def reloaded():
        kind = greenlet.greenlet
        del sys.modules["greenlet"], sys.modules["greenlet._greenlet"]
        assert importlib.import_module("greenlet").greenlet is kind

    for _ in range(2):
        lives()
        subclasses()
        weakrefs()
        cycles()
        exceptions()
        traced()
        contexts()
        policies()
        other_threads()
        garbage_of_other_threads()
        monitored()
        reloaded()

    # Parked at the end: known to the module, to a cycle, to another greenlet.
    greenlet.stack_policy(MODE)
    kinds = (greenlet.greenlet, Child, WithDel)
    left = [kind() for kind in kinds for _ in range(10)]
    for number, each in enumerate(left):
        each.run = lambda mine=each: deep(number)
        each.switch()
    inner = greenlet.greenlet(lambda: left[0].parent.switch())
    inner.switch()
    unstarted = greenlet.greenlet(echo, inner)
    """
)


def create():
    return interpreters.create("isolated") if sys.version_info >= (3, 13) else interpreters.create()


def run(interpreter, program):
    failure = interpreters.run_string(interpreter, program)  # or raises, on 3.12
    assert failure is None, failure.errdisplay


failed = []


def rounds(count, destroyed_by_another):
    try:
        for number in range(count):
            interpreter = create()
            program = "MODE = {!r}\n".format(("own", "shared", "automatic")[number % 3]) + WORKLOAD
            run(interpreter, program)
            # Another thread than the one that has imported threading waits for ever on 3.12.
            if number % 2 and sys.version_info >= (3, 13):
                destroyed_by_another.append(interpreter)
            else:
                interpreters.destroy(interpreter)
    except BaseException as error:
        failed.append(error)
        raise


def in_parallel(count):
    left = []
    threads = [threading.Thread(target=rounds, args=(count, left)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        for number in range(1000):
            greenlet.greenlet(lambda value: value).switch(number)
            ping.switch(number)
    for thread in threads:
        thread.join()
    for interpreter in left:
        interpreters.destroy(interpreter)
    gc.collect()


def bounce():
    value = None
    while value != "end":
        value = greenlet.getcurrent().parent.switch(value)


ping = greenlet.greenlet(bounce)
ping.switch()
in_parallel(ROUNDS)
with contextlib.suppress(StopIteration):
    ping.switch("end")
if failed:
    os._exit(1)  # there are interpreters left, for whose ends 3.12 would wait for ever
print("end")
