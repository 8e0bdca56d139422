"""Runs one case in several threads at a time.

    python benchmarks/threads_worker.py CASE THREADS

prints two numbers, each the best of several repeats: the nanoseconds of processor time of one
operation, the mean of the threads, and how many operations all threads together finish in a
microsecond of the clock.
"""

import gc
import sys
import threading
import time

import cases  # noqa: F401  (fills the registry)
from measure import CASES, COPIES

# How much processor time one repeat takes each thread: several slices of the scheduler's.
LEAST_NANOSECONDS = 20_000_000
REPEATS = 5


def main():
    case, count = CASES[sys.argv[1]], int(sys.argv[2])
    gc.disable()
    rounds = enough_rounds(case.prepare())
    turns = [[] for _ in range(count)]
    barrier = threading.Barrier(count)

    def work(mine):
        # What is measured belongs to the thread that makes it.
        run = case.prepare()
        run(rounds)
        for _ in range(REPEATS):
            barrier.wait()
            begin = time.perf_counter_ns()
            processor = run(rounds, time.thread_time_ns)
            mine.append((processor / case.operations, begin, time.perf_counter_ns()))

    threads = [threading.Thread(target=work, args=(mine,)) for mine in turns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    repeats = list(zip(*turns))
    operations = count * rounds * COPIES * case.operations
    print(
        min(sum(processor for processor, _, _ in repeat) / count for repeat in repeats),
        max(operations * 1000 / clock_of(repeat) for repeat in repeats),
    )


def clock_of(repeat):
    """From the first thread's begin to the last one's end, in nanoseconds."""
    return max(end for _, _, end in repeat) - min(begin for _, begin, _ in repeat)


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
