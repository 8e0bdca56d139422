"""Builds a CPython without a GIL that ThreadSanitizer watches.

    python3 tools/sanitized_python.py       prints its path, building it if need be

It is 3.13, of which Debian has the source, in a folder of the user's cache, built by clang: a
matter of four minutes on two processors.  What that CPython hides from extensions is not
hidden in this one, since 3.13 lets none stop the other threads.  Needs Debian or the like, root,
and a network the first time.
"""

import hashlib
import os
import pathlib
import shutil
import tempfile

import debian_source
import foreign
import made_once
import userland
from userland import Unavailable, run

SUITE = "trixie"
SOURCE = "python3.13"
NAME = "3.13t"

CONFIGURE = (
    "--disable-gil",
    "--with-thread-sanitizer",
    "--without-ensurepip",
    "--disable-test-modules",
)
HIDING = "-fvisibility=hidden"
UNUSED = shutil.ignore_patterns("test", "idlelib", "turtledemo", "__pycache__")

PACKAGES = ("clang", "libclang-rt-dev", "make", "zlib1g-dev", "libffi-dev")

# Whatever changes here builds it anew.
RECIPE = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()

# Debian 12's ThreadSanitizer does not know addresses as random as newer kernels make them.
UNDER = ("setarch", "-R")


def folder() -> pathlib.Path:
    return userland.folder().parent / f"tsan-{NAME}"


def python() -> pathlib.Path:
    return folder() / "bin" / f"python{NAME}"


def include() -> pathlib.Path:
    """The folder of its headers."""
    return folder() / "include" / f"python{NAME}"


def is_made() -> bool:
    return made_once.is_made(folder(), RECIPE)


def make() -> None:
    """Build it, unless it is there; Unavailable if it cannot be."""
    made_once.make_once(folder(), RECIPE, build_from_source)


def build_from_source() -> None:
    foreign.install(*PACKAGES)
    with tempfile.TemporaryDirectory() as work:
        build(debian_source.unpack(SOURCE, SUITE, pathlib.Path(work)))


def build(source: pathlib.Path) -> None:
    compilers = ("CC=clang", "CXX=clang++")
    inside = ("env", "-C", source, *UNDER)
    run(*inside, "env", *compilers, "./configure", "-q", f"--prefix={folder()}", *CONFIGURE)
    makefile = source / "Makefile"
    makefile.write_text(makefile.read_text().replace(HIDING, ""))
    run(*inside, "make", "-s", f"-j{os.cpu_count()}")
    run(*inside, "make", "-s", "altbininstall", "inclinstall", "sharedinstall")
    # libinstall would compile it, for minutes; now what is used is, when it is.
    library = folder() / "lib" / f"python{NAME}"
    shutil.copytree(source / "Lib", library, dirs_exist_ok=True, ignore=UNUSED)
    for facts in source.glob("build/lib.*/_sysconfigdata*.py"):
        shutil.copy(facts, library)


def main() -> None:
    try:
        make()
    except Unavailable as error:
        raise SystemExit(str(error)) from None
    print(python())


if __name__ == "__main__":
    main()
