"""Minutes of gevent's published wheel on our greenlet, with flat memory and no lost reply.

Usage: run.py [--oracle] [--minutes M] [--plant FAULT] PYTHON...

For each interpreter PYTHON the environment of tests/clients is made below build/clients; then
soak.py runs in it.  With --oracle on the published greenlet.
"""

import argparse
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "clients"))

import environment  # noqa: E402 - found by the line above

# For the beginning and the end, on a machine that has other work.
SECONDS_MORE = 300


def run(python, options):
    """Whether the program found no fault, and said nothing on standard error."""
    arguments = ["--minutes", str(options.minutes)]
    if options.plant:
        arguments += ["--plant", options.plant]
    process = subprocess.Popen(
        # What gevent thinks of a thread's fork and the like is of no interest here.
        [str(python), "-W", "ignore", str(HERE / "soak.py"), *arguments],
        env=environment.CLEAN,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    try:
        _, complaints = process.communicate(timeout=options.minutes * 60 + SECONDS_MORE)
    except subprocess.TimeoutExpired:
        process.kill()
        _, complaints = process.communicate()
        print("FAULT: it hangs")
    if complaints:
        print("FAULT: it said on standard error\n" + complaints)
    return process.returncode == 0 and not complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--oracle", action="store_true")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--plant", metavar="FAULT")
    parser.add_argument("python", nargs="+")
    options = parser.parse_args()
    passed = failed = 0
    for interpreter in options.python:
        try:
            name, python = environment.make(
                interpreter, options.oracle, ["requirements-gevent.txt"]
            )
        except environment.EnvironmentFailure as failure:
            print(f"FAILED environment for {interpreter}\n{failure}", flush=True)
            failed += 1
            continue
        print(f"=== {name}: {options.minutes:g} minutes", flush=True)
        good = run(python, options)
        passed, failed = passed + good, failed + (not good)
        print(f"{'ok' if good else 'FAIL'}    {name}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
