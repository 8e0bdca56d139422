"""Contexts that are copied at the very end of a thread, which keep what ends its greenlets, while
others look at these, drop them, or drop the contexts."""

import contextlib
import contextvars
import threading

import greenlet
from greenlet import debug

import racing

variable = contextvars.ContextVar("variable")
contexts = [None] * 10
greenlets = [None] * 30
local = threading.local()


class CopiesContext:
    """The last that a thread's local variables do."""

    def __init__(self, source):
        self.place = source.randrange(len(contexts))
        self.uses_greenlets = source.random() < 0.3

    def __del__(self):
        contexts[self.place] = contextvars.copy_context()
        if self.uses_greenlets:
            racing.parked()


def wait(*held):
    greenlet.getcurrent().parent.switch()


def short_thread(source):
    if source.random() < 0.5:
        local.copies = CopiesContext(source)
    own = [greenlet.greenlet(wait) for _ in range(4)]
    own[1].switch(own[0])
    own[2].switch(own[2])
    own[3].switch(own)
    own.append(greenlet.getcurrent())
    for each in own:
        greenlets[source.randrange(len(greenlets))] = each
    if source.random() < 0.5:
        local.copies_too = CopiesContext(source)


def starter(number):
    return racing.one_by_one(short_thread, racing.source_of(number))


def looker():
    source = racing.source_of("looker")
    while racing.going():
        context = source.choice(contexts)
        if context is not None:
            with contextlib.suppress(RuntimeError):  # the other looker may be in it
                context.run(variable.set, 1)
                context.run(racing.parked)
        each = source.choice(greenlets)
        if each is not None:
            debug.describe(each)
            repr(each)
            each.parent
            with contextlib.suppress(greenlet.error):
                each.switch()
            each = None
        context = None
        contexts[source.randrange(len(contexts))] = None
        greenlets[source.randrange(len(greenlets))] = None


racing.race(starter(0), starter(1), looker, looker, racing.collecting)
contexts.clear()
greenlets.clear()
racing.finish()
