"""Have Hypothesis look for a program on which our package and the published one differ.

    python search.py TAG... [--count N] [--seed S]

Hypothesis makes the choices that program.py asks for, and learns from what it has seen: it varies
programs, and it makes one that shows a difference smaller by taking choices back.  Then
`smaller` takes what is left apart.  Tags, and what counts as a difference, are those of
compare.py.  The search ends with the first one that it finds.
"""

import argparse
import functools
import json
import random
import subprocess
import sys

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from compare import (
    BATCH,
    RUNNER,
    Outcome,
    Pair,
    environments,
    kind_of_difference,
    parse,
    report,
)
from program import Writer

# Making a strategy takes longer than drawing from it.
integers = functools.cache(st.integers)


class Drawn:
    """A source of choices for program.Writer.  Hypothesis prefers fewer and lower numbers."""

    def __init__(self, draw):
        self.draw = draw

    def randint(self, low, high):
        return self.draw(integers(low, high))

    def randrange(self, count):
        return self.randint(0, count - 1)

    def random(self):
        return self.randrange(1000) / 1000

    def choice(self, choices):
        return choices[self.randrange(len(choices))]

    def choices(self, choices, weights):
        place = self.randrange(sum(weights))
        for choice, weight in zip(choices, weights):
            if place < weight:
                return [choice]
            place -= weight


class ListWriter(Writer):
    """Writes blocks as lists of statements, since Hypothesis knows how to shorten lists; it
    begins with short ones, so they may be longer than others."""

    def block(self, level, depth, size):
        groups = st.lists(
            statements(self, level, depth), min_size=size // 2, max_size=size + size // 2
        )
        return sum(self.random.draw(groups), [])


@st.composite
def statements(draw, writer, level, depth):
    writer.random = Drawn(draw)
    return writer.statement(level, depth)


@st.composite
def programs(draw, writer):
    return writer(Drawn(draw)).program()


def search(kind_of, count, seed, writer=ListWriter):
    """The smallest program found on which `kind_of`, called with it, gives what it gave for the
    first that was not None; None if it is None for all."""
    first = None

    def is_found(program):
        nonlocal first
        kind = kind_of(program)
        if first is None:
            first = kind
        return kind is not None and kind == first

    chosen = settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    try:
        return find(programs(writer), is_found, settings=chosen, random=random.Random(seed))
    except NoSuchExample:
        return None


class Server:
    """One process that runs programs one after the other; it is made anew after a crash, and now
    and then."""

    def __init__(self, python):
        self.python, self.process, self.runs_left = python, None, 0

    def ask(self, source):
        if self.runs_left == 0:
            self.close()
            self.runs_left = BATCH
            self.process = subprocess.Popen(
                [self.python, str(RUNNER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
            )
        self.runs_left -= 1
        self.process.stdin.write(json.dumps({"seed": 0, "source": source}) + "\n")
        self.process.stdin.flush()

    def answer(self):
        printed = []
        for text in self.process.stdout:
            printed.append(text)
            if text.startswith("end 0 "):
                return parse("".join(printed))[0][0]
        self.runs_left = 0
        return Outcome(crash="crashes or hangs")

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


class Search:
    """Compares programs quickly, and once more with new processes if they seem to differ."""

    def __init__(self, tag):
        pythons = environments.pair(tag)
        self.pair = Pair(*pythons)
        self.servers = [Server(python) for python in pythons]
        self.compared = self.unconfirmed = 0

    def kind_of(self, program):
        self.compared += 1
        source = program.source()
        for server in self.servers:
            server.ask(source)
        if kind_of_difference(*[server.answer() for server in self.servers]) is None:
            return None
        kind = self.pair.kinds([program])[0]
        self.unconfirmed += kind is None
        return kind

    def run(self, count, seed):
        try:
            return search(self.kind_of, count, seed)
        finally:
            for server in self.servers:
                server.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tags", nargs="+", help="environments such as cp312")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    passed = failed = 0
    for tag in options.tags:
        ours = Search(tag)
        program = ours.run(options.count, options.seed)
        if program is not None:
            failed += 1
            report(ours.pair, "seed %d of Hypothesis" % options.seed, program, None)
        else:
            passed += ours.compared - ours.unconfirmed
        text = "%s: %d programs compared, %d of them differed only after others"
        print(text % (tag, ours.compared, ours.unconfirmed), flush=True)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
