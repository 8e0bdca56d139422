"""Finds the CPython interpreters that the package supports on this machine.

One for each minor version: the newest of pyenv's, else what PATH has, else what
tools/userland.py or, without a GIL, tools/free_threaded.py has brought here.
PYTHONS="path path" in the environment names them instead; with PYTHONS=all those two
bring what they can first.  Debug builds are looked for in the same way, when they are
asked for.

    python3 tools/interpreters.py               lists them
    python3 tools/interpreters.py VERSION...    prints the paths of those of these
                                                versions ("3.12", "3.14t" or "newest")
"""

import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

import free_threaded
import userland

OLDEST = (3, 10)
NEWEST = (3, 15)

MINORS = [(3, minor) for minor in range(OLDEST[1], NEWEST[1] + 1)]

# 3.13 without a GIL was an experiment.
OLDEST_FREE_THREADED = (3, 14)
FREE_THREADED_MINORS = [minor for minor in MINORS if minor >= OLDEST_FREE_THREADED]

# Old Pythons run it too: a stray one on PATH must not end the search.
PROBE = """
import json, platform, sys, sysconfig
include = sysconfig.get_path("include") if sys.version_info >= (3, 10) else ""
print(json.dumps({
    "implementation": platform.python_implementation(),
    "version": platform.python_version(),
    "minor": sys.version_info[:2],
    "flags": getattr(sys, "abiflags", ""),
    "include": include,
}))
"""


@dataclass(frozen=True)
class Interpreter:
    python: str
    version: str
    minor: tuple[int, int]
    tag: str  # cp312; a debug build is cp312d, a free-threaded one cp314t
    include: str
    free_threaded: bool = False

    @property
    def name(self) -> str:
        return name_of(self.minor, "t" if self.free_threaded else "")

    def __str__(self) -> str:
        return f"{self.tag} (CPython {self.version}, {self.python})"


@dataclass(frozen=True)
class Missing:
    """A version that cannot be used here, and why."""

    name: str
    tag: str
    reason: str


class Unusable(Exception):
    """What an interpreter lacks."""


def name_of(minor: tuple[int, int], flags: str = "") -> str:
    """How a version is spoken of: "3.12", and "3.14t" without a GIL; a debug build has the
    name of its version."""
    return f"{minor[0]}.{minor[1]}{'t' if 't' in flags else ''}"


def tag_of(minor: tuple[int, int], flags: str) -> str:
    return f"cp{minor[0]}{minor[1]}{flags}"


def examine(python: str) -> Interpreter:
    """The interpreter at a path; Unusable if we cannot build for it."""
    command = [python, "-c", PROBE]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        facts = json.loads(answer.stdout)
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        raise Unusable(f"{python} does not run") from error
    minor = tuple(facts["minor"])
    name = f"{python} (Python {facts['version']})"
    if facts["implementation"] != "CPython":
        raise Unusable(f"{name} is not CPython")
    if minor not in MINORS:
        raise Unusable(f"{name} is not of a supported version")
    without_gil = "t" in facts["flags"]
    if without_gil and minor not in FREE_THREADED_MINORS:
        raise Unusable(f"{name} is free-threaded, which is not supported before 3.14")
    if not pathlib.Path(facts["include"], "Python.h").exists():
        package = f"python{minor[0]}.{minor[1]}-dev"
        raise Unusable(f"{name} has no Python.h: install {package} or the like")
    return Interpreter(
        python=python,
        version=facts["version"],
        minor=minor,
        tag=tag_of(minor, facts["flags"]),
        include=facts["include"],
        free_threaded=without_gil,
    )


@functools.cache
def pyenv_pythons() -> tuple[str, ...]:
    """Every interpreter of pyenv, newest patch release first."""
    root = os.environ.get("PYENV_ROOT")
    if shutil.which("pyenv"):
        answer = subprocess.run(["pyenv", "root"], capture_output=True, text=True)
        root = answer.stdout.strip() or root
    if not root:
        return ()

    def patch_release(folder: pathlib.Path) -> list[int]:
        return [int(number) for number in folder.name.rstrip("t").split(".")]

    folders = [
        folder
        for folder in pathlib.Path(root, "versions").glob("*")
        if re.fullmatch(r"\d+\.\d+\.\d+t?", folder.name)
    ]
    folders.sort(key=patch_release, reverse=True)
    return tuple(str(folder / "bin" / "python") for folder in folders)


def candidates(minor: tuple[int, int], flags: str) -> list[str]:
    """Where to look for a version, best first; the flags are "", "d" or "t"."""
    name = name_of(minor, flags)
    brought = brought_here(name, flags)
    if flags == "d":
        on_path = [shutil.which(f"python{name}{suffix}") for suffix in ("d", "-dbg")]
        return [python for python in on_path if python] + brought
    from_pyenv = [python for python in pyenv_pythons() if f"/{name_of(minor)}." in python]
    on_path = [shutil.which(f"python{name}"), shutil.which("python3"), "/usr/bin/python3"]
    return from_pyenv + [python for python in on_path if python] + brought


def brought_here(name: str, flags: str) -> list[str]:
    if flags == "t":
        return [str(free_threaded.python(name))] if free_threaded.is_made(name) else []
    return [str(userland.python(name, flags == "d"))] if userland.is_made() else []


def find_version(minor: tuple[int, int], flags: str) -> Interpreter | Missing:
    number = name_of(minor)
    tag = tag_of(minor, flags)
    reasons = []
    for python in candidates(minor, flags):
        try:
            found = examine(python)
        except Unusable as error:
            if f"(Python {number}." in str(error):
                reasons.append(str(error))
        else:
            if found.tag == tag:
                return found
    kind = {"": "CPython", "d": "debug build of CPython", "t": "free-threaded CPython"}[flags]
    reason = reasons[0] if reasons else f"no {kind} {number} found"
    return Missing(name_of(minor, flags), tag, reason)


@functools.cache
def bring_userland() -> None:
    """Let userland.py bring what it can; without it, its versions are missing."""
    try:
        userland.make()
    except userland.Unavailable as error:
        print(f"PYTHONS=all: {error}", file=sys.stderr, flush=True)


@functools.cache
def bring_free_threaded() -> None:
    """The same for free_threaded.py."""
    for name in free_threaded.NAMES:
        try:
            free_threaded.make(name)
        except userland.Unavailable as error:
            print(f"PYTHONS=all: no CPython {name}: {error}", file=sys.stderr, flush=True)


def find(debug: bool = False, without_gil: bool = True) -> tuple[list[Interpreter], list[Missing]]:
    """The interpreters to use, oldest first and free-threaded ones last, if they are wanted,
    and the versions to do without.  Debug builds have a GIL."""
    without_gil = without_gil and not debug
    named = os.environ.get("PYTHONS", "").split()
    if named == ["all"]:
        bring_userland()
        if without_gil:
            bring_free_threaded()
    elif named:
        return named_interpreters(named), []
    versions = [(minor, "d" if debug else "") for minor in MINORS]
    if without_gil:
        versions += [(minor, "t") for minor in FREE_THREADED_MINORS]
    outcomes = [find_version(*version) for version in versions]
    return (
        [outcome for outcome in outcomes if isinstance(outcome, Interpreter)],
        [outcome for outcome in outcomes if isinstance(outcome, Missing)],
    )


def named_interpreters(pythons: list[str]) -> list[Interpreter]:
    """The interpreters in PYTHONS: each must be usable, since somebody chose it."""
    by_tag: dict[str, Interpreter] = {}
    for python in pythons:
        try:
            found = examine(shutil.which(python) or python)
        except Unusable as error:
            raise SystemExit(f"PYTHONS: {error}") from None
        if found.tag in by_tag:
            raise SystemExit(f"PYTHONS: {by_tag[found.tag]} and {found} are of one version")
        by_tag[found.tag] = found
    return list(by_tag.values())


def select(versions: list[str], debug: bool = False) -> list[Interpreter]:
    """The interpreters of these versions ("3.12", "3.14t" or "newest"; none: all)."""
    found, missing = find(debug, want_free_threaded(versions))
    if not found:
        reasons = "\n".join(f"  {each.tag}: {each.reason}" for each in missing)
        raise SystemExit(f"no interpreter to build for:\n{reasons}")
    if versions == ["newest"]:
        return newest_of(found)
    chosen = [each for each in found if not versions or each.name in versions]
    if not chosen:
        lines = [f"  {each.tag}: {each.reason}" for each in missing]
        raise SystemExit("\n".join([f"no CPython {' or '.join(versions)} found", *lines]))
    return chosen


def missing(versions: list[str], debug: bool = False) -> list[Missing]:
    """Of these versions (none: all) those to do without."""
    found = find(debug, want_free_threaded(versions))
    return [each for each in found[1] if not versions or each.name in versions]


def want_free_threaded(versions: list[str]) -> bool:
    """Whether there are such among the versions (none: all); SystemExit if one is not
    supported."""
    names = [version for version in versions if re.fullmatch(r"\d+\.\d+t", version)]
    supported = [name_of(minor, "t") for minor in FREE_THREADED_MINORS]
    for name in names:
        if name not in supported:
            raise SystemExit(f"CPython {name} is not supported, {' and '.join(supported)} are")
    return bool(names) or not versions


def newest_of(found: list[Interpreter]) -> list[Interpreter]:
    """The last one, with a GIL if there is one that has it."""
    return ([each for each in found if not each.free_threaded] or found)[-1:]


def main() -> None:
    if sys.argv[1:]:
        for interpreter in select(sys.argv[1:]):
            print(interpreter.python)
        return
    found, missing = find()
    for interpreter in found:
        print(interpreter)
    for each in missing:
        print(f"{each.tag} missing: {each.reason}")


if __name__ == "__main__":
    main()
