"""Daemon threads go on switching until the interpreter has ended."""

import threading

import greenlet

ready = threading.Semaphore(0)


def body():
    def run():
        while True:
            greenlet.getcurrent().parent.switch()

    child = greenlet.greenlet(run)
    child.switch()
    ready.release()
    while True:
        child.switch()


for _ in range(3):
    threading.Thread(target=body, daemon=True).start()
for _ in range(3):
    ready.acquire()
print("end", flush=True)
