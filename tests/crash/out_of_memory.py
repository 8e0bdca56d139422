"""The nth allocation of an operation fails, for every n: a MemoryError, and all is as before.

The operation's name is the argument. Allocations are those of the interpreter's allocators.

Of what plain Python does not survive nothing is done here. From 3.11 on it loses an exception if it
cannot make the frame object for its traceback (debug builds assert): so each function begins with
making that. And 3.13 crashes if it cannot make a function, free-threaded builds if they cannot
make a list: none is made.
"""

import contextvars
import functools
import gc
import sys

import greenlet

try:
    import _testcapi
except ImportError:
    print("skipped: this Python has no _testcapi to make allocations fail")
    raise SystemExit(0) from None

MOST_ALLOCATIONS = 400
main = greenlet.getcurrent()


def checked(function, *args, **kwargs):
    """Call `function` from C: there a result without an exception, or both, is noticed."""
    sys._getframe()
    return functools.partial(function)(*args, **kwargs)


switch_to_main = functools.partial(main.switch)


def echo(*args, **kwargs):
    sys._getframe()
    return args or kwargs


def park():
    sys._getframe()
    return switch_to_main()


def park_deep(depth):
    sys._getframe()
    if depth == 0:
        return switch_to_main()
    return sorted((depth - 1,), key=park_deep)


def started(run, *args):
    child = greenlet.greenlet(run)
    child.switch(*args)
    return child


def create(state):
    sys._getframe()
    checked(greenlet.greenlet, echo, main)


def use_up_spares():
    """Make so many greenlets that none is left whose memory the next one could have."""
    HOARD.extend(greenlet.greenlet() for _ in range(10))


HOARD = []


def start(state):
    sys._getframe()
    checked(state.switch, 1)


def start_with_keywords(state):
    sys._getframe()
    checked(state.switch, 1, 2, key=3)


def start_deep(state):
    sys._getframe()
    checked(state.switch, 20)


def many():
    """A greenlet with so many others that the thread's list of started ones has to grow."""
    first = greenlet.greenlet(park)
    first.others = [greenlet.greenlet(park) for _ in range(40)]
    return first


def start_many(state):
    sys._getframe()
    for child in state.others:
        checked(child.switch)


def switch(state):
    sys._getframe()
    checked(state.switch)


def switch_with_values(state):
    sys._getframe()
    checked(state.switch, 1, 2, key=3)


def throw(state):
    sys._getframe()
    checked(state.throw, ValueError, 1)


def kill(state):
    sys._getframe()
    checked(state.throw)


def ask_frame(state):
    sys._getframe()
    frame = state.gr_frame
    while frame is not None:
        frame = frame.f_back


def set_attribute(state):
    sys._getframe()
    state.attribute = 1


def set_parent(state):
    sys._getframe()
    state.parent = state.parent


def set_run(state):
    sys._getframe()
    state.run = park


def set_context(state):
    sys._getframe()
    state.gr_context = CONTEXT
    state.gr_context


def show(state):
    sys._getframe()
    repr(state)


def trace(state):
    sys._getframe()
    greenlet.settrace(TRACER)
    try:
        checked(state.switch)
    finally:
        greenlet.settrace(None)


def refuse_throw(state):
    sys._getframe()
    checked(state.throw, 1)


def refuse_start(state):
    sys._getframe()
    checked(state.switch)


def collect(state):
    sys._getframe()
    gc.collect()


CONTEXT = contextvars.Context()


def TRACER(event, pair):
    pass


# operation: (what makes its greenlet, the exceptions it may end in beside MemoryError)
OPERATIONS = {
    create: (use_up_spares, ()),
    start: (lambda: greenlet.greenlet(echo), ()),
    start_with_keywords: (lambda: greenlet.greenlet(echo), ()),
    start_deep: (lambda: greenlet.greenlet(park_deep), ()),
    start_many: (many, ()),
    switch: (lambda: started(park), ()),
    switch_with_values: (lambda: started(park), ()),
    throw: (lambda: started(park), ValueError),
    kill: (lambda: started(park_deep, 5), ()),
    ask_frame: (lambda: started(park_deep, 5), ()),
    set_attribute: (lambda: greenlet.greenlet(echo), ()),
    set_parent: (lambda: greenlet.greenlet(echo), ()),
    set_run: (lambda: greenlet.greenlet(echo), ()),
    set_context: (lambda: greenlet.greenlet(echo), ()),
    show: (lambda: started(park), ()),
    trace: (lambda: started(park), ()),
    refuse_throw: (lambda: started(park), TypeError),
    refuse_start: (lambda: greenlet.greenlet(), AttributeError),
    collect: (lambda: started(park_deep, 5), ()),
}


def attempt(operation, state, number, allowed):
    """Whether `operation` succeeded although its allocation `number` failed."""
    sys._getframe()
    _testcapi.set_nomemory(number, number + 1)
    try:
        try:
            operation(state)
        finally:
            _testcapi.remove_mem_hooks()
    except MemoryError:
        return False
    except allowed:
        return True
    return True


def check_usable(state):
    """Whatever became of the greenlet, it can be ended, and new ones work."""
    assert greenlet.getcurrent() is main
    assert greenlet.gettrace() is None
    assert greenlet.greenlet(echo).switch(1) == (1,)
    assert started(park).switch("value") == "value"
    if state is not None and state:
        assert type(state.throw()) is greenlet.GreenletExit
        assert state.dead


def main_program(operation):
    make, allowed = OPERATIONS[operation]
    bystander = started(park_deep, 10)
    for number in range(MOST_ALLOCATIONS):
        state = make()
        attempt(operation, state, number, allowed)
        check_usable(state)
        del state
    # By then it needs fewer allocations than are let through.
    state = make()
    assert attempt(operation, state, MOST_ALLOCATIONS, allowed)
    check_usable(state)
    assert bystander.switch(True)[0]
    print("end")


main_program({known.__name__: known for known in OPERATIONS}[sys.argv[1]])
