"""A small web application of Flask's, served by gevent in this process, and its
clients, in another one."""

import contextlib
import json
import socket
import subprocess
import sys
import time

import flask
import gevent
import gevent.event
import gevent.pywsgi
import gevent.subprocess as cooperative

from measure import page_table_bytes, resident_bytes

CLIENT = __file__
CONNECTIONS = 50
REQUESTS = 40  # of each connection
OPEN = 1000


def application(gate):
    app = flask.Flask(__name__)
    app.jinja_env.filters["price"] = lambda cents: f"{cents / 100:.2f}"
    page = app.jinja_env.from_string(
        "<ul>{% for name, cents in rows %}<li>{{ name }}: {{ cents|price }}</li>{% endfor %}</ul>"
    )

    @app.get("/items/<int:number>")
    def items(number):
        gevent.sleep(0)  # a database's answer
        rows = [(f"item {index}", index * number) for index in range(10)]
        gevent.sleep(0)
        return page.render(rows=rows)

    @app.get("/wait")
    def wait():
        gate.wait()
        return "done"

    return app


@contextlib.contextmanager
def serving(gate):
    """The port of a server that runs until the block ends."""
    server = gevent.pywsgi.WSGIServer(("127.0.0.1", 0), application(gate), log=None)
    server.start()
    yield server.server_port
    server.stop()


def client(*arguments):
    """A client in another process; to wait for it lets this one serve."""
    command = [sys.executable, CLIENT, *map(str, arguments)]
    return cooperative.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def requests():
    """Microseconds for each request."""
    with serving(gevent.event.Event()) as port:
        output, _ = client("requests", port).communicate()
    return json.loads(output)


def memory():
    """Bytes for each request that is open."""
    gate = gevent.event.Event()
    with serving(gate) as port:
        warm_up = client("wait", port, 50)
        warm_up.stdout.readline()
        before = resident_bytes() + page_table_bytes()
        process = client("wait", port, OPEN)
        process.stdout.readline()
        gevent.sleep(0.5)  # for all to have come to their handlers
        grown = resident_bytes() + page_table_bytes() - before
        gate.set()
        for each in (process, warm_up):
            each.communicate()
    return grown / OPEN


# --- The client -------------------------------------------------------------


def ask(connection, path):
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())


def answer(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    length = next(
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)


def ask_many(port):
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    for turn in range(REQUESTS + 5):
        if turn == 5:
            start = time.perf_counter()
        for connection in connections:
            ask(connection, f"/items/{turn}")
        for connection in connections:
            answer(connection)
    seconds = time.perf_counter() - start
    print(json.dumps(1e6 * seconds / CONNECTIONS / REQUESTS))


def ask_and_wait(port, count):
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    for connection in connections:
        ask(connection, "/wait")
    print("asked", flush=True)
    for connection in connections:
        answer(connection)


if __name__ == "__main__":
    what, *numbers = sys.argv[1:]
    if what == "requests":
        ask_many(*map(int, numbers))
    else:
        ask_and_wait(*map(int, numbers))
