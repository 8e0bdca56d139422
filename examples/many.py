"""A hundred thousand greenlets at once, with their cost in time and memory."""

import os
import sys
import time

from greenlet import getcurrent, greenlet
from story import check

COUNT = 100_000
STEPS_OF_PROGRESS = 20


def worker(hub, number):
    """Parks twice, then returns a result."""
    hub.switch()
    hub.switch()
    return number * 2


def main(count=COUNT):
    progress = Progress(sys.stdout, count)
    rows = []
    hub = getcurrent()
    workers = []
    results = [0] * count
    before = resident_bytes()

    def step(title, do):
        """Do something with each greenlet and note what it took."""
        seconds = progress.run(title, do)
        rows.append((title, seconds, resident_bytes() - before))

    def make(number):
        workers.append(greenlet(worker))

    def park(number):
        workers[number].switch(hub, number)

    def resume(number):
        workers[number].switch()

    def finish(number):
        results[number] = workers[number].switch()

    step("made", make)
    step("parked", park)
    step("resumed", resume)
    check("all are parked", all(workers), True)
    step("finished", finish)
    check("all are dead", all(child.dead for child in workers), True)
    check("the sum of the results", sum(results), count * (count - 1))

    print_table(rows, count)


class Progress:
    """Runs a step for every number and says how far it is: on a terminal in
    one line that changes, elsewhere once for each step."""

    def __init__(self, stream, count):
        self.stream = stream
        self.count = count
        self.live = stream.isatty()

    def run(self, title, do):
        """The seconds that the step took, without the talking."""
        seconds = 0.0
        size = max(1, self.count // STEPS_OF_PROGRESS)
        for first in range(0, self.count, size):
            last = min(first + size, self.count)
            start = time.perf_counter()
            for number in range(first, last):
                do(number)
            seconds += time.perf_counter() - start
            self.say(title, last)
        return seconds

    def say(self, title, done):
        line = f"    {done:>9,} of {self.count:,} {title}"
        if self.live:
            ending = "\n" if done == self.count else ""
            self.stream.write(f"\r{line}\x1b[K{ending}")
        elif done == self.count:
            self.stream.write(line + "\n")
        self.stream.flush()


def resident_bytes():
    """Memory of this process that is really there; nought where the system
    does not say."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def print_table(rows, count):
    layout = "    {:<8}  {:>8}  {:>9}  {:>13}  {:>9}"
    print(f"\n    {count:,} greenlets:\n")
    print(layout.format("step", "time", "for each", "memory after", "for each"))
    print(layout.format("-" * 8, "-" * 8, "-" * 9, "-" * 13, "-" * 9))
    for title, seconds, size in rows:
        cells = [title, f"{seconds:.2f} s", f"{seconds / count * 1e9:,.0f} ns"]
        if size > 0:
            cells += [f"{size / 2**20:,.1f} MiB", f"{size / count:,.0f} B"]
        else:
            cells += ["-", "-"]
        print(layout.format(*cells))


if __name__ == "__main__":
    main()
