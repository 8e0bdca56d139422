"""What the tests of greenlet.debug share: threads that stay where they are for a while."""

import contextlib
import threading

from greenlet import getcurrent, greenlet

from support import join

# Seconds after which a test that waits for another thread has failed.
PATIENCE = 60


def wait_parked():
    getcurrent().parent.switch()


def parked(run=wait_parked):
    waiting = greenlet(run)
    waiting.switch()
    return waiting


@contextlib.contextmanager
def busy_thread(name="busy"):
    """A thread in which one greenlet is parked and another one, given to the block, is running."""
    is_there, may_go = threading.Event(), threading.Event()
    found = []

    def run_here():
        is_there.set()
        assert may_go.wait(PATIENCE)

    def body():
        waiting = parked()
        running = greenlet(run_here)
        found.append(running)
        running.switch()
        waiting.switch()

    thread = threading.Thread(target=body, name=name)
    thread.start()
    assert is_there.wait(PATIENCE)
    try:
        yield found.pop()
    finally:
        may_go.set()
        join(thread)
