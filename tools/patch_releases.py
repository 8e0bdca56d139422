"""Brings other patch releases of a CPython version than interpreters.py finds.

    PYTHONS=all python3 tools/patch_releases.py     prints for each version which there are

One is unpacked from Debian's testing suite; one is inside a program that a package of
the index contains, and gets its library in Python and its headers from userland.py's
Python of the same version.  Each becomes a folder of the user's cache with a `python`
that makes virtual environments and builds extensions.  Needs what userland.py needs.
"""

import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable

import assemble
import foreign
import interpreters
import userland
from interpreters import Interpreter
from userland import Unavailable

# Whatever changes here makes the folders anew.
RECIPE = hashlib.sha256(
    b"".join(
        path.read_bytes()
        for path in (pathlib.Path(__file__), pathlib.Path(assemble.__file__), assemble.LAUNCHER)
    )
).hexdigest()

# What the first patch release of 3.14 does not have at the end of PyThreadState.
LATER_FIELD = r"    _PyStackChunk \*datastack_cached_chunk;\n"

# Its version, and the size of PyThreadState by its table for debuggers.
FACTS = """
import ctypes, platform
table = (ctypes.c_uint64 * 23).in_dll(ctypes.pythonapi, "_PyRuntime")
print(platform.python_version(), table[22])
"""


def from_debian(folder: pathlib.Path, minor: str) -> None:
    """Debian's testing suite is a few weeks behind the one that userland.py unpacks."""
    source = foreign.folder_of("testing", f"amd64-{minor}")
    packages = (f"python{minor}", f"libpython{minor}-dev")
    foreign.unpack(source, "testing", "amd64", packages)
    assemble.copy_library(folder, source / "usr", minor)
    copy_program(folder, source / "usr", minor)


def from_panda3d(folder: pathlib.Path, minor: str) -> None:
    """CPython 3.14.0, in a program that makes games of scripts."""
    with tempfile.TemporaryDirectory() as work:
        assemble.unpack_wheel("panda3d==1.10.16", minor, pathlib.Path(work))
        assemble.copy_library(folder, userland.folder() / "usr", minor)
        modules = folder / "lib" / f"python{minor}" / "lib-dynload"
        shutil.rmtree(modules)
        shutil.copytree(pathlib.Path(work, "deploy_libs"), modules)
        stub = pathlib.Path(work, "panda3d_tools", "deploy-stub")
        assemble.load_from_userland(assemble.become_python(stub, folder, minor))
    make_headers_older(folder / "include" / f"python{minor}", folder / "bin" / f"python{minor}")


def copy_program(folder: pathlib.Path, source: pathlib.Path, minor: str) -> None:
    name = f"python{minor}"
    shutil.copy(source / "bin" / name, folder / "bin" / name)
    assemble.load_from_userland(folder / "bin" / name)


def make_headers_older(include: pathlib.Path, python: pathlib.Path) -> None:
    """Make headers of a later patch release right for this one; Unavailable if they are not
    right then."""
    said = subprocess.run([python, "-c", FACTS], capture_output=True, text=True)
    version, _, size = said.stdout.strip().partition(" ")
    if not size:
        raise Unavailable(f"{python} does not run: {said.stderr}")
    substitute(include / "cpython" / "pystate.h", LATER_FIELD, "")
    substitute(include / "patchlevel.h", r'(define PY_VERSION +)".*"', rf'\1"{version}"')
    code = f"#include <Python.h>\nchar right[sizeof(PyThreadState) == {size} ? 1 : -1];\n"
    compiler = ["cc", "-fsyntax-only", "-isystem", str(include), "-x", "c", "-"]
    if subprocess.run(compiler, input=code, capture_output=True, text=True).returncode:
        raise Unavailable(f"the headers made for Python {version} are not right")


def substitute(file: pathlib.Path, pattern: str, replacement: str) -> None:
    file.write_text(re.sub(pattern, replacement, file.read_text()))


BRINGERS: dict[str, Callable[[pathlib.Path, str], None]] = {
    "3.14": from_panda3d,
    "3.15": from_debian,
}


def brought(minor: str) -> pathlib.Path:
    """The python that is brought for a version, made if need be; or Unavailable."""
    folder = userland.folder().parent / f"patch-release-{minor}"
    program = folder / "bin" / f"python{minor}"
    mark = folder / "made-by"
    wanted = f"{RECIPE} {userland.RECIPE}"
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists() or mark.read_text() != wanted:
            userland.make()
            BRINGERS[minor](folder, minor)
            mark.write_text(wanted)
    return program


def find(minor: str) -> list[Interpreter]:
    """Patch releases of a version, the usual one first, all with headers; Unavailable if
    there is only one."""
    if os.environ.get("PYTHONS") != "all":
        raise Unavailable("other patch releases are brought with PYTHONS=all only")
    userland.make()
    usual = interpreters.select([minor])[0]
    others = [userland.python(minor)]
    if minor in BRINGERS:
        others.append(brought(minor))
    found = {usual.version: usual}
    for python in others:
        interpreter = interpreters.examine(str(python))
        found.setdefault(interpreter.version, interpreter)
    if len(found) == 1:
        raise Unavailable(f"no other patch release than {usual.version} is to be had")
    return list(found.values())


def main() -> None:
    for minor in userland.MINORS:
        try:
            print(f"{minor}: {' '.join(each.version for each in find(minor))}")
        except Unavailable as error:
            print(f"{minor}: {error}")


if __name__ == "__main__":
    main()
