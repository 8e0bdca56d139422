"""More cases: greenlets that have left the processor's caches since they ran last, and
generators, for which the same holds, in the same order."""

import random
import time

from greenlet import getcurrent, greenlet

from measure import sampled


def in_random_order(things):
    """The same order for greenlets and generators, and for each side."""
    return random.Random(1).sample(things, len(things))


def passes(count):
    """For a million operations, but ten at least."""
    return range(max(10, 1_000_000 // count))


def time_generators(count):
    def endless():
        while True:
            yield

    generators = [endless() for _ in range(count)]
    for generator in generators:
        generator.send(None)
    order = in_random_order(generators)
    figures = []
    for _ in passes(count):
        start = time.perf_counter_ns()
        for generator in order:
            generator.send(None)
        figures.append((time.perf_counter_ns() - start) / count)
    return min(figures)


def time_greenlets(count):
    def partner_of(other):
        while True:
            other.switch()

    workers = [greenlet(partner_of) for _ in range(count)]
    for worker in workers:
        worker.switch(getcurrent())
    order = in_random_order(workers)
    figures = []
    for _ in passes(count):
        start = time.perf_counter_ns()
        for worker in order:
            worker.switch()
        figures.append((time.perf_counter_ns() - start) / (2 * count))
    return min(figures)


@sampled("10 000 generators in random order", "ns", alone=True, launches=5)
def cold_generators_10000():
    """Each of 10 000 generators is resumed in a random order: send and yield together."""
    return time_generators(10_000)


@sampled("switch, 10 000 greenlets in random order", "ns", alone=True, launches=5)
def cold_switch_10000():
    """The main greenlet switches to each of 10 000 in that order, each switches back."""
    return time_greenlets(10_000)


@sampled("100 000 generators in random order", "ns", alone=True, launches=5)
def cold_generators_100000():
    """Each of 100 000 generators."""
    return time_generators(100_000)


@sampled("switch, 100 000 greenlets in random order", "ns", alone=True, launches=5)
def cold_switch_100000():
    """The main greenlet and each of 100 000."""
    return time_greenlets(100_000)
