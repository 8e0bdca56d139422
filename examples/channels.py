"""Tasks that take turns and talk through channels.

The scheduler is a queue of greenlets, each with what it is to be woken with.  A
task parks where it waits, however deep in calls that is.  The prime numbers come
from a row of such tasks: each lets pass what its own prime does not divide, and
each new prime puts one more task at the end of the row.
"""

from collections import deque

from greenlet import getcurrent, greenlet
from story import check


class Scheduler:
    """Runs its tasks in turn, until all have ended or wait for others."""

    def __init__(self):
        self.hub = getcurrent()
        self.ready = deque()

    def start(self, function, *arguments):
        """A new task, at the end of the queue."""
        self.wake(greenlet(lambda _: function(*arguments), parent=self.hub))

    def wake(self, task, value=None):
        """Let a task go on when its turn comes, with this as the result of `park`."""
        self.ready.append((task, value))

    def park(self):
        """Leave the turn to the others until somebody wakes this task."""
        return self.hub.switch()

    def pause(self):
        """Leave the turn to the others once."""
        self.wake(getcurrent())
        self.park()

    def run(self):
        while self.ready:
            task, value = self.ready.popleft()
            task.switch(value)


class Channel:
    """Hands values from task to task; whoever comes first waits for the other."""

    def __init__(self, scheduler):
        self.scheduler = scheduler
        self.senders = deque()  # tasks that wait, each with its value
        self.receivers = deque()

    def send(self, value):
        if self.receivers:
            self.scheduler.wake(self.receivers.popleft(), value)
        else:
            self.senders.append((getcurrent(), value))
            self.scheduler.park()

    def receive(self):
        if self.senders:
            sender, value = self.senders.popleft()
            self.scheduler.wake(sender)
            return value
        self.receivers.append(getcurrent())
        return self.scheduler.park()


def take_turns():
    scheduler = Scheduler()
    said = []

    def count(name, last):
        for number in range(1, last + 1):
            said.append(f"{name} {number}")
            scheduler.pause()

    scheduler.start(count, "hop", 3)
    scheduler.start(count, "skip", 2)
    scheduler.start(count, "jump", 4)
    scheduler.run()
    print("    In turns:", ", ".join(said))
    check("the last turns", said[-3:], ["hop 3", "jump 3", "jump 4"])


def primes_up_to(last):
    scheduler = Scheduler()
    primes = []

    def count(output):
        for number in range(2, last + 1):
            output.send(number)
        output.send(None)

    def sieve(source):
        """Take a prime, start the next sieve, and pass on what may be prime."""
        prime = source.receive()
        if prime is None:
            return
        primes.append(prime)
        rest = Channel(scheduler)
        scheduler.start(sieve, rest)
        while (number := source.receive()) is not None:
            if number % prime:
                rest.send(number)
        rest.send(None)

    numbers = Channel(scheduler)
    scheduler.start(count, numbers)
    scheduler.start(sieve, numbers)
    scheduler.run()
    return primes


def main():
    take_turns()
    primes = primes_up_to(40)
    print("    Prime numbers:", *primes)
    check("the primes", primes, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37])


if __name__ == "__main__":
    main()
