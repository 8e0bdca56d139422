"""Runs the Python tests on CPythons for musl.

    python3 tools/test_musl.py [NAME...] [TEST...]

NAME is one of musl.py's, TEST a path below tests; without them, all.  What is not there is
skipped, and counted as such: PYTHONS=all in the environment brings it, on Debian as root.
Ends with a line for each suite and one that counts all tests.
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import guests
import musl
import outcomes
import test_arches
from environment import BUILD, ROOT
from guests import BuildFailed
from outcomes import Result, brings_what_is_missing, run_suite, skipped
from userland import Unavailable

# Seconds for the tests on one interpreter.
TIME_LIMIT = 900

# In the stacks that musl gives threads, CPython itself overflows.
CUSTOMIZE = "import threading\n\nthreading.stack_size(8 * 1024 * 1024)\n"
OVERFLOW = """
import threading

def recur():
    sorted([1], key=lambda _: recur())

def run():
    try:
        recur()
    except RecursionError:
        pass

thread = threading.Thread(target=run)
thread.start()
thread.join()
"""


def build_package(name: str, folder: pathlib.Path) -> pathlib.Path:
    """Our package for one Python: a folder for its path."""
    site = BUILD / "musl" / name
    package = guests.lay_out_package(site)
    headers = ["-isystem", str(folder / "include" / f"python{name}")]
    options = ["-O2", "-DNDEBUG", "-Wall", "-Wextra"]
    guests.compile_extension([musl.COMPILER, *options, *guests.extension_words(headers, package)])
    (site / "sitecustomize.py").write_text(CUSTOMIZE)
    return site


def run_python(name: str, tests: list[str]) -> Result:
    title = f"musl python{name}"
    try:
        folder = musl.bring(name)
        site = build_package(name, folder)
    except BuildFailed as error:
        return outcomes.failed(title, error)
    except Unavailable as error:
        return skipped(title, error)
    python = musl.program(folder, name)
    if subprocess.run([python, "-c", OVERFLOW], capture_output=True).returncode == 0:
        return outcomes.failed(title, "threads need no larger stacks any more")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(site), str(guests.PACKAGES)]),
        "PYTHONPYCACHEPREFIX": str(BUILD / "musl" / "cache"),
    }
    command = [str(python), *outcomes.PYTEST, *(tests or test_arches.FULL)]
    return run_suite(title, command, environment, TIME_LIMIT)


def results(names: list[str], tests: list[str]) -> Iterator[Result]:
    if not brings_what_is_missing():
        yield skipped("musl", "PYTHONS=all brings Pythons for musl")
        return
    try:
        guests.pytest_packages()
    except Unavailable as error:
        yield skipped("musl", error)
        return
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(lambda name: run_python(name, tests), names)


def main() -> int:
    os.chdir(ROOT)
    return outcomes.report(results(*outcomes.choose(sys.argv[1:], musl.NAMES)))


if __name__ == "__main__":
    sys.exit(main())
