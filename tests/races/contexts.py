"""Each greenlet keeps its context, while others look at it, or give it another one."""

import contextlib
import contextvars

import greenlet

import racing

variable = contextvars.ContextVar("variable", default=None)
shared = [None] * 10


def work(value):
    variable.set(value)
    parent = greenlet.getcurrent().parent
    for _ in range(5):
        parent.switch()
        assert variable.get() is value
        variable.set(value)
    return value


def owner(number):
    def run():
        source = racing.source_of(number)
        mine = object()
        variable.set(mine)
        while racing.going():
            values = [object() for _ in range(5)]
            own = [greenlet.greenlet(work) for _ in values]
            for each, value in zip(own, values):
                each.switch(value)
            for place, each in enumerate(own):  # in 3.13 a slice shows what is not ready yet
                shared[number * 5 + place] = each
            while own:
                each = source.choice(own)
                each.switch()
                assert variable.get() is mine
                if each.dead:
                    own.remove(each)
            in_context(source)

    return run


def in_context(source):
    """A greenlet parks in Context.run, and its thread's main greenlet goes on."""
    context = contextvars.copy_context()
    value = object()

    def run():
        variable.set(value)
        greenlet.getcurrent().parent.switch()
        return variable.get()

    each = greenlet.greenlet(lambda: context.run(run))
    each.switch()
    shared[source.randrange(10)] = each
    assert variable.get() is not value
    assert each.switch() is value
    assert context[variable] is value


def looker():
    source = racing.source_of("looker")
    while racing.going():
        each = source.choice(shared)
        if each is None:
            continue
        with contextlib.suppress(ValueError):
            context = each.gr_context
            if context is not None:
                # A copy that says the same.
                each.gr_context = context
                context.get(variable)
                context.copy()


racing.race(owner(0), owner(1), looker, racing.collecting)
shared.clear()
racing.finish()
