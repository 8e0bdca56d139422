"""A signal handler switches away in the middle of a greenlet and is resumed later."""

import signal

import greenlet

main = greenlet.getcurrent()


def handler(number, frame):
    main.switch("from the handler")


def run():
    total = sum(range(10))
    signal.raise_signal(signal.SIGTERM)
    return total


signal.signal(signal.SIGTERM, handler)
child = greenlet.greenlet(run)
print(child.switch())
print(child.switch())
