"""Builds and runs the stack machine's tests, which are the meson project tests/core.

    python3 tools/core_tests.py [LEVEL...] [--compiler COMMAND]... [--modes MODE...]
    python3 tools/core_tests.py O0 O2 --cross-file FILE --name arm64 [--without TEST...]

LEVEL is an optimisation, a sanitizer, or valgrind; without one, all run, each in the
modes (suites of the meson project) that it is for.  Compilers are CC, or those of gcc and
clang that are here, unless a cross file of meson's names another.

What is built stays in build/core/NAME-LEVEL, and there meson runs a program alone:

    meson test -C build/core/gcc-O2 test_lazy --suite poison

Prints a line for each compiler, level and mode, and ends with the number of program runs.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import interpreters
from counts import Counts
from environment import BUILD, BUILD_REQUIREMENTS, ROOT, Environment

MODES = ("plain", "check", "poison", "save_all", "fail_alloc", "all")

# Lines shown of what a program said that failed.
LINES = 5

# What meson calls the outcome of a test that ran, or said that it had nothing to test.
PASSED = ("OK", "EXPECTEDFAIL")
SKIPPED = ("SKIP", "IGNORED")


@dataclass(frozen=True)
class Level:
    """How programs are built, and run."""

    build: str  # of the folder's name: two levels may run the same programs
    optimisation: str
    sanitizer: str = ""
    setup: str = "usual"  # of tests/core/meson.build
    modes: tuple[str, ...] = MODES

    def options(self) -> list[str]:
        sanitizer = [f"-Db_sanitize={self.sanitizer}"] if self.sanitizer else []
        return [f"-Doptimization={self.optimisation}", *sanitizer]


LEVELS = {
    "O0": Level("O0", "0"),
    "O2": Level("O2", "2"),
    "O3": Level("O3", "3"),
    "ubsan": Level("ubsan", "1", "undefined"),
    "asan": Level("asan", "1", "address"),
    "asan_returns": Level("asan", "1", "address", "uses_after_return", ("plain", "all")),
    "tsan": Level("tsan", "1", "thread", modes=("plain", "check")),
    "valgrind": Level("O1", "1", setup="valgrind", modes=("plain",)),
}


@dataclass(frozen=True)
class Compiler:
    """This machine's, or a cross file's."""

    name: str
    command: str = ""
    cross_file: pathlib.Path | None = None

    def has_sanitizer(self, sanitizer: str) -> bool:
        """Of a cross file it is taken for granted."""
        if not sanitizer or not self.command:
            return True
        words = [*self.command.split(), f"-fsanitize={sanitizer}", "-x", "c", "-"]
        source = "int main(void) { return 0; }"
        words += ["-o", os.devnull]
        outcome = subprocess.run(words, input=source, capture_output=True, text=True)
        return outcome.returncode == 0


class Failed(Exception):
    """What meson said that could not set up or build."""


class Meson:
    """meson and ninja, from an environment of their own."""

    def __init__(self) -> None:
        environment = Environment(interpreters.select(["newest"])[0], "meson")
        try:
            environment.make()
        except SystemExit as error:
            listed = BUILD_REQUIREMENTS.relative_to(ROOT)
            reason = str(error).strip().rpartition("\n")[2]
            raise SystemExit(
                f"the core tests need meson and ninja, and pip cannot install "
                f"what {listed} lists ({reason})"
            ) from None
        self.program = environment.python.parent / "meson"
        # ninja is found on PATH.
        path = f"{self.program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        self.variables = {**os.environ, "PATH": path}

    def run(self, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.program), *[str(argument) for argument in arguments]],
            cwd=ROOT,
            env={**self.variables, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )


@dataclass
class Configuration:
    """A compiler at a level, whose programs run in some modes."""

    compiler: Compiler
    level: str
    modes: list[str]

    @property
    def name(self) -> str:
        return f"{self.compiler.name} {self.level}"

    def folder(self, build: pathlib.Path) -> pathlib.Path:
        name = re.sub(r"[^\w.+-]+", "_", self.compiler.name)
        return build / f"{name}-{LEVELS[self.level].build}"

    def set_up(self, meson: Meson, folder: pathlib.Path, without: list[str]) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        words = ["setup", folder, "tests/core", *LEVELS[self.level].options()]
        words.append(f"-Dwithout={','.join(without)}")
        variables = {"CC": self.compiler.command}
        if self.compiler.cross_file is not None:
            words += ["--cross-file", self.compiler.cross_file]
            variables = {}
        outcome = meson.run(*words, **variables)
        if outcome.returncode:
            raise Failed(outcome.stdout)

    def run(self, meson: Meson, folder: pathlib.Path) -> Counts:
        """Build and run; a line for each mode, and what is to be said of what failed."""
        setup = LEVELS[self.level].setup
        name = "testlog" if setup == "usual" else f"testlog-{setup}"
        log = folder / "meson-logs" / f"{name}.json"
        suites = [word for mode in self.modes for word in ("--suite", mode)]
        chosen = [] if setup == "usual" else ["--setup", setup]
        outcome = meson.run("test", "-C", folder, *chosen, *suites)
        if not log.exists():
            raise Failed(outcome.stdout)
        by_mode = {mode: Counts() for mode in self.modes}
        complaints: list[str] = []
        for line in log.read_text().splitlines():
            test = json.loads(line)
            mode, program = suite_and_name(test["name"])
            if test["result"] in PASSED:
                by_mode[mode].passed += 1
            elif test["result"] in SKIPPED:
                by_mode[mode].skipped += 1
            else:
                by_mode[mode].failed += 1
                complaints += describe(f"{self.name}, {mode}: {program}", test)
        total = Counts()
        for mode, counts in by_mode.items():
            print(f"{self.name}, {mode}: {counts}")
            total.add(counts)
        print(*complaints, sep="\n", end="\n" if complaints else "", flush=True)
        if outcome.returncode and total.failed == 0:
            raise Failed(outcome.stdout)
        return total


def suite_and_name(name: str) -> tuple[str, str]:
    """Of a test in meson's log, which calls it "plain - core:test_lazy"."""
    suite, _, program = name.partition(" - ")
    return suite, program.partition(":")[2]


def describe(name: str, test: dict[str, object]) -> Iterator[str]:
    command = " ".join(map(str, test["command"]))  # type: ignore[call-overload]
    yield f"FAIL  {name} ended with exit status {test['returncode']}, {test['result']}: {command}"
    said = f"{test.get('stdout', '')}\n{test.get('stderr', '')}".strip().splitlines()
    yield from (f"    {line}" for line in said[-LINES:])


def skip(reason: str) -> Counts:
    print(f"SKIPPED  {reason}", flush=True)
    return Counts(skipped=1)


def find_compilers(options: argparse.Namespace, total: Counts) -> list[Compiler]:
    if options.cross_file is not None:
        return [Compiler(options.name, cross_file=options.cross_file.resolve())]
    chosen = options.compiler or [word for word in [os.environ.get("CC")] if word]
    if chosen:
        return [Compiler(command, command) for command in chosen]
    found = []
    for command in ("gcc", "clang"):
        if shutil.which(command):
            found.append(Compiler(command, command))
        else:
            total.add(skip(f"{command} is not installed"))
    return found


def configurations(options: argparse.Namespace, total: Counts) -> Iterator[Configuration]:
    """What is to run; `total` counts what cannot."""
    for compiler in find_compilers(options, total):
        for name in options.levels or LEVELS:
            level = LEVELS[name]
            if not compiler.has_sanitizer(level.sanitizer):
                total.add(skip(f"{compiler.name} has no library of {level.sanitizer} sanitizer"))
            elif level.setup == "valgrind" and shutil.which("valgrind") is None:
                total.add(skip("valgrind is not installed"))
            elif options.modes and name in options.levels:
                # No allocation can fail under ThreadSanitizer: the project has no such suite.
                able = MODES[:4] if name == "tsan" else MODES
                yield Configuration(compiler, name, [m for m in able if m in options.modes])
            else:
                yield Configuration(compiler, name, list(level.modes))


def command_for(
    cross_file: pathlib.Path,
    name: str,
    levels: Iterable[str],
    modes: Iterable[str],
    without: Iterable[str] = (),
) -> list[str]:
    """This program, for another tool's cross file; what is built lies beside that."""
    words = [sys.executable, "tools/core_tests.py", *levels, "--modes", *modes]
    words += ["--cross-file", str(cross_file), "--name", name, "--build", str(cross_file.parent)]
    return [*words, *(["--without", *without] if without else [])]


def run_all(options: argparse.Namespace) -> Counts:
    total = Counts()
    meson = Meson()
    is_set_up = set()
    for each in configurations(options, total):
        folder = each.folder(options.build)
        try:
            if folder not in is_set_up:
                each.set_up(meson, folder, options.without)
                is_set_up.add(folder)
            total.add(each.run(meson, folder))
        except Failed as error:
            print(f"FAIL  {each.name} is not built:\n{error}", flush=True)
            total.failed += 1
    return total


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("levels", nargs="*", metavar="LEVEL", default=[])
    parser.add_argument("--compiler", action="append", default=[], metavar="COMMAND")
    parser.add_argument("--cross-file", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--name", default="cross", help="of what a cross file is for")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=[])
    parser.add_argument("--without", nargs="+", default=[], metavar="TEST")
    parser.add_argument("--build", type=pathlib.Path, default=BUILD / "core", metavar="FOLDER")
    options = parser.parse_args()
    unknown = set(options.levels) - set(LEVELS)
    if unknown:
        parser.error(f"unknown: {' '.join(sorted(unknown))}; there are {' '.join(LEVELS)}")
    options.build = options.build.resolve()
    return options


def main() -> int:
    total = run_all(parse())
    print(total, flush=True)
    return 1 if total.failed or total == Counts() else 0


if __name__ == "__main__":
    sys.exit(main())
