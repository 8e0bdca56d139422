"""Weak references to greenlets are called while these die in other threads."""

import contextlib
import weakref

import greenlet

import racing

references = [lambda: None] * 20
called_back = []


def wait(*args):
    greenlet.getcurrent().parent.switch()


class WithDel(greenlet.greenlet):
    def __del__(self):
        pass


def child_of_chain(refer_to):
    """Its parents, weakly referred to, are held by their children alone."""
    each = greenlet.greenlet(wait)
    for _ in range(5):
        refer_to(each)
        each = greenlet.greenlet(wait, each)
    return each


def make(source, refer_to):
    kind = source.choice([greenlet.greenlet, WithDel])
    each = kind(wait)
    if source.random() < 0.7:
        each.switch(each if source.random() < 0.2 else None)
    refer_to(each)
    return [each, child_of_chain(refer_to)] if source.random() < 0.3 else [each]


def owner(number):
    def run():
        source = racing.source_of(number)

        def refer_to(each):
            references[source.randrange(len(references))] = weakref.ref(each)
            weakref.finalize(each, called_back.append, 1)

        while racing.going():
            made = make(source, refer_to)
            if source.random() < 0.3 and made[0]:
                with contextlib.suppress(greenlet.error):  # it may have come to another thread
                    made[0].switch()
            made.clear()

    return run


def caller(number):
    def run():
        source = racing.source_of(number)
        while racing.going():
            found = source.choice(references)()
            if found is None:
                continue
            assert found.dead in (True, False)
            parent = found.parent
            assert isinstance(parent, greenlet.greenlet)  # no main greenlet is among them
            repr(found)
            found.gr_frame
            if source.random() < 0.2:
                with contextlib.suppress(ValueError, greenlet.error):
                    found.parent = greenlet.getcurrent()
                    found.switch()
            del found, parent

    return run


while not called_back:  # on a machine that has other work nobody may come to that
    racing.race(owner(0), owner(1), caller(2), caller(3), racing.collecting)
    references[:] = [lambda: None] * len(references)
racing.finish()
