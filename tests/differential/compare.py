"""Run random programs under our package and under the published one and compare what they log.

    python compare.py TAG... [--count N] [--first SEED] [--seed ONE]

A tag such as cp312 stands for our environment in build/env, and for one with the published package
that is made when it is missing. For each difference: its seed, the program made as small as it
gets, and the first lines that differ. A program on which the published package crashes or hangs is
skipped, unless ours does so too. known_differences.py has what we do better.
"""

import argparse
import concurrent.futures
import itertools
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from known_differences import without_known_differences
from program import Program, smaller

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "benchmarks"))

import environments  # noqa: E402 - found by the line above

RUNNER = HERE / "run_program.py"
BATCH = 250
SECONDS_PER_BATCH = 300
MAXIMAL_SHRINKING_RUNS = 4000
SHRINKING_BATCH = 16


class Outcome:
    """What one implementation made of one program."""

    def __init__(self, lines=(), left=0, crash=None):
        self.lines, self.left, self.crash = list(lines), left, crash


class Implementation:
    """Runs programs under one interpreter, several in one process."""

    def __init__(self, python):
        self.python = python

    def run(self, programs):
        """The outcomes of (seed, source) pairs, by seed."""
        outcomes = {}
        while programs:
            finished, crashed, crash = self.run_process(programs)
            outcomes.update(finished)
            if crash is None:
                assert len(finished) == len(programs), "the runner lost programs"
                return outcomes
            if crashed is None:
                assert len(finished) == len(programs), "the runner does not run: " + crash
                crashed, crash = programs[-1][0], "after the last program of a batch: " + crash
            outcomes[crashed] = Outcome(crash=crash)
            programs = [pair for pair in programs if pair[0] not in outcomes]
        return outcomes

    def run_one(self, source):
        return self.run([(0, source)])[0]

    def run_process(self, programs):
        """Outcomes up to a crash, the seed that crashed, and how."""
        requests = "".join(
            json.dumps({"seed": seed, "source": source}) + "\n" for seed, source in programs
        )
        # Files, not pipes: a crash loses nothing, and what hangs holds nothing open.
        with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+") as errors:
            given.write(requests)
            given.seek(0)
            with tempfile.TemporaryFile("w+") as printed:
                process = subprocess.Popen(
                    [self.python, "-X", "faulthandler", str(RUNNER)],
                    stdin=given,
                    stdout=printed,
                    stderr=errors,
                )
                try:
                    code = process.wait(timeout=SECONDS_PER_BATCH)
                except subprocess.TimeoutExpired:
                    process.kill()
                    code = process.wait()
                printed.seek(0)
                finished, crashed = parse(printed.read())
            errors.seek(0)
            said = errors.read()
        if code == 0:
            return finished, crashed, None
        if "Timeout (" in said:
            return finished, crashed, "hangs\n" + said[:3000]
        return finished, crashed, "exit code %d\n%s" % (code, said[:3000])


def parse(printed):
    """Finished programs' outcomes by seed, and the seed that was begun and not finished."""
    finished, begun, lines = {}, None, []
    for text in printed.splitlines():
        if match := re.fullmatch(r"begin (\d+)", text):
            begun, lines = int(match[1]), []
        elif match := re.fullmatch(r"end (\d+) (\d+)", text):
            finished[begun] = Outcome(lines, int(match[2]))
            begun = None
        else:
            lines.append(text)
    return finished, begun


def difference(ours, oracle):
    """What is wrong with our outcome, as lines of text; None if it is right."""
    if ours.crash is not None:
        return ["ours: " + ours.crash]
    if ours.left:
        return ["ours: %d greenlets cannot be ended" % ours.left]
    if oracle.crash is not None:
        return None
    our_lines, oracle_lines = without_known_differences(ours.lines, oracle.lines)
    if our_lines == oracle_lines:
        return None
    longer = max(len(our_lines), len(oracle_lines))
    our_lines += ["(nothing)"] * (longer - len(our_lines))
    oracle_lines += ["(nothing)"] * (longer - len(oracle_lines))
    at = next(n for n in range(longer) if our_lines[n] != oracle_lines[n])
    told = ["both:   " + text for text in our_lines[max(0, at - 3) : at]]
    told += ["ours:   " + text for text in our_lines[at : at + 3]]
    return told + ["oracle: " + text for text in oracle_lines[at : at + 3]]


def kind_of_difference(ours, oracle):
    if difference(ours, oracle) is None:
        return None
    if ours.crash is not None:
        return "hang" if ours.crash.startswith("hangs") else "crash"
    return "leak" if ours.left else "log"


class Pair:
    def __init__(self, ours, oracle):
        self.ours, self.oracle = Implementation(ours), Implementation(oracle)
        self.threads = concurrent.futures.ThreadPoolExecutor(1)

    def run(self, programs):
        """Both outcomes, by seed."""
        ours = self.threads.submit(self.ours.run, programs)
        oracle = self.oracle.run(programs)
        return {seed: (outcome, oracle[seed]) for seed, outcome in ours.result().items()}

    def kinds(self, programs):
        """For each program how the two differ, roughly; None if they do not."""
        numbered = [(number, program.source()) for number, program in enumerate(programs)]
        outcomes = self.run(numbered)
        return [kind_of_difference(*outcomes[number]) for number, _ in numbered]

    def shrink(self, program):
        """The smallest program found that still shows a difference of the same kind."""
        kind = self.kinds([program])[0]
        if kind is None:
            return None
        # Each hang takes its time.
        runs_left = 30 if kind == "hang" else MAXIMAL_SHRINKING_RUNS
        candidates = smaller(program)
        while chunk := list(itertools.islice(candidates, min(SHRINKING_BATCH, runs_left))):
            runs_left -= len(chunk)
            kinds = self.kinds(chunk)
            if kind in kinds:
                program = chunk[kinds.index(kind)]
                candidates = smaller(program)
        return program


def report(pair, name, program, outcomes):
    """Print all about a difference; its outcomes are needed if it may not show again."""
    print("=== " + name)
    smallest = pair.shrink(program)
    if smallest is None:
        print("The program alone shows no difference: it needs those before it in its batch.")
        print(program.source())
    else:
        print(smallest.source())
        outcomes = pair.run([(0, smallest.source())])[0]
    print("\n".join(difference(*outcomes)), flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("tags", nargs="+", help="environments such as cp312")
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--reports", type=int, default=10, help="so many differences in full")
    return parser.parse_args()


def compare(tag, seeds, most_reports):
    """Print the differences; returns how many programs passed, failed and were skipped."""
    pair = Pair(*environments.pair(tag))
    passed, failed, skipped = 0, [], []
    for start in range(0, len(seeds), BATCH):
        programs = [(seed, Program.from_seed(seed).source()) for seed in seeds[start:][:BATCH]]
        for seed, outcomes in pair.run(programs).items():
            if difference(*outcomes) is not None:
                failed.append(seed)
                if len(failed) <= most_reports:
                    report(pair, "seed %d" % seed, Program.from_seed(seed), outcomes)
                else:
                    print("=== seed %d differs too" % seed, flush=True)
            elif outcomes[1].crash is not None:
                skipped.append(seed)
            else:
                passed += 1
    if skipped:
        print("The published package crashes or hangs on", *skipped)
    return passed, len(failed), len(skipped)


def main():
    arguments = parse_arguments()
    seeds = range(arguments.first, arguments.first + arguments.count)
    if arguments.seed is not None:
        seeds = range(arguments.seed, arguments.seed + 1)
    total = [0, 0, 0]
    for tag in arguments.tags:
        counts = compare(tag, seeds, arguments.reports)
        total = [sum(pair) for pair in zip(total, counts)]
        print("%s: %d passed, %d failed, %d skipped" % (tag, *counts), flush=True)
    print("%d passed, %d failed, %d skipped" % tuple(total))
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
