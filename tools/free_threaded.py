"""Brings free-threaded Pythons, which Debian does not have.

    python3 tools/free_threaded.py              prints their paths, making them if need be
    python3 tools/free_threaded.py 3.14         the same program with a GIL, to compare with

The program and its compiled modules are in a package of the index that makes programs
of scripts; the library in Python and the headers are Debian's.  Both must be of patch
releases that have their fields in the same places: of those that can be had the nearest
are taken, by the table that CPython has for debuggers.  Needs what userland.py needs.
"""

import fcntl
import hashlib
import json
import pathlib
import pprint
import re
import runpy
import shutil
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass

import assemble
import foreign
import userland
from userland import Unavailable, run

NAMES = ("3.14t", "3.15t")

# The newest, and those that fit headers that Debian has had.
WHEELS = ("freeze-core", "freeze-core==0.8.1", "freeze-core==0.8.0")

# Writes the table of the headers that it is compiled with.
TABLE = pathlib.Path(__file__).resolve().parent / "debug_offsets.c"

# How a table begins: a mark, the version, whether there is no GIL.
BEGIN = re.compile(rb"xdebugpy...\x03\0{4}[\0\1]\0{7}", re.DOTALL)
VERSION_ENTRY = 1
NOT_COMPARED = 2**64 - 1

# What Debian compiles with, and the program was not.
JIT = re.compile(r"-D_Py_(TIER2=\d|JIT)\b *")

# Whatever changes here makes the folders anew.
RECIPE = hashlib.sha256(
    b"".join(
        pathlib.Path(path).read_bytes()
        for path in (__file__, assemble.__file__, assemble.LAUNCHER, TABLE)
    )
).hexdigest()


@dataclass(frozen=True)
class Flavour:
    """The C library that programs are for."""

    platform: str  # as wheels call it
    triplet: str
    compiler: str
    not_compared: tuple[int, ...] = ()  # entries of the table, besides the version


GLIBC = Flavour("manylinux2014_x86_64", "x86_64-linux-gnu", "cc")


@dataclass(frozen=True)
class Half:
    """A wheel's folder with a program, or a folder of Debian's with headers."""

    folder: pathlib.Path
    table: tuple[int, ...]

    @property
    def version(self) -> int:
        """As Py_Version has it: a byte for each number, and one for what is no release."""
        return self.table[VERSION_ENTRY]

    def __str__(self) -> str:
        number = f"{self.version >> 24}.{self.version >> 16 & 255}.{self.version >> 8 & 255}"
        return number if is_release(self.version) else f"{number} (no release yet)"


def is_release(version: int) -> bool:
    return version & 255 == 0xF0


def folder_of(name: str) -> pathlib.Path:
    kind = "free-threaded" if name.endswith("t") else "with-gil"
    return userland.folder().parent / f"{kind}-{name}"


def python(name: str) -> pathlib.Path:
    """Where an interpreter is, if it is there."""
    return folder_of(name) / "bin" / f"python{name}"


def is_made(name: str) -> bool:
    mark = folder_of(name) / "made-by"
    return mark.exists() and mark.read_text() == RECIPE


def make(name: str) -> None:
    """Put a Python such as "3.14t" together, unless it is there; Unavailable if it cannot
    be had."""
    folder = folder_of(name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w") as lock, tempfile.TemporaryDirectory() as work:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_made(name):
            return
        print(f"{folder}: putting CPython {name} together", file=sys.stderr, flush=True)
        if shutil.which("cc") is None:
            raise Unavailable("there is no C compiler")
        userland.require_tools()
        programs, headers = halves(name, pathlib.Path(work))
        program, debian = nearest(programs, headers)
        put_together(name, program.folder, debian.folder)
        (folder / "made-by").write_text(RECIPE)


def halves(
    name: str, work: pathlib.Path, flavour: Flavour = GLIBC
) -> tuple[list[Half], list[Half]]:
    """The programs and the headers that can be had, best first; Unavailable if there are
    none of either."""
    programs, headers = [], []
    reasons = []
    for number, wheel in enumerate(WHEELS):
        try:
            programs.append(from_wheel(wheel, name, work / str(number), flavour))
        except Unavailable as error:
            reasons.append(f"{wheel}: {error}")
    for source in (from_testing, from_userland):
        try:
            folder = source(name.rstrip("t"))
            headers.append(Half(folder, table_of_headers(folder, name, work / "table", flavour)))
        except Unavailable as error:
            reasons.append(str(error))
    if not programs or not headers:
        raise Unavailable("\n".join(reasons))
    return programs, headers


def from_wheel(wheel: str, name: str, folder: pathlib.Path, flavour: Flavour) -> Half:
    folder.mkdir()
    assemble.unpack_wheel(wheel, name, folder, flavour.platform)
    return Half(folder, table_of_program(program_in(folder, name, flavour).read_bytes()))


def program_in(folder: pathlib.Path, name: str, flavour: Flavour = GLIBC) -> pathlib.Path:
    tag = f"cpython-{name.replace('.', '')}"
    return folder / "freeze_core" / "bases" / f"console-{tag}-{flavour.triplet}"


def from_testing(minor: str) -> pathlib.Path:
    """Debian's testing suite is a few weeks behind the one that userland.py unpacks."""
    folder = foreign.folder_of("testing", f"amd64-{minor}")
    foreign.unpack(folder, "testing", "amd64", (f"python{minor}", f"libpython{minor}-dev"))
    return folder / "usr"


def from_userland(_minor: str) -> pathlib.Path:
    userland.make()
    return userland.folder() / "usr"


def table_of_program(program: bytes) -> tuple[int, ...]:
    """What a program says of where its structs have their fields, and what follows that."""
    begin = BEGIN.search(program)
    if begin is None:
        raise Unavailable("the program has no table for debuggers")
    length = (len(program) - begin.start()) // 8
    return struct.unpack_from(f"<{min(length, 512)}Q", program, begin.start())


def table_of_headers(
    source: pathlib.Path, name: str, made: pathlib.Path, flavour: Flavour
) -> tuple[int, ...]:
    """What headers of Debian's say of the same."""
    include = source / "include"
    python = include / f"python{name.rstrip('t')}"
    # Debian's own pyconfig.h leaves the matter of the GIL open.
    words = ["-DPy_GIL_DISABLED=1"] if name.endswith("t") else []
    words += ["-isystem", str(python), "-isystem", str(python / "internal")]
    run(flavour.compiler, "-std=c11", *words, "-idirafter", include, TABLE, "-o", made)
    written = subprocess.run([made], stdout=subprocess.PIPE, check=True).stdout
    table = struct.unpack(f"<{len(written) // 8}Q", written)
    left_out = flavour.not_compared
    return tuple(NOT_COMPARED if n in left_out else entry for n, entry in enumerate(table))


def configuration(config: str, name: str) -> str:
    """Debian's pyconfig.h as it is for a Python of this name."""
    if not name.endswith("t"):
        return config
    changed, found = re.subn(
        r"^.*#undef Py_GIL_DISABLED.*$", "#define Py_GIL_DISABLED 1", config, flags=re.MULTILINE
    )
    if not found:
        raise Unavailable("Debian's pyconfig.h says nothing of the GIL")
    return changed


def differences(program: Half, headers: Half) -> list[int]:
    """The entries of two tables that must be the same and are not."""
    return [
        entry
        for entry, (theirs, ours) in enumerate(zip(program.table, headers.table, strict=False))
        if entry != VERSION_ENTRY and ours not in (theirs, NOT_COMPARED)
    ]


def nearest(programs: list[Half], headers: list[Half]) -> tuple[Half, Half]:
    """Of the pairs that fit, one of the same patch release if there is one; Unavailable if
    none fits."""
    pairs = [(program, debian) for program in programs for debian in headers]
    fitting = [pair for pair in pairs if is_release(pair[0].version) and not differences(*pair)]
    if not fitting:
        reasons = [
            f"program {program}, headers {debian}: entries {differences(program, debian)} differ"
            for program, debian in pairs
        ]
        raise Unavailable("\n".join(["no program fits Debian's headers:", *reasons]))
    return min(fitting, key=lambda pair: abs(pair[0].version - pair[1].version))


def put_together(name: str, wheel: pathlib.Path, debian: pathlib.Path) -> None:
    folder = folder_of(name)
    copy_all_but_program(folder, name, wheel, debian)
    program = assemble.become_python(program_in(wheel, name), folder, name)
    # Once, not by every process.  Of what is there not all is meant to compile.
    library = folder / "lib" / f"python{name}"
    subprocess.run([program, "-m", "compileall", "-q", library], stdout=subprocess.DEVNULL)
    run(program, "-c", "import ctypes, ssl, venv")


def copy_all_but_program(
    folder: pathlib.Path, name: str, wheel: pathlib.Path, debian: pathlib.Path
) -> None:
    assemble.copy_library(folder, debian, name)
    library = folder / "lib" / f"python{name}"
    config = folder / "include" / f"python{name}" / "pyconfig.h"
    config.write_text(configuration(config.read_text(), name))
    shutil.rmtree(library / "lib-dynload")
    shutil.copytree(wheel / "freeze_core" / "lib", library / "lib-dynload")
    # The modules look for their libraries here.
    shutil.copytree(wheel / "freeze_core.libs", folder / "lib" / "freeze_core.libs")
    state_facts(folder, name)


def state_facts(folder: pathlib.Path, name: str) -> None:
    """What Debian's library says of how Python was built, said of this one."""
    library = folder / "lib" / f"python{name}"
    for file in library.glob("build-details*"):
        file.unlink()
    flags = "t" if name.endswith("t") else ""
    for file in library.glob("_sysconfig*__*"):
        if not file.is_symlink():
            write = {".json": json_of, ".py": module_of}[file.suffix]
            changed = write(facts_of(folder, name, read_facts(file)))
            file.with_name(file.name.replace("__", f"_{flags}_", 1)).write_text(changed)
        if flags:
            file.unlink()


def read_facts(file: pathlib.Path) -> dict[str, object]:
    if file.suffix == ".json":
        facts: dict[str, object] = json.loads(file.read_text())
        return facts
    return dict(runpy.run_path(str(file))["build_time_vars"])


def facts_of(folder: pathlib.Path, name: str, facts: dict[str, object]) -> dict[str, object]:
    plain, ours = (f"cpython-{each.replace('.', '')}-" for each in (name.rstrip("t"), name))

    def told(value: object) -> object:
        return JIT.sub("", value).replace(plain, ours) if isinstance(value, str) else value

    changed = {key: told(value) for key, value in facts.items()}
    include = str(folder / "include" / f"python{name}")
    # The system's Python of this version, if there is one, is another.
    places = {"INCLUDEPY": include, "CONFINCLUDEPY": include, "LIBPC": str(folder / "lib")}
    if name.endswith("t"):
        places |= {"ABIFLAGS": "t", "ABI_THREAD": "t", "LDVERSION": name}
        changed["Py_GIL_DISABLED"] = 1
    return {**changed, **places}


def json_of(facts: dict[str, object]) -> str:
    return json.dumps(facts, indent=2)


def module_of(facts: dict[str, object]) -> str:
    return f"build_time_vars = {pprint.pformat(facts)}\n"


def main() -> None:
    missing = []
    for name in sys.argv[1:] or NAMES:
        try:
            make(name)
            print(python(name))
        except Unavailable as error:
            missing.append(f"{name}: {error}")
    if missing:
        raise SystemExit("\n".join(missing))


if __name__ == "__main__":
    main()
