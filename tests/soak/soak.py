"""A gevent program with everything in it that servers do, for minutes.

    python soak.py [--minutes M] [--plant FAULT]

An echo server and its clients, spawns, kills, timeouts, gevent's thread pool, threads with hubs
of their own, and greenlets that only the collector can end, all at a time.  It fails if a
reply is lost or wrong, if something that was killed did not come to its end, if a greenlet is
left over, or if resident memory grows.  A planted fault shows that it is found.

Memory is looked at a hundred times.  The first fifth is the warm-up: pools fill, and malloc
makes an arena for each thread.  Of the rest the median of the last fifth may be above that of
the first by less than 2 MiB (growth.py says why medians).
"""

import argparse
import gc
import pathlib
import sys
import threading
import time
from collections import Counter

import gevent
import greenlet
from gevent import socket
from gevent.event import AsyncResult
from gevent.pool import Pool
from gevent.queue import Queue
from gevent.server import StreamServer
from gevent.threadpool import ThreadPool

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from growth import MIB, growth, resident_bytes  # noqa: E402 - found by the line above

SAMPLES = 100
WARM_UP_SAMPLES = SAMPLES // 5
MOST_GROWTH = 2 * MIB
LINES = 20

CLIENTS = 20
THREADS = 3

# Seconds after which a reply counts as lost: far more than a busy machine needs.
PATIENCE = 60


class Fault(Exception):
    """Something that must not happen has happened."""


class Soak:
    def __init__(self, planted):
        self.planted = planted
        self.ends = False
        self.asked = Counter()
        self.answered = Counter()
        self.kept = []
        self.lock = threading.Lock()

    # --- the books

    def ask(self, what, count=1):
        # Of several threads.
        with self.lock:
            self.asked[what] += count

    def answer(self, what, count=1):
        with self.lock:
            self.answered[what] += count

    def check(self, what, value, expected):
        """Note an answer, which must be the right one."""
        if value != expected:
            raise Fault("{}: {!r} instead of {!r}".format(what, value, expected))
        self.answer(what)

    # --- an echo server and its clients

    def serve(self, connection, _address):
        while data := connection.recv(4096):
            if self.planted == "reply" and self.answered["echo"] > 1000:
                data = data[1:]
            connection.sendall(data)

    def connect(self, address, number, rounds, what):
        """A client's connection, for some messages."""
        with socket.create_connection(address, timeout=PATIENCE) as connection:
            for message in range(rounds):
                data = b"client %d message %d;" % (number, message)
                data *= 1 + (number * 7 + message * 13) % 200
                self.ask(what)
                connection.sendall(data)
                try:
                    self.check(what, receive(connection, len(data)), data)
                except TimeoutError:
                    raise Fault("{}: no reply after {} seconds".format(what, PATIENCE)) from None

    def echo(self, address, number):
        while not self.ends:
            self.connect(address, number, 50, "echo")

    # --- greenlets that are spawned, killed, timed out

    def spawn(self):
        pool = Pool(20)
        while not self.ends:
            numbers = range(200)
            self.ask("spawn")
            self.check("spawn", pool.map(twice, numbers), [2 * number for number in numbers])
            if self.planted == "memory":
                self.kept.append(bytes(20_000))
            gevent.sleep(0.01)

    def kill(self):
        ended = []

        def sleep(depth):
            try:
                below(depth, lambda: gevent.sleep(3600))
            finally:
                ended.append(depth)

        while not self.ends:
            self.ask("kill", 30)
            victims = [gevent.spawn(sleep, depth) for depth in range(30)]
            gevent.sleep(0)
            gevent.killall(victims)
            self.answer("kill", len(ended))
            ended.clear()
            gevent.sleep(0.01)

    def time_out(self):
        while not self.ends:
            self.ask("timeout")
            try:
                with gevent.Timeout(0.002):
                    AsyncResult().get()
            except gevent.Timeout:
                self.answer("timeout")
            # One that does not come.
            self.ask("no timeout")
            with gevent.Timeout(PATIENCE):
                gevent.sleep(0.001)
            self.answer("no timeout")

    def queue(self):
        """Values go through a queue from greenlet to greenlet."""
        while not self.ends:
            queue = Queue(3)
            self.ask("queue")
            sender = gevent.spawn(lambda queue=queue: [queue.put(n) for n in range(100)])
            self.check("queue", [queue.get(timeout=PATIENCE) for _ in range(100)], [*range(100)])
            sender.get()
            gevent.sleep(0.01)

    def collect(self):
        """Greenlets that nobody can reach but they themselves end as the collector says."""
        ended = []

        # Not in Event.wait(): what compiled code has in its C variables looks as if it were
        # held from outside.
        def park():
            myself = greenlet.getcurrent()
            try:
                myself.parent.switch()
            finally:
                ended.append(myself.dead)

        while not self.ends:
            self.ask("collected", 20)
            for _ in range(10):
                gevent.spawn(park)
                greenlet.greenlet(park).switch()
            gevent.sleep(0)
            for _ in range(5):
                gc.collect()
                gevent.sleep(0)
            self.answer("collected", len(ended))
            ended.clear()
            gevent.sleep(0.2)
            if self.planted == "greenlet":
                self.kept.append(greenlet.greenlet(park))
                self.kept[-1].switch()
                self.ask("collected")
                self.answer("collected")

    # --- threads

    def use_pool(self):
        """gevent's own threads, which come and go."""
        while not self.ends:
            pool = ThreadPool(3)
            for _ in range(20):
                self.ask("pool")
                self.check("pool", pool.apply(below, (10, work)), work())
            results = [pool.spawn(self.in_pool) for _ in range(6)]
            for result in results:
                self.ask("greenlets in the pool")
                self.check("greenlets in the pool", result.get(timeout=PATIENCE), 45)
            pool.kill()
            gevent.sleep(0.05)

    def in_pool(self):
        return sum(greenlet.greenlet(give_back).switch(number) for number in range(10))

    def use_threads(self, address, number):
        """Threads that have hubs of their own, one after the other."""
        while not self.ends:
            faults = []

            def body(faults=faults):
                try:
                    self.in_thread(address, number)
                except BaseException as fault:  # told in the main thread
                    faults.append(fault)
                finally:
                    gevent.get_hub().destroy(destroy_loop=True)

            self.ask("thread")
            thread = threading.Thread(target=body)
            thread.start()
            while thread.is_alive():
                gevent.sleep(0.005)
            thread.join()
            if faults:
                raise faults[0]
            self.answer("thread")

    def in_thread(self, address, number):
        clients = [
            gevent.spawn(self.connect, address, number + each, 5, "echo for threads")
            for each in range(3)
        ]
        # Left to the thread's end: one that is parked, and one that sleeps.
        greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch()).switch()
        sleeper = gevent.spawn(gevent.sleep, 3600)
        gevent.joinall(clients, timeout=PATIENCE, raise_error=True)
        for client in clients:
            if not client.successful():
                raise Fault("a thread's client did not end")
        sleeper.kill()

    # --- all of it

    def run(self, minutes):
        """Samples of resident memory."""
        server = StreamServer(("127.0.0.1", 0), self.serve)
        server.start()
        jobs = [gevent.spawn(self.echo, server.address, number) for number in range(CLIENTS)]
        jobs += [
            gevent.spawn(self.use_threads, server.address, 1000 * number)
            for number in range(THREADS)
        ]
        activities = (
            self.spawn,
            self.kill,
            self.time_out,
            self.queue,
            self.collect,
            self.use_pool,
        )
        jobs += [gevent.spawn(activity) for activity in activities]
        samples = self.watch(jobs, minutes * 60 / SAMPLES)
        self.ends = True
        gevent.joinall(jobs, timeout=2 * PATIENCE, raise_error=True)
        if not all(job.successful() for job in jobs):
            raise Fault("{} do not end".format([job for job in jobs if not job.successful()]))
        server.stop()
        return samples

    def watch(self, jobs, seconds):
        samples = []
        begun = time.monotonic()
        while len(samples) < SAMPLES:
            gevent.sleep(max(0, begun + (len(samples) + 1) * seconds - time.monotonic()))
            for job in jobs:
                if job.ready():
                    job.get()
                    raise Fault("{} has ended too early".format(job))
            gc.collect()
            samples.append(resident_bytes())
            if len(samples) % (SAMPLES // LINES) == 0:
                self.tell(time.monotonic() - begun, samples[-1])
        return samples

    def tell(self, seconds, resident):
        text = "{:6.1f} s  {:6.2f} MiB resident  {:8} answers  {} threads"
        answers = sum(self.answered.values())
        print(text.format(seconds, resident / MIB, answers, threading.active_count()), flush=True)

    def complaints(self, samples):
        """What is wrong at the end, in words."""
        for what, asked in sorted(self.asked.items()):
            print("{:22} {:9} asked {:9} answered".format(what, asked, self.answered[what]))
        found = [
            "lost: {} {}".format(asked - self.answered[what], what)
            for what, asked in self.asked.items()
            if asked != self.answered[what]
        ]
        grown = growth(samples[WARM_UP_SAMPLES:])
        print("after the warm-up resident memory grew by {:.0f} KiB".format(grown / 1024))
        if grown >= MOST_GROWTH:
            found.append("memory grows")
        left = left_over_greenlets()
        if left:
            found.append("{} greenlets are left over: {}".format(len(left), left[:5]))
        return found


def receive(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise Fault("the server hung up")
        data += part
    return data


def twice(number):
    gevent.sleep(0)
    return 2 * number


def give_back(value):
    return value


def work():
    return sum(range(1000))


def below(depth, function):
    """Call a function below so many others."""
    return below(depth - 1, function) if depth else function()


def left_over_greenlets():
    """All but the main greenlet and its hub."""
    for _ in range(5):
        gevent.sleep(0.01)
        gc.collect()
    gevent.get_hub().threadpool.kill()
    expected = greenlet.getcurrent(), gevent.get_hub()
    return [
        each
        for each in gc.get_objects()
        if isinstance(each, greenlet.greenlet) and each not in expected
    ]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--plant", choices=("reply", "greenlet", "memory"))
    options = parser.parse_args()
    soak = Soak(options.plant)
    try:
        found = soak.complaints(soak.run(options.minutes))
    except Fault as fault:
        found = [fault]
    for each in found:
        print("FAULT:", each)
    print("nothing lost, nothing left" if not found else "{} faults".format(len(found)))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
