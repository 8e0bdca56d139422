"""How long each greenlet has held the thread.

While one greenlet works or sleeps without a switch, no other of its thread can
run.  A trace function is called at every switch, with the greenlet that was left
and the one that is reached: a clock is all it takes to find out who keeps the
others waiting.
"""

import time
from collections import Counter

from greenlet import getcurrent, greenlet, settrace
from story import check


class Stopwatch:
    """Adds up how long each greenlet holds the thread inside a `with` block."""

    def __init__(self, clock=time.perf_counter):
        self.clock = clock
        self.seconds = Counter()
        self.turns = Counter()

    def __enter__(self):
        self.since = self.clock()
        self.before = settrace(self.note)
        return self

    def __exit__(self, *exception):
        settrace(self.before)
        self.end_turn(getcurrent())

    def note(self, event, greenlets):
        """Called by the package at each switch, on the side of the one reached."""
        origin, _ = greenlets
        self.end_turn(origin)

    def end_turn(self, holder):
        now = self.clock()
        name = getattr(holder, "name", "main")  # greenlets take any attributes
        self.seconds[name] += now - self.since
        self.turns[name] += 1
        self.since = now

    def print_table(self):
        longest = max(self.seconds.values())
        for name, seconds in self.seconds.items():
            bar = "#" * round(20 * seconds / longest)
            line = f"    {name:8} {self.turns[name]:2} turns {seconds * 1000:6.1f} ms  {bar}"
            print(line.rstrip())


def main(clock=time.perf_counter, work=time.sleep):
    kitchen = getcurrent()

    def hire(name, *tasks):
        """A greenlet that has so many seconds of work for each of its turns."""

        def toil():
            for seconds in tasks:
                work(seconds)
                kitchen.switch()

        worker = greenlet(toil)
        worker.name = name
        return worker

    workers = [hire("cook", 0.01, 0.03, 0.02), hire("waiter", 0.005), hire("porter", 0.01, 0.01)]
    with Stopwatch(clock) as stopwatch:
        while workers:
            for worker in workers:
                worker.switch()
            workers = [worker for worker in workers if worker]
    stopwatch.print_table()
    check("turns of the cook", stopwatch.turns["cook"], 4)


if __name__ == "__main__":
    main()
