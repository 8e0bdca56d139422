"""Many threads end with parked greenlets that others hold, drop, look at, or that are in cycles."""

import contextlib
import threading

import greenlet

import racing

held = []


def wait(*held_by_frame):
    greenlet.getcurrent().parent.switch()


def leave_some(source):
    own = []
    for _ in range(source.randrange(1, 8)):
        each = greenlet.greenlet(wait)
        # In a cycle by its frame, its attributes, or by another one's parent.
        each.switch(*source.choice([(), (each,), (own,)]))
        if source.random() < 0.2:
            each.itself = each
        own.append(each)
    own.append(greenlet.greenlet(wait, own[0]))
    own.append(greenlet.getcurrent())
    if source.random() < 0.7:
        held.append(source.choice([own, own[:1], own[-1:], own[-2]]))
    if source.random() < 0.3:
        local.kept = own


local = threading.local()


def threads_one_by_one(source):
    while racing.going():
        threads = [threading.Thread(target=leave_some, args=(source,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def spawner(number):
    return lambda: threads_one_by_one(racing.source_of(number))


def dropper():
    source = racing.source_of("dropper")
    while racing.going():
        while len(held) > source.randrange(1, 50):
            held.pop(source.randrange(len(held)))


def looker():
    source = racing.source_of("looker")
    while racing.going():
        with contextlib.suppress(IndexError):
            found = source.choice(held)
            for each in found if isinstance(found, list) else [found]:
                repr(each)
                frame = each.gr_frame
                assert frame is None or frame.f_code in (wait.__code__, leave_some.__code__)
                parent = each.parent
                assert parent is None or isinstance(parent, greenlet.greenlet)
                with contextlib.suppress(greenlet.error):
                    each.switch()
                    raise AssertionError("another thread's has been switched to")
                del parent, frame
            del each, found


racing.race(spawner(0), spawner(1), dropper, looker, racing.collecting)
held.clear()
racing.finish()
