"""What the checks of `make lint` have found, told as they go."""

import concurrent.futures
import os
import subprocess
from collections.abc import Callable, Iterable

from counts import Counts
from environment import ROOT


class Report:
    def __init__(self) -> None:
        self.counts = Counts()

    def check(self, name: str, problems: str) -> None:
        """Note a check: it has passed if it found no problems."""
        if problems:
            self.counts.failed += 1
            print(f"FAILED   {name}\n{problems.rstrip()}\n", flush=True)
        else:
            self.counts.passed += 1
            print(f"ok       {name}", flush=True)

    def skip(self, name: str, reason: str) -> None:
        self.counts.skipped += 1
        print(f"SKIPPED  {name}: {reason}", flush=True)


def complaints(command: list[str], source: str | None = None) -> str:
    """What a command says when it fails; nothing if it succeeds."""
    outcome = subprocess.run(
        command,
        cwd=ROOT,
        input=source,
        stdin=None if source is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if outcome.returncode == 0:
        return ""
    return f"{' '.join(command)}\n{outcome.stdout}\n"


def in_parallel(jobs: Iterable[Callable[[], str]]) -> str:
    """Run jobs on all processors; their problems, one after the other."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return "".join(pool.map(lambda job: job(), jobs))
