"""fork() while other threads have parked and running greenlets; the child ends normally."""

import gc
import os
import threading
import warnings

import greenlet

warnings.simplefilter("ignore", DeprecationWarning)  # a fork with threads, from 3.12 on
ready, finish = threading.Semaphore(0), threading.Event()
kept = []


def body():
    def park():
        greenlet.getcurrent().parent.switch()

    def run():
        ready.release()
        finish.wait()

    child = greenlet.greenlet(park)
    child.switch()
    kept.append(child)
    greenlet.greenlet(run).switch()


threads = [threading.Thread(target=body) for _ in range(3)]
for thread in threads:
    thread.start()
for _ in threads:
    ready.acquire()
process = os.fork()
if process == 0:
    for child in kept:
        try:
            child.switch()
        except greenlet.error:
            pass
    del child
    kept.clear()
    gc.collect()
    assert greenlet.greenlet(lambda: 5).switch() == 5
    raise SystemExit(6)
_, status = os.waitpid(process, 0)
finish.set()
for thread in threads:
    thread.join()
print("parent sees", os.WEXITSTATUS(status), os.WIFSIGNALED(status))
