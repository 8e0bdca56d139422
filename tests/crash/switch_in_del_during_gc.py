"""__del__ methods that the collector calls switch to other greenlets and come back."""

import gc

import greenlet

count = 0


class Switching:
    def __init__(self):
        self.itself = self
        self.more = [[] for _ in range(5)]

    def __del__(self):
        global count
        count += greenlet.greenlet(lambda: 1).switch()
        parked.switch()


def forever():
    while True:
        greenlet.getcurrent().parent.switch()


parked = greenlet.greenlet(forever)
parked.switch()


def collect(depth):
    if depth:
        return sorted([depth], key=lambda value: collect(depth - 1))
    parked.parent = greenlet.getcurrent()
    return [gc.collect()]


for depth in range(20):
    things = [Switching() for _ in range(20)]
    del things
    greenlet.greenlet(collect).switch(depth)
print(count)
