"""Greenlets below an event loop: plain functions that wait for coroutines, the pattern of
SQLAlchemy and others."""

import asyncio
import contextvars
import sys

import pytest
from greenlet import getcurrent, greenlet

from support import scaled

variable = contextvars.ContextVar("variable", default="unset")


def await_from_below(awaitable):
    """Called in a greenlet of `spawn`: wait for `awaitable` without being a coroutine."""
    return getcurrent().parent.switch(awaitable)


async def spawn(function, *args):
    """Run the plain `function` in a greenlet and await for it what it asks for."""
    child = greenlet(function)
    child.gr_context = contextvars.copy_context()
    result = child.switch(*args)
    while not child.dead:
        try:
            value = await result
        except BaseException:
            result = child.throw(*sys.exc_info())
        else:
            result = child.switch(value)
    return result


async def double(value):
    await asyncio.sleep(0)
    return value * 2


def test_plain_function_awaits():
    def work(value):
        return await_from_below(double(value)) + await_from_below(double(value + 1))

    assert asyncio.run(spawn(work, 5)) == 22


def test_exception_of_the_coroutine_is_raised_in_the_plain_function():
    async def fails():
        await asyncio.sleep(0)
        raise LookupError("in the coroutine")

    def work():
        try:
            await_from_below(fails())
        except LookupError as error:
            return str(error)

    assert asyncio.run(spawn(work)) == "in the coroutine"


def test_exception_of_the_plain_function_is_raised_in_the_coroutine():
    def work():
        await_from_below(double(1))
        raise LookupError("below")

    with pytest.raises(LookupError, match="below"):
        asyncio.run(spawn(work))


def test_many_tasks_at_once():
    count = scaled(200)

    def work(number):
        total = number
        for _ in range(5):
            total = await_from_below(double(total))
        return total

    async def main():
        return await asyncio.gather(*(spawn(work, number) for number in range(count)))

    assert asyncio.run(main()) == [number * 32 for number in range(count)]


def test_cancelled_task_is_cancelled_below():
    order = []

    def work():
        try:
            await_from_below(asyncio.sleep(1000))
        except asyncio.CancelledError:
            order.append("cancelled")
            raise

    async def main():
        task = asyncio.ensure_future(spawn(work))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert order == ["cancelled"]


def test_context_of_the_task_is_seen_below():
    def work(value):
        before = variable.get()
        await_from_below(asyncio.sleep(0))
        variable.set(value)
        await_from_below(asyncio.sleep(0))
        return before, variable.get()

    async def task(value):
        variable.set("task " + value)
        seen = await spawn(work, value)
        return seen, variable.get()

    async def main():
        return await asyncio.gather(task("a"), task("b"))

    assert asyncio.run(main()) == [
        (("task a", "a"), "task a"),
        (("task b", "b"), "task b"),
    ]


def test_event_loop_inside_a_greenlet():
    child = greenlet(asyncio.run)
    assert child.switch(double(4)) == 8


def test_two_levels_of_plain_and_asynchronous():
    async def middle(value):
        return await spawn(lambda: await_from_below(double(value)) + 1)

    def work():
        return await_from_below(middle(10)) + 1

    assert asyncio.run(spawn(work)) == 22
