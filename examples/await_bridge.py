"""Plain functions that wait for asyncio.

`await` may stand in an `async` function only, and so everything on the way to it
must be `async`, too.  Here `csv.reader`, written in C and innocent of asyncio,
reads lines from streams whose data arrive bit by bit, and the event loop goes on
meanwhile.  The function that reads runs in a greenlet; where it has to wait, it
hands the awaitable to the coroutine that started it, which awaits it.
"""

import asyncio
import csv

from greenlet import getcurrent, greenlet
from story import check


class Plain(greenlet):
    """Runs a plain function for a coroutine."""


async def run_plain(function, *arguments):
    """The result of a plain function that may call `awaited`."""
    plain = Plain(function)
    plain.gr_context = getcurrent().gr_context  # it sees our context variables
    outcome = plain.switch(*arguments)
    while not plain.dead:
        try:
            result = await outcome
        except BaseException as error:  # a cancellation, too, is for the function
            outcome = plain.throw(error)
        else:
            outcome = plain.switch(result)
    return outcome


def awaited(awaitable):
    """What an awaitable comes to; for functions below `run_plain`."""
    plain = getcurrent()
    if not isinstance(plain, Plain):
        raise RuntimeError("awaited was called outside of run_plain")
    return plain.parent.switch(awaitable)


def lines(stream):
    while line := awaited(stream.readline()):
        yield line.decode()


def add_up(name, stream):
    """The sum of the prices on a list of things to buy."""
    total = 0
    try:
        for thing, price in csv.reader(lines(stream)):
            print(f"    {name} reads: {thing}")
            total += int(price)
    finally:
        print(f"    {name} puts the list away")
    return total


async def main_coroutine():
    ann, bob = asyncio.StreamReader(), asyncio.StreamReader()
    totals = asyncio.gather(run_plain(add_up, "Ann", ann), run_plain(add_up, "Bob", bob))
    for row in (b"bread,2\n", b'"tea, green",5\n'):
        ann.feed_data(row)
        bob.feed_data(row.replace(b"green", b"black"))
        await asyncio.sleep(0)  # their turn
    bob.feed_data(b"jam,3\n")
    ann.feed_eof()
    bob.feed_eof()
    paid = await totals
    print(f"    Ann pays {paid[0]}, and Bob {paid[1]}")
    check("what they pay", paid, [7, 10])

    silent = asyncio.StreamReader()
    cid = asyncio.ensure_future(run_plain(add_up, "Cid", silent))
    await asyncio.sleep(0)
    print("    Cid waits for a list that never comes, and is cancelled")
    cid.cancel()
    await asyncio.wait([cid])
    check("Cid was cancelled", cid.cancelled(), True)


def main():
    asyncio.run(main_coroutine())


if __name__ == "__main__":
    main()
