"""`run` is set, read and deleted while the owner starts the greenlet."""

import contextlib

import greenlet

import racing

shared = []


class Run:
    """A callable that is not deferred and not immortal."""

    def __init__(self, value):
        self.value = value

    def __call__(self):
        return self.value


def owner():
    while racing.going():
        each = greenlet.greenlet(Run(0))
        shared[0] = each
        for _ in range(5):
            try:
                each.run
            except AttributeError:
                each.run = Run(1)
        try:
            assert each.switch() in range(5)
        except AttributeError as error:
            assert str(error) == "run", error
        else:
            assert each.dead


def setter():
    while racing.going():
        for each in shared[:]:
            try:
                each.run = Run(3)
            except AttributeError as error:
                assert "after the start" in str(error), error


def reader():
    while racing.going():
        for each in shared[:]:
            with contextlib.suppress(AttributeError):
                assert each.run() in range(5)


def deleter():
    while racing.going():
        for each in shared[:]:
            with contextlib.suppress(AttributeError):
                del each.run


shared.append(greenlet.greenlet(Run(0)))
racing.race(owner, setter, reader, deleter)
shared.clear()
racing.finish()
