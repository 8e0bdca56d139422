"""asyncio and uvloop: loops in greenlets that are left in threads and in main; and SQLAlchemy's
greenlets, cancelled and left."""

import asyncio
import socket
import sys
import sysconfig
import threading

import greenlet
import uvloop
from sqlalchemy.util import await_only, greenlet_spawn

from scenes import collect, everything_is_free, held, in_threads, main, scene

# What the published package lets them say, too: coroutines are closed from another thread, and a
# loop that is found together with its socket may be finalized after that.
OF_SQLALCHEMY = (
    r"Task was destroyed but it is pending!|task: <Task .*greenlet_spawn.*"
    r"|Exception ignored (in|while closing).*greenlet_spawn.*|Traceback .*|  .*"
    r"|greenlet.error: cannot switch to a different thread .*"
    r"|Exception ignored .*BaseEventLoop.__del__ .*|ValueError: Invalid file descriptor: -1"
)
if sys.version_info >= (3, 15) and sysconfig.get_config_var("Py_GIL_DISABLED"):
    # It also tells from which exception that comes, between empty lines.
    OF_SQLALCHEMY += (
        r"|()|GeneratorExit|During handling of the above exception, another exception occurred:"
    )


def park_in_callback(loop, back):
    loop.call_soon(back.switch)


def park_in_python_callback(loop, back):
    thing = held()

    def callback():
        back.switch(thing)

    loop.call_later(0.01, callback)


def park_in_task(loop, back):
    async def task(thing):
        await asyncio.sleep(0.01)
        back.switch(thing)

    loop.create_task(task(held()))


def park_in_reader(loop, back):
    one, other = socket.socketpair()
    other.send(b"x")
    loop.add_reader(one.fileno(), lambda thing=held(): back.switch((thing, one, other)))  # noqa: B008


def park_in_server(loop, back):
    """In the handler of a server that has a client."""

    async def handle(reader, _writer):
        thing = held()
        await reader.readline()
        back.switch(thing)

    async def task():
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\n")

    loop.create_task(task())


# The last is the only one that is in a task: a thread may have one at a time.
WAYS = (park_in_callback, park_in_python_callback, park_in_reader, park_in_task)


def forget(new_loop, park):
    """Leave a loop that runs in a greenlet and is parked in something that it has called."""
    back = greenlet.getcurrent()

    def run():
        this = greenlet.getcurrent()  # a cycle through the frame
        loop = new_loop()
        park(loop, back)
        loop.run_forever()
        del this

    greenlet.greenlet(run).switch()
    asyncio._set_running_loop(None)  # so does Playwright: this is not called by the loop


def forget_all(new_loop):
    for park in WAYS:
        forget(new_loop, park)


finished = []


def wait_for_ever(thing):
    """SQLAlchemy's way to await something in a plain function."""
    try:
        while True:
            await_only(asyncio.sleep(0))
    finally:
        finished.append(True)


def cancel_in_sqlalchemy():
    """Cancelled half way, as by the timeout of a request."""

    async def work():
        before = len(finished)
        task = asyncio.create_task(greenlet_spawn(wait_for_ever, held()))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() and len(finished) > before

    asyncio.run(work())


def forget_coroutine_of_sqlalchemy():
    coroutine = greenlet_spawn(wait_for_ever, held())
    coroutine.send(None)
    threading.current_thread().forgotten = coroutine  # until after the thread's end


def forget_loop_of_sqlalchemy():
    """A loop that is neither run to the end of its tasks nor closed."""
    loop = asyncio.new_event_loop()

    async def work():
        loop.forgotten = asyncio.create_task(greenlet_spawn(wait_for_ever, held()))
        await asyncio.sleep(0.01)

    loop.run_until_complete(work())


@scene
def asyncio_in_threads():
    in_threads(lambda: forget_all(asyncio.new_event_loop))
    collect()


@scene
def asyncio_servers_in_threads():
    in_threads(lambda: forget(asyncio.new_event_loop, park_in_server))
    collect()


@scene
def asyncio_in_main():
    forget_all(asyncio.new_event_loop)
    collect()


@scene
def asyncio_server_in_main():
    forget(asyncio.new_event_loop, park_in_server)
    collect()


@scene
def uvloop_in_threads():
    in_threads(lambda: forget_all(uvloop.new_event_loop))
    collect()


@scene
def uvloop_servers_in_threads():
    in_threads(lambda: forget(uvloop.new_event_loop, park_in_server))
    collect()


@scene
def uvloop_in_main():
    forget_all(uvloop.new_event_loop)
    collect()


@scene
def uvloop_server_in_main():
    forget(uvloop.new_event_loop, park_in_server)
    collect()


@scene
def sqlalchemy_cancelled():
    in_threads(cancel_in_sqlalchemy)
    cancel_in_sqlalchemy()
    everything_is_free()


@scene(says=OF_SQLALCHEMY)
def sqlalchemy_coroutines_in_threads():
    in_threads(forget_coroutine_of_sqlalchemy)
    collect()


@scene
def sqlalchemy_coroutine_in_main():
    forget_coroutine_of_sqlalchemy()
    del threading.current_thread().forgotten
    everything_is_free()


@scene(says=OF_SQLALCHEMY)
def sqlalchemy_loops_in_threads():
    in_threads(forget_loop_of_sqlalchemy)
    collect()


@scene(says=OF_SQLALCHEMY)
def sqlalchemy_loop_in_main():
    forget_loop_of_sqlalchemy()
    everything_is_free()


if __name__ == "__main__":
    main()
