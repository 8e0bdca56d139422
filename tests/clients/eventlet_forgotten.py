"""eventlet: hubs with green threads, pools and servers that are left in threads and in main."""

import warnings

from scenes import collect, held, in_threads, main, scene

with warnings.catch_warnings(record=True):  # of eventlet's deprecation, by itself
    import eventlet
    from eventlet import hubs

HUBS = ("epolls", "poll", "selects", "asyncio")


def wait_for_ever(_held):
    eventlet.sleep(1000)


def wait_and_clean_up(_held):
    try:
        eventlet.sleep(1000)
    finally:
        eventlet.sleep(0)  # with a hub that is gone by then


def spawn():
    for work in wait_for_ever, wait_and_clean_up:
        eventlet.spawn(work, held())
        eventlet.spawn_n(work, held())
        eventlet.spawn_after(1000, work, held())
    eventlet.sleep(0.01)


def use_pools():
    pool = eventlet.GreenPool(3)
    pile = eventlet.GreenPile(3)
    for _ in range(3):
        pool.spawn(wait_for_ever, held())
        pile.spawn(wait_for_ever, held())
    eventlet.sleep(0.01)


def echo(connection, _held):
    while data := connection.recv(100):
        connection.sendall(data)


def serve(listener):
    while True:
        connection, _address = listener.accept()
        eventlet.spawn(echo, connection, held())


def listen():
    """A server that has a client."""
    listener = eventlet.listen(("127.0.0.1", 0))
    eventlet.spawn(serve, listener)
    client = eventlet.connect(listener.getsockname())
    client.sendall(b"hello")
    assert client.recv(100) == b"hello"


def forget_in_main(work):
    """Do some work, then leave it with its hub: each use_hub() begins with a new hub."""
    for name in HUBS:
        hubs.use_hub(name)
        work()
    hubs.use_hub()
    collect()


@scene
def sleep_in_threads():
    in_threads(lambda: eventlet.sleep(0.01))


@scene
def every_hub_in_threads():
    for name in HUBS:

        def sleep(name=name):
            hubs.use_hub(name)
            eventlet.sleep(0.01)

        in_threads(sleep)


@scene
def spawn_in_threads():
    in_threads(spawn)


@scene
def pools_in_threads():
    in_threads(use_pools)


@scene
def servers_in_threads():
    in_threads(listen)


@scene
def sleep_in_main():
    forget_in_main(lambda: eventlet.sleep(0.01))


# The collector ends these, which the published package leaks: what they say then is theirs.
says_how_it_ends = scene(says=".*")


@says_how_it_ends
def spawn_in_main():
    forget_in_main(spawn)


@scene
def pools_in_main():
    forget_in_main(use_pools)


@says_how_it_ends
def servers_in_main():
    forget_in_main(listen)


@scene
def left_at_exit():
    spawn()
    listen()


if __name__ == "__main__":
    main()
