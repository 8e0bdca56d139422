"""Brings the headers of every CPython that wheels are built for, and lays them out for each
kind of system.

CPython's headers are the same on all systems, but for pyconfig.h.  Those up to 3.13 are in
packages of the index, the pyconfig.h for Windows among them, later ones in Debian's newest
suite; what other systems have for a pyconfig.h is wheels_pyconfig.h.  Needs apt-get, and a
network the first time.
"""

import pathlib
import re
import shutil
import tempfile

import debian_packages
import userland
import windows
from made_once import make_once
from userland import run

TOOLS = pathlib.Path(__file__).resolve().parent
POSIX_CONFIGURATION = TOOLS / "wheels_pyconfig.h"
MORE_FOR_WINDOWS = TOOLS / "wheels_windows.h"

# The last one whose headers for Windows are in a package.
NEWEST_WITH_WINDOWS = "3.13"

SUITE = "sid"

# What a library for Windows exports: functions and data that CPython's headers declare.
EXPORTED = re.compile(
    r"\bPy(?:API|Mod)_(?:FUNC|DATA)\([^()]*(?:\([^()]*\))?[^()]*\)\s*\**(_?Py\w+)"
)


def headers(minor: str) -> pathlib.Path:
    """The folder of a version's headers, as some package has them."""
    if minor in windows.SOURCES:
        return windows.bring(minor).folder / "include"
    package = f"libpython{minor}-dev"
    folder = userland.folder().parent / f"headers-{minor}"

    def unpack() -> None:
        with tempfile.TemporaryDirectory() as work:
            debian_packages.unpack(package, SUITE, pathlib.Path(work), folder)

    make_once(folder, f"{package} {SUITE}", unpack)
    return folder / "usr" / "include" / f"python{minor}"


def lay_out(minor: str, system: str, folder: pathlib.Path) -> pathlib.Path:
    """A folder with a version's headers for a kind of system, made anew."""
    if system != "windows":
        return lay_out_posix(headers(minor), folder)
    # Nothing that later headers ask for on Windows has changed there.
    with_windows = minor if minor in windows.SOURCES else NEWEST_WITH_WINDOWS
    found = headers(with_windows) / "pyconfig.h"
    return copy_headers(headers(minor), folder, found.read_text() + MORE_FOR_WINDOWS.read_text())


def lay_out_posix(source: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """A folder with some version's headers for all systems but Windows, made anew."""
    return copy_headers(source, folder, POSIX_CONFIGURATION.read_text())


def copy_headers(source: pathlib.Path, folder: pathlib.Path, configuration: str) -> pathlib.Path:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    # It may be a link to a file that is shared.
    (folder / "pyconfig.h").unlink()
    (folder / "pyconfig.h").write_text(configuration)
    return folder


def patch_release(include: pathlib.Path) -> str:
    """Of which CPython headers are."""
    text = (include / "patchlevel.h").read_text()
    found = re.search(r'^#define PY_VERSION\s+"(.+)"$', text, re.MULTILINE)
    assert found is not None
    return found.group(1)


def exported_names(include: pathlib.Path) -> list[str]:
    """All that a library of Python's for Windows may export."""
    names = set()
    for header in include.rglob("*.h"):
        names.update(EXPORTED.findall(header.read_text()))
    return sorted(names)


def import_library(
    include: pathlib.Path, library: str, machine: str, zig: list[str], folder: pathlib.Path
) -> pathlib.Path:
    """What a linker for Windows is given in the place of a Python's library."""
    definition = folder / f"{library}.def"
    lines = [f"LIBRARY {library}.dll", "EXPORTS", *exported_names(include)]
    definition.write_text("\n".join(lines) + "\n")
    made = folder / f"{library}.lib"
    run(*zig, "dlltool", "-d", definition, "-D", f"{library}.dll", "-l", made, "-m", machine)
    return made
