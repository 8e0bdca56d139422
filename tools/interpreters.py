"""Finds the CPython interpreters that the package supports on this machine.

One for each minor version: the newest of pyenv's, else what PATH has, else what
tools/userland.py has brought here.  PYTHONS="path path" in the environment names
them instead; with PYTHONS=all userland.py brings what it can first.  Debug builds
are looked for in the same way, when they are asked for.

    python3 tools/interpreters.py               lists them
    python3 tools/interpreters.py VERSION...    prints the paths of those of these
                                                versions ("3.12", or "newest")
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

import userland

OLDEST = (3, 10)
NEWEST = (3, 15)

MINORS = [(3, minor) for minor in range(OLDEST[1], NEWEST[1] + 1)]

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
    tag: str  # cp312; a debug build is cp312d
    include: str

    @property
    def name(self) -> str:
        return f"{self.minor[0]}.{self.minor[1]}"

    def __str__(self) -> str:
        return f"{self.tag} (CPython {self.version}, {self.python})"


@dataclass(frozen=True)
class Missing:
    """A version that cannot be used here, and why."""

    tag: str
    reason: str


class Unusable(Exception):
    """What an interpreter lacks."""


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
    if "t" in facts["flags"]:
        raise Unusable(f"{name} is free-threaded, which is not supported yet")
    if not pathlib.Path(facts["include"], "Python.h").exists():
        package = f"python{minor[0]}.{minor[1]}-dev"
        raise Unusable(f"{name} has no Python.h: install {package} or the like")
    return Interpreter(
        python=python,
        version=facts["version"],
        minor=minor,
        tag=f"cp{minor[0]}{minor[1]}{facts['flags']}",
        include=facts["include"],
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
        return [int(number) for number in folder.name.split(".")]

    folders = [
        folder
        for folder in pathlib.Path(root, "versions").glob("*")
        if re.fullmatch(r"\d+\.\d+\.\d+", folder.name)
    ]
    folders.sort(key=patch_release, reverse=True)
    return tuple(str(folder / "bin" / "python") for folder in folders)


def candidates(minor: tuple[int, int], debug: bool) -> list[str]:
    """Where to look for a version, best first."""
    name = f"{minor[0]}.{minor[1]}"
    brought = [str(userland.python(name, debug))] if userland.is_made() else []
    if debug:
        on_path = [shutil.which(f"python{name}{suffix}") for suffix in ("d", "-dbg")]
        return [python for python in on_path if python] + brought
    from_pyenv = [python for python in pyenv_pythons() if f"/{name}." in python]
    on_path = [shutil.which(f"python{name}"), shutil.which("python3"), "/usr/bin/python3"]
    return from_pyenv + [python for python in on_path if python] + brought


def find_minor(minor: tuple[int, int], debug: bool) -> Interpreter | Missing:
    name = f"{minor[0]}.{minor[1]}"
    tag = f"cp{minor[0]}{minor[1]}{'d' if debug else ''}"
    reasons = []
    for python in candidates(minor, debug):
        try:
            found = examine(python)
        except Unusable as error:
            if f"(Python {name}." in str(error):
                reasons.append(str(error))
        else:
            if found.tag == tag:
                return found
    kind = "debug build of CPython" if debug else "CPython"
    return Missing(tag, reasons[0] if reasons else f"no {kind} {name} found")


@functools.cache
def bring_userland() -> None:
    """Let userland.py bring what it can; without it, its versions are missing."""
    try:
        userland.make()
    except userland.Unavailable as error:
        print(f"PYTHONS=all: {error}", file=sys.stderr, flush=True)


def find(debug: bool = False) -> tuple[list[Interpreter], list[Missing]]:
    """The interpreters to use, oldest first, and the versions to do without."""
    named = os.environ.get("PYTHONS", "").split()
    if named == ["all"]:
        bring_userland()
    elif named:
        return named_interpreters(named), []
    outcomes = [find_minor(minor, debug) for minor in MINORS]
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
    """The interpreters of these versions ("3.12" or "newest"; none: all)."""
    found, missing = find(debug)
    if not found:
        reasons = "\n".join(f"  {each.tag}: {each.reason}" for each in missing)
        raise SystemExit(f"no interpreter to build for:\n{reasons}")
    if versions == ["newest"]:
        return found[-1:]
    chosen = [each for each in found if not versions or each.name in versions]
    if not chosen:
        raise SystemExit(f"no CPython {' or '.join(versions)} found")
    return chosen


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
