"""The last objects that a thread deallocates start greenlets and finish them, and drop one that has
not finished."""

import greenlet

import racing

born = []
ended = []


def body():
    born.append(1)
    try:
        greenlet.getcurrent().parent.switch(1)
    finally:
        ended.append(1)
    return 2


def use():
    finished = greenlet.greenlet(body)
    assert (finished.switch(), finished.switch(), finished.dead) == (1, 2, True)
    assert greenlet.greenlet(body).switch() == 1


racing.race_late(use)
racing.in_new_thread(greenlet.getcurrent)
assert len(born) == len(ended)
racing.finish()
