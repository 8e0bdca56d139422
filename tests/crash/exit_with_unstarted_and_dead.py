"""Unstarted and dead greenlets, one parent of the other, when the interpreter ends."""

import greenlet

unstarted = greenlet.greenlet(print)
chain = unstarted
for _ in range(1000):
    chain = greenlet.greenlet(print, chain)
dead = greenlet.greenlet(len)
dead.switch("")
dead.itself = dead
print("end")
