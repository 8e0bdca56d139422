"""The last objects that a thread deallocates leave greenlets behind, which wait."""

import threading

import greenlet
from greenlet import _greenlet

import racing

PLACES = 50
left = {}


def use():
    ident = threading.get_ident()
    parked = racing.parked()
    left[racing.random.randrange(PLACES)] = parked, ident


def look_and_switch():
    """They are another thread's, or that has ended: perhaps there is a new one where that was."""
    for each, ident in list(left.values()):
        if ident != threading.get_ident():
            _greenlet._describe(each)
            assert "current" not in repr(each)
            assert each.gr_frame is None or each.gr_frame.f_code.co_filename == racing.__file__
            try:
                each.switch()
            except greenlet.error:
                pass
            else:
                assert each.dead


def dropper():
    """In threads that come and go, too."""
    while racing.going():
        racing.in_new_thread(look_and_switch)
        racing.in_new_thread(left.pop, racing.random.randrange(PLACES), None)


racing.race_late(use, dropper, racing.collecting)
racing.in_new_thread(greenlet.getcurrent)
assert all(each.dead or ident == threading.get_ident() for each, ident in left.values())
left.clear()
racing.finish()
