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


try:
    greenlet.greenlet(run).switch()
except KeyboardInterrupt:
    print("interrupted")
