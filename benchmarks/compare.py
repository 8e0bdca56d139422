"""Two workers that take turns: the interleaved run behind the table."""

import contextlib
import json
import os
import pathlib
import random
import subprocess
import sys

from environments import gevent

WORKER = pathlib.Path(__file__).with_name("worker.py")
SIDES = ("ours", "oracle")

# The workers are started anew so many times in a run: where a process happens
# to lie in memory moves its figures by a few per cent.
LAUNCHES = 5


class Worker:
    """A process that runs cases with one package."""

    def __init__(self, python, borrowed=None):
        self.process = subprocess.Popen(
            [str(python), str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=clean_environment(borrowed),
        )
        self.hello = self._reply()

    def figure(self, name):
        print(name, file=self.process.stdin, flush=True)
        return self._reply()["value"]

    def _reply(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.process.args[0]} ended with {self.process.wait()}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def clean_environment(borrowed=None):
    """Nothing of the caller's may decide which package is imported or how
    objects lie in memory.  `borrowed` is a folder of packages for both sides."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    path = {} if borrowed is None else {"PYTHONPATH": str(borrowed)}
    return {**kept, **path, "PYTHONHASHSEED": "0"}


def compare(ours, oracle, wanted, rounds):
    """The figures of both sides for every case that `wanted` accepts.  A
    figure that a side fails to give is a string that says how it failed."""
    pythons = {"ours": ours, "oracle": oracle}
    hello = greet(pythons)
    cases = [case for case in hello["ours"]["cases"] if wanted(case)]
    borrowed = gevent(ours) if any(case["needs"] for case in cases) else None
    cases = [case for case in cases if borrowed or not case["needs"]]
    figures = {case["name"]: dict.fromkeys(SIDES) for case in cases}
    interleaved = [case for case in cases if not case["alone"]]
    for launch in range(LAUNCHES if interleaved else 0):
        with pair_of_workers(pythons, borrowed) as workers:
            note(f"launch {launch + 1} of {LAUNCHES}")
            for _ in range(max(1, rounds // LAUNCHES)):
                take_turn(workers, interleaved, figures)
    alone = [case for case in cases if case["alone"]]
    figures.update(figures_alone(pythons, alone, borrowed))
    note("")
    return {
        "python": hello["ours"]["python"],
        "packages": {side: f"greenlet {hello[side]['greenlet']}" for side in SIDES},
        "same_file": hello["ours"]["file"] == hello["oracle"]["file"],
        "cases": cases,
        "figures": figures,
    }


@contextlib.contextmanager
def pair_of_workers(pythons, borrowed=None):
    with contextlib.ExitStack() as stack:
        workers = {side: Worker(pythons[side], borrowed) for side in SIDES}
        for worker in workers.values():
            stack.callback(worker.close)
        yield workers


def greet(pythons):
    """What each side says of itself."""
    with pair_of_workers(pythons) as workers:
        hello = {side: workers[side].hello for side in SIDES}
    if hello["ours"]["python"] != hello["oracle"]["python"]:
        sys.exit("{ours} and {oracle} are not the same CPython".format(**pythons))
    return hello


def take_turn(workers, cases, figures):
    """Every case once on each side, the best of each kept."""
    for case in cases:
        best = figures[case["name"]]
        for side in shuffled_sides():
            best[side] = better(best[side], workers[side].figure(case["name"]))


def shuffled_sides():
    """The sides in random order: whoever goes first finds other caches, and other memory
    free, than whoever goes second."""
    return random.sample(SIDES, len(SIDES))


def better(best, figure):
    """The less of two figures.  A failure, which is a string, counts whatever was measured
    before it."""
    return figure if best is None or isinstance(figure, str) else min(best, figure)


def figures_alone(pythons, cases, borrowed):
    """For each case the best that each side says in `case["launches"]` processes of its own.
    The cases take turns: some are compared with each other."""
    figures = {case["name"]: dict.fromkeys(SIDES) for case in cases}
    for launch in range(max((case["launches"] for case in cases), default=0)):
        for case in cases:
            if launch < case["launches"]:
                note(f"{case['title']}, {launch + 1} of {case['launches']}")
                take_turn_alone(pythons, case, borrowed, figures[case["name"]])
    return figures


def take_turn_alone(pythons, case, borrowed, best):
    """A case once on each side, in a process of its own, the best kept; not again on a side
    where it has failed."""
    for side in shuffled_sides():
        if not isinstance(best[side], str):
            figure = figure_alone(pythons[side], case, borrowed)
            best[side] = better(best[side], figure)


def figure_alone(python, case, borrowed):
    """One case in a process that it may spoil, crash or hang in."""
    try:
        outcome = subprocess.run(
            [str(python), str(WORKER)],
            input=case["name"] + "\n",
            stdout=subprocess.PIPE,
            text=True,
            env=clean_environment(borrowed),
            timeout=case["limit"],
        )
    except subprocess.TimeoutExpired:
        return f"> {case['limit']} s"
    if outcome.returncode:
        return "crashed"
    return json.loads(outcome.stdout.splitlines()[-1])["value"]


def note(text):
    """Say on a terminal what is going on, in one line that is overwritten."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
