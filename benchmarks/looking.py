"""What a switch costs while somebody looks: with a watch, with a timeline, with neither.

    PYTHON benchmarks/looking.py

PYTHON is that of an environment with this greenlet.  The ways are measured in turn, over and over,
and the least of each is printed: nanoseconds for a switch between two greenlets, and for one of
the two switches of a greenlet that is made, runs and ends.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from greenlet import debug, getcurrent, greenlet, settrace

SWITCHES = 1000
ROUNDS = 150


@contextlib.contextmanager
def empty_trace_function() -> Iterator[None]:
    before = settrace(lambda event, pair: None)
    yield
    settrace(before)


WAYS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "nothing": contextlib.nullcontext,
    "an empty trace function": empty_trace_function,
    "a watch": lambda: debug.watch(3600),
    "a timeline": lambda: debug.timeline(os.devnull, limit=2 * SWITCHES),
}


def answer() -> None:
    asking = getcurrent().parent
    assert asking is not None
    switch = asking.switch
    while True:
        switch()


def time_switches(answering: greenlet) -> float:
    switch = answering.switch
    begun = time.perf_counter_ns()
    for _ in range(SWITCHES // 2):
        switch()
    return (time.perf_counter_ns() - begun) / SWITCHES


def nothing() -> None:
    pass


def time_lives() -> float:
    begun = time.perf_counter_ns()
    for _ in range(SWITCHES // 2):
        greenlet(nothing).switch()
    return (time.perf_counter_ns() - begun) / SWITCHES


def main() -> None:
    answering = greenlet(answer)
    answering.switch()
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in WAYS}
    for _ in range(ROUNDS):
        for name, way in WAYS.items():
            with way():
                found[name].append((time_switches(answering), time_lives()))
    print(f"{'':24} {'a switch':>10} {'in a life':>10}")
    for name, pairs in found.items():
        switch, life = (min(times) for times in zip(*pairs))
        print(f"{name:24} {switch:7.0f} ns {life:7.0f} ns")


if __name__ == "__main__":
    main()
