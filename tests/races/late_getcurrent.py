"""The last objects that a thread deallocates ask which greenlet they are in."""

import greenlet

import racing


def use():
    assert greenlet.getcurrent() is greenlet.getcurrent()
    assert not greenlet.getcurrent().dead


racing.race_late(use)
racing.in_new_thread(greenlet.getcurrent)
racing.finish()
