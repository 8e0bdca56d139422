"""An argument of one switch goes before the next one, and its __del__ ends the target of that.

Without a GIL a greenlet of a class with a finalizer holds, while it is parked, what its frames
refer to: when it lets go of that, no switch may be under way.
"""

from greenlet import getcurrent, greenlet


class WithDel(greenlet):
    def __del__(self):
        pass


class Switching:
    def __del__(self):
        print(target.switch())


def wait():
    getcurrent().parent.switch()
    return 5


def run():
    target.parent = getcurrent()
    argument = Switching()
    main.switch(argument)
    del argument
    print(target.switch("value"))  # it has ended: this is its parent


main = getcurrent()
target = greenlet(wait)
target.switch()
parking = WithDel(run)
parking.switch()
parking.switch()
