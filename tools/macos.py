"""Builds wheels for macOS, for both of its architectures at once, and looks at them: they cannot
be run here.

    macos.py [VERSION...]       "3.12" or "3.14t"; without one, all
    macos.py core               the stack machine's tests

Wheels are built as wheels.py builds them, twice, which must give the same bytes; macos_checks.py
judges them.  What has passed lies in build/dist.  The stack machine's tests are compiled and
linked, without a warning; nobody runs them.

Runs in the environment that environment.py calls "wheels".  What is not there is skipped, and
counted as such: PYTHONS=all in the environment brings it, on Debian as root.  Ends with a line
for each version, and one that counts the checks.
"""

import argparse
import pathlib
import shutil
import sys
import time
from collections.abc import Iterator

import core_tests
import cross_file
import macos_checks
import outcomes
import wheel_build
import wheel_checks
from environment import BUILD
from lint_report import Report
from outcomes import Result, brings_what_is_missing, skipped
from userland import Unavailable
from wheel_build import Failed, Job
from wheel_platforms import MACOS, VERSIONS, Platform, Version

# What is built besides wheels.
CORE = "core"


def check(version: Version) -> Result:
    name = f"macOS {version.name}"
    print(f"\n=== {name} ===", flush=True)
    start = time.monotonic()
    job = Job(MACOS, version)
    report = Report()
    try:
        wheel_build.prepare_headers([job])
        made = wheel_build.build(job, "first")
        report.check("tags, and what is in it", wheel_checks.problem(job, made))
        for what, problem in macos_checks.verdicts(job, made, job.folder("first")):
            report.check(what, problem)
        again = wheel_build.build(job, "second")
    except Failed as error:
        return outcomes.failed(name, error)
    except Unavailable as error:
        return skipped(name, error)
    same = again.read_bytes() == made.read_bytes()
    report.check("the same bytes when it is built again", "" if same else f"{made} is not")
    if report.counts.failed == 0:
        (BUILD / "dist").mkdir(parents=True, exist_ok=True)
        shutil.copy(made, BUILD / "dist")
    return Result(name, report.counts, time.monotonic() - start)


def write_cross(platform: Platform, folder: pathlib.Path) -> pathlib.Path:
    """A cross file of meson's, in a new folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    machine = cross_file.Machine(platform.family, platform.system)
    compiler = wheel_build.compiler_of(platform)
    return cross_file.write(
        folder / "cross.ini", machine, compiler, [], [], is_run=False, linker="lld"
    )


def check_core_tests() -> Result:
    """The stack machine's, which nothing runs here."""
    name = "macOS core"
    start = time.monotonic()
    meson = core_tests.Meson()
    report = Report()
    for platform in MACOS.halves:
        folder = BUILD / "macos" / "core" / platform.arch
        try:
            cross = write_cross(platform, folder)
        except Unavailable as error:
            return skipped(name, error)
        said = ""
        for words in (
            ("setup", folder / "meson", "tests/core", "--cross-file", cross),
            ("compile", "-C", folder / "meson"),
        ):
            outcome = meson.run(*words)
            if outcome.returncode:
                said = outcome.stdout
                break
        report.check(f"{platform.arch}: the core tests link", said)
    return Result(name, report.counts, time.monotonic() - start)


def results(chosen: list[str]) -> Iterator[Result]:
    if not brings_what_is_missing():
        yield skipped("macOS", "PYTHONS=all brings a compiler for it, and its Pythons")
        return
    if not chosen or CORE in chosen:
        yield check_core_tests()
    versions = [each for each in VERSIONS if not chosen or each.name in chosen]
    if not versions:
        return
    try:
        wheel_build.prepare_source()
    except Failed as error:
        yield outcomes.failed("macOS", error)
        return
    for version in versions:
        yield check(version)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [CORE, *(each.name for each in VERSIONS)]
    parser.add_argument("versions", nargs="*", metavar="VERSION")
    chosen = parser.parse_args().versions
    unknown = [each for each in chosen if each not in names]
    if unknown:
        parser.error(f"{' '.join(unknown)}: not one of {' '.join(names)}")
    return outcomes.report(results(chosen))


if __name__ == "__main__":
    sys.exit(main())
