"""A process that waits takes no processor time, whatever is parked in it, or dying.

Some of the greenlets belong to the thread that waits, some to others that wait as well; some of
each have been given up by another thread, so that their own thread has to end them.
"""

import gc
import threading
import time

from greenlet import getcurrent, greenlet

COUNT = 10_000
THREADS = 4
WAIT = 1.0
# Seconds of processor time while all of them wait.
MOST = 0.02


def park():
    getcurrent().parent.switch()


def parked(count):
    made = [greenlet(park) for _ in range(count)]
    for each in made:
        each.switch()
    return made


def give_up(lists):
    """Drop every tenth greenlet of lists; half of them are left to the collector."""
    for greenlets in lists:
        for number in range(0, len(greenlets), 10):
            if number % 20:
                greenlets[number].itself = greenlets[number]
            greenlets[number] = None
    gc.collect()


def work(lists):
    lists.append(parked(COUNT // (THREADS + 1)))
    all_have_parked.wait()
    may_end.wait()


def wait():
    """How much processor time the process took while this thread waited."""
    before = time.process_time()
    time.sleep(WAIT)
    return time.process_time() - before


all_have_parked = threading.Barrier(THREADS + 1)
may_end = threading.Event()
lists = [parked(COUNT // (THREADS + 1))]
threads = [threading.Thread(target=work, args=[lists]) for _ in range(THREADS)]
for each in threads:
    each.start()
all_have_parked.wait()
assert sum(map(len, lists)) == COUNT
gc.collect()

taken = wait()
assert taken < MOST, taken

giver = threading.Thread(target=give_up, args=[lists])
giver.start()
giver.join()
taken = wait()
assert taken < MOST, taken

may_end.set()
for each in threads:
    each.join()
taken = wait()
assert taken < MOST, taken
print("end", flush=True)
