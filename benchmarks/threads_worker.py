"""Runs one case in several threads at a time.

    python benchmarks/threads_worker.py CASE THREADS

prints the nanoseconds of processor time of one operation: the mean of the threads, and of
several repeats the least.
"""

import gc
import sys
import threading
import time

import cases  # noqa: F401  (fills the registry)
from measure import CASES

# How much processor time one repeat takes each thread: several slices of the scheduler's.
LEAST_NANOSECONDS = 20_000_000
REPEATS = 5


def main():
    case, count = CASES[sys.argv[1]], int(sys.argv[2])
    gc.disable()
    rounds = enough_rounds(case.prepare())
    figures = [[] for _ in range(count)]
    barrier = threading.Barrier(count)

    def work(mine):
        # What is measured belongs to the thread that makes it.
        run = case.prepare()
        run(rounds)
        for _ in range(REPEATS):
            barrier.wait()
            mine.append(run(rounds, time.thread_time_ns) / case.operations)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in figures]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(min(sum(repeat) / count for repeat in zip(*figures)))


def enough_rounds(run):
    rounds = 10
    while nanoseconds_of(run, rounds) < LEAST_NANOSECONDS:
        rounds *= 2
    return rounds


def nanoseconds_of(run, rounds):
    start = time.thread_time_ns()
    run(rounds)
    return time.thread_time_ns() - start


main()
