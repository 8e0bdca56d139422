"""A thread's trace function is exchanged at the moment when another thread drops one of its parked
greenlets: the thread has to hear of both."""

import collections

import greenlet
from greenlet import _greenlet

import racing

dropped_by_others = collections.deque()


class Owner:
    """A thread that does nothing but switch between greenlets that are parked."""

    def __init__(self):
        self.ended = self.started = 0

    def wait(self):
        self.started += 1
        try:
            greenlet.getcurrent().parent.switch()
        finally:
            self.ended += 1

    def exchange(self, dropped):
        main = greenlet.getcurrent()
        while not dropped and racing.going():
            _greenlet._exchange_trace(main, noting)
            _greenlet._exchange_trace(main, None)

    def run(self):
        ticker = greenlet.greenlet(tick)
        ticker.switch()
        while racing.going():
            dropped = []
            each = greenlet.greenlet(self.wait)
            each.switch()
            given_away = racing.GivenAway([each])
            dropped_by_others.append((given_away, dropped))
            del each
            given_away.leave()
            self.exchange(dropped)
            ticker.switch()
            assert self.ended == self.started or not dropped, vars(self)


def tick():
    parent = greenlet.getcurrent().parent
    while True:
        parent.switch()


def noting(event, pair):
    pass


def dropper():
    while racing.going():
        try:
            given_away, dropped = dropped_by_others.popleft()
        except IndexError:
            continue
        given_away.take()
        dropped.append(True)


racing.race(lambda: Owner().run(), lambda: Owner().run(), dropper)
dropped_by_others.clear()
racing.finish()
