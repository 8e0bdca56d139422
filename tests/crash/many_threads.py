"""Many short threads with greenlets in all states, several at a time."""

import gc
import random
import threading

import greenlet


def body(seed):
    source = random.Random(seed)

    def run(depth):
        if depth:
            return sorted([depth], key=lambda value: run(depth - 1) and 0)
        greenlet.getcurrent().parent.switch()
        return [1]

    children = [greenlet.greenlet(run) for _ in range(10)]
    for child in children:
        if source.random() < 0.8:
            child.switch(source.randrange(10))
        if source.random() < 0.3:
            child.throw()
    if source.random() < 0.5:
        shared.append(children)
    if source.random() < 0.2:
        gc.collect()


shared = []
for start in range(0, 60, 6):
    threads = [threading.Thread(target=body, args=(start + n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if start % 12:
        shared.clear()
print("end")
