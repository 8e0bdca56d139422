"""What test_gdb.py looks at: greenlets in every state, and a thread with some of its own.

Says "ready", waits for a line of input, lets all of them end, and prints their results as JSON.
"""

import json
import sys
import threading

from greenlet import getcurrent, greenlet, stack_policy

main = getcurrent()


def park(value):
    got = main.switch()  # line: park
    return value + got


def key_of_sorted(value):
    return park(value)  # line: key


def nested(depth, value):
    if depth > 0:
        return nested(depth - 1, value)  # line: deeper
    return park(value)  # line: deepest


def runs_on_own_stack():
    return nested(3, 10)  # line: own


def runs_as_slice():
    parked_for = {}

    def key(value):
        parked_for[value] = key_of_sorted(value)  # line: lambda
        return value

    sorted([20], key=key)  # line: slice
    return parked_for[20]


class Worker(greenlet):
    """Its run function is a method."""

    def run(self):
        text = "not ASCII: \u20ac"
        got = main.switch()  # line: method
        return len(text) + got


def never_started():
    return 0


def dies():
    return 40


def in_thread_parked():
    return 50 + inner.switch()  # line: on the stack


def in_thread_running():
    said.set()
    go_on.wait(60)  # line: waits
    return 60


said, go_on = threading.Event(), threading.Event()
thread_results = []
own = greenlet(runs_on_own_stack)
slices = [greenlet(runs_as_slice), Worker(), greenlet(runs_as_slice)]
unstarted = greenlet(never_started)
dead = greenlet(dies)


def thread_body():
    global inner
    outer = greenlet(in_thread_parked)
    inner = greenlet(in_thread_running, outer)
    thread_results.append(outer.switch())


def wait_for_input(depth):
    """With much of the C stack in use, where the slices belong."""
    if depth > 0:
        return sorted([depth - 1], key=wait_for_input)  # line: deep in main
    return sys.stdin.readline()  # line: main


stack_policy("own")
own.switch()
stack_policy("shared")
for each in slices:
    each.switch()
dead.switch()
thread = threading.Thread(target=thread_body)
thread.start()
said.wait(60)
print("ready", flush=True)
wait_for_input(20)
go_on.set()
thread.join()
results = {
    "own": own.switch(1),
    "slices": [each.switch(2) for each in slices],
    "unstarted": unstarted.switch(),
    "thread": thread_results,
    "dead": [each.dead for each in (own, *slices, unstarted, dead)],
}
print(json.dumps(results))
