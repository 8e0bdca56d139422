"""The WSGI application that gunicorn_stuck.py has served: one of its views gets stuck."""

import pathlib


def stuck_here(folder):
    """A loop that lets nobody else run, until somebody else makes a file."""
    pathlib.Path(folder, "stuck").touch()
    while not pathlib.Path(folder, "go on").exists():
        pass


def application(environ, start_response):
    stuck_here(environ["PATH_INFO"].removeprefix("/stuck"))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"it goes on"]
