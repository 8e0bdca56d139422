"""Ctrl-C in a greenlet reaches the main greenlet."""

import signal

import greenlet


def run():
    try:
        signal.raise_signal(signal.SIGINT)
        for _ in range(1000):
            pass
    finally:
        print("finally")


# A shell has what it runs in the background ignore the signal.
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    greenlet.greenlet(run).switch()
except KeyboardInterrupt:
    print("interrupted")
