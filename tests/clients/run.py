"""Run real programs from the package index on our greenlet.

Usage: run.py [--oracle] [--only PROGRAM]... PYTHON...

For each interpreter PYTHON an environment below build/clients gets a wheel of
this tree and the published wheels of `requirements.txt`; then every program
runs in it, each in a process of its own with a time limit, and each checks its
own result.  With --oracle the published greenlet is installed instead of
ours: that tells whether a failure is greenlet's at all.
"""

import argparse
import collections
import os
import signal
import subprocess
import sys
import time

import environment

PROGRAMS = {
    "gevent_echo": ["gevent_echo.py"],
    "gevent_debug": ["gevent_debug.py"],
    "eventlet_echo": ["eventlet_echo.py"],
    "sqlalchemy_asyncio": ["sqlalchemy_asyncio.py"],
    "greenback_await": ["greenback_await.py"],
    "gunicorn_gevent": ["gunicorn_gevent.py"],
    **{
        f"gevent.tests.{module}": ["gevent_own_tests.py", module]
        for module in (
            "test__greenlet",
            "test__pool",
            "test__queue",
            "test__hub",
            "test__exc_info",
            "test__threadpool",
            "test__util",
        )
    },
}

# Alone on one core the slowest takes half a minute.
TIME_LIMIT = 300


def run_program(python, command, folder):
    """Run one program: its exit code (None: out of time), and its output."""
    script, *arguments = command
    process = subprocess.Popen(
        [str(python), "-W", "ignore", str(environment.HERE / script), *arguments],
        cwd=folder,
        env=environment.CLEAN,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=TIME_LIMIT)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # with all that it started
        output, _ = process.communicate()
        return None, output


def report(name, program, code, output, seconds):
    """Print how the program went, in one line if it went well."""
    lines = output.strip().splitlines()
    if code == 0 and lines:
        print(f"{name} {program}: {lines[-1]} ({seconds:.1f} s)", flush=True)
        return "passed"
    ending = "hung" if code is None else f"exited with {code}"
    print(f"FAILED {name} {program} {ending}\n{output}", flush=True)
    return "failed"


def run_all(interpreter, oracle, programs):
    """Run `programs` on one interpreter; the outcomes' counts."""
    try:
        name, python = environment.make(interpreter, oracle)
    except environment.EnvironmentFailure as failure:
        print(f"FAILED environment for {interpreter}\n{failure}", flush=True)
        return collections.Counter(failed=len(programs))
    outcomes = collections.Counter()
    for program in programs:
        begun = time.monotonic()
        code, output = run_program(python, PROGRAMS[program], python.parent.parent)
        seconds = time.monotonic() - begun
        outcomes[report(name, program, code, output, seconds)] += 1
    return outcomes


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--oracle", action="store_true")
    parser.add_argument("--only", action="append", choices=PROGRAMS)
    parser.add_argument("python", nargs="+")
    options = parser.parse_args()
    totals = collections.Counter()
    for interpreter in options.python:
        totals += run_all(interpreter, options.oracle, options.only or [*PROGRAMS])
    print(f"{totals['passed']} passed, {totals['failed']} failed, 0 skipped")
    return 1 if totals["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
