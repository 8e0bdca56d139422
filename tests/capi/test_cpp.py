"""C++ exceptions in greenlets: each is thrown, unwound and caught on one stack."""

import os
import pathlib
import random
import signal
import subprocess
import sys

import greenlet
import pytest

from support import ON_ORACLE, ours_only

SCRIPT = pathlib.Path(__file__).with_name("script_uncaught.py")

# The published package, itself in C++, catches the exception at the greenlet's
# first frame and crashes in the report; ours leaves it to std::terminate.
# On Windows an exception that nothing handles is the exit code: here one of MinGW's C++.
MINGW_EXCEPTION = 0x20474343
DEATHS = {signal.SIGABRT} | ({signal.SIGSEGV, signal.SIGBUS} if ON_ORACLE else set())


def nothing():
    pass


def test_thrown_and_caught_without_a_switch(cpp_client):
    assert cpp_client.catch_after(nothing, 7) == (7, 8)
    assert greenlet.greenlet(cpp_client.catch_after).switch(nothing, 7) == (7, 8)


def test_thrown_after_coming_back_from_a_switch(cpp_client):
    main = greenlet.getcurrent()
    order = list(range(20))
    waiting = [greenlet.greenlet(cpp_client.catch_after) for _ in order]
    for depth, each in enumerate(waiting):
        each.switch(main.switch, depth)
    random.Random(3).shuffle(order)
    for depth in order:
        assert waiting[depth].switch() == (depth, depth + 1)


def test_python_exception_becomes_a_cpp_one_and_back(cpp_client):
    main = greenlet.getcurrent()
    waiting = greenlet.greenlet(cpp_client.catch_after)
    waiting.switch(main.switch, 10)
    with pytest.raises(KeyError, match="on its way"):
        waiting.throw(KeyError, "on its way")
    assert waiting.dead


def test_killed_inside_a_try_block(cpp_client):
    main = greenlet.getcurrent()
    waiting = greenlet.greenlet(cpp_client.catch_after)
    waiting.switch(main.switch, 10)
    assert type(waiting.throw()) is greenlet.GreenletExit
    dropped = greenlet.greenlet(cpp_client.catch_after)
    dropped.switch(main.switch, 10)
    del dropped


def test_another_greenlet_throws_and_catches_while_this_one_handles(cpp_client):
    def meanwhile():
        inner = greenlet.greenlet(cpp_client.rethrow_after)
        assert inner.switch(nothing, "inner") == "inner"
        assert greenlet.greenlet(cpp_client.catch_after).switch(nothing, 3) == (3, 4)

    handling = greenlet.greenlet(cpp_client.rethrow_after)
    assert handling.switch(meanwhile, "outer") == "outer"
    assert cpp_client.rethrow_after(meanwhile, "main") == "main"


# What the thread is handling is a stack of the C++ runtime's, which greenlets share: who is
# parked in a catch block leaves it before those that had parked in theirs earlier.


def parked_in(function, count=20):
    """Greenlets that have parked in a function of the client, and what each is to return."""
    main = greenlet.getcurrent()
    waiting = {f"number {i}": greenlet.greenlet(function) for i in range(count)}
    for message, each in waiting.items():
        each.switch(main.switch, message)
    return waiting


def test_leaving_catch_blocks_from_the_last_to_the_first(cpp_client):
    for message, each in reversed(parked_in(cpp_client.rethrow_after).items()):
        assert each.switch() == message
    assert cpp_client.exceptions_alive() == 0


def test_one_parked_in_a_catch_block_while_others_throw_and_catch(cpp_client):
    (handling,) = parked_in(cpp_client.rethrow_after, 1).values()
    for depth in range(20):
        assert greenlet.greenlet(cpp_client.catch_after).switch(nothing, depth)[0] == depth
        assert cpp_client.rethrow_after(nothing, "main") == "main"
    assert handling.switch() == "number 0"


def test_parked_in_nested_catch_blocks(cpp_client):
    main = greenlet.getcurrent()

    def descend(depth):
        if depth == 0:
            return main.switch()
        return cpp_client.rethrow_after(lambda: descend(depth - 1), f"depth {depth}")

    first, second = greenlet.greenlet(descend), greenlet.greenlet(descend)
    first.switch(5)
    second.switch(3)
    assert second.switch() == "depth 3"
    assert first.switch() == "depth 5"
    assert cpp_client.exceptions_alive() == 0


@pytest.mark.parametrize("way", ["thrown into", "dropped"])
def test_killed_in_catch_blocks_from_the_last_to_the_first(cpp_client, way):
    waiting = list(parked_in(cpp_client.rethrow_after).values())
    while len(waiting) > 1:
        if way == "thrown into":
            waiting.pop().throw()
        else:
            waiting.pop()
    assert cpp_client.exceptions_alive() == 1
    assert waiting[0].switch() == "number 0"
    assert cpp_client.exceptions_alive() == 0


@pytest.mark.parametrize("function", ["rethrow_kept_after", "unwind_through"])
def test_outside_of_catch_blocks_in_any_order(cpp_client, function):
    waiting = parked_in(getattr(cpp_client, function))
    messages = list(waiting)
    random.Random(5).shuffle(messages)
    for message in messages:
        assert waiting[message].switch() == message
    assert cpp_client.exceptions_alive() == 0


@pytest.mark.parametrize("function", ["rethrow_kept_after", "unwind_through"])
def test_killed_outside_of_catch_blocks_in_any_order(cpp_client, function):
    waiting = list(parked_in(getattr(cpp_client, function)).values())
    random.Random(6).shuffle(waiting)
    assert cpp_client.exceptions_alive() == len(waiting)
    while waiting:
        waiting.pop()
        assert cpp_client.exceptions_alive() == len(waiting)


def test_nested_greenlets_each_throw_after_the_inner_one(cpp_client):
    def descend(depth):
        def inside():
            if depth:
                assert greenlet.greenlet(descend).switch(depth - 1) == (depth - 1, depth)

        return cpp_client.catch_after(inside, depth)

    assert greenlet.greenlet(descend).switch(20) == (20, 21)


def test_try_block_around_a_switch_to_cpp_that_behaves(cpp_client):
    assert cpp_client.switch_in_try(lambda: cpp_client.catch_after(nothing, 2)) == (2, 3)

    def fail():
        raise KeyError("python")

    with pytest.raises(KeyError, match="python"):
        cpp_client.switch_in_try(fail)


@pytest.mark.parametrize(
    "place", ["main", "run", "below_python", "in_try_of_parent", "after_switch"]
)
def test_uncaught_exception_ends_the_process(cpp_client_path, place):
    finished = subprocess.run(
        [sys.executable, str(SCRIPT), str(cpp_client_path), place],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONFAULTHANDLER": ""},
    )
    assert finished.stdout == "about to throw\n", finished.stderr
    if os.name == "nt":
        assert finished.returncode == MINGW_EXCEPTION, finished.stderr
        return
    assert -finished.returncode in DEATHS, finished.stderr
    assert "nobody catches this" in finished.stderr


@ours_only("an unwinder runs on into the frames of whoever started the greenlet")
def test_unwinding_ends_at_the_first_frame_of_a_greenlet(cpp_client):
    def in_greenlet():
        return greenlet.greenlet(cpp_client.unwind).switch()

    # map() puts C frames below each level; none of them is the greenlet's.
    def below_c_frames(depth):
        if depth == 0:
            return in_greenlet()
        return next(map(below_c_frames, [depth - 1]))

    shallow, deep = in_greenlet(), below_c_frames(40)
    assert shallow == deep
    assert 0 < shallow < 40


def test_unwinding_the_main_greenlet(cpp_client):
    assert cpp_client.unwind() > 0
