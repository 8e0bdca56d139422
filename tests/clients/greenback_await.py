"""greenback: awaiting from plain functions, under asyncio and under trio; then the same in several
threads at a time, each with loops of its own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import greenback
import trio

TASKS = 100
AWAITS = 100
DEPTH = 20
THREADS = 3


async def double(sleep, number):
    await sleep(0)
    return 2 * number


async def refuse(sleep, number):
    await sleep(0)
    raise ValueError(number)


def below(sleep, number, depth):
    """Await something from `depth` plain calls further down."""
    if depth:
        return below(sleep, number, depth - 1)
    return greenback.await_(double(sleep, number))


def work(sleep, task):
    """A plain function that awaits: its results' sum."""
    total = sum(below(sleep, number, number % DEPTH) for number in range(AWAITS))
    try:
        greenback.await_(refuse(sleep, task))
    except ValueError as error:
        assert error.args == (task,)
        return total
    raise AssertionError("the awaited exception was lost")


async def under_asyncio():
    async def task(number):
        await greenback.ensure_portal()
        return work(asyncio.sleep, number)

    return await asyncio.wait_for(asyncio.gather(*(task(number) for number in range(TASKS))), 60)


async def under_trio():
    totals = []

    async def task(number):
        totals.append(await greenback.with_portal_run_sync(work, trio.sleep, number))

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            for number in range(TASKS):
                nursery.start_soon(task, number)
    return totals


def run_loops():
    expected = [AWAITS * (AWAITS - 1)] * TASKS
    assert asyncio.run(under_asyncio()) == expected
    assert trio.run(under_trio) == expected


def main():
    run_loops()
    with ThreadPoolExecutor(THREADS) as pool:
        for each in [pool.submit(run_loops) for _ in range(THREADS)]:
            each.result()
    tasks = 2 * TASKS * (1 + THREADS)
    print(f"{tasks} tasks, {tasks * AWAITS} awaits from plain functions")


if __name__ == "__main__":
    main()
