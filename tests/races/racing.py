"""What the programs of this folder share: threads that do things at the same time, for a while.

The first argument of each program is for how many seconds, the second what its random choices
begin with.
"""

import gc
import random
import sys
import threading
import time

from greenlet import _greenlet, getcurrent, greenlet

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
SEED = sys.argv[2] if len(sys.argv) > 2 else "0"

# Where there is a GIL it is to change hands often.
sys.setswitchinterval(1e-5)

_end = time.monotonic() + SECONDS


def going():
    """Whether the race is still on; each body asks for itself."""
    return time.monotonic() < _end


def begin():
    global _end
    _end = time.monotonic() + SECONDS


def race(*bodies, daemon=False):
    """Run the bodies at the same time, each in a thread of its own."""
    start = threading.Barrier(len(bodies), action=begin)
    failed = []

    def run(body):
        start.wait()
        try:
            body()
        except BaseException:
            failed.append(body)
            raise  # for threading to print

    threads = [threading.Thread(target=run, args=(body,), daemon=daemon) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        sys.exit("failed: {}".format(failed))


def source_of(number):
    """Random choices of one thread."""
    return random.Random("{} {}".format(SEED, number))


def collecting():
    """A body: nothing but collections."""
    while going():
        gc.collect()


def parked(*args):
    """A new greenlet that waits for what it is to return."""
    waiting = greenlet(lambda *args: getcurrent().parent.switch())
    waiting.switch(*args)
    return waiting


def in_new_thread(function, *args):
    thread = threading.Thread(target=function, args=args)
    thread.start()
    thread.join()


def one_by_one(function, *args):
    """A body: threads that call a function, each after the one before has ended."""

    def run():
        while going():
            in_new_thread(function, *args)

    return run


class GivenAway:
    """Objects whose last references another thread is to drop, so that it deallocates them.

    Without a GIL the thread that has made an object counts its references apart from those of all
    others; while it has any, what others drop last is deallocated in that thread, a little later.
    """

    def __init__(self, objects):
        self.objects = objects
        self.are_taken = self.are_left = False

    def leave(self):
        """In the thread that has made them; the caller, too, must have no reference."""
        while not self.are_taken and going():
            pass
        self.objects = None
        self.are_left = True

    def take(self):
        """In the other thread: a list of them."""
        taken = list(self.objects or ())
        self.are_taken = True
        while not self.are_left:
            pass
        return taken


def wait_below(depth):
    """A run function that waits below so many calls of C and returns a true value, at last."""
    if depth:
        return sorted([depth], key=lambda value: wait_below(depth - 1) and 0)
    getcurrent().parent.switch()
    return [1]


def share_one(shared, source, share_resumed):
    """Put a new greenlet that waits into a list, and resume it now and then."""
    each = greenlet(wait_below)
    each.switch(source.randrange(3))
    shared[source.randrange(len(shared))] = each
    if source.random() < share_resumed:
        each.switch()


def race_late(use, *others):
    """Objects that use greenlets when they go, dropped by others at the moment when the thread ends
    that has made them: without a GIL it is they that the thread deallocates last of all."""
    made = [None] * 50

    class UsesGreenlets:
        def __del__(self):
            use()

    def short_thread(source):
        if source.random() < 0.8:
            getcurrent()
        for _ in range(5):
            made[source.randrange(len(made))] = UsesGreenlets()

    def dropper():
        source = source_of("dropper")
        while going():
            made[source.randrange(len(made))] = None

    starters = [one_by_one(short_thread, source_of(number)) for number in range(3)]
    race(*starters, dropper, *others)


def finish():
    """All threads but the main one have ended, and nothing is held any more: is it gone?"""
    for _ in range(3):  # what has been killed may have held another one
        gc.collect()
        getcurrent()
    left = [each for each in gc.get_objects() if isinstance(each, greenlet)]
    left.remove(getcurrent())
    # In a thread that has ended 3.10 does not find what a frame computes with.
    assert left == [] or sys.version_info < (3, 11), left[:10]
    assert _greenlet.get_total_main_greenlets() == 1
    assert _greenlet.get_pending_cleanup_count() == 0
    print("end")
