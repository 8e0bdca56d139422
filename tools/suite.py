"""Runs one test suite, which ends with a line that counts, and keeps what it prints."""

import contextlib
import os
import pathlib
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from counts import Counts, judge
from environment import BUILD, ROOT

# Seconds from the signal that asks for a traceback to the one that nobody survives.
GRACE = 20


@dataclass
class Ended:
    output: str
    status: int
    seconds: float
    log: pathlib.Path

    def counts(self) -> Counts:
        return judge(self.output, self.status)


def run(log_name: str, command: list[str], environment: Mapping[str, str], limit: float) -> Ended:
    """Run a suite for `limit` seconds at most.  What it prints can be followed in
    build/logs."""
    logs = BUILD / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{log_name}.log"
    start = time.monotonic()
    output = []
    with open(log, "w") as file, started(command, environment, limit) as process:
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            file.flush()
            output.append(line)
    return Ended("".join(output), process.returncode, time.monotonic() - start, log)


@contextlib.contextmanager
def started(
    command: list[str], environment: Mapping[str, str], limit: float
) -> Iterator[subprocess.Popen[str]]:
    """A process in a group of its own, of which nothing is left afterwards, even
    if it hangs.  pytest, when aborted, tells where each thread is."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        timers = [
            threading.Timer(limit, os.killpg, (process.pid, signal.SIGABRT)),
            threading.Timer(limit + GRACE, os.killpg, (process.pid, signal.SIGKILL)),
        ]
        for timer in timers:
            timer.start()
        try:
            yield process
            process.wait()
        finally:
            for timer in timers:
                timer.cancel()
                timer.join()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
