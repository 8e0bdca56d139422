"""eventlet: a green pool of clients against an echo server."""

import eventlet
from eventlet.green import socket

CLIENTS = 200
AT_ONCE = 50
MESSAGES = 10


def echo(connection):
    with connection:
        while data := connection.recv(4096):
            connection.sendall(data)


def serve(listener, pool):
    while True:
        connection, _address = listener.accept()
        pool.spawn_n(echo, connection)


def client(address, number):
    """The number of lines that came back as they were sent."""
    with socket.create_connection(address, timeout=60) as connection:
        replies = connection.makefile("rb")
        for message in range(MESSAGES):
            line = b"client %d message %d\n" % (number, message)
            connection.sendall(line)
            assert replies.readline() == line
            eventlet.sleep(0)
    return MESSAGES


def main():
    listener = eventlet.listen(("127.0.0.1", 0), backlog=AT_ONCE)
    address = listener.getsockname()
    server = eventlet.spawn(serve, listener, eventlet.GreenPool(AT_ONCE))
    with eventlet.Timeout(120):
        pool = eventlet.GreenPool(AT_ONCE)
        jobs = [pool.spawn(client, address, number) for number in range(CLIENTS)]
        replies = sum(job.wait() for job in jobs)
    server.kill()
    assert replies == CLIENTS * MESSAGES, replies
    print(f"{CLIENTS} clients, {replies} replies, all as sent")


if __name__ == "__main__":
    main()
