"""Runs wheels, on whatever Python of their platform can be had here: natively, under an
emulator, under Wine, with musl."""

import contextlib
import os
import pathlib
import shutil
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import foreign
import guests
import interpreters
import musl
import suite
import test_arches
import test_musl
import test_windows
import windows
from arches import ARCHES, Arch
from environment import BUILD, ROOT
from outcomes import PYTEST, brings_what_is_missing
from userland import Unavailable
from wheel_build import Failed, Job, run
from wheel_platforms import Platform
from windows import WindowsPython
from windows_parts import I386, Architecture

# Whether the module is there, for this Python, and switches both ways.
SWITCH = """
import greenlet
def run(value):
    return greenlet.getcurrent().parent.switch(value + 1) * 2
child = greenlet.greenlet(run)
assert child.switch(1) == 2
assert child.switch(4) == 8 and child.dead
print("1 passed, 0 failed")
"""

# Debian's names of architectures.
DEBIAN = {
    "aarch64": "arm64",
    "i686": "i386",
    "armv7l": "armhf",
    "ppc64le": "ppc64el",
    "s390x": "s390x",
    "riscv64": "riscv64",
    "loongarch64": "loong64",
}

# Seconds.
SWITCH_LIMIT = 120
SMOKE_LIMIT = 900

INSTALLED = BUILD / "wheels" / "installed"


@dataclass(frozen=True)
class Runner:
    """A Python that wheels can be run on: how it is called, and with which environment, given
    the folder into which a wheel is installed."""

    command: Callable[[list[str]], list[str]]
    environment: Callable[[pathlib.Path], dict[str, str]]
    is_emulated: bool = False


def install(job: Job, wheel: pathlib.Path, platform: str = "") -> pathlib.Path:
    """As pip does it for a platform, the wheel's without a name of one: into a folder for a
    Python's path."""
    folder = INSTALLED / job.platform.tag / job.version.tag
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    command += ["--only-binary=:all:", "--implementation", "cp", "--abi", job.version.tag]
    command += ["--python-version", job.version.number]
    command += ["--platform", platform or pip_platform(wheel)]
    run(*command, "--target", folder, wheel)
    return folder


def pip_platform(wheel: pathlib.Path) -> str:
    return wheel.stem.rpartition("-")[2].rpartition(".")[2]


def switch(job: Job, runner: Runner, folder: pathlib.Path) -> None:
    """Import what is installed, and switch; Failed if that goes wrong."""
    command = runner.command(["-c", SWITCH])
    ended = suite.run(f"wheel-{job.name}", command, runner.environment(folder), SWITCH_LIMIT)
    if ended.counts().failed:
        raise Failed(f"{job.name} does not run:\n{ended.output}")


def smoke(job: Job, runner: Runner, folder: pathlib.Path) -> str:
    """The suite that shows that a port works: how many tests passed; Failed if one did not."""
    arguments = [*PYTEST, *test_arches.SMOKE]
    fault = test_windows.FAULTS.get(job.version.name) if job.platform.system == "windows" else None
    if fault is not None:
        arguments += ["-k", f"not ({fault.tests})"]
    if runner.is_emulated:
        arguments += ["-m", "not heavy"]
    environment = runner.environment(folder)
    command = runner.command(arguments)
    ended = suite.run(f"wheel-smoke-{job.name}", command, environment, SMOKE_LIMIT)
    counts = ended.counts()
    if counts.failed:
        raise Failed(f"{job.name}: {ended.output[-5000:]}")
    return str(counts)


# ---- Which Pythons there are ----


@contextlib.contextmanager
def runners(platform: Platform, names: Collection[str]) -> Iterator[dict[str, Runner]]:
    """By names of versions, of which these are wanted; Unavailable if none of the platform can be
    had."""
    if platform.system == "darwin":
        raise Unavailable("no Python for macOS runs here")
    if platform.system == "windows":
        yield wine_runners(platform, names)
    elif platform.is_musl:
        with musl_runners(platform, names) as pythons:
            yield pythons
    elif platform.arch == "x86_64":
        yield native_runners(names)
    else:
        arch = arch_named(DEBIAN[platform.arch])
        pythons = userland_runners(arch, names)
        with test_arches.running(arch):
            yield pythons


def arch_named(name: str) -> Arch:
    return next(each for each in ARCHES if each.name == name)


def wanted_of(known: Collection[str], names: Collection[str]) -> list[str]:
    """Those versions that can be had of the ones that are wanted; Unavailable if there is none."""
    wanted = [name for name in known if name in names]
    if not wanted:
        raise Unavailable(f"there are Pythons {', '.join(known)} only")
    return wanted


def native_runners(names: Collection[str]) -> dict[str, Runner]:
    """Whatever interpreters.py finds."""
    guests.pytest_packages()
    found, _ = interpreters.find(without_gil=any(name.endswith("t") for name in names))
    return {each.name: called_by_path(each.python) for each in found if each.name in names}


def called_by_path(
    python: str, more: tuple[pathlib.Path, ...] = (), arch: Arch | None = None
) -> Runner:
    """A program of this machine's kernel, if need be of another architecture."""
    variables = test_arches.emulation_variables(arch) if arch else {}

    def environment(folder: pathlib.Path) -> dict[str, str]:
        path = os.pathsep.join(map(str, [folder, *more, guests.PACKAGES]))
        ours = {"PYTHONPATH": path, "PYTHONPYCACHEPREFIX": str(INSTALLED / "cache")}
        return {**os.environ, **ours, **variables}

    return Runner(lambda arguments: [python, *arguments], environment, bool(variables))


@contextlib.contextmanager
def musl_runners(platform: Platform, names: Collection[str]) -> Iterator[dict[str, Runner]]:
    architectures = {each.name: each for each in musl.ARCHITECTURES}
    if platform.arch not in architectures:
        raise Unavailable("no Python for musl of the architecture")
    wanted = wanted_of(musl.NAMES, names)
    require_bringing()
    guests.pytest_packages()
    # Threads there have stacks in which CPython itself overflows.
    customize = INSTALLED / "musl"
    customize.mkdir(parents=True, exist_ok=True)
    (customize / "sitecustomize.py").write_text(test_musl.CUSTOMIZE)
    arch = arch_named(DEBIAN.get(platform.arch, "musl"))
    pythons = {}
    with test_arches.running(arch):
        for name in wanted:
            program = musl.program(musl.bring(name, architectures[platform.arch]), name)
            pythons[name] = called_by_path(str(program), (customize,), arch)
        yield pythons


def wine_runners(platform: Platform, names: Collection[str]) -> dict[str, Runner]:
    architectures = {each.platform: each for each in windows.ARCHITECTURES}
    if platform.tag not in architectures:
        raise Unavailable("no Python for it that Wine runs here")
    wanted = wanted_of(windows.NAMES, names)
    require_bringing()
    windows.require_tools()
    architecture = architectures[platform.tag]
    words = wine_words(architecture)
    return {name: wine(windows.bring(name, architecture), words) for name in wanted}


def wine_words(architecture: Architecture) -> list[str]:
    """What calls a program for Windows."""
    if architecture == I386:
        return [str(test_arches.bring_wine32())]
    windows.prepare_wine()
    return ["wine"]


def wine(python: WindowsPython, words: list[str]) -> Runner:
    packages = test_windows.test_packages(python)
    customize = INSTALLED / "windows"
    customize.mkdir(parents=True, exist_ok=True)
    (customize / "sitecustomize.py").write_text(test_windows.CUSTOMIZE)

    def environment(folder: pathlib.Path) -> dict[str, str]:
        path = ";".join(map(windows.path_in_wine, [folder, customize, packages]))
        cache = windows.path_in_wine(INSTALLED / "cache")
        return {
            **os.environ,
            **windows.SETTINGS,
            "PYTHONPATH": path,
            "PYTHONPYCACHEPREFIX": cache,
        }

    return Runner(lambda arguments: [*words, str(python.program), *arguments], environment)


def userland_runners(arch: Arch, names: Collection[str]) -> dict[str, Runner]:
    """Debian's Pythons of an architecture, as test_arches.py has them."""
    userland = arch.userland
    assert userland is not None
    wanted = wanted_of(userland.minors, names)
    require_bringing()
    if not foreign.is_root():
        raise Unavailable("only root can run programs inside another Debian")
    guests.pytest_packages()
    more = test_arches.FOR_UPSTREAM if userland.wheels else ()
    folder = foreign.python_userland(userland.suite, userland.debian, userland.minors, more)

    def runner(minor: str) -> Runner:
        def inside(arguments: list[str]) -> list[str]:
            return foreign.in_userland(folder, ROOT, [f"/usr/bin/python{minor}", *arguments])

        def environment(site: pathlib.Path) -> dict[str, str]:
            return test_arches.python_environment(test_arches.Python(arch, folder, minor, site))

        return Runner(inside, environment, test_arches.is_emulated(arch))

    return {minor: runner(minor) for minor in wanted}


def require_bringing() -> None:
    """Unavailable unless the user wants more than the machine has."""
    if not brings_what_is_missing():
        raise Unavailable("PYTHONS=all brings what runs it")
