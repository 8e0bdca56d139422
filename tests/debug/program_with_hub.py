"""A hub written by hand, and greenlets that sleep in it: what the commands are tried with."""

import heapq
import sys
import time

from greenlet import getcurrent, greenlet

due = []  # what to switch to, by the time of that and a number


def run_hub():
    while due:
        when, _, sleeper, arguments = heapq.heappop(due)
        time.sleep(max(0, when - time.monotonic()))
        sleeper.switch(*arguments)


hub = greenlet(run_hub)


def call_at(when, sleeper, *arguments):
    heapq.heappush(due, (when, id(sleeper), sleeper, arguments))


def sleep(seconds):
    call_at(time.monotonic() + seconds, getcurrent())
    hub.switch()


def client(pause):
    for _ in range(2):
        sleep(pause)


def forgotten():
    getcurrent().parent.switch()


waiting = greenlet(forgotten)

if __name__ == "__main__":
    print("arguments:", *sys.argv[1:])
    waiting.switch()
    for number in range(3):
        call_at(time.monotonic(), greenlet(client, hub), number / 1000)
    hub.switch()
    sys.exit(3)
