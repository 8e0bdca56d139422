"""Runs the test suites on every supported interpreter of this machine.

    python3 tools/run_tests.py [SUITE...] [options] [-- PYTEST ARGUMENT...]

SUITE is core (the stack machine's C tests), python (our Python tests) or
upstream (the published package's tests on our build); without one, all run.
As many interpreters are tested at a time as the machine has processors; what their
suites print is shown when they have ended, and can be followed in build/logs.
Ends with a line for each interpreter and one that counts all tests.
"""

import argparse
import concurrent.futures
import functools
import os
import pathlib
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import interpreters
import suite
from counts import Counts
from environment import BUILD, ROOT, VARIANTS, Environment

# Seconds for one suite on one interpreter: valgrind takes the longest, beside others.
TIME_LIMIT = 3000

SUITES = ("core", "python", "upstream")
PYTHON_TESTS = (
    "tests/cpython",
    "tests/ext",
    "tests/capi",
    "tests/crash",
    "tests/races",
    "tests/debug",
    "tests/types",
    "tests/examples",
    "tests/docs",
    "tests/endurance",
    "tests/tools",
    "tests/profilers",
)


@dataclass
class Result:
    """What came of the suites on one interpreter, or of the core's."""

    name: str
    suites: dict[str, Counts] = field(default_factory=dict)
    seconds: float = 0
    said: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """To be shown when all suites have run."""
        self.said.append(text)

    def total(self) -> Counts:
        total = Counts()
        for counts in self.suites.values():
            total.add(counts)
        return total

    def __str__(self) -> str:
        parts = "; ".join(f"{name}: {counts}" for name, counts in self.suites.items())
        verdict = "FAIL" if self.total().failed else "ok"
        return f"{verdict:4}  {self.name}: {parts} ({self.seconds:.0f} s)"


def run_suite(result: Result, name: str, command: list[str], environment: dict[str, str]) -> None:
    """Run one suite, and note what it said and its counts."""
    result.say(f"\n=== {result.name}: {name} ===\n{' '.join(command)}\n")
    if not (ROOT / command[0]).exists() and shutil.which(command[0]) is None:
        result.say(f"{command[0]} is missing\n")
        result.suites[name] = Counts(failed=1)
        return
    log_name = f"{result.name.partition(' ')[0]}-{name}"
    ended = suite.run(log_name, command, environment, TIME_LIMIT)
    result.say(ended.output)
    result.suites[name] = ended.counts()
    result.seconds += ended.seconds
    if ended.status:
        result.say(f"{name} ended with exit status {ended.status}; its output: {ended.log}\n")


def core_result() -> Result:
    compiler = os.environ.get("CC", "cc")
    if shutil.which(compiler.split()[0]) is None:
        sys.exit(f"no C compiler: {compiler} is not on PATH")
    result = Result(f"core (CC={compiler})")
    command = [sys.executable, "tools/core_tests.py"]
    run_suite(result, "core", command, {**os.environ, "CC": compiler})
    return result


def under(options: argparse.Namespace) -> str:
    """The name of the tool that tests run under: its scripts have a folder each."""
    return pathlib.PurePath(options.under.split()[0]).parent.name if options.under else ""


def python_result(interpreter: interpreters.Interpreter, options: argparse.Namespace) -> Result:
    """Make the interpreter's environment and run the Python suites in it."""
    environment = Environment(interpreter, options.variant)
    name = str(interpreter)
    manner = options.variant or under(options)
    if manner:
        name = f"{interpreter.tag}-{manner} (CPython {interpreter.version})"
    result = Result(name)
    try:
        environment.make()
    except SystemExit as error:
        result.say(f"\n=== {result.name} ===\n{error}\n")
        result.suites["build"] = Counts(failed=1)
        return result
    # Into a file, since pytest keeps what goes to the standard error stream.
    complaints = BUILD / "logs" / f"ubsan-{interpreter.tag}"
    options_for_ubsan = f"print_stacktrace=1:abort_on_error=1:log_path={complaints}"
    variables = {**os.environ, "UBSAN_OPTIONS": options_for_ubsan}
    # Nothing of the caller's shall be imported instead of what is tested.
    variables.pop("PYTHONPATH", None)
    prefix = options.under.split() if options.under else []
    python = [*prefix, str(environment.python)]
    if "python" in options.suites:
        command = [*python, "-m", "pytest", "-q", "-rfEs", *pytest_arguments(options.pytest)]
        run_suite(result, "python", command, variables)
    if "upstream" in options.suites:
        run_suite(result, "upstream", [*python, "tests/upstream/run.py"], variables)
    for file in complaints.parent.glob(f"{complaints.name}.*"):
        result.say(file.read_text(errors="replace"))
        file.unlink()
    return result


def pytest_arguments(given: list[str]) -> list[str]:
    """All our tests, unless the arguments name some."""
    if any((ROOT / word.partition("::")[0]).exists() for word in given):
        return given
    return [folder for folder in PYTHON_TESTS if (ROOT / folder).is_dir()] + given


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suites", nargs="*", metavar="SUITE", default=[])
    parser.add_argument("--versions", nargs="+", default=[], help='"3.12", "3.14t", "newest"')
    parser.add_argument("--debug-builds", action="store_true", help="of Python, not the ordinary")
    parser.add_argument("--variant", choices=sorted(VARIANTS), default="")
    parser.add_argument("--under", metavar="COMMAND", help="put before the python that runs tests")
    words = sys.argv[1:]
    for_pytest = []
    if "--" in words:
        for_pytest = words[words.index("--") + 1 :]
        words = words[: words.index("--")]
    options = parser.parse_args(words)
    unknown = set(options.suites) - set(SUITES)
    if unknown:
        parser.error(f"unknown suite: {' '.join(sorted(unknown))}")
    options.suites = options.suites or list(SUITES)
    options.pytest = for_pytest
    return options


def main() -> int:
    options = parse()
    jobs: list[Callable[[], Result]] = []
    missing: list[interpreters.Missing] = []
    if "core" in options.suites:
        jobs.append(core_result)
    if options.suites != ["core"]:
        chosen = interpreters.select(options.versions, options.debug_builds)
        missing = interpreters.missing(options.versions, options.debug_builds)
        jobs += [functools.partial(python_result, each, options) for each in chosen]
    results = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for result in pool.map(lambda job: job(), jobs):
            print("".join(result.said), end="", flush=True)
            results.append(result)
    print("\n=== summary ===")
    total = Counts(skipped=len(missing))
    for result in results:
        print(result)
        total.add(result.total())
    for each in missing:
        print(f"SKIPPED  {each.tag}: {each.reason}")
    print(total, flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
