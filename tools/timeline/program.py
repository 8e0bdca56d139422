"""The gevent program on the picture in the docs: clients that wait, and one that does not.

The argument is the file to record to.
"""

import sys
import threading
import time

import gevent
from greenlet.debug import timeline


def client(pause: float) -> None:
    for _ in range(4):
        work(0.0008)
        gevent.sleep(pause)


def compute() -> None:
    """All the others have to wait for it."""
    gevent.sleep(0.008)
    work(0.009)


def impatient() -> None:
    with gevent.Timeout(0.006, False):
        gevent.sleep(1)
    work(0.001)


def work(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def clients(*pauses: float) -> list[gevent.Greenlet]:
    return [gevent.spawn(client, pause) for pause in pauses]


def other_thread() -> None:
    """With a hub of its own."""
    gevent.joinall(clients(0.002, 0.005), raise_error=True)
    gevent.get_hub().destroy()


def main() -> None:
    # What is only done at the first time would be long bars.
    gevent.spawn(gevent.sleep, 0.001).join()
    with timeline(sys.argv[1]):
        thread = threading.Thread(target=other_thread, name="another thread")
        tasks = clients(0.003, 0.004, 0.005)
        tasks += [gevent.spawn(compute), gevent.spawn(impatient)]
        thread.start()
        gevent.joinall(tasks, raise_error=True)
        thread.join()


if __name__ == "__main__":
    main()
