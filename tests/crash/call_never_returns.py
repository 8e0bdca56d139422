"""A greenlet whose end a pending call has brought about switches away from the call for good.

Python makes no other pending call then, but at its end it waits for those that it has been
asked for. One greenlet is dropped by another thread and one is found by the collector, each
once before and several times after that.
"""

import gc
import threading

import greenlet


def run():
    try:
        greenlet.getcurrent().parent.switch()
    finally:
        ended.append(greenlet.getcurrent())
        main.switch("switched away")


def parked():
    child = greenlet.greenlet(run)
    child.switch()
    return child


def drop():
    box = [parked()]
    thread = threading.Thread(target=box.clear)
    thread.start()
    thread.join()


def leave_to_collector():
    child = parked()
    child.itself = child
    del child
    gc.collect()


def lets_go(give_up):
    give_up()
    for _ in range(1000):
        pass
    main.switch("not switched away")


main = greenlet.getcurrent()
ended = []
interrupted = []
for give_up in (drop, leave_to_collector):
    interrupted.append(greenlet.greenlet(lets_go))
    interrupted[-1].switch(give_up)
    # What is given up now ends when greenlets are used.
    before = len(ended)
    give_up()
    greenlet.getcurrent()
    greenlet.greenlet(len).switch("")
    print(give_up.__name__, len(ended) > before, flush=True)
for give_up in (drop, leave_to_collector) * 3:
    give_up()
print("end", flush=True)
