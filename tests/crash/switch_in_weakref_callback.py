"""Callbacks of weak references switch, called by a release and by the collector."""

import gc
import weakref

import greenlet

order = []


class Thing:
    pass


def callback(reference):
    order.append(greenlet.greenlet(lambda: "switched").switch())


thing = Thing()
first = weakref.ref(thing, callback)
del thing
cyclic = Thing()
cyclic.itself = cyclic
second = weakref.ref(cyclic, callback)
del cyclic
gc.collect()
child = greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch())
child.switch()
third = weakref.ref(child, callback)
del child
print(order)
