"""Reads how many tests passed, failed and were skipped from a suite's last words,
and which failed.

Understood are pytest's closing line and the plain "N passed, N failed[, N skipped]".
"""

import re
from dataclasses import dataclass

# What other words than ours count as.
KINDS = {
    "passed": "passed",
    "xpassed": "passed",
    "failed": "failed",
    "error": "failed",
    "errors": "failed",
    "skipped": "skipped",
    "xfailed": "skipped",
}

COUNT = re.compile(rf"\b(\d+) ({'|'.join(KINDS)})\b")

# A whole line, lest a test's own output be taken for the closing one.
PLAIN = re.compile(r"\d+ passed, \d+ failed(, \d+ skipped)?")
PYTEST = re.compile(r"(=+ )?\d+ \w+(, \d+ \w+)* in [\d.]+s.*")

# Lines that name what failed, and pytest's that say how.
COMPLAINT = re.compile(r"(FAIL|FAILED|ERROR)\b.*|E  .*|.* ended with exit status \d+.*")


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    def add(self, other: "Counts") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def closing_counts(output: str) -> Counts | None:
    """The counts in the last closing line; None if there is none."""
    for line in reversed(output.splitlines()):
        if PLAIN.fullmatch(line.strip()) or PYTEST.fullmatch(line.strip()):
            counts = Counts()
            for number, kind in COUNT.findall(line):
                name = KINDS[kind]
                setattr(counts, name, getattr(counts, name) + int(number))
            return counts
    return None


def judge(output: str, status: int) -> Counts:
    """The counts of a test suite that ended with this exit status.  One that
    ran nothing, or failed without a count, has failed."""
    counts = closing_counts(output) or Counts()
    nothing_ran = counts == Counts()
    if nothing_ran or (status != 0 and counts.failed == 0):
        counts.failed += 1
    return counts


def complaints(output: str, limit: int) -> list[str]:
    """The last lines that say what failed and how, with what is indented below them, not more
    than limit.  What ended without a word of that has said it in its last lines, a traceback
    for example."""
    lines = output.splitlines()
    named: list[str] = []
    is_complaint = False
    for line in lines:
        is_more = is_complaint and line.startswith("    ")
        is_complaint = is_more or COMPLAINT.fullmatch(line) is not None
        if is_complaint:
            named.append(line)
    return (named or lines)[-limit:]
