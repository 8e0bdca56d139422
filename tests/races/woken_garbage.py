"""Greenlets that the collector has found are woken by their threads at that moment.

From 3.15 on weak references lead to them until their finalizers have been called: either they go
on, or they are ended.
"""

import weakref

import greenlet

import racing

woken = set()


class Marker:
    """A weak reference to this leads to the greenlet, which has none itself."""


def fresh(depth):
    """Frames with functions that nothing else refers to."""
    if depth:
        return (lambda value: fresh(depth - 1))(depth)
    return 1


def park(parent, count):
    """What its frame refers to goes with it when it is woken."""

    def made_here(value):
        return value and fresh(value * 10)

    value = parent.switch(count)
    return value, made_here(1)


def wait(*held_by_frame):
    count = 0
    parent = greenlet.getcurrent().parent
    while True:
        value, more = park(parent, count)
        if value == "end":
            return value
        count += more


class WithDel(greenlet.greenlet):
    def __del__(self):
        pass


def make(source):
    """In a cycle, with what leads to it."""
    each = source.choice([greenlet.greenlet, greenlet.greenlet, WithDel])(wait)
    marker = Marker()
    marker.greenlet = each
    each.switch(marker)
    return weakref.ref(source.choice([each, marker]))


def wake(reference, source):
    found = reference()
    if isinstance(found, Marker):
        found = found.greenlet
    if found is None or found.dead:
        return False
    for value in source.choice([[None], [None, None], [None, "end"]]):
        result = found.switch(value)
        if result is None:  # to be ended it was already, and this was the moment for it
            assert found.dead
            break
        assert result == "end" if value == "end" else result > 0
    return True


def owner(number):
    def run():
        source = racing.source_of(number)
        references = [make(source) for _ in range(10)]
        while racing.going():
            place = source.randrange(10)
            for _ in range(source.randrange(20)):
                if wake(references[place], source):
                    woken.add(number)
            references[place] = make(source)

    return run


while len(woken) < 2:  # on a machine that has other work an owner may not come to that
    racing.race(owner(0), owner(1), racing.collecting, racing.collecting)
racing.finish()
