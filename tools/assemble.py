"""Makes a Python in a folder of its own out of parts: the program out of one package, its
library in Python and the headers out of another."""

import pathlib
import shutil
import sys

import userland
from userland import run

LAUNCHER = pathlib.Path(__file__).resolve().parent / "launch.c"


def unpack_wheel(
    requirement: str, name: str, folder: pathlib.Path, platform: str = "manylinux2014_x86_64"
) -> None:
    """The wheel for a Python such as "3.14", or "3.14t" for the free-threaded one."""
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:")
    abi = f"cp{name.replace('.', '')}"
    target = ("--python-version", name.rstrip("t"), "--abi", abi)
    run(*pip, *target, "--platform", platform, "--dest", folder, requirement)
    shutil.unpack_archive(next(folder.glob("*.whl")), folder, "zip")


def copy_library(folder: pathlib.Path, source: pathlib.Path, name: str) -> None:
    """What a Python that Debian has unpacked has in Python, and its headers, without the
    system around them, in a new folder for a Python of this name."""
    theirs, ours = f"python{name.rstrip('t')}", f"python{name}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "bin").mkdir(parents=True)
    # Without what makes it look for pip where it is not.
    without = shutil.ignore_patterns("ensurepip")
    shutil.copytree(source / "lib" / theirs, folder / "lib" / ours, symlinks=True, ignore=without)
    include = folder / "include" / ours
    shutil.copytree(source / "include" / theirs, include)
    shutil.copy(source / "include" / "x86_64-linux-gnu" / theirs / "pyconfig.h", include)


def become_python(
    program: pathlib.Path, folder: pathlib.Path, name: str, cc: str = "cc"
) -> pathlib.Path:
    """Let a program that contains a Python be the one of a folder; `cc` compiles for its C
    library."""
    place = folder / "bin" / f"python{name}"
    include = folder / "include" / f"python{name}"
    compiler = (cc, "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-isystem", include)
    run(*compiler, LAUNCHER, "-o", folder / "bin" / "launch.so")
    shutil.copy(program, place)
    place.chmod(0o755)
    run("patchelf", "--add-needed", "launch.so", "--set-rpath", "$ORIGIN", place)
    return place


def load_from_userland(program: pathlib.Path) -> None:
    """Let a program load libraries from beside it, and from userland.py's folder."""
    path = f"$ORIGIN:{userland.folder() / userland.LIBRARIES}"
    # Not the newer kind of path, which would not count for what the libraries need.
    run("patchelf", "--force-rpath", "--set-rpath", path, program)
    run("patchelf", "--set-interpreter", userland.folder() / userland.LOADER, program)
