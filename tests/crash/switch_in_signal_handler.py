"""A signal handler switches away in the middle of a greenlet and is resumed later."""

import signal

import greenlet

main = greenlet.getcurrent()


def handler(number, frame):
    main.switch("from the handler")


def run():
    total = sum(range(10))
    signal.raise_signal(signal.SIGUSR1)
    return total


signal.signal(signal.SIGUSR1, handler)
child = greenlet.greenlet(run)
print(child.switch())
print(child.switch())
