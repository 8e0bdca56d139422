"""Runs the tests with newer compilers than this machine's.

    python3 tools/test_compilers.py [SUITE-COMPILER...]     "sid-clang"; without one, all

They are those of newer suites of Debian, unpacked, not installed, and used inside of
their own userland, with its C library and its Pythons.  By each, these are built and
run: the stack machine's C tests, optimised and with every sanitizer; and the extension
with AddressSanitizer, without a warning, for tests in Python.

What is not there is skipped, and counted as such.  PYTHONS=all in the environment
brings it, on Debian as root.  Ends with a line for each suite of tests and one that
counts all tests.
"""

import argparse
import os
import pathlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import core_tests
import cross_file
import foreign
import guests
import lint_c
import outcomes
from environment import BUILD, ROOT
from foreign import Unavailable
from outcomes import Result, brings_what_is_missing, run_suite, skipped

WORK = BUILD / "compilers"

# By Debian's suite, the Python that the tests in Python run on.
SUITES = {"trixie": "3.13", "sid": "3.15"}
# C compilers with their C++ siblings, and Debian's packages of both with the sanitizers.
COMPILERS = {"gcc": ("g++", ("gcc", "g++")), "clang": ("clang++", ("clang", "libclang-rt-dev"))}

# Besides, for the core tests and tools/asan/run.sh.
TOOLS = ("bash", "coreutils", "findutils", "grep", "sed", "libc6-dev", "libc-bin")

LEVELS = ("O2", "ubsan", "asan_returns", "tsan")
MODES = ("plain", "all")

# As meson.build has them for the variant that tools/environment.py calls asan.
ASAN_FLAGS = ("-O1", "-g", "-fsanitize=address", "-fno-omit-frame-pointer", "-DSLICE_CHECK")

# What holds frames; what switches, dies, is collected and crosses threads; and the C API.
TESTS = (
    "tests/cpython",
    "tests/ext/test_create.py",
    "tests/ext/test_death.py",
    "tests/ext/test_gc.py",
    "tests/ext/test_stacks.py",
    "tests/ext/test_switch_values.py",
    "tests/ext/test_threads.py",
    "tests/ext/test_throw.py",
    "tests/capi",
)

# Seconds for one suite of tests.
TIME_LIMIT = 1800


@dataclass(frozen=True)
class Compiler:
    """One of a suite's."""

    suite: str
    command: str

    @property
    def name(self) -> str:
        return f"{self.suite}-{self.command}"

    @property
    def minor(self) -> str:
        return SUITES[self.suite]

    @property
    def userland(self) -> pathlib.Path:
        return foreign.folder_of(self.suite, "compilers")

    def inside(self, command: list[str]) -> list[str]:
        return foreign.in_userland(self.userland, ROOT, command)

    def variables(self) -> dict[str, str]:
        return {"CC": self.command, "CXX": COMPILERS[self.command][0]}


ALL = [Compiler(suite, command) for suite in SUITES for command in COMPILERS]


def bring(compiler: Compiler) -> None:
    """Unpack a suite's compilers, unless they are there; Unavailable if they cannot be."""
    if not foreign.is_root():
        raise Unavailable("only root can run programs inside another Debian")
    if not brings_what_is_missing() and not (compiler.userland / "made-by").exists():
        raise Unavailable("it is not there: PYTHONS=all brings it")
    packages = [*foreign.python_packages((compiler.minor,)), *TOOLS]
    for _, each in COMPILERS.values():
        packages += each
    foreign.unpack(compiler.userland, compiler.suite, "amd64", tuple(packages))


def core_result(compiler: Compiler) -> Result:
    """The stack machine's C tests: meson runs here, compilers and programs in the userland,
    which sees the root of the tree in the same place."""
    folder = WORK / f"core-{compiler.name}"
    folder.mkdir(parents=True, exist_ok=True)
    inside = str(cross_file.wrapper(folder / "inside", compiler.userland))
    machine = cross_file.Machine("x86_64")
    file = cross_file.write(folder / "cross.ini", machine, [inside, compiler.command], [], [inside])
    command = core_tests.command_for(file, compiler.name, LEVELS, MODES)
    command = foreign.with_root(compiler.userland, ROOT, command)
    return run_suite(f"{compiler.name} core", command, dict(os.environ), TIME_LIMIT)


def asan_result(compiler: Compiler) -> Result:
    """Tests in Python, with an extension that AddressSanitizer watches."""
    name = f"{compiler.name} asan, python{compiler.minor}"
    site = WORK / compiler.name
    package = guests.lay_out_package(site)
    target = pathlib.Path("/srv", package.relative_to(ROOT))
    headers = guests.include_words(pathlib.Path("/"), compiler.minor)
    words = guests.extension_words(headers, target)
    command = compiler.inside([compiler.command, *lint_c.WARNINGS, *ASAN_FLAGS, *words])
    try:
        guests.compile_extension(command)
    except guests.BuildFailed as error:
        return outcomes.failed(name, error)
    environment = {**guests.environment(site), **compiler.variables()}
    python = ["tools/asan/run.sh", f"/usr/bin/python{compiler.minor}"]
    command = compiler.inside([*python, *outcomes.PYTEST, *TESTS])
    return run_suite(name, command, environment, TIME_LIMIT)


def results(chosen: list[Compiler]) -> Iterator[Result]:
    for compiler in chosen:
        try:
            bring(compiler)
            guests.pytest_packages()
        except Unavailable as error:
            yield skipped(compiler.name, error)
            continue
        yield core_result(compiler)
        yield asan_result(compiler)


def parse() -> list[Compiler]:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    by_name = {compiler.name: compiler for compiler in ALL}
    parser.add_argument("compilers", nargs="*", metavar="SUITE-COMPILER", default=list(by_name))
    names = parser.parse_args().compilers
    unknown = set(names) - set(by_name)
    if unknown:
        parser.error(f"unknown: {' '.join(sorted(unknown))}; there are {' '.join(by_name)}")
    return [by_name[name] for name in names]


def main() -> int:
    return outcomes.report(results(parse()))


if __name__ == "__main__":
    sys.exit(main())
