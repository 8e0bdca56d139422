"""Runs commands one after the other, whatever comes of them, and adds up the tests.

    python3 tools/tally.py [--meanwhile COMMAND]... COMMAND...      each one word for the shell

What is to run meanwhile, one after the other too, begins with the first and is shown after the
last: something long that keeps one processor busy while the others do not always need all.
Ends with what failed and how, for whoever sees no more than the end, a line for
each command and one that counts all tests.  A command that counts nothing is a
test in itself.
"""

import argparse
import concurrent.futures
import subprocess
import sys
import time
from dataclasses import dataclass

from counts import Counts, closing_counts, complaints, judge
from environment import ROOT

# Lines shown again at the end, of each command that failed.
COMPLAINTS = 20


@dataclass
class Outcome:
    command: str
    output: str
    status: int
    minutes: float

    def counts(self) -> Counts:
        if self.status == 0 and closing_counts(self.output) is None:
            return Counts(passed=1)
        return judge(self.output, self.status)


def run(command: str, shown: bool) -> Outcome:
    """Run a command; its output may be shown as it comes."""
    start = time.monotonic()
    lines = []
    with subprocess.Popen(
        command,
        shell=True,
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
    minutes = (time.monotonic() - start) / 60
    return Outcome(command, "".join(lines), process.returncode, minutes)


def run_all(commands: list[str], meanwhile: list[str]) -> list[Outcome]:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        beside = [pool.submit(run, command, shown=False) for command in meanwhile]
        outcomes = []
        for command in commands:
            print(f"\n##### {command}", flush=True)
            outcomes.append(run(command, shown=True))
        for each in beside:
            outcome = each.result()
            print(f"\n##### {outcome.command}\n{outcome.output}", end="", flush=True)
            outcomes.append(outcome)
    return outcomes


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--meanwhile", action="append", default=[])
    parser.add_argument("commands", nargs="+")
    options = parser.parse_args()
    total = Counts()
    summary = []
    failures = []
    for outcome in run_all(options.commands, options.meanwhile):
        counts = outcome.counts()
        total.add(counts)
        verdict = "FAIL" if counts.failed else "ok"
        summary.append(f"{verdict:4}  {outcome.command}: {counts} ({outcome.minutes:.1f} min)")
        if counts.failed:
            failures.append(f"##### failed in {outcome.command}")
            failures += complaints(outcome.output, COMPLAINTS)
    print("", *failures, "##### summary", *summary, sep="\n")
    print(total, flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
