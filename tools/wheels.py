"""Builds wheels for all platforms and all CPythons on one Linux machine, judges them, and runs
those for which there is a Python here.

    wheels.py [--platforms WORD...] [--versions VERSION...] [--twice none|one|all] [--jobs N]

WORD is part of a platform's tag ("aarch64", "musllinux", "win"), VERSION is "3.12" or "3.14t";
without them, all.  One wheel of each platform is built twice, which must give the same bytes,
or none or all are.  Each that can be run imports the package and switches; of each platform one
version runs the tests that show that a port works.  What has passed lies in build/dist.

Runs in the environment that environment.py calls "wheels".  PYTHONS=all brings the Pythons that
run wheels, on Debian as root; without that only this machine's own are used.  Ends with a
table, and a line that counts the wheels.
"""

import argparse
import concurrent.futures
import os
import pathlib
import resource
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import wheel_build
import wheel_checks
import wheel_runs
from counts import Counts
from environment import BUILD
from outcomes import brings_what_is_missing
from userland import Unavailable
from wheel_build import Failed, Job
from wheel_platforms import PLATFORMS, VERSIONS, Platform, Version, why_not_built

DIST = BUILD / "dist"

# The tests of a port run on the first of these that there is.
BEST_TO_TEST = ("3.14", "3.13", "3.15")

# What a machine must have besides Python, and Debian's packages of it.
PROGRAMS = {"cc": "gcc", "git": "git", "apt-get": "apt"}

# Lines of what failed that are shown again at the end.
COMPLAINTS = 20


@dataclass
class Outcome:
    """What became of one wheel, told as far as it got."""

    job: Job
    wheel: pathlib.Path | None = None
    is_same_again: bool = False
    ran: str = ""
    not_built: str = ""
    problem: str = ""

    @property
    def complaint(self) -> str:
        """The last lines of what is wrong."""
        return "\n".join(self.problem.splitlines()[-COMPLAINTS:])

    @property
    def cell(self) -> str:
        """For the table."""
        if self.problem:
            return "FAILED"
        if self.not_built:
            return "-"
        return self.ran or "judged"


@dataclass
class Row:
    """The wheels of one platform."""

    platform: Platform
    outcomes: list[Outcome]
    why_not_run: str = ""


def say(text: str) -> None:
    print(text, flush=True)


# ---- Building and judging ----


def make(job: Job, twice: bool) -> Outcome:
    outcome = Outcome(job)
    outcome.not_built = why_not_built(job.platform, job.version) or why_not_here(job.platform)
    if outcome.not_built:
        return outcome
    start = time.monotonic()
    try:
        outcome.wheel = make_one(job, "first")
        if twice:
            again = make_one(job, "second")
            if again.read_bytes() != outcome.wheel.read_bytes():
                raise Failed(f"{again} is not what was built before")
            outcome.is_same_again = True
    except Failed as error:
        outcome.problem = str(error)
    except Unavailable as error:
        outcome.not_built = str(error).strip().splitlines()[-1]
        return outcome
    verdict = "FAILED" if outcome.problem else "ok    "
    same = ", twice the same" if outcome.is_same_again else ""
    seconds = time.monotonic() - start
    say(f"{verdict} {job.name}{same} ({seconds:.0f} s)\n{outcome.complaint}".strip())
    return outcome


def why_not_here(platform: Platform) -> str:
    """Nothing if this machine has, or may bring, what compiles for a platform."""
    if platform.system == "darwin" and not brings_what_is_missing():
        return "PYTHONS=all brings what compiles for it"
    return ""


def make_one(job: Job, attempt: str) -> pathlib.Path:
    wheel = wheel_build.build(job, attempt)
    judged = wheel_checks.judge(job, wheel, job.folder(attempt))
    if attempt != "first":
        # Nobody looks at it again, and the folders of all are large.
        for meson in list(job.folder(attempt).glob("**/meson")):
            shutil.rmtree(meson)
    return judged


def build_all(options: argparse.Namespace) -> list[Row]:
    platforms: list[Platform] = options.platforms
    versions: list[Version] = options.versions
    jobs = [Job(platform, version) for version in versions for platform in platforms]
    built = [job for job in jobs if not why_not_built(job.platform, job.version)]
    wheel_build.prepare_headers(built)
    twice = {"none": [], "one": first_of_each(built), "all": built}[options.twice]
    # Versions outermost: the compiler's own library for a platform is made by its first wheel.
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(lambda job: make(job, job in twice), jobs))
    return [
        Row(platform, [each for each in outcomes if each.job.platform == platform])
        for platform in platforms
    ]


def first_of_each(jobs: list[Job]) -> list[Job]:
    """One of each platform's."""
    first: dict[str, Job] = {}
    for job in jobs:
        first.setdefault(job.platform.tag, job)
    return list(first.values())


# ---- Running ----


def run_row(row: Row) -> None:
    """Install and run what can be run of a platform's wheels."""
    names = [each.job.version.name for each in row.outcomes if each.wheel and not each.problem]
    if not names:
        return
    try:
        with wheel_runs.runners(row.platform, names) as runners:
            tested = version_to_test(row, runners)
            for outcome in row.outcomes:
                runner = runners.get(outcome.job.version.name)
                if outcome.wheel and not outcome.problem:
                    run_one(outcome, runner, outcome.job.version.name == tested)
    except Unavailable as error:
        row.why_not_run = str(error).strip().splitlines()[-1]
        for outcome in row.outcomes:
            if outcome.wheel and not outcome.problem:
                run_one(outcome, None, False)


def version_to_test(row: Row, runners: dict[str, wheel_runs.Runner]) -> str:
    made = {each.job.version.name for each in row.outcomes if each.wheel} & set(runners)
    best = [name for name in BEST_TO_TEST if name in made]
    return (best or sorted(made) or [""])[0]


def run_one(outcome: Outcome, runner: wheel_runs.Runner | None, with_tests: bool) -> None:
    """Without a runner it is only installed."""
    assert outcome.wheel is not None
    try:
        folder = wheel_runs.install(outcome.job, outcome.wheel)
        if runner is None:
            return
        wheel_runs.switch(outcome.job, runner, folder)
        outcome.ran = "run"
        if with_tests:
            counts = wheel_runs.smoke(outcome.job, runner, folder)
            outcome.ran = "TESTED"
            say(f"ok     {outcome.job.name} passes the tests of a port: {counts}")
    except Failed as error:
        outcome.problem = str(error)
        say(f"FAILED {outcome.job.name} does not run\n{outcome.complaint}")


# ---- The end ----


def publish(archive: pathlib.Path, rows: list[Row]) -> str:
    """Copy the source archive and what has passed to build/dist; what the index's own tools have
    against it."""
    DIST.mkdir(parents=True, exist_ok=True)
    shutil.copy(archive, DIST)
    passed = [
        each.wheel for row in rows for each in row.outcomes if each.wheel and not each.problem
    ]
    if not passed:
        return "there is no wheel"
    problem = wheel_checks.check_for_index(passed)
    if not problem:
        for wheel in passed:
            shutil.copy(wheel, DIST)
    return problem


def table(rows: list[Row]) -> Iterator[str]:
    names = [each.job.version.name for each in rows[0].outcomes]
    width = max(len(row.platform.tag) for row in rows)
    yield " " * width + "".join(f"{name:>8}" for name in names)
    for row in rows:
        yield f"{row.platform.tag:<{width}}" + "".join(f"{each.cell:>8}" for each in row.outcomes)
    yield ""
    yield "TESTED: runs the tests of a port; run: imports and switches; judged: built and judged,"
    yield "installed, but there is no Python here to run it; -: not built"
    for row in rows:
        reasons = {each.not_built for each in row.outcomes if each.not_built}
        if row.why_not_run:
            reasons.add(f"not run: {row.why_not_run}")
        for reason in sorted(reasons):
            yield f"{row.platform.tag}: {reason}"


def counts_of(rows: list[Row]) -> Counts:
    outcomes = [each for row in rows for each in row.outcomes]
    failed = sum(bool(each.problem) for each in outcomes)
    left_out = sum(bool(each.not_built) for each in outcomes)
    return Counts(len(outcomes) - failed - left_out, failed, left_out)


def minutes_since(start: float) -> str:
    """And of processors: a machine that does other work, too, tells little by its clock."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = (used.ru_utime + used.ru_stime) / 60
    return f"({(time.monotonic() - start) / 60:.1f} minutes, {busy:.1f} of one processor)"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--platforms", nargs="+", metavar="WORD", default=[""])
    parser.add_argument("--versions", nargs="+", metavar="VERSION", default=[])
    parser.add_argument("--twice", choices=("none", "one", "all"), default="one")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="wheels at a time")
    options = parser.parse_args()
    options.versions = [
        each for each in VERSIONS if not options.versions or each.name in options.versions
    ]
    options.platforms = [
        each for each in PLATFORMS if any(word in each.tag for word in options.platforms)
    ]
    if not options.versions or not options.platforms:
        tags = " ".join(each.tag for each in PLATFORMS)
        names = " ".join(each.name for each in VERSIONS)
        parser.error(f"no wheel is chosen of these platforms: {tags}, and versions: {names}")
    return options


def what_is_missing() -> str:
    missing = [package for name, package in PROGRAMS.items() if shutil.which(name) is None]
    return f"not installed, and needed to build wheels: {' '.join(missing)}" if missing else ""


def main() -> int:
    options = parse()
    if what_is_missing():
        say(what_is_missing())
        return 1
    start = time.monotonic()
    try:
        archive = wheel_build.prepare_source()
        rows = build_all(options)
    except (Failed, Unavailable) as error:
        say(str(error))
        say(str(Counts(failed=1)))
        return 1
    say(f"to build: {minutes_since(start)}")
    for row in rows:
        run_row(row)
    problem = publish(archive, rows)
    total = counts_of(rows)
    for row in rows:
        for each in row.outcomes:
            if each.problem:
                say(f"\n{each.job.name}:\n{each.complaint}")
    if problem:
        total.add(Counts(failed=1))
        say(problem)
    say("\n" + "\n".join(table(rows)))
    say(minutes_since(start))
    say(str(total))
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
