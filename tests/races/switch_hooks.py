"""Switch hooks that come and go while other threads switch: no event of a hook's time is lost."""

import threading

from greenlet import debug, getcurrent, greenlet

import racing

SWITCHERS = 6


class Listener:
    """A hook, and how many events each thread knows to have caused in its time."""

    def __init__(self):
        self.calls = []
        self.least = {}
        self.count = None
        self.number = debug.add_switch_hook(self.note)

    def note(self, what, origin, target):
        assert target is getcurrent()
        self.calls.append(what)

    def remove(self):
        debug.remove_switch_hook(self.number)
        self.count = len(self.calls)

    def check(self):
        # One call in each thread may have begun before the hook was removed.
        assert self.count <= len(self.calls) <= self.count + SWITCHERS + 2
        assert sum(self.least.values()) <= self.count


current = None
ended = []


def live():
    """Start, back, on, and back."""
    assert racing.parked().switch("value") == "value"
    return 4


def switcher():
    own = threading.get_ident()
    while racing.going():
        listener = current
        switches = live()
        if listener is not None and listener is current:
            listener.least[own] = listener.least.get(own, 0) + switches


def short_thread():
    """Its record is made while hooks come and go."""
    listener = current
    switches = live()
    if listener is not None and listener is current:
        listener.least[object()] = switches


def manager():
    global current
    while racing.going():
        listener = Listener()
        current = listener
        live()
        current = None
        listener.remove()
        ended.append(listener)


def bystander():
    """Hooks that somebody else adds and removes."""
    source = racing.source_of("bystander")
    numbers = []
    while racing.going():
        if source.random() < 0.5 or not numbers:
            events = source.sample(["switch", "throw", "start", "finish", "create"], 2)
            numbers.append(debug.add_switch_hook(lambda *_: None, events))
        else:
            debug.remove_switch_hook(numbers.pop(source.randrange(len(numbers))))
        if len(numbers) > 5:
            debug.remove_switch_hook(numbers.pop())
        greenlet(len).switch(())
    for number in numbers:
        debug.remove_switch_hook(number)


racing.race(manager, bystander, racing.one_by_one(short_thread), *[switcher] * SWITCHERS)
assert ended
for listener in ended:
    listener.check()
ended.clear()
racing.finish()
