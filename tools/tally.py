"""Runs commands one after the other, whatever comes of them, and adds up the tests.

    python3 tools/tally.py COMMAND...      each one word for the shell

Ends with a line for each command and one that counts all tests.  A command that
counts nothing is a test in itself.
"""

import subprocess
import sys
import time

from counts import Counts, closing_counts, judge
from environment import ROOT


def run(command: str) -> tuple[str, int]:
    """The output of a command, shown as it comes, and its exit status."""
    print(f"\n##### {command}", flush=True)
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
            print(line, end="", flush=True)
            lines.append(line)
    return "".join(lines), process.returncode


def main() -> int:
    total = Counts()
    summary = []
    for command in sys.argv[1:]:
        start = time.monotonic()
        output, status = run(command)
        if status == 0 and closing_counts(output) is None:
            counts = Counts(passed=1)
        else:
            counts = judge(output, status)
        total.add(counts)
        minutes = (time.monotonic() - start) / 60
        verdict = "FAIL" if counts.failed else "ok"
        summary.append(f"{verdict:4}  {command}: {counts} ({minutes:.1f} min)")
    print("\n##### summary", *summary, sep="\n")
    print(total, flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
