"""Judges wheels for macOS, which cannot be run here: what delocate, pip and macho.py say of them,
and whether a CPython for macOS has the structures that the extension was told of."""

import os
import pathlib
import zipfile
from collections.abc import Iterator

import macho
import macos_layout
import macos_toolchain
import wheel_runs
from wheel_build import (
    MODULE,
    PACKAGE,
    Failed,
    Job,
    compiler_of,
    flags_of,
    headers_folder,
    run,
    tools_environment,
)
from wheel_platforms import OLDEST_MACOS

SYSTEM_LIBRARY = "/usr/lib/libSystem.B.dylib"


def verdicts(job: Job, wheel: pathlib.Path, folder: pathlib.Path) -> Iterator[tuple[str, str]]:
    """What is looked at, and the problem with it, if there is one.  Failed if one of the judges
    fails; Unavailable if what they look with cannot be had."""
    yield from by_delocate(wheel, folder / "delocated")
    for half in job.platform.halves:
        yield f"{half.arch}: pip installs it", pip_problem(Job(half, job.version), wheel)
    extension = extract_extension(job, wheel, folder)
    library = macos_layout.bring_library(job.version, folder / "real")
    objdump = macos_toolchain.bring() / "objdump"
    yield from macho.checks(extension, library, str(objdump))
    if job.version.minor >= macos_layout.FIRST_WITH_TABLE:
        for half in job.platform.halves:
            yield structures(Job(half, job.version), library)


def by_delocate(wheel: pathlib.Path, folder: pathlib.Path) -> Iterator[tuple[str, str]]:
    path = os.pathsep.join([str(macos_toolchain.bring()), tools_environment()["PATH"]])
    said = run("delocate-listdeps", "--all", wheel, PATH=path)
    is_system = said.split() == [SYSTEM_LIBRARY]
    yield "delocate lists the system's library only", "" if is_system else said
    want = ["--require-archs", "universal2", "--require-target-macos-version", OLDEST_MACOS]
    run("delocate-wheel", *want, "--wheel-dir", folder, wheel, PATH=path)
    names = [each.name for each in folder.iterdir()]
    yield "delocate leaves the wheel its name", "" if names == [wheel.name] else str(names)


def pip_problem(job: Job, wheel: pathlib.Path) -> str:
    """On the oldest system of an architecture."""
    try:
        wheel_runs.install(job, wheel, job.platform.tag)
    except Failed as error:
        return str(error)
    return ""


def extract_extension(job: Job, wheel: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    name = f"{MODULE}{job.platform.extension_suffix(job.version)}"
    with zipfile.ZipFile(wheel) as archive:
        return pathlib.Path(archive.extract(f"{PACKAGE}/{name}", folder))


def structures(job: Job, library: pathlib.Path) -> tuple[str, str]:
    """Of the headers that the extension of an architecture was compiled with."""
    compiler = [*compiler_of(job.platform), *flags_of(job.version)]
    real = macos_layout.of_library(library, job.platform.arch)
    ours = headers_folder(job.version, job.platform.system)
    problem = macos_layout.problem(real, macos_layout.candidates(job.version, ours, compiler))
    return f"{job.platform.arch}: structures are those of CPython {real} for macOS", problem
