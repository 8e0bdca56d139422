"""Switches between greenlets as fast as it can, for profilers to look at.

    python switching.py [SECONDS]

Ends after SECONDS, or with its input, and prints as JSON what came of it.

Which function calls which is the point of it: the functions of each greenlet bear names that no
other greenlet's functions have, and CHAINS has them, outermost first. So one can tell whether
what a profiler saw is the stack of one greenlet, and all of it.
"""

import json
import sys
import threading
import time
import types

from greenlet import getcurrent, greenlet

RING = 8
# How often the innermost function of a greenlet of the ring switches before it returns.
HOPS = 200

CHAINS = {
    **{f"ring{n}": [f"ring{n}_{level}" for level in range(6)] for n in range(RING)},
    # A new greenlet each time, in memory that the last one had.
    "visitor": [f"visitor_{level}" for level in range(4)],
    "main": ["<module>", "main"],
}
# The function of this level calls the next through C code, all others directly.
LEVEL_OF_C_CALL = 1


class Ring:
    """What the greenlets have in common."""

    running = True
    places = []


class Place:
    """One greenlet of the ring, and what it knows."""

    def __init__(self, number):
        self.greenlet = greenlet(ring_function(number))
        self.number = number
        self.token = 0
        self.hops = 0
        self.visits = 0
        self.wrong_tokens = 0

    def start(self):
        self.following = Ring.places[(self.number + 1) % RING].greenlet
        self.greenlet.switch(self)


def renamed(function, name):
    """A copy of `function` that profilers show as `name`."""
    code = function.__code__.replace(co_name=name)
    if sys.version_info >= (3, 11):
        code = code.replace(co_qualname=name)
    return types.FunctionType(code, function.__globals__, name, None, function.__closure__)


def chain(names, innermost):
    """Functions that call each other and at last `innermost`: the outermost of them."""
    function = renamed(innermost, names[-1])
    for level in reversed(range(len(names) - 1)):
        caller = calls_from_c if level == LEVEL_OF_C_CALL else calls
        function = renamed(caller(function), names[level])
    return function


def calls(function):
    return lambda argument: function(argument)


def calls_from_c(function):
    return lambda argument: next(map(function, (argument,)))


def ring_function(number):
    *outer, innermost = CHAINS[f"ring{number}"]
    hop_here = renamed(hop, innermost)
    receive_here = renamed(receive_visitors, innermost)

    def stay(place):
        place.token = getcurrent().parent.switch()
        while Ring.running:
            hop_here(place)
            receive_here(place)
        return place.number

    return chain(outer, stay)


def hop(place):
    """Send a token round the ring, to which each greenlet adds one."""
    switch = place.following.switch
    for _ in range(HOPS):
        if not Ring.running:
            return
        sent = place.token + 1
        place.hops += 1
        place.token = switch(sent)
        if place.token != sent + RING - 1 and Ring.running:
            place.wrong_tokens += 1


def visit(number):
    """Wait once; then return, or be killed."""
    getcurrent().parent.switch()
    return number


VISITOR = chain(CHAINS["visitor"], visit)


def receive_visitors(place):
    one, other = greenlet(VISITOR), greenlet(VISITOR)
    one.switch(place.number)
    other.switch(place.number)
    place.visits += one.switch() == place.number
    del other


def watch():
    """Run in a thread of its own."""
    if len(sys.argv) > 1:
        time.sleep(float(sys.argv[1]))
    else:
        sys.stdin.read()
    Ring.running = False


def main():
    Ring.places = [Place(number) for number in range(RING)]
    for place in Ring.places:
        place.start()
    watcher = threading.Thread(target=watch)
    watcher.start()
    print("switching", flush=True)
    # Back here with the first greenlet that ends.
    ended = [Ring.places[0].greenlet.switch(0)]
    ended += [place.greenlet.switch(0) for place in Ring.places if not place.greenlet.dead]
    watcher.join()
    outcome = {
        "ended": sorted(ended),
        "hops": [place.hops for place in Ring.places],
        "visits": sum(place.visits for place in Ring.places),
        "wrong_tokens": sum(place.wrong_tokens for place in Ring.places),
    }
    print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main()
