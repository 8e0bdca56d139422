"""gevent: hubs with servers, timers, watchers and pools that are left in threads and in main."""

import socket

import gevent
import gevent.pool
import gevent.pywsgi
import gevent.server
import gevent.socket
import gevent.threadpool
from gevent.hub import Hub, set_hub

from scenes import collect, held, in_threads, main, scene

ADDRESS = ("127.0.0.1", 0)


def wait_for_ever(_held):
    gevent.sleep(1000)


def wait_and_clean_up(_held):
    try:
        gevent.sleep(1000)
    finally:
        gevent.sleep(0)  # with a hub that is gone by then


def spawn():
    for work in wait_for_ever, wait_and_clean_up:
        gevent.spawn(work, held())
        gevent.spawn_later(1000, work, held())
        gevent.pool.Pool(3).spawn(work, held())
    gevent.sleep(0.01)


def echo(connection, _address):
    thing = held()
    while data := connection.recv(100):
        connection.sendall(data)
    del thing


def serve():
    """A server that has a client."""
    server = gevent.server.StreamServer(ADDRESS, echo)
    server.start()
    client = gevent.socket.create_connection(server.address)
    client.sendall(b"hello")
    assert client.recv(100) == b"hello"


def application(_environ, start_response):
    thing = held()
    start_response("200 OK", [])
    yield b"hello"
    gevent.sleep(1000)
    del thing


def serve_http():
    """A server that is in the middle of an answer."""
    server = gevent.pywsgi.WSGIServer(ADDRESS, application, log=None)
    server.start()
    client = gevent.socket.create_connection(server.address)
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.recv(100).startswith(b"HTTP/1.1 200")


def watch():
    """Watchers of all kinds, none of them stopped."""
    loop = gevent.get_hub().loop
    one, other = socket.socketpair()
    seen = []
    for watcher in loop.io(one.fileno(), 1), loop.timer(0.01, 0.01), loop.async_(), loop.idle():
        watcher.start(lambda thing=held(): seen.append(thing))  # noqa: B008
    other.send(b"x")
    gevent.sleep(0.05)
    assert seen


def use_thread_pool():
    pool = gevent.threadpool.ThreadPool(2)
    assert pool.apply(sum, ([1, 2],)) == 3
    pool.spawn(id, held())
    assert gevent.get_hub().threadpool.apply(sum, ([1, 2],)) == 3


def forget_in_main(work):
    """Do some work, then leave it with its hub."""
    set_hub(Hub(default=False))
    work()
    set_hub(None)
    collect()


@scene
def spawn_in_threads():
    in_threads(spawn)


@scene
def servers_in_threads():
    in_threads(serve)


@scene
def http_servers_in_threads():
    in_threads(serve_http)


@scene
def watchers_in_threads():
    in_threads(watch)


@scene
def thread_pools_in_threads():
    in_threads(use_thread_pool)


def destroy():
    spawn()
    serve()
    gevent.get_hub().destroy()


if "libuv" not in str(gevent.config.loop):  # there, destroy() itself waits for the server

    @scene
    def destroyed_in_threads():
        in_threads(destroy)


@scene
def spawn_in_main():
    forget_in_main(spawn)


@scene
def servers_in_main():
    forget_in_main(serve)


@scene
def http_servers_in_main():
    forget_in_main(serve_http)


@scene
def watchers_in_main():
    forget_in_main(watch)


@scene
def thread_pool_in_main():
    forget_in_main(use_thread_pool)


@scene
def left_at_exit():
    spawn()
    serve()
    use_thread_pool()


if __name__ == "__main__":
    main()
