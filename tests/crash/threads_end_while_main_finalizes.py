"""Threads that are no daemons end with parked greenlets while the main thread waits for them.

What they leave parked is held by others; each also drops greenlets of the main thread and of
threads that have ended before.
"""

import gc
import threading
import time

import greenlet

THREADS = 6
kept, of_main, of_ended = [], [], []


def park(parent, write=print):
    try:
        parent.switch()
    finally:
        if parent is not main:
            write("never written")


def leave_parked(count, holder):
    here = greenlet.getcurrent()
    for number in range(count):
        child = greenlet.greenlet(park)
        if number % 3 == 0:
            child = greenlet.greenlet(lambda: sorted([2, 1], key=lambda ignored: park(here)))
            child.switch()
        else:
            child.switch(here)
        if number % 2:
            child.itself = child
        holder.append(child)


def body(number):
    leave_parked(10, kept)
    main_thread.join()
    time.sleep(0.01 * number)
    del of_ended[::3], of_main[::3]
    if number % 2:
        gc.collect()
    leave_parked(10, kept)


main, main_thread = greenlet.getcurrent(), threading.main_thread()
leave_parked(30, of_main)
ended = threading.Thread(target=leave_parked, args=[30, of_ended])
ended.start()
ended.join()
threads = [threading.Thread(target=body, args=[number]) for number in range(THREADS)]
for thread in threads:
    thread.start()
print("end", flush=True)
