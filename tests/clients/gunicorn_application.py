"""The WSGI application that gunicorn_gevent.py has served."""

import gevent
import greenlet


def application(environ, start_response):
    """Answer with the request's path and body, from a greenlet of its own."""
    size = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(size)
    before = greenlet.getcurrent()
    assert before.parent is not None, "not in a greenlet"
    gevent.sleep(0.001)  # others are served meanwhile
    assert greenlet.getcurrent() is before
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [environ["PATH_INFO"].encode(), b"\n", body[::-1]]
