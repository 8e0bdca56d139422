"""At the end of the process nothing but greenlets refers to the functions that they call or are to
call, and code that runs then uses these greenlets."""

import sys

import greenlet

PROGRAM = """
def run(*args):
    from greenlet import getcurrent
    return [str(value) for value in args], getcurrent().parent.switch("parked")
"""


def make():
    names = {}
    exec(PROGRAM, names)
    return greenlet.greenlet(names.pop("run"))


class UsesThem:
    """Some go before the modules do, some with them, some after."""

    def __init__(self, in_cycle=True):
        self.unstarted = make()
        self.parked = make()
        self.parked.switch()
        self.itself = self if in_cycle else None

    def __del__(self):
        for each in (self.unstarted, self.parked):
            for _ in range(2):
                try:
                    repr(getattr(each, "run", None))
                    each.switch(1)
                except BaseException:
                    pass
            repr(each)


for place in (sys.modules[__name__], sys, greenlet, sys.modules["builtins"]):
    place.kept = [UsesThem(number % 2) for number in range(10)]
for _ in range(10):
    UsesThem()
print("end")
