"""Runs commands one after the other, whatever comes of them, and adds up the tests.

    python3 tools/tally.py [OPTION]... COMMAND...      each command is one word for the shell

What is to run meanwhile, one after the other too, begins with the first and is shown after the
last: something long that keeps one processor busy while the others do not always need all.
With a limit of time, no command begins in its last fifth, and what still runs at its end is
stopped and has failed: a slow machine skips the last commands, and one that hangs is named.
Ends with what failed and how, for whoever sees no more than the end, a line for
each command and one that counts all tests.  A command that counts nothing is a
test in itself.
"""

import argparse
import concurrent.futures
import subprocess
import sys
import time
from dataclasses import dataclass, field

from counts import Counts, closing_counts, complaints, judge
from environment import ROOT

# Lines shown again at the end, of each command that failed.
COMPLAINTS = 20

# The part of the time in which commands may begin.
BEGINNING = 0.8

# How long a command that is stopped has before it is killed, in seconds.
GRACE = 10


@dataclass
class Outcome:
    command: str
    output: str
    status: int
    minutes: float
    was_begun: bool = True

    def counts(self) -> Counts:
        if not self.was_begun:
            return Counts(skipped=1)
        if self.status == 0 and closing_counts(self.output) is None:
            return Counts(passed=1)
        return judge(self.output, self.status)


@dataclass
class Clock:
    """Says until when commands may begin, and run."""

    minutes: float | None
    start: float = field(default_factory=time.monotonic)

    def past(self) -> float:
        """Minutes since the start."""
        return (time.monotonic() - self.start) / 60

    def is_late(self) -> bool:
        return self.minutes is not None and self.past() > BEGINNING * self.minutes

    def is_over(self) -> bool:
        return self.minutes is not None and self.past() >= self.minutes

    def limited(self, command: str) -> list[str]:
        """The command for the shell, stopped with all its children when the time is over."""
        shell = ["sh", "-c", command]
        if self.minutes is None:
            return shell
        seconds = 60 * (self.minutes - self.past())
        return ["timeout", f"--kill-after={GRACE}", f"{seconds:.1f}", *shell]


def run(command: str, clock: Clock, shown: bool) -> Outcome:
    """Run a command; its output may be shown as it comes."""
    if clock.is_late():
        words = f"SKIPPED {command}: too late, {clock.past():.0f} minutes are over\n"
        if shown:
            print(words, end="", flush=True)
        return Outcome(command, words, 0, 0, was_begun=False)
    start = clock.past()
    lines = []
    with subprocess.Popen(
        clock.limited(command),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if shown:
                print(line, end="", flush=True)
            lines.append(line)
    if process.returncode != 0 and clock.is_over():
        lines.append(f"FAILED {command}: stopped, the {clock.minutes:g} minutes are over\n")
    return Outcome(command, "".join(lines), process.returncode, clock.past() - start)


def run_all(commands: list[str], meanwhile: list[str], clock: Clock) -> list[Outcome]:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        beside = [pool.submit(run, command, clock, shown=False) for command in meanwhile]
        outcomes = []
        for command in commands:
            print(f"\n##### {command} (after {clock.past():.0f} min)", flush=True)
            outcomes.append(run(command, clock, shown=True))
        for each in beside:
            outcome = each.result()
            print(f"\n##### {outcome.command}\n{outcome.output}", end="", flush=True)
            outcomes.append(outcome)
    return outcomes


def verdict(outcome: Outcome, counts: Counts) -> str:
    """One word for what came of a command, and what of its tests."""
    if not outcome.was_begun:
        return f"SKIP  {outcome.command}: too late"
    word = "FAIL" if counts.failed else "ok"
    return f"{word:4}  {outcome.command}: {counts} ({outcome.minutes:.1f} min)"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--meanwhile", action="append", default=[], metavar="COMMAND")
    parser.add_argument("--minutes", type=float, help="for all; no limit without it")
    parser.add_argument("commands", nargs="+")
    options = parser.parse_args()
    total = Counts()
    summary = []
    failures = []
    for outcome in run_all(options.commands, options.meanwhile, Clock(options.minutes)):
        counts = outcome.counts()
        total.add(counts)
        summary.append(verdict(outcome, counts))
        if counts.failed:
            failures.append(f"##### failed in {outcome.command}")
            failures += complaints(outcome.output, COMPLAINTS)
    # Whoever sees nothing but the end sees what failed.
    print("", "##### summary", *summary, *failures, sep="\n")
    print(total, flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
