"""Several threads try to start the same greenlets: only those of the owner start."""

import threading

import greenlet

import racing

THREADS = 4
BATCH = 50

meeting = threading.Barrier(THREADS)
started_in = []
batch = []


def note(*args):  # a child's result, if that ends before its parent starts
    started_in.append(threading.get_ident())


def fill(number):
    """Every other greenlet is the parent of the next."""
    first = [greenlet.greenlet(note) for _ in range(BATCH)]
    batch[:] = [each for parent in first for each in (parent, greenlet.greenlet(note, parent))]
    if number % 3 == 0:
        batch.reverse()  # parents after their children


def try_all(is_owner):
    """How many could be started, or would have been if they had not ended."""
    done = 0
    for each in batch:
        try:
            each.switch()
            done += 1
        except greenlet.error:
            assert not is_owner
    return done


def body(number):
    def run():
        turn = 0
        while True:
            is_owner = turn % THREADS == number
            if is_owner:
                started_in.clear()
                fill(turn)
                if not racing.going():
                    batch.clear()
            meeting.wait()
            if not batch:
                return
            done = try_all(is_owner)
            assert done == (len(batch) if is_owner else 0), done
            meeting.wait()
            if is_owner:
                assert started_in == [threading.get_ident()] * len(batch)
            meeting.wait()
            turn += 1

    return run


def checked(run):
    """Lest the others wait for a thread that has failed."""

    def checking():
        try:
            run()
        except BaseException:
            meeting.abort()
            raise

    return checking


racing.race(*[checked(body(number)) for number in range(THREADS)])
batch.clear()
racing.finish()
