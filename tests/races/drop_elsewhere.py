"""A thread drops greenlets of others, which switch to them meanwhile, end them, or end."""

import collections
import sys
import threading

import greenlet

import racing

passed_on = collections.deque(maxlen=500)  # what is pushed out is dropped as well
started, ended = [], []
wrong = []


def wait(ident):
    started.append(1)
    try:
        while greenlet.getcurrent().parent.switch(ident) != "end":
            pass
    finally:
        if threading.get_ident() != ident:
            wrong.append(threading.get_ident())
        ended.append(1)


def own(source):
    """What a thread does until it ends."""
    ident = threading.get_ident()
    kept = [greenlet.greenlet(wait) for _ in range(source.randrange(1, 30))]
    for each in kept:
        each.switch(ident)
    passed_on.extend(kept)
    for _ in range(source.randrange(60)):
        each = source.choice(kept)
        if not each.dead:
            each.switch("end" if source.random() < 0.1 else None)
        if source.random() < 0.1:
            another = racing.parked()
            passed_on.append(another)
            another.switch()
        if source.random() < 0.1:
            kept.remove(each)
            passed_on.append(each)
            del each  # often the last reference is the other thread's now
            if not kept:
                break
    if source.random() < 0.5:
        del kept[len(kept) // 2 :]


def owner(number):
    return racing.one_by_one(own, racing.source_of(number))


def stayer():
    """A thread that goes on; drops and switches meet in it for as long as that takes."""
    source = racing.source_of("stayer")
    while racing.going():
        own(source)


def dropper():
    while racing.going():
        for _ in range(len(passed_on)):
            try:
                dropped = passed_on.popleft()
            except IndexError:
                break
            bool(dropped)
            del dropped


racing.race(owner(0), owner(1), stayer, dropper)
passed_on.clear()
assert not wrong, wrong
assert len(ended) <= len(started)
if "-v" in sys.argv:
    print(len(started), len(ended), file=sys.stderr)
racing.finish()
