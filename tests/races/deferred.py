"""Objects that nothing but parked frames refers to, while another thread collects garbage.

Without a GIL frames refer to functions, modules, classes and methods by references that no count
knows.
"""

import asyncio
import types

import greenlet

import racing


def switch_to_parent():
    greenlet.getcurrent().parent.switch()


def in_function():
    def made_here(value):
        return value + offset

    class MadeHere:
        def method(self):
            return made_here(1)

        @classmethod
        def of_class(cls):
            return cls().method()

    module = types.ModuleType("made_here")
    module.function = made_here
    offset = 41
    bound = MadeHere().method
    switch_to_parent()
    assert bound() == MadeHere.of_class() == 42
    module.function(1)
    switch_to_parent()
    return [made_here(1), MadeHere().method(), module.function(1), bound()]


def in_call():
    """The function is on the stack of values only: it is being called."""

    def by(value):
        switch_to_parent()
        return value

    switch_to_parent()
    return [
        (lambda value: (switch_to_parent(), value)[1])(42),
        sorted([42], key=lambda value: (switch_to_parent(), value)[1])[0],
        type("MadeHere", (), {"method": lambda self: (switch_to_parent(), 42)[1]})().method(),
        by(42),
    ]


def generate():
    def made_here():
        return 42

    switch_to_parent()
    yield made_here()
    switch_to_parent()
    yield from (made_here() for _ in range(2) if switch_to_parent() is None)
    yield made_here()


def in_generator():
    return list(generate())


async def coroutine():
    def made_here():
        return 42

    async def inner():
        switch_to_parent()
        return made_here()

    return [await inner(), await asyncio.sleep(0, made_here()), made_here(), await inner()]


def in_coroutine():
    running = coroutine()
    try:
        while True:
            running.send(None)
            switch_to_parent()
    except StopIteration as stopped:
        return stopped.value


class WithDel(greenlet.greenlet):
    def __del__(self):
        deleted.append(1)


class WithDict(greenlet.greenlet):
    pass


deleted = []
KINDS = [greenlet.greenlet, WithDel, WithDict]
RUNS = [in_function, in_call, in_generator, in_coroutine]


def resume_in_turns(own):
    results = []
    while own:
        for each in own[:]:
            result = each.switch()
            if each.dead:
                results.append(result)
                own.remove(each)
    return results


def body():
    while racing.going():
        # A function of its own for each, which only its frame refers to once it runs.
        own = [kind(types.FunctionType(run.__code__, globals())) for kind in KINDS for run in RUNS]
        results = resume_in_turns(own)
        assert results == [[42] * 4] * len(KINDS) * len(RUNS), results


def in_main():
    """The main greenlet has such objects and is parked."""

    def made_here(value):
        return value + 1

    class MadeHere:
        value = 41

    def run():
        for _ in range(20):
            parent.switch()

    parent = greenlet.getcurrent()
    while racing.going():
        busy = greenlet.greenlet(run)
        while not busy.dead:
            (lambda: busy.switch())()
            assert made_here(MadeHere.value) == 42


def once():
    own = [greenlet.greenlet(run) for run in RUNS]
    assert resume_in_turns(own) == [[42] * 4] * len(RUNS)


while not deleted:  # on a machine that has other work nobody may come to that
    racing.race(body, body, in_main, racing.one_by_one(once), racing.collecting)
racing.finish()
