"""What came of suites that a tool runs one by one, and the lines that sum them up."""

import os
import re
import sys
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import suite
from counts import Counts, complaints

# How a Python is told to run tests, their paths following.
PYTEST = ("-m", "pytest", "-q", "-rfEs", "-p", "no:cacheprovider")

# Lines shown again at the end, of each suite that failed.
COMPLAINTS = 20


@dataclass
class Result:
    name: str
    counts: Counts
    seconds: float
    said: str = ""

    def __str__(self) -> str:
        if self.counts.passed == self.counts.failed == 0:
            return f"SKIPPED  {self.name}: {self.said}"
        verdict = "FAIL" if self.counts.failed else "ok"
        return f"{verdict:4}  {self.name}: {self.counts} ({self.seconds:.0f} s)"


def skipped(name: str, reason: object) -> Result:
    print(f"SKIPPED  {name}: {reason}", flush=True)
    return Result(name, Counts(skipped=1), 0, str(reason))


def failed(name: str, said: object) -> Result:
    """Before it ran anything."""
    print(f"\n=== {name} ===\n{said}", flush=True)
    return Result(name, Counts(failed=1), 0, str(said))


def brings_what_is_missing() -> bool:
    return os.environ.get("PYTHONS") == "all"


def choose(words: list[str], known: Collection[str]) -> tuple[list[str], list[str]]:
    """Which of the known names, all if none, and which paths of tests a command line names."""
    names = [each for each in words if not each.startswith("tests")]
    unknown = set(names) - set(known)
    if unknown:
        sys.exit(f"unknown: {' '.join(sorted(unknown))}; there are {' '.join(known)}")
    return names or list(known), [each for each in words if each.startswith("tests")]


def run_suite(name: str, command: list[str], environment: dict[str, str], limit: float) -> Result:
    """Run a suite.  What it says is shown when it has ended, lest two at a time mix: all
    of it if something failed."""
    ended = suite.run(re.sub(r"\W+", "-", name), command, environment, limit)
    counts = ended.counts()
    if counts.failed:
        said = f"{ended.output}\n{name} ended with exit status {ended.status}: {ended.log}"
    else:
        said = ended.output.rstrip().rpartition("\n")[2]
    print(f"\n=== {name} ===\n{said}\n", end="", flush=True)
    return Result(name, counts, ended.seconds, ended.output)


def report(results: Iterable[Result]) -> int:
    """Sum up what is being run, with a line for each suite and one that counts all tests;
    the exit status."""
    start = time.monotonic()
    total = Counts()
    summary = []
    for result in results:
        total.add(result.counts)
        summary.append(str(result))
        if result.counts.failed:
            summary += complaints(result.said, COMPLAINTS)
    print("", "=== summary ===", *summary, sep="\n")
    print(f"({(time.monotonic() - start) / 60:.1f} minutes)")
    print(total, flush=True)
    return 1 if total.failed else 0
