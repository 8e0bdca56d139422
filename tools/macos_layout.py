"""Compares the structures of headers that were made for macOS with those of a real CPython for
macOS, by the table that CPython has for debuggers.

3.13 has one, too, but its headers do not say it apart from the whole runtime's state."""

import pathlib
import tempfile
from collections.abc import Iterable, Iterator

import assemble
import free_threaded
import macos_toolchain
import wheel_headers
from free_threaded import Half
from userland import run
from wheel_platforms import Version

# Both architectures in one; older systems' are taken as well.
PLATFORM = "macosx_11_0_universal2"

FIRST_WITH_TABLE = (3, 14)

# Whether there is one is said to the compiler, not in the headers.
WITH_JIT = "-D_Py_TIER2=1"


def bring_library(version: Version, folder: pathlib.Path) -> pathlib.Path:
    """The library of the CPython for macOS that the index has, into a new folder."""
    folder.mkdir(parents=True)
    assemble.unpack_wheel("freeze-core", version.name, folder, PLATFORM)
    name = "PythonT" if version.free_threaded else "Python"
    return folder / "freeze_core" / "bases" / "lib" / name


def of_library(library: pathlib.Path, architecture: str) -> Half:
    with tempfile.TemporaryDirectory() as work:
        part = pathlib.Path(work, "part")
        run(macos_toolchain.bring() / "lipo", library, "-thin", architecture, "-output", part)
        return Half(library, free_threaded.table_of_program(part.read_bytes()))


def of_headers(headers: pathlib.Path, compiler: list[str]) -> Iterator[Half]:
    """What headers for macOS say to a compiler for it, of a CPython without the JIT and of one
    that has it."""
    with tempfile.TemporaryDirectory() as work:
        made, table = pathlib.Path(work, "table.o"), pathlib.Path(work, "table")
        words = ["-O0", "-std=c11", "-isystem", headers, "-isystem", headers / "internal"]
        for more in ([], [WITH_JIT]):
            run(*compiler, *words, *more, "-c", free_threaded.TABLE, "-o", made)
            objcopy = macos_toolchain.bring() / "objcopy"
            run(objcopy, f"--dump-section=__DATA,__data={table}", made)
            yield Half(headers, free_threaded.table_of_program(table.read_bytes()))


def candidates(version: Version, ours: pathlib.Path, compiler: list[str]) -> Iterator[Half]:
    """What our headers for macOS say, and Debian's of another patch release."""
    yield from of_headers(ours, compiler)
    include = free_threaded.from_testing(version.number) / "include" / f"python{version.number}"
    with tempfile.TemporaryDirectory() as work:
        made = wheel_headers.lay_out_posix(include, pathlib.Path(work, "headers"))
        yield from of_headers(made, compiler)


def problem(real: Half, made: Iterable[Half]) -> str:
    """Nothing if all entries of one of the tables are those of the real one; there is at least
    one, and none is asked for after that."""
    found = []
    for each in made:
        entries = free_threaded.differences(real, each)
        if not entries:
            return ""
        found.append(f"real {real}, headers {each}: entries {entries} differ")
    assert found
    return "\n".join(found)
