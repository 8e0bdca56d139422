"""Daemon threads sit in the middle of greenlets when the interpreter ends."""

import threading
import time

import greenlet

ready = threading.Semaphore(0)


def body():
    def run():
        greenlet.getcurrent().parent.switch()
        time.sleep(1000)

    parked = greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch())
    parked.switch()
    child = greenlet.greenlet(run)
    child.switch()
    ready.release()
    child.switch()


for _ in range(5):
    threading.Thread(target=body, daemon=True).start()
for _ in range(5):
    ready.acquire()
print("end")
