"""gevent: a pool of sockets, 1000 clients, against an echo server."""

import os

import gevent
from gevent import socket
from gevent.pool import Pool
from gevent.server import StreamServer

CLIENTS = 50 if os.environ.get("GREENLET_TEST_SLOW_MACHINE") else 1000
AT_ONCE = 400  # two sockets each, and 1024 open files are the usual limit
MESSAGES = 10


def echo(connection, _address):
    while data := connection.recv(4096):
        connection.sendall(data)


def receive_exactly(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        assert part, "the server hung up"
        data += part
    return data


def client(address, number):
    """The number of messages that came back as they were sent."""
    with socket.create_connection(address, timeout=60) as connection:
        for message in range(MESSAGES):
            # From one byte to several receives' worth of them.
            data = b"client %d message %d;" % (number, message) * (1 + number * 7 % 500)
            connection.sendall(data)
            assert receive_exactly(connection, len(data)) == data
    return MESSAGES


def main():
    server = StreamServer(("127.0.0.1", 0), echo, backlog=AT_ONCE)
    server.start()
    pool = Pool(AT_ONCE)
    with gevent.Timeout(120):
        jobs = [pool.spawn(client, server.address, number) for number in range(CLIENTS)]
        gevent.joinall(jobs, raise_error=True)
    server.stop()
    replies = sum(job.value for job in jobs)
    assert replies == CLIENTS * MESSAGES, replies
    print(f"{CLIENTS} clients, {replies} replies, all as sent")


if __name__ == "__main__":
    main()
