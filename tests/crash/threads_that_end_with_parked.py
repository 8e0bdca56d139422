"""Threads end with parked greenlets that others still hold."""

import gc
import threading

import greenlet

kept = []


def body():
    def run():
        greenlet.getcurrent().parent.switch()

    for _ in range(5):
        child = greenlet.greenlet(run)
        child.switch()
        kept.append(child)
    kept.append(greenlet.greenlet(run))
    kept.append(greenlet.getcurrent())


for _ in range(20):
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if len(kept) > 50:
        del kept[::2]
        gc.collect()
kept.clear()
gc.collect()
print("end")
