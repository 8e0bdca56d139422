"""A small web application of Flask's, served by gevent in this process, and its
clients, in another one."""

import contextlib
import gc
import json
import resource
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
IDLE = 5000
SECONDS = 2  # until they count as idle


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

    @app.get("/answer")
    def answer():
        return "done"

    @app.get("/wait")
    def wait():
        gate.wait()
        return "done"

    return app


@contextlib.contextmanager
def serving(gate):
    """The port of a server that runs until the block ends."""
    # What overflows the list of those to be accepted would try again a second later.
    server = gevent.pywsgi.WSGIServer(("127.0.0.1", 0), application(gate), log=None, backlog=IDLE)
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
    # So long for all to have come to their handlers.
    return bytes_for_each("/wait", OPEN, 0.5)


def idle():
    """Bytes for each connection that has had an answer, and is kept for more."""
    return bytes_for_each("/answer", IDLE, SECONDS)


def waiting():
    """Bytes for each of as many that wait in their handler."""
    return bytes_for_each("/wait", IDLE, SECONDS)


def bytes_for_each(path, count, seconds):
    """Growth of memory for each of `count` connections that have asked for a path, `seconds`
    after the last of them has."""
    gc.enable()  # as a server has it: requests leave cycles behind
    allow_files(count)
    gate = gevent.event.Event()
    with serving(gate) as port:
        warm_up = client("hold", port, 50, path)
        warm_up.stdout.readline()
        gc.collect()
        before = resident_bytes() + page_table_bytes()
        process = client("hold", port, count, path)
        process.stdout.readline()
        stay_awake(seconds)
        gc.collect()
        grown = resident_bytes() + page_table_bytes() - before
        gate.set()
        for each in (process, warm_up):
            each.communicate()
    return grown / count


def stay_awake(seconds):
    """A server with as many connections has always something to do."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        gevent.sleep(0.001)


def allow_files(count):
    """Have room for as many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count + 100:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count + 100, hard), hard))


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


def hold(port, count, path):
    """Connections that ask once.  Where all are answered, that is before the next one asks;
    the last answers come when the server says so."""
    allow_files(count)
    connections = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", port))
        ask(connection, path)
        if path != "/wait":
            answer(connection)
        connections.append(connection)
    print("asked", flush=True)
    if path != "/wait":
        sys.stdin.read()
        return
    for connection in connections:
        answer(connection)


if __name__ == "__main__":
    what, port, *rest = sys.argv[1:]
    if what == "requests":
        ask_many(int(port))
    else:
        hold(int(port), int(rest[0]), rest[1])
