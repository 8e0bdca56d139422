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
    echo,
    finished,
    in_greenlet,
    in_thread,
    join,
    killed,
    ours_only,
    park_once,
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


NOT_ENDED = "leaves greenlets that others hold as they are, for ever"


@ours_only(NOT_ENDED)
def test_greenlets_held_from_outside_end_with_their_thread():
    order = []
    held = Held()

    def run(held):
        try:
            getcurrent().parent.switch()
        except GreenletExit as reason:
            order.append(str(reason))
            raise
        finally:
            order.append(threading.get_ident())

    def elsewhere(held):
        children = [greenlet(run) for _ in range(3)]
        for child in children:
            child.switch(held)
        order.append(threading.get_ident())
        return children

    children = in_thread(elsewhere, held)
    killed = ["Killing the greenlet because its thread has ended.", order[0]]
    assert order == order[:1] + 3 * killed
    for child in children:
        assert child.dead
        assert child.gr_frame is None
        assert raised_by(child.switch) == ENDED_THREAD
    reference = weakref.ref(held)
    del held
    assert reference() is None


@ours_only(NOT_ENDED)
def test_greenlet_held_from_outside_ends_below_c_calls_with_its_thread():
    order = []

    def run():
        try:
            getcurrent().parent.switch()
        finally:
            order.append("finally")

    def elsewhere():
        child = greenlet(recurse_c)
        child.switch(20, run)
        return child

    assert in_thread(elsewhere).dead
    assert order == ["finally"]


@ours_only(NOT_ENDED)
def test_greenlet_that_ends_with_its_thread_may_switch():
    order = []

    def helper():
        order.append("helper")
        try:
            getcurrent().parent.switch()
        finally:
            order.append("helper ends")

    def run():
        try:
            getcurrent().parent.switch()
        finally:
            children.append(greenlet(helper))
            children[-1].switch()
            order.append("finally")

    def elsewhere():
        children.append(greenlet(run))
        children[0].switch()

    children = []
    in_thread(elsewhere)
    assert order == ["helper", "finally", "helper ends"]
    assert [child.dead for child in children] == [True, True]


@ours_only(NOT_ENDED)
@pytest.mark.skipif(
    sys.version_info < (3, 14),
    reason="before 3.14 the last one, left unfinished, keeps whom it switches to for ever:"
    " the height of its value stack is unknown",
)
def test_greenlets_started_at_the_end_of_a_thread_do_not_keep_it():
    children = []

    def run():
        with contextlib.suppress(GreenletExit):
            getcurrent().parent.switch()
        children.append(greenlet(run))
        children[-1].switch()

    def elsewhere():
        children.append(greenlet(run))
        children[0].switch()

    in_thread(elsewhere)
    assert len(children) > 1
    assert all(child.dead for child in children)


@ours_only(NOT_ENDED)
def test_exception_of_a_greenlet_that_ends_with_its_thread_is_reported(unraisable):
    def run():
        try:
            getcurrent().parent.switch()
        finally:
            raise KeyError("while dying")

    def elsewhere():
        children = [greenlet(run), greenlet(run)]
        for child in children:
            child.switch()
        return children

    children = in_thread(elsewhere)
    assert [child.dead for child in children] == [True, True]
    assert unraisable == 2 * [(KeyError, "'while dying'")]


@ours_only(NOT_ENDED)
def test_what_a_greenlet_throws_at_its_parent_when_its_thread_ends_is_not(unraisable):
    """As gevent's hub does when its loop has nothing left to wait for."""
    ends = []

    def hub():
        while True:
            try:
                getcurrent().parent.switch()
            except GreenletExit:
                ends.append("told to end")
            getcurrent().parent.throw(KeyError("nothing left to wait for"))

    def elsewhere():
        child = greenlet(hub)
        child.switch()
        return child

    child = in_thread(elsewhere)
    assert ends == ["told to end"]
    assert child.dead
    assert unraisable == []



@ours_only(NOT_ENDED)
def test_greenlet_that_ends_with_its_thread_keeps_its_parent_and_result():
    def elsewhere():
        parent = parked()
        child = greenlet(park_once, parent)
        child.switch()
        return parent, child

    parent, child = in_thread(elsewhere)
    assert child.dead and parent.dead
    assert child.parent is parent


def refuse_to_end(held, order):
    """What a thread leaves unfinished."""
    try:
        while True:
            try:
                getcurrent().parent.switch()
            except GreenletExit:
                order.append("refused")
    finally:
        order.append("finally")


def left_parked(depth, held, order):
    """A greenlet parked in a thread that has ended, with a frame that refers to `held`."""

    def run():
        recurse_python(depth, lambda: refuse_to_end(held, order))

    def elsewhere():
        child = greenlet(run)
        child.switch()
        return child

    return in_thread(elsewhere)


@ours_only(NOT_ENDED)
def test_greenlet_that_refuses_to_end_with_its_thread_is_dead_all_the_same():
    order = []
    child = left_parked(0, None, order)
    assert order == ["refused"]
    assert child.dead
    assert child.gr_frame.f_code.co_name == "refuse_to_end"
    assert raised_by(child.switch) == ENDED_THREAD
    assert raised_by(child.throw) == ENDED_THREAD
    del child
    gc.collect()
    assert order == ["refused"]


@ours_only("leaks them")
@pytest.mark.skipif(
    sys.version_info < (3, 11),
    reason="3.10 keeps the arguments of calls under way on value stacks of unknown height",
)
def test_references_of_frames_left_by_an_ended_thread_are_released():
    order = []
    child = left_parked(30, Held(), order)
    held = weakref.ref(child.gr_frame.f_locals["held"])
    assert held() is not None
    del child
    gc.collect()
    assert held() is None
    assert order == ["refused"]


@ours_only("crashes when such a greenlet is freed after its frame was looked at")
def test_frames_left_by_an_ended_thread_can_outlive_their_greenlet():
    child = left_parked(5, "held", [])
    frame = child.gr_frame
    del child
    gc.collect()
    assert frame.f_code.co_name == "refuse_to_end"
    assert frame.f_locals["held"] == "held"
    names = [each.f_code.co_name for each, line in traceback.walk_stack(frame)]
    assert names == ["refuse_to_end", "<lambda>"] + ["recurse_python"] * 6 + ["run"]


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
