"""Other threads look at everything of greenlets that switch and end."""

import contextlib
import gc
import io
import sys
import threading
from types import FrameType

import greenlet

import racing

shared = []


def work(depth):
    if depth:
        return work(depth - 1)
    local = ["value"] * 3
    parent = greenlet.getcurrent().parent
    while parent.switch(len(local)) != "end":
        pass
    return local


def owner():
    source = racing.source_of("owner")
    own = [greenlet.greenlet(work) for _ in range(20)]
    shared.extend(own)
    for each in own:
        each.switch(source.randrange(20))
    while racing.going():
        place = source.randrange(len(own))
        assert own[place].switch() == 3
        if source.random() < 0.2:
            assert own[place].switch("end") == ["value"] * 3
            own[place] = greenlet.greenlet(work)
            shared[source.randrange(len(shared))] = own[place]
            own[place].switch(source.randrange(20))


def look_at(each):
    assert each.dead in (True, False)
    assert bool(each) in (True, False)
    assert repr(each).startswith("<greenlet.greenlet object at ")
    assert isinstance(each._stack_saved, int)
    with contextlib.suppress(AttributeError):
        each.run
    with contextlib.suppress(ValueError):  # it is running
        each.gr_context
    frame = each.gr_frame
    assert frame is None or isinstance(frame, FrameType)
    if frame is not None:
        # It goes on meanwhile, and what its frame links to is what the greenlet has come to.
        for _ in range(30):
            if frame is None:
                break
            assert isinstance(repr(frame), str)
            assert isinstance(frame.f_lineno, (int, type(None)))
            frame = frame.f_back
    parent = each.parent
    assert parent is None or isinstance(parent, greenlet.greenlet)


def look_by_python(each):
    """What Python has to look at objects and threads."""
    assert isinstance(gc.get_referents(each), list)
    assert isinstance(gc.get_referrers(each), list)
    assert threading.get_ident() in sys._current_frames()
    if sys.version_info >= (3, 11):
        sys._current_exceptions()
    sys.getsizeof(each)


def looker():
    source = racing.source_of("looker")
    while racing.going():
        if shared:
            look_at(source.choice(shared))
            if source.random() < 0.1:
                look_by_python(source.choice(shared))


def debugger():
    from greenlet import debug

    while racing.going():
        text = debug.tree()
        assert "main" in text
        debug.dump_stacks(io.StringIO())
        for each in shared[:5]:
            what = debug.describe(each)
            assert what.state in ("unstarted", "running", "parked", "dead")
            assert what.thread is None or isinstance(what.thread, int)
        assert greenlet.getcurrent() in debug.all_greenlets(threading.current_thread())


racing.race(owner, owner, looker, debugger)
shared.clear()
racing.finish()
