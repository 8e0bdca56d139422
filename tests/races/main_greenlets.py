"""Main greenlets of threads that end, which others get by weak references, look at, and put
attributes on."""

import contextlib
import weakref

import greenlet
from greenlet import debug

import racing

references = [lambda: None] * 10
kept = [None] * 10


class Value:
    pass


def short_thread(source):
    main = greenlet.getcurrent()
    main.value = Value()
    references[source.randrange(len(references))] = weakref.ref(main)
    if source.random() < 0.3:
        kept[source.randrange(len(kept))] = main
    if source.random() < 0.5:
        main.itself = main
    racing.parked().switch("value")
    if source.random() < 0.5:
        main.parked = racing.parked()


def starter(number):
    return racing.one_by_one(short_thread, racing.source_of(number))


def look_at(main):
    assert main.parent is None
    frame = main.gr_frame
    assert frame is None or frame.f_code is not None
    repr(main)
    main.dead
    with contextlib.suppress(AttributeError):
        assert isinstance(main.value, Value)
    with contextlib.suppress(ValueError):
        main.gr_context
    assert isinstance(main.__dict__, dict)
    main.another = 1
    child = greenlet.greenlet(looker)
    with contextlib.suppress(ValueError):
        child.parent = main
    with contextlib.suppress(greenlet.error):
        child.throw()
    assert debug.describe(main).state in ("running", "parked", "dead")


def looker(number):
    def run():
        source = racing.source_of(number)
        while racing.going():
            for found in (source.choice(references)(), source.choice(kept)):
                if found is not None:
                    look_at(found)
            if source.random() < 0.1:
                kept[source.randrange(len(kept))] = None

    return run


racing.race(starter(0), starter(1), starter(2), looker(3), looker(4))
references.clear()
kept.clear()
racing.finish()
