"""Threads run the same functions in greenlets, which are exchanged for new ones meanwhile: nothing
else refers to those that greenlets are to call, call, or have been found with."""

import gc
import sys
import sysconfig
import weakref

import greenlet

import racing

PROGRAM = """
def run(value):
    from greenlet import getcurrent
    seen = [value]
    seen.append(getcurrent().parent.switch())
    return seen
"""

# 3.13 without a GIL, where threads were started.
NEVER_FREED = sys.version_info < (3, 14) and sysconfig.get_config_var("Py_GIL_DISABLED")

functions = [None] * 4
living = weakref.WeakSet()


def exchange(source):
    names = {}
    exec(PROGRAM, names)
    function = names.pop("run")
    living.add(function)
    functions[source.randrange(len(functions))] = function


class Saves:
    """Brings a greenlet that the collector has found back, before that is told."""

    def __init__(self, place, each):
        self.place = place
        self.each = each
        self.itself = self

    def __del__(self):
        self.place.append(self.each)


def owner(number):
    def run():
        source = racing.source_of(number)
        waiting = []
        while racing.going():
            if source.random() < 0.1:
                exchange(source)
            function = source.choice(functions)
            each = greenlet.greenlet(function)
            function = None
            if source.random() < 0.5:
                each.switch(number)
            if source.random() < 0.3:
                assert greenlet.greenlet(functions[0]).switch(1) == ()
            waiting.append(each)
            each = waiting.pop(source.randrange(len(waiting))) if len(waiting) > 20 else None
            if each is not None and source.random() < 0.3:
                Saves(waiting, each)
            elif each is not None:
                use(each, number)
            each = None
        waiting.clear()

    return run


def use(each, number):
    if each.dead:  # it has been found
        return
    if not each:
        each.switch(number)
    # The collector, which goes on in its thread after one of its finalizers has brought the
    # greenlet back, may come to the greenlet only now: then it ends here.
    assert each.switch(2) in ([number, 2], 2)


def looker():
    source = racing.source_of("looker")
    while racing.going():
        for each in gc.get_objects():
            if type(each) is greenlet.greenlet and source.random() < 0.1:
                getattr(each, "run", None)
                gc.get_referents(each)
        each = None


for _ in range(len(functions) * 8):
    exchange(racing.source_of("first"))
functions[:] = [each or next(iter(living)) for each in functions]
racing.race(owner(0), owner(1), racing.collecting, looker)
functions.clear()
racing.finish()
gc.collect()
assert not living or NEVER_FREED, living
