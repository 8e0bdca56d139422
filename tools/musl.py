"""Brings CPythons for musl, another C library for Linux.

    python3 tools/musl.py     prints their paths, making them if need be

Programs and compiled modules are of the same packages as free_threaded.py's, and so are the
library in Python and the headers.  musl is that of Debian's newest suite: these programs ask
for more than older ones have.  Needs what userland.py needs.

Those for another processor than this machine's have the same library in Python and headers.
Whoever brings them has seen to it that programs for it run here.
"""

import hashlib
import pathlib
import shlex
import tempfile
from dataclasses import dataclass

import assemble
import debian_source
import foreign
import free_threaded
import userland
import zig
from free_threaded import Flavour, nearest
from made_once import make_once
from userland import Unavailable, run

NAMES = ("3.14", "3.14t", "3.15")

COMPILER = "musl-gcc"

# How large the interpreter's whole state is depends on the C library's locks.
SIZE_OF_STATE = 3


@dataclass(frozen=True)
class Architecture:
    name: str  # as musl and wheels call it
    debian: str  # Debian's name of it

    @property
    def triplet(self) -> str:
        return f"{self.name}-linux-musl"

    @property
    def flavour(self) -> Flavour:
        """The table is written by a program for this machine: the layout is the same."""
        return Flavour(f"musllinux_1_2_{self.name}", self.triplet, COMPILER, (SIZE_OF_STATE,))


X86_64 = Architecture("x86_64", "amd64")
AARCH64 = Architecture("aarch64", "arm64")
ARCHITECTURES = (X86_64, AARCH64)

# What Debian's library in Python says that it was built for.
TRIPLET_OF_LIBRARY = "x86_64-linux-gnu"

# What modules want of a system besides its C library.
ZLIB = ("zlib", "sid")

RECIPE = hashlib.sha256(
    b"".join(
        pathlib.Path(path).read_bytes()
        for path in (__file__, free_threaded.__file__, assemble.__file__, assemble.LAUNCHER)
    )
).hexdigest()


def bring(name: str, architecture: Architecture = X86_64) -> pathlib.Path:
    """The folder of a Python such as "3.14t", made if need be; Unavailable if it cannot be had."""
    kind = "musl" if architecture == X86_64 else f"musl-{architecture.name}"
    folder = userland.folder().parent / f"{kind}-{name}"
    make_once(folder, RECIPE, lambda: put_together(folder, name, architecture))
    return folder


def program(folder: pathlib.Path, name: str) -> pathlib.Path:
    return folder / "bin" / f"python{name}"


def put_together(folder: pathlib.Path, name: str, architecture: Architecture) -> None:
    userland.require_tools()
    foreign.install("musl-tools", "musl-dev")
    with tempfile.TemporaryDirectory() as work:
        flavour = architecture.flavour
        compiler = compiler_for(architecture, pathlib.Path(work, "cc"))
        halves = free_threaded.halves(name, pathlib.Path(work), flavour)
        wheel, debian = (half.folder for half in nearest(*halves))
        free_threaded.copy_all_but_program(folder, name, wheel, debian)
        name_facts(folder / "lib" / f"python{name}", architecture.triplet)
        libraries = folder / "lib" / "freeze_core.libs"
        build_zlib(libraries, pathlib.Path(work, "zlib"), compiler)
        original = free_threaded.program_in(wheel, name, flavour)
        python = assemble.become_python(original, folder, name, compiler)
        path = f"$ORIGIN:$ORIGIN/../lib/{libraries.name}"
        run("patchelf", "--force-rpath", "--set-rpath", path, python)
        run("patchelf", "--set-interpreter", loader(architecture), python)
        run(python, "-c", "import binascii, ctypes, ssl, sysconfig; sysconfig.get_config_vars()")


def compiler_for(architecture: Architecture, script: pathlib.Path) -> str:
    """A program that compiles for an architecture: the script, if there is no other."""
    if architecture == X86_64:
        return COMPILER
    script.write_text(f'#!/bin/sh\nexec {shlex.join(zig.words(architecture.triplet))} "$@"\n')
    script.chmod(0o755)
    return str(script)


def name_facts(library: pathlib.Path, triplet: str) -> None:
    """What Debian's library says of how Python was built, where that for another system looks for
    it."""
    for file in library.glob(f"_sysconfig*{TRIPLET_OF_LIBRARY}*"):
        if not file.is_symlink():
            text = file.read_text().replace(TRIPLET_OF_LIBRARY, triplet)
            file.with_name(file.name.replace(TRIPLET_OF_LIBRARY, triplet)).write_text(text)


def build_zlib(folder: pathlib.Path, work: pathlib.Path, compiler: str) -> None:
    work.mkdir()
    source = debian_source.unpack(*ZLIB, work)
    # Its own configure wants a linker that takes versions of symbols that are not there.
    library = folder / "libz.so.1"
    options = ("-O2", "-fPIC", "-shared", "-DHAVE_UNISTD_H", "-DHAVE_HIDDEN")
    output = (f"-Wl,-soname,{library.name}", "-o", library)
    run(compiler, *options, *sorted(source.glob("*.c")), *output)


def loader(architecture: Architecture) -> pathlib.Path:
    """Of the newest musl, which is a C library and the loader of programs in one file."""
    kind = "musl" if architecture == X86_64 else f"musl-{architecture.debian}"
    folder = foreign.folder_of("sid", kind)
    foreign.unpack(folder, "sid", architecture.debian, ("musl",))
    return folder / "usr" / "lib" / f"ld-musl-{architecture.name}.so.1"


def main() -> None:
    for name in NAMES:
        try:
            print(program(bring(name), name))
        except Unavailable as error:
            print(f"{name}: {error}")


if __name__ == "__main__":
    main()
