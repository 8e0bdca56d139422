"""Greenlets that the collector has found and that swallow their GreenletExit: what is about
to end runs to its end, and a loop does not go on.

`poll` stands for what an event loop waits with: it is C code, and takes longer than the
tests may."""

import contextlib
import faulthandler
import functools
import gc
import os
import subprocess
import sys
import time
import warnings
import weakref

import pytest
from greenlet import GreenletExit, getcurrent, greenlet

from support import loses_references, ours_only

pytestmark = ours_only("never collects a parked greenlet")

poll = functools.partial(time.sleep, 600)


@pytest.fixture(autouse=True)
def ends():
    """A test that waits ends all of them, and says where it was."""
    faulthandler.dump_traceback_later(120, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


class Witness:
    pass


def forget_parked(run, *args):
    """Start `run(kept, *args)` in a greenlet, which parks and which only `kept` refers to, a
    list that its frames hold; weak references to it and to what else is in that list."""
    child = greenlet(run)
    witness = Witness()
    child.switch([child, witness], *args)
    return weakref.ref(child), weakref.ref(witness)


def assert_gone(references):
    gc.collect()
    assert [reference() for reference in references] == [None, None]


# What is about to end.


def numbers(log):
    for number in range(3):
        log.append(number)


def nested_numbers(log):
    numbers(log)
    with contextlib.suppress(ValueError):
        for text in "12x":
            log.append(int(text))
    return [number for number in map(abs, (-1, -2))]


ALL_NUMBERS = [0, 1, 2, 1, 2]


def swallow_then_finally(kept, log):
    try:
        getcurrent().parent.switch()
    except BaseException as error:
        log.append(type(error))
    finally:
        nested_numbers(log)


def swallow_then_loop(kept, log):
    try:
        getcurrent().parent.switch()
    except BaseException as error:
        log.append(type(error))
    for _ in range(1):
        nested_numbers(log)


def function_of(source):
    """The function `run` that a source defines which Python may warn of."""
    namespace = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code = compile(source, "source", "exec")
    exec(code, globals(), namespace)
    return namespace["run"]


RETURNS_IN_FINALLY = """
def run(kept, log):
    try:
        getcurrent().parent.switch()
    finally:
        log.append(sys.exc_info()[0])
        for _ in range(1):
            nested_numbers(log)
        return
"""


def swallow_and_break(kept, log):
    while True:
        try:
            getcurrent().parent.switch()
        except GreenletExit as error:
            log.append(type(error))
            break
    nested_numbers(log)


def swallow_and_break_out_of_a_guarded_loop(kept, log):
    while True:
        try:
            try:
                getcurrent().parent.switch()
            except GreenletExit as error:
                log.append(type(error))
                break
        except Exception:
            poll()
    nested_numbers(log)


def swallow_and_return_through_finally(kept, log):
    try:
        while True:
            try:
                getcurrent().parent.switch()
            except GreenletExit as error:
                log.append(type(error))
                return
    finally:
        nested_numbers(log)


def swallow_and_return_through_with(kept, log):
    with contextlib.ExitStack() as stack:
        stack.callback(nested_numbers, log)
        for _ in range(3):
            try:
                getcurrent().parent.switch()
            except GreenletExit as error:
                log.append(type(error))
                return


def swallow_by_suppress(kept, log):
    log.append(GreenletExit)
    with contextlib.suppress(BaseException):
        getcurrent().parent.switch()
    nested_numbers(log)


def swallow_after_a_loop(kept, log):
    for _ in range(3):
        log.append(GreenletExit)
        log.pop()
    log.append(GreenletExit)
    try:
        getcurrent().parent.switch()
    except GreenletExit:
        pass
    nested_numbers(log)


def swallow_in_the_second_call_of_a_line(kept, log):
    def inner():
        try:
            getcurrent().parent.switch()
        except GreenletExit as error:
            return type(error)

    (lambda kind: log.append(kind))(inner())
    nested_numbers(log)


# More instructions than an argument without EXTENDED_ARG counts.
FILLER = "    if log is None: log = log, log\n" * 9000

IN_LONG_CODE = (
    """
def run(kept, log):
    for _ in range(3):
        try:
            getcurrent().parent.switch()
        except BaseException as error:
            log.append(type(error))
            break
"""
    + FILLER
    + "    nested_numbers(log)"
)

ENDS = [value for name, value in list(globals().items()) if name.startswith("swallow_")]
ENDS += [
    pytest.param(function_of(RETURNS_IN_FINALLY), id="returns_in_finally"),
    pytest.param(function_of(IN_LONG_CODE), id="in_long_code"),
]


def name_of(run):
    return getattr(run, "__name__", None)


@pytest.mark.parametrize("run", ENDS, ids=name_of)
def test_what_ends_is_not_interrupted(run):
    log = []
    references = forget_parked(run, log)
    gc.collect()
    assert_gone(references)
    # On 3.10 any nested call may have been called from C: such greenlets are released.
    is_nested = run is swallow_in_the_second_call_of_a_line
    is_released = is_nested and sys.version_info < (3, 11)
    assert log == ([] if is_released else [GreenletExit, *ALL_NUMBERS])


# Loops.


def loop_with_bare_except(kept):
    call = getcurrent().parent.switch
    while True:
        try:
            call()
        except:  # noqa: E722 - that is what it is about
            call = poll


def loop_that_polls_after_its_callback(kept):
    call = getcurrent().parent.switch
    while True:
        try:
            call()
        except BaseException:
            pass
        poll()


def loop_that_logs(kept):
    call = getcurrent().parent.switch
    while True:
        try:
            call()
        except BaseException as error:
            repr(error)
        call = poll


def loop_over_callbacks(kept):
    for call in [getcurrent().parent.switch] + [poll] * 100:
        try:
            call()
        except BaseException:
            pass


def loop_with_suppress(kept):
    call = getcurrent().parent.switch
    while True:
        with contextlib.suppress(BaseException):
            call()
        call = poll


def loop_with_suppress_around_poll(kept):
    call = getcurrent().parent.switch
    while True:
        with contextlib.suppress(BaseException):
            call()
            poll()
        call = poll


def loop_with_two_layers(kept):
    call = getcurrent().parent.switch
    while True:
        try:
            while True:
                try:
                    call()
                except BaseException:
                    call = poll
        except BaseException:
            call = poll


def loop_with_two_layers_that_converts(kept):
    call = getcurrent().parent.switch
    while True:
        try:
            try:
                call()
            except BaseException:
                call = poll
            raise ValueError
        except ValueError:
            pass


def loop_with_condition(kept):
    call = getcurrent().parent.switch
    while kept:
        try:
            call()
        except BaseException:
            call = poll


def loop_with_continue(kept):
    call = getcurrent().parent.switch
    while True:
        try:
            call()
        except BaseException:
            call = poll
            continue
        return


def loop_with_finally(kept):
    call = getcurrent().parent.switch
    while True:
        try:
            try:
                call()
            finally:
                call = poll
                kept.append(None)
        except BaseException:
            pass


def loop_that_handles_another_exception(kept):
    call = getcurrent().parent.switch
    try:
        raise ValueError
    except ValueError:
        while True:
            try:
                call()
            except BaseException:
                call = poll


def call_swallowing(call):
    try:
        call()
    except BaseException:
        pass


def loop_around_a_function(kept):
    call = getcurrent().parent.switch
    while True:
        call_swallowing(call)
        call = poll


def loop_around_functions(kept):
    def outer():
        call_swallowing(getcurrent().parent.switch)
        return 1

    while True:
        outer() + outer()
        poll()


def call_swallowing_then_poll(calls):
    call_swallowing(calls.pop() if calls else poll)
    return True


def loop_in_the_condition(kept):
    calls = [getcurrent().parent.switch]
    while call_swallowing_then_poll(calls):
        pass


def loop_in_a_comprehension(kept):
    [call_swallowing(call) for call in [getcurrent().parent.switch] + [poll] * 100]


class Ignore:
    def __enter__(self):
        pass

    def __exit__(self, *exception):
        return True


def loop_around_a_context_manager(kept):
    call = getcurrent().parent.switch
    while True:
        with Ignore():
            call()
        call = poll


LOOP_IN_LONG_CODE = (
    """
def run(kept, log=1):
    call = getcurrent().parent.switch
    while True:
        try:
            call()
        except BaseException:
            call = poll
"""
    + FILLER.replace("    ", "        ", 1).replace("\n    ", "\n        ")
)

LOOPS = [value for name, value in list(globals().items()) if name.startswith("loop_")]
LOOPS += [pytest.param(function_of(LOOP_IN_LONG_CODE), id="in_long_code")]


LETS_GO = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="what 3.10 has on value stacks and in POP_EXCEPT stays"
)


@loses_references(5)
@LETS_GO
@pytest.mark.parametrize("run", LOOPS, ids=name_of)
def test_loop_that_swallows_does_not_go_on(run, unraisable):
    references = forget_parked(run)
    gc.collect()
    assert_gone(references)
    # A generator that is left while it executes complains when it goes.
    assert {kind for kind, _ in unraisable} <= {ValueError}
    assert unraisable == [] or "generator" in run.__name__


@pytest.mark.skipif(sys.version_info >= (3, 11), reason="see above")
def test_loops_that_swallow_do_not_go_on_in_a_process():
    program = (
        "import gc, test_swallowed_exits as tests\n"
        "for run in tests.LOOPS:\n"
        "    tests.forget_parked(getattr(run, 'values', [run])[0])\n"
        "    gc.collect()"
    )
    path = os.pathsep.join([*sys.path, os.path.dirname(__file__)])
    environment = dict(os.environ, PYTHONPATH=path)
    subprocess.run([sys.executable, "-c", program], env=environment, timeout=100, check=True)


@loses_references(5)
@LETS_GO
@pytest.mark.parametrize("run", LOOPS, ids=name_of)
def test_loop_that_swallows_below_a_frame_that_is_held(run, unraisable):
    """Its locals are let go with the frame object."""
    frames = []

    def hold_frame(kept):
        frames.append(sys._getframe())
        run(kept)

    references = forget_parked(hold_frame)
    gc.collect()
    frames.clear()
    assert_gone(references)
    assert unraisable == [] or "generator" in run.__name__


@loses_references(5)
@LETS_GO
@pytest.mark.parametrize("run", [loop_with_bare_except, loop_that_polls_after_its_callback])
@pytest.mark.parametrize("set_hook", [sys.settrace, sys.setprofile])
def test_loop_that_swallows_while_it_is_traced(run, set_hook):
    def hook(frame, event, arg):
        return hook

    set_hook(hook)
    try:
        references = forget_parked(run)
        gc.collect()
    finally:
        set_hook(None)
    assert_gone(references)


@loses_references(5)
@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is newer")
@pytest.mark.parametrize("run", [loop_with_bare_except, loop_that_polls_after_its_callback])
def test_loop_that_swallows_while_it_is_monitored(run):
    monitoring = sys.monitoring
    events = monitoring.events
    monitoring.use_tool_id(4, "test")
    try:
        monitoring.set_events(
            4, events.LINE | events.JUMP | events.BRANCH | events.INSTRUCTION | events.CALL
        )
        references = forget_parked(run)
        gc.collect()
    finally:
        monitoring.set_events(4, 0)
        monitoring.free_tool_id(4)
    assert_gone(references)


@loses_references(25)
@LETS_GO
@pytest.mark.parametrize("run", [loop_with_bare_except, loop_over_callbacks])
def test_loop_that_has_gone_round_often(run):
    """Long enough for the interpreter to specialise and to compile it."""

    def warm(kept):
        for _ in range(5000):
            call_swallowing(abs)
        run(kept)

    for _ in range(5):
        references = forget_parked(warm)
        gc.collect()
        assert_gone(references)


@loses_references(5)
@LETS_GO
def test_no_code_around_a_loop_that_swallows_runs():
    log = []

    def run(kept):
        try:
            loop_with_bare_except(kept)
        finally:
            log.append("finally")

    references = forget_parked(run)
    gc.collect()
    assert_gone(references)
    assert log == []


# Those that refuse.


@pytest.mark.parametrize("in_loop", [False, True])
def test_refuser_that_parks_again_can_be_resumed(in_loop):
    told = []

    def refuse(kept):
        while True:
            try:
                getcurrent().parent.switch()
            except GreenletExit:
                told.append(getcurrent())
                value = getcurrent().parent.switch("refused")
                if not in_loop or value == "end":
                    break
        return value, kept

    references = forget_parked(refuse)
    gc.collect()
    survivor = told.pop()
    assert not survivor.dead
    value, kept = survivor.switch("end")
    assert value == "end"
    assert kept[0] is survivor
    kept.clear()
    del kept, survivor
    assert_gone(references)


def test_refuser_that_has_swallowed_parks_before_it_comes_back():
    """The exception is gone when it parks."""
    told = []

    def refuse(kept):
        told.append(getcurrent())
        try:
            getcurrent().parent.switch()
        except GreenletExit:
            pass
        told.append(getcurrent())
        return getcurrent().parent.switch()

    references = forget_parked(refuse)
    told.clear()
    gc.collect()
    assert told.pop().switch("value") == "value"
    assert_gone(references)
