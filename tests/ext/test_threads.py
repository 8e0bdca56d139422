"""One tree of greenlets per thread: what is refused across threads, and what happens to
greenlets whose thread has ended or which another thread lets go."""

import contextlib
import contextvars
import gc
import sys
import threading
import traceback
import weakref

import pytest
from greenlet import GreenletExit, error, getcurrent, greenlet

from support import (
    FREE_THREADED,
    ON_ORACLE,
    echo,
    finished,
    in_greenlet,
    in_thread,
    join,
    killed,
    loses_references,
    ours_only,
    parked,
    raised_by,
    recurse_c,
    recurse_python,
    scaled,
    unstarted,
)

OTHER_THREAD = (
    error,
    "Cannot switch to a different thread\n"
    "\tCurrent:  <greenlet.greenlet object at 0x.. (otid=0x..) current active started main>\n"
    "\tExpected: <greenlet.greenlet object at 0x.. (otid=0x..) suspended active started main>",
)
ENDED_THREAD = (error, "cannot switch to a different thread (which happens to have exited)")

STATES = [unstarted, parked, finished, killed]


def leave_in_a_thread(make):
    """What `make` made in a thread that has ended since."""
    return in_thread(make)


def test_each_thread_has_a_main_greenlet():
    mine = getcurrent()
    theirs = in_thread(getcurrent)
    assert theirs is not mine
    assert theirs.parent is None


def test_current_greenlet_of_a_thread_stays_the_same():
    assert in_thread(lambda: getcurrent() is getcurrent()) is True


class CurrentWhenCollected:
    """Garbage whose finalizer asks for the current greenlet."""

    def __init__(self, seen):
        self.seen = seen
        self.cycle = self

    def __del__(self):
        self.seen.append(getcurrent())


def test_finalizer_that_runs_while_a_thread_gets_its_main_greenlet_sees_the_same():
    def use():
        seen = []
        gc.disable()
        thresholds = gc.get_threshold()
        gc.set_threshold(1)
        try:
            CurrentWhenCollected(seen)
            current = getcurrent
            gc.enable()
            seen.append(current())
        finally:
            gc.set_threshold(*thresholds)
            gc.enable()
        gc.collect()
        return [each is getcurrent() for each in seen]

    assert in_thread(use) == [True, True]


def test_greenlets_of_a_thread_have_its_main_greenlet_as_root():
    def elsewhere():
        return in_greenlet(lambda: getcurrent().parent) is getcurrent()

    assert in_thread(elsewhere) is True


@pytest.mark.parametrize("make", STATES + [getcurrent])
def test_switch_to_another_thread_is_refused(make):
    target = make()
    assert in_thread(raised_by, target.switch) == OTHER_THREAD
    assert in_thread(raised_by, target.switch, 1) == OTHER_THREAD


@pytest.mark.parametrize("make", STATES + [getcurrent])
@pytest.mark.parametrize("arguments", [(), (ValueError,), (GreenletExit,)], ids=repr)
def test_throw_to_another_thread_is_refused(make, arguments):
    target = make()
    assert in_thread(raised_by, target.throw, *arguments) == OTHER_THREAD


def test_bad_throw_arguments_are_refused_first():
    target = parked()
    assert in_thread(raised_by, target.throw, 1) == (
        TypeError,
        "exceptions must be classes, or instances, not int",
    )


def test_refusal_names_the_main_greenlets_of_both_threads():
    target = parked()
    kind, message = in_thread(in_greenlet, raised_by, target.switch)
    assert kind is error
    assert message == OTHER_THREAD[1].replace("current active", "suspended active")


@pytest.mark.parametrize("make", [unstarted, parked])
def test_refused_switch_leaves_the_target_usable(make):
    target = make()
    in_thread(raised_by, target.switch)
    in_thread(raised_by, target.throw)
    assert not target.dead
    assert target.switch("value") in ("value", (("value",), {}))


def test_refused_switch_drops_its_arguments():
    class Argument:
        pass

    target = parked()
    argument = Argument()
    reference = weakref.ref(argument)
    in_thread(raised_by, target.switch, argument)
    del argument
    assert reference() is None


@pytest.mark.parametrize("make", STATES + [getcurrent])
@pytest.mark.parametrize(
    "operate",
    [
        lambda target: target.switch(),
        lambda target: target.switch(1, a=2),
        lambda target: target.throw(),
        lambda target: target.throw(ValueError),
    ],
)
def test_switch_to_an_ended_thread_is_refused(make, operate):
    target = leave_in_a_thread(make)
    assert raised_by(operate, target) == ENDED_THREAD


@pytest.mark.parametrize("make", [parked, finished, killed, getcurrent])
def test_started_greenlets_of_an_ended_thread_are_dead(make):
    assert leave_in_a_thread(make).dead is True


@ours_only("a greenlet parked in an ended thread is dead and true at the same time")
@pytest.mark.parametrize("make", [parked, getcurrent])
def test_greenlets_of_an_ended_thread_are_false(make):
    assert not leave_in_a_thread(make)


def test_unstarted_greenlet_of_an_ended_thread_is_not_dead():
    left = leave_in_a_thread(unstarted)
    assert left.dead is False
    assert bool(left) is False
    assert left.gr_frame is None


def test_unstarted_greenlet_of_an_ended_thread_can_be_adopted():
    left = leave_in_a_thread(unstarted)
    left.parent = getcurrent()
    assert left.switch(1) == ((1,), {})


@pytest.mark.parametrize("make", [parked, finished, killed])
def test_started_greenlet_of_an_ended_thread_cannot_be_adopted(make):
    left = leave_in_a_thread(make)
    assert raised_by(setattr, left, "parent", getcurrent()) == (
        ValueError,
        "parent cannot be on a different thread",
    )


@pytest.mark.parametrize("make", STATES + [getcurrent])
def test_greenlet_of_an_ended_thread_as_a_parent(make):
    left = leave_in_a_thread(make)
    child = greenlet(echo)
    child.parent = left
    assert child.parent is left
    assert raised_by(child.switch) == ENDED_THREAD
    child.parent = getcurrent()
    assert child.switch() == ((), {})


@pytest.mark.parametrize("make", STATES)
def test_parent_of_a_greenlet_of_an_ended_thread(make):
    def elsewhere():
        return make(), weakref.ref(getcurrent())

    left, main_there = in_thread(elsewhere)
    assert left.parent is main_there()
    assert left.parent.parent is None


def test_run_of_greenlets_of_an_ended_thread():
    assert leave_in_a_thread(unstarted).run is echo
    assert raised_by(lambda: leave_in_a_thread(finished).run) == (AttributeError, "run")
    assert raised_by(lambda: leave_in_a_thread(getcurrent).run) == (
        AttributeError,
        "Main greenlets do not have a run attribute.",
    )


def test_main_greenlet_of_an_ended_thread_has_no_context():
    left = leave_in_a_thread(getcurrent)
    assert raised_by(lambda: left.gr_context) == (
        ValueError,
        "cannot get context of a greenlet that is running in a different thread",
    )
    assert raised_by(setattr, left, "gr_context", contextvars.Context()) == (
        ValueError,
        "cannot set context of a greenlet that is running in a different thread",
    )


def test_main_greenlet_of_an_ended_thread_is_released():
    reference = in_thread(lambda: weakref.ref(getcurrent()))
    gc.collect()
    in_greenlet(echo)
    assert reference() is None


def test_main_greenlet_of_an_ended_thread_keeps_its_attributes():
    def elsewhere():
        getcurrent().mark = "kept"
        return getcurrent()

    left = in_thread(elsewhere)
    assert left.mark == "kept"
    left.other = 1
    assert left.__dict__ == {"mark": "kept", "other": 1}


class Held:
    """Something that a frame refers to."""


def wait_for_exit(held, order):
    """What a thread leaves parked."""
    try:
        getcurrent().parent.switch()
    finally:
        order.append("finally")


def in_python(held, order):
    recurse_python(30, lambda: wait_for_exit(held, order))


def in_callback(held, order):
    recurse_c(20, lambda: wait_for_exit(held, order))


def swallowing(held, order):
    """What event loops do."""
    while True:
        with contextlib.suppress(BaseException):
            wait_for_exit(held, order)


WAYS_TO_PARK = [in_python, in_callback, swallowing]


def left_parked(way, held, order):
    """A greenlet parked in a thread that has ended, with a frame that refers to `held`."""

    def elsewhere():
        child = greenlet(way)
        child.switch(held, order)
        return child

    return in_thread(elsewhere)


@loses_references(60)
@pytest.mark.parametrize("way", WAYS_TO_PARK)
def test_end_of_a_thread_runs_no_code_of_greenlets_that_others_hold(way, capfd, unraisable):
    order = []
    child = left_parked(way, None, order)
    assert child.dead
    assert not child
    assert raised_by(child.switch) == ENDED_THREAD
    assert raised_by(child.throw) == ENDED_THREAD
    del child
    gc.collect()
    assert order == []
    assert unraisable == []
    assert capfd.readouterr() == ("", "")


def test_end_of_a_thread_lets_go_of_nothing_that_somebody_holds():
    held = Held()
    reference = weakref.ref(held)
    child = left_parked(in_python, held, [])
    del held
    gc.collect()
    assert reference() is not None
    assert child.dead


@loses_references(60)
@ours_only("shows none once the thread has been cleaned up")
def test_frames_of_an_ended_thread_can_be_looked_at():
    child = left_parked(in_callback, "held", [])
    frame = child.gr_frame
    assert frame.f_code is wait_for_exit.__code__
    assert frame.f_locals["held"] == "held"
    assert frame.f_back.f_code.co_name == "<lambda>"


@ours_only("leaks them")
@pytest.mark.skipif(
    sys.version_info < (3, 11),
    reason="3.10 keeps the arguments of calls under way on value stacks of unknown height",
)
@pytest.mark.parametrize("cyclic", [False, True])
@pytest.mark.parametrize("way", [in_python, swallowing])
def test_references_of_frames_left_by_an_ended_thread_are_released(way, cyclic):
    order = []
    held = Held()
    reference = weakref.ref(held)
    child = left_parked(way, held, order)
    if cyclic:
        held.child = child
    del child, held
    gc.collect()
    assert reference() is None
    assert order == []


@ours_only("crashes when such a greenlet is freed after its frame was looked at")
def test_frames_left_by_an_ended_thread_can_outlive_their_greenlet():
    child = left_parked(in_python, "held", [])
    frame = child.gr_frame
    del child
    gc.collect()
    assert frame.f_code is wait_for_exit.__code__
    assert frame.f_locals["held"] == "held"
    names = [each.f_code.co_name for each, line in traceback.walk_stack(frame)]
    assert names == ["wait_for_exit", "<lambda>"] + ["recurse_python"] * 31 + ["in_python"]


@ours_only("leaks the thread's main greenlet")
def test_greenlet_left_by_an_ended_thread_keeps_nothing_of_it_when_released():
    def elsewhere():
        child = parked()
        return child, weakref.ref(getcurrent())

    child, main_there = in_thread(elsewhere)
    del child
    gc.collect()
    assert main_there() is None


@loses_references(5)
@pytest.mark.parametrize("how", ["method", "bound", "keywords", "star", "throw", "C code"])
def test_arguments_of_the_switch_that_a_released_greenlet_waits_in(how):
    """They lie on the value stack of its innermost frame, once."""
    passed = [object() for _ in range(3)]
    counts = [sys.getrefcount(each) for each in passed]

    def run(first, second, third):
        hub = getcurrent().parent
        switch = hub.switch
        if how == "method":
            hub.switch(first, second, third)
        elif how == "bound":
            [first, switch(first, second, third)]
        elif how == "keywords":
            {third: hub.switch(first, other=second)}
        elif how == "star":
            switch(*(first, second, third))
        elif how == "throw":
            hub.throw(HasArguments(first), second, None)
        else:
            sorted([first, second], key=switch)

    def elsewhere():
        child = greenlet(run)
        with contextlib.suppress(HasArguments, TypeError):
            child.switch(*passed)
        return child

    child = in_thread(elsewhere)
    gc.collect()
    frame = child.gr_frame
    del child
    gc.collect()
    assert frame is None or frame.f_code is run.__code__
    del frame
    gc.collect()
    now = [sys.getrefcount(each) for each in passed]
    assert all(before <= after for before, after in zip(counts, now))
    # Where the height of a stack is not known, what lies there is not released.
    if how in ("method", "bound", "keywords") and not ON_ORACLE:
        assert now == counts


class HasArguments(Exception):
    """Thrown at the thread's main greenlet."""


def test_end_of_a_thread_keeps_parents_and_results():
    def elsewhere():
        parent, child = parked(), parked()
        child.parent = parent
        return parent, child

    parent, child = in_thread(elsewhere)
    assert child.dead and parent.dead
    assert child.parent is parent


@pytest.mark.parametrize("known_before", [False, True])
def test_greenlet_that_only_a_thread_local_variable_holds_ends_in_its_thread(known_before):
    """Whether the thread has used greenlets or the variable first."""
    order = []
    local = threading.local()

    def run():
        try:
            getcurrent().parent.switch()
        finally:
            order.append(threading.get_ident())

    def elsewhere():
        if known_before:
            local.anything = None
        child = greenlet(run)
        child.switch()
        local.child = child
        return threading.get_ident()

    identity = in_thread(elsewhere)
    assert order == [identity]


class SwitchesAtTheEnd:
    """In a thread-local variable: uses greenlets when the thread has nearly ended."""

    def __init__(self, order):
        self.order = order

    def __del__(self):
        self.order.append(in_greenlet(lambda: threading.get_ident()))
        self.order.append(contextvars.copy_context())
        left = parked()
        self.order.append(left)


def test_code_that_runs_at_the_very_end_of_a_thread_may_use_greenlets():
    for _ in range(20):
        order = []
        local = threading.local()

        def elsewhere(local=local, order=order):
            getcurrent()
            local.switches = SwitchesAtTheEnd(order)
            return threading.get_ident()

        identity = in_thread(elsewhere)
        assert order[0] == identity
        # The context, which others may keep, does not keep the thread alive for them.
        assert in_thread(lambda left=order[2]: raised_by(left.switch))[0] is error
        assert in_thread(in_greenlet, echo) == ((), {})


@loses_references(60)
@ours_only("leaks them")
@pytest.mark.parametrize("way", WAYS_TO_PARK)
def test_greenlets_dropped_by_another_thread_do_not_keep_theirs_from_ending(way):
    order = []
    working = Worker()

    def make():
        child = greenlet(way)
        child.switch(None, order)
        return child

    child = working.do(make)
    reference = weakref.ref(child)
    del child
    assert order == []
    working.end()
    # With a callback under way it is released; on 3.10 any call may be one.
    is_plain = way is not in_callback and sys.version_info >= (3, 11)
    if not FREE_THREADED or is_plain:  # else CPython may have left it to the thread
        assert order[:1] == (["finally"] if is_plain else [])
    gc.collect()
    assert reference() is None


def test_local_greenlets_of_a_thread_die_with_its_frames():
    order = []

    def run():
        try:
            getcurrent().parent.switch()
        finally:
            order.append(threading.get_ident())

    def elsewhere():
        child = greenlet(run)
        child.switch()
        return threading.get_ident()

    identity = in_thread(elsewhere)
    assert order == [identity]


class Worker:
    """A thread that does what it is told, one thing after the other."""

    def __init__(self):
        self.jobs = []
        self.wake = threading.Semaphore(0)
        self.done = threading.Semaphore(0)
        self.thread = threading.Thread(target=self.body)
        self.thread.start()

    def body(self):
        while True:
            self.wake.acquire()
            job = self.jobs.pop()
            if job is None:
                return
            self.result = job()
            del job
            self.done.release()

    def do(self, job):
        self.jobs.append(job)
        self.wake.release()
        self.done.acquire()
        result, self.result = self.result, None
        return result

    def end(self):
        self.jobs.append(None)
        self.wake.release()
        join(self.thread)


@pytest.fixture
def worker():
    working = Worker()
    yield working
    working.end()


def test_greenlet_released_by_another_thread_dies_in_its_own(worker):
    order = []

    def run():
        try:
            getcurrent().parent.switch()
        finally:
            order.append(threading.get_ident())

    def make():
        child = greenlet(run)
        child.switch()
        return child

    child = worker.do(make)
    del child
    assert order == []
    # Its own thread finds it at its next greenlet operation.
    worker.do(lambda: in_greenlet(echo))
    assert order == [worker.thread.ident]


def test_many_greenlets_released_by_another_thread(worker):
    count = scaled(200)
    order = []

    def run():
        try:
            getcurrent().parent.switch()
        finally:
            order.append(threading.get_ident())

    def make():
        children = [greenlet(run) for _ in range(count)]
        for child in children:
            child.switch()
        return children

    children = worker.do(make)
    del children
    worker.do(lambda: in_greenlet(echo))
    assert order == [worker.thread.ident] * count


@pytest.mark.parametrize("make", [unstarted, finished, killed])
def test_greenlet_without_frames_released_by_another_thread_is_gone_at_once(worker, make):
    child = worker.do(make)
    reference = weakref.ref(child)
    del child
    if FREE_THREADED:
        worker.do(list)  # CPython leaves it to the thread that has made an object
    assert reference() is None


@ours_only("leaks it")
def test_greenlet_released_by_another_thread_and_then_the_thread_ends():
    working = Worker()
    child = working.do(parked)
    del child
    working.end()
    gc.collect()


def test_greenlet_of_a_running_thread_switched_by_it_only(worker):
    child = worker.do(parked)
    assert raised_by(child.switch)[0] is error
    assert worker.do(lambda: child.switch("there")) == "there"
    assert child.dead


def test_cyclic_garbage_of_another_thread(worker):
    def make():
        child = greenlet(echo)
        child.cycle = child
        return weakref.ref(child)

    reference = worker.do(make)
    gc.collect()
    assert reference() is None


def test_collector_running_in_another_thread_leaves_parked_greenlets_alone(worker):
    child = parked()
    worker.do(gc.collect)
    assert child.switch("value") == "value"


def test_child_of_a_parent_in_another_thread_cannot_start_here():
    main_here = getcurrent()

    def elsewhere():
        child = greenlet(echo, main_here)
        return raised_by(child.switch), raised_by(child.throw)

    assert in_thread(elsewhere) == (OTHER_THREAD, OTHER_THREAD)


def test_child_made_elsewhere_of_a_parent_here_starts_here():
    main_here = getcurrent()
    child = in_thread(lambda: greenlet(lambda: getcurrent().parent, main_here))
    assert child.switch() is main_here


def test_thread_with_nothing_but_getcurrent():
    for _ in range(scaled(50)):
        in_thread(getcurrent)


def test_threads_switch_at_the_same_time():
    """The interpreter lock changes hands in the middle of greenlets of several threads."""
    import sys

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    failures = []

    def work(seed):
        def run(number):
            total = number
            for _ in range(scaled(100)):
                total += getcurrent().parent.switch(total)
                sum(range(50))
            return "end"

        children = [greenlet(run) for _ in range(10)]
        totals = [child.switch(number + seed) for number, child in enumerate(children)]
        for step in range(scaled(100) - 1):
            for number, child in enumerate(children):
                expected = totals[number] + step
                totals[number] = child.switch(step)
                if totals[number] != expected:
                    failures.append((seed, number, step))
        if any(child.switch(0) != "end" for child in children):
            failures.append(seed)

    threads = [threading.Thread(target=work, args=(seed * 1000,)) for seed in range(4)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            join(thread)
    finally:
        sys.setswitchinterval(interval)
    assert failures == []


def test_exception_of_a_greenlet_ends_in_its_own_thread():
    def fails():
        raise ValueError("there")

    assert in_thread(raised_by, in_greenlet, fails) == (ValueError, "there")
    assert in_greenlet(echo) == ((), {})


def test_thread_started_inside_a_greenlet_has_a_tree_of_its_own():
    def run():
        theirs = in_thread(getcurrent)
        return theirs.parent, theirs is getcurrent()

    assert in_greenlet(run) == (None, False)


def test_thread_local_values_are_shared_by_the_greenlets_of_a_thread():
    local = threading.local()
    local.value = "mine"
    assert in_greenlet(lambda: local.value) == "mine"
    in_greenlet(setattr, local, "value", "theirs")
    assert local.value == "theirs"


def test_locks_are_not_released_by_switches():
    lock = threading.Lock()

    def run():
        with lock:
            getcurrent().parent.switch()

    child = greenlet(run)
    child.switch()
    assert lock.locked()
    assert not in_thread(lock.acquire, False)
    child.switch()
    assert not lock.locked()


class UsesGreenlets:
    def __init__(self, log):
        self.log = log

    def __del__(self):
        self.log.append(greenlet(lambda: "ran").switch())


@ours_only("keeps a record of a thread that has ended, now and then")
@pytest.mark.parametrize("place", ["trace function", "main greenlet"])
def test_code_that_uses_greenlets_at_the_end_of_a_thread_leaves_nothing(place):
    from greenlet import _greenlet, settrace

    log = []

    def elsewhere():
        user = UsesGreenlets(log)
        if place == "trace function":
            settrace(lambda event, args, user=user: None)
        else:
            getcurrent().user = user

    before = _greenlet.get_total_main_greenlets()
    for _ in range(5):
        in_thread(elsewhere)
    assert log == ["ran"] * 5
    assert _greenlet.get_total_main_greenlets() == before
