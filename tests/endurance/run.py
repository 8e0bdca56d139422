"""Run the cases of cases.py on several interpreters, each in a process of its own.

    python run.py TAG... [--only CASE]... [--scale X] [--oracle]

A tag such as cp312 stands for our environment in build/env, and with --oracle for one with the
published package, which is made when it is missing.  It tells what the figures are worth.
"""

import argparse
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "benchmarks"))

import environments  # noqa: E402 - found by the line above

CASES = ("lives", "kills", "cycles", "threads_with_parked", "short_threads")

# A million threads take minutes on a busy machine.
TIME_LIMIT = 3600


def run_case(python, case, scale):
    """Whether nothing was left, and what is to be said."""
    command = [str(python), str(HERE / "endurance.py"), case, "--scale", str(scale)]
    begun = time.monotonic()
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIME_LIMIT,
        )
    except subprocess.TimeoutExpired:
        return False, case + " hangs"
    seconds = time.monotonic() - begun
    lines = done.stdout.strip().splitlines() or ["no output"]
    if done.returncode == 0:
        return True, "{} ({:.0f} s)".format(lines[-1], seconds)
    return False, "\n".join([*lines, "exit status {}".format(done.returncode)])


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("tags", nargs="+", help="environments such as cp312")
    parser.add_argument("--only", action="append", choices=CASES)
    parser.add_argument("--scale", type=float, default=1, help="of the whole count")
    parser.add_argument("--oracle", action="store_true")
    return parser.parse_args()


def main():
    options = parse()
    passed = failed = 0
    for tag in options.tags:
        ours, *oracle = environments.pair(tag) if options.oracle else [environments.ours(tag)]
        python = oracle[0] if oracle else ours
        for case in options.only or CASES:
            good, said = run_case(python, case, options.scale)
            passed, failed = passed + good, failed + (not good)
            print("{} {}: {}".format("ok  " if good else "FAIL", tag, said), flush=True)
    print("{} passed, {} failed".format(passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
