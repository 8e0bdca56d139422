"""A thread gets greenlets by weak references while their own thread asks whether it has the last
reference."""

import weakref

import greenlet

import racing

ended_parents = [lambda: None]
mains = [lambda: None]


def wait():
    return greenlet.getcurrent().parent.switch()


class RunsEarly(greenlet.greenlet):
    """It is run while its child, which ends, asks it what it is to run; another one is who goes
    on then."""

    @property
    def run(self):
        child = greenlet.getcurrent()
        if child is self.starter:
            return lambda: None
        self.starter = child
        child.parent = child.parent.parent
        self.parent = child
        self.switch()
        self.parent = self.heir
        ended_parents[0] = weakref.ref(self, self.callback)

    starter = None


def end_below(root):
    """A greenlet ends below one that nothing else refers to, and whose end runs code."""
    parent = RunsEarly(parent=root)
    parent.heir = heir = greenlet.greenlet(wait, root)
    heir.switch()

    def end_heir(_):
        if greenlet.getcurrent() is child:
            heir.parent = child
            heir.switch()

    parent.callback = end_heir
    child = greenlet.greenlet(lambda: None, parent)
    del parent
    child.switch()
    assert child.dead and heir.dead, (child, heir)


def ending_below():
    while racing.going():
        end_below(greenlet.getcurrent())


def own_main():
    """What a thread does whose main greenlet has a dict."""
    main = greenlet.getcurrent()
    main.attribute = object()
    mains[0] = weakref.ref(main)


def caller():
    while racing.going():
        found = ended_parents[0]()
        del found


def caller_of_mains():
    while racing.going():
        found = mains[0]()
        if found is not None:
            attributes = [getattr(found, "attribute", None) for _ in range(5)]
            assert attributes[0] in (None, attributes[-1])
            del attributes
        del found


racing.race(ending_below, caller)
racing.race(racing.one_by_one(own_main), caller_of_mains)
mains.clear()
ended_parents.clear()
racing.finish()
