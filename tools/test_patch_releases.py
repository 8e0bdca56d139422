"""Runs the Python tests on other patch releases than the extension was built for.

    python3 tools/test_patch_releases.py [VERSION...]     "3.14"; without one, all

What is built with the headers of a patch release, as a wheel is, runs on the other.
Without PYTHONS=all in the environment nothing is brought, and all is skipped.  Ends
with a line for each pair and one that counts all tests.
"""

import argparse
import dataclasses
import itertools
import os
import sys

import patch_releases
import suite
import userland
from counts import Counts
from environment import Environment
from interpreters import Interpreter

# Seconds for one pair.
TIME_LIMIT = 1800

# What depends on where the interpreter keeps its state, or shows much of that.
TESTS = (
    "tests/ext",
    "tests/capi",
    "tests/debug/test_timeline.py",
    "tests/debug/test_watching.py",
)


def build(interpreter: Interpreter) -> str:
    """A folder with the package as built for this patch release."""
    tag = f"{interpreter.tag}-{interpreter.version}"
    environment = Environment(dataclasses.replace(interpreter, tag=tag))
    environment.make(with_requirements=False)
    return packages_of(environment)


def packages_of(environment: Environment) -> str:
    return str(next(environment.folder.glob("lib/python*/site-packages")))


def test_pair(name: str, path: list[str], runner: Interpreter) -> Counts:
    """The tests of what the first folder on the path has."""
    command = [runner.python, "-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider"]
    ended = suite.run(
        name.replace(" ", "-"),
        [*command, "-m", "not heavy", *TESTS],
        {**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        TIME_LIMIT,
    )
    counts = ended.counts()
    said = ended.output if counts.failed else ended.output.rstrip().rpartition("\n")[2]
    print(f"\n=== {name} ===\n{said}", flush=True)
    return counts


def test_version(minor: str, summary: dict[str, Counts]) -> None:
    """All pairs of a version's patch releases; skipped if there are no two."""
    try:
        found = patch_releases.find(minor)
    except userland.Unavailable as error:
        summary[f"{minor}: {error}"] = Counts(skipped=1)
        return
    usual = Environment(found[0])
    usual.make()
    with_tests = packages_of(usual)
    builds = {found[0]: with_tests, **{each: build(each) for each in found[1:]}}
    for builder, runner in itertools.permutations(found, 2):
        name = f"built for {builder.version} run on {runner.version}"
        summary[name] = test_pair(name, [builds[builder], with_tests], runner)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("versions", nargs="*", metavar="VERSION", default=userland.MINORS)
    summary: dict[str, Counts] = {}
    for minor in parser.parse_args().versions:
        test_version(minor, summary)
    total = Counts()
    print("\n=== summary ===")
    for name, counts in summary.items():
        verdict = "FAIL" if counts.failed else "ok" if counts.passed else "SKIPPED"
        print(f"{verdict:4}  {name}: {counts}")
        total.add(counts)
    print(total, flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
