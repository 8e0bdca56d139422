"""The whole test suites of gevent and eventlet: nothing may fail on our greenlet alone.

Usage: suites.py [--only SUITE] PYTHON...

For each interpreter PYTHON the environments of `run.py` are made, with our greenlet and with the
published one. What fails with ours is tried again with both in turn, as a slow machine makes
some tests fail now and then: with ours it has failed if it always does. What ever fails with the
published package, for want of the internet, say, is shown and counted as skipped.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tarfile

import environment

TRIES = 3

# For a test in gevent's suite, or for a module of it that says nothing about its tests.
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
WRONG = re.compile(r" *(?:FAIL|ERROR): (\S+ \(\S+\))")
MODULE = re.compile(r"([-!]) .* -mgevent\.tests\.(\w+)(?: \[code (\w+)\])?")
GEVENT_COUNT = re.compile(r"Ran (\d+) tests.* in \d+ files")

# In pytest's summary.
FAILED = re.compile(r"(?:FAILED|ERROR) (\S+)")
EVENTLET_COUNT = re.compile(r"(?:(\d+) failed, )?(\d+) passed.* in [\d.]+s.*")


def output_of(python, arguments, folder):
    return subprocess.run(
        [str(python), *arguments],
        cwd=folder,
        env=environment.CLEAN,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    ).stdout


def gevent_failures(output):
    """What the output of gevent's test runner says has failed, as "module test"."""
    failed = set()
    tests = set()
    for line in output.splitlines():
        if wrong := WRONG.match(line):
            tests.add(wrong[1])
        elif module := MODULE.match(line):
            if module[1] == "!":
                tests = tests or {f"exit status {module[3]}"}
                failed |= {f"{module[2]} {test}" for test in tests}
            tests = set()
    return failed


def run_gevent(python, failed):
    """Run gevent's suite, or the modules of what has failed: what fails now, and how many tests
    there are (0: the runner did not come to its end), and all that was said."""
    modules = sorted({f"{test.split()[0]}.py" for test in failed})
    # Modules one by one, since what hangs would take others of its process with it; in turn,
    # since many of them measure time.
    options = ["--no-combine", "--processes", "1", "--use=-network"]
    output = output_of(python, ["-m", "gevent.tests", *options, *modules], python.parent.parent)
    output = COLOUR.sub("", output)
    counted = GEVENT_COUNT.search(output)
    return gevent_failures(output), int(counted[1]) if counted else 0, output


def eventlet_tests(python):
    """The folder with the tests in eventlet's source archive, and nothing else of it: what is
    tested is the wheel."""
    version = "import importlib.metadata; print(importlib.metadata.version('eventlet'))"
    name = f"eventlet-{environment.run([python, '-c', version]).strip()}"
    folder = environment.BUILD / "suites" / name
    if not folder.exists():
        archives = environment.BUILD / "suites"
        source = ["--no-deps", "--no-binary", ":all:", name.replace("-", "==")]
        environment.run([python, "-m", "pip", "download", "--dest", archives, *source])
        with tarfile.open(archives / f"{name}.tar.gz") as archive:
            archive.extractall(archives, filter="data")
        shutil.rmtree(folder / "eventlet")
    return folder


def run_eventlet(python, failed):
    """The same for eventlet's suite."""
    options = ["-q", "-rfE", "-p", "no:cacheprovider", "--timeout", "60"]
    tests = sorted(failed) or ["tests"]
    output = output_of(python, ["-m", "pytest", *options, *tests], eventlet_tests(python))
    counted = EVENTLET_COUNT.search(output)
    count = sum(int(number or 0) for number in counted.groups()) if counted else 0
    return set(FAILED.findall(output)), count, output


SUITES = {"gevent": run_gevent, "eventlet": run_eventlet}


def compare(run, ours, oracle):
    """What fails with ours only, what with the published package, too, and the number of tests."""
    failed, count, output = run(ours, set())
    if not count:
        sys.exit(f"the suite did not say how it went\n{output}")
    both = set()
    for _ in range(TRIES):
        if failed:
            failed &= run(ours, failed)[0]
            both |= failed & run(oracle, failed)[0]
    return failed - both, failed & both, count


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", action="append", choices=SUITES)
    parser.add_argument("python", nargs="+")
    options = parser.parse_args()
    passed = failed = skipped = 0
    more = ["requirements-gevent.txt", "requirements-suites.txt"]
    for interpreter in options.python:
        name, ours = environment.make(interpreter, False, more)
        _, oracle = environment.make(interpreter, True, more)
        for suite in options.only or SUITES:
            only_ours, both, count = compare(SUITES[suite], ours, oracle)
            for test in sorted(both):
                print(f"{name} {suite}: {test} fails with the published greenlet, too")
            for test in sorted(only_ours):
                print(f"FAILED {name} {suite}: {test}")
            print(f"{name} {suite}: {count} tests", flush=True)
            failed += len(only_ours)
            skipped += len(both)
            passed += count - len(only_ours) - len(both)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
