"""Brings what builds and judges libraries for macOS on Linux.

    python3 tools/macos_toolchain.py    prints where its programs are, making them if need be

clang, its linker and LLVM's tools are of a newer Debian than this machine's may be: up to
version 14 the linker says of a function that only DWARF describes that it cannot be unwound.
Packages are unpacked, not installed, and the programs changed so that they load their libraries
from there.  What stands for Apple's SDK comes with zig: the system's headers, and the list of
what its library exports.  zig's own linker makes no bundles, which extensions are on macOS.
Needs what userland.py needs.
"""

import hashlib
import pathlib
import re
import subprocess

import foreign
import userland
from environment import BUILD
from made_once import make_once
from userland import Unavailable, run

SUITE = "trixie"
VERSION = "19"
PACKAGES = tuple(f"{name}-{VERSION}" for name in ("clang", "lld", "llvm"))

# By the names that delocate and clang know, those of LLVM.
PROGRAMS = {
    "clang": "clang",
    "ld64.lld": "lld",
    "lipo": "llvm-lipo",
    "objcopy": "llvm-objcopy",
    "objdump": "llvm-objdump",
    "llvm-otool": "llvm-objdump",
}

# delocate asks that no part of a name in brackets be taken for an archive's member.  LLVM's
# program never does that, and does not know how to be told so.
OTOOL = """#!/bin/sh
for word; do
    shift
    [ "$word" = -m ] || set -- "$@" "$word"
done
exec "$(dirname "$0")/llvm-otool" "$@"
"""

# Newer systems list a processor that this LLVM has not heard of, and of the two kinds of
# 64-bit ARM only the one that is for Apple's own programs.
UNKNOWN_TARGET = re.compile(r",\s*arm64e\.x1-\w+")

RECIPE = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()


def bring() -> pathlib.Path:
    """The folder of the programs, made if need be; Unavailable if they cannot be had."""
    folder = userland.folder().parent / "macos-toolchain"
    make_once(folder, RECIPE, lambda: put_together(folder))
    return folder


def put_together(folder: pathlib.Path) -> None:
    unpacked = foreign.folder_of(SUITE, "macos-toolchain")
    foreign.unpack(unpacked, SUITE, "amd64", PACKAGES)
    llvm = unpacked / "usr" / "lib" / f"llvm-{VERSION}"
    # A library that has a path of its own would not look where its program does.
    for library in (unpacked / userland.LIBRARIES).glob(f"lib*.so.{VERSION}.*"):
        if not library.is_symlink():
            run("patchelf", "--remove-rpath", library)
    for name, original in PROGRAMS.items():
        program = (llvm / "bin" / original).resolve()
        run("patchelf", "--set-interpreter", unpacked / userland.LOADER, program)
        # Not the newer kind of path, which would not count for what the libraries need.
        path = f"{unpacked / userland.LIBRARIES}:{llvm / 'lib'}"
        run("patchelf", "--force-rpath", "--set-rpath", path, program)
        require_own_libraries(program, unpacked)
        (folder / name).symlink_to(program)
    otool = folder / "otool"
    otool.write_text(OTOOL)
    otool.chmod(0o755)


def require_own_libraries(program: pathlib.Path, unpacked: pathlib.Path) -> None:
    """Unavailable if a program loads a library of this machine: the next one may not have it."""
    command = [str(unpacked / userland.LOADER), "--list", str(program)]
    said = subprocess.run(command, capture_output=True, text=True)
    others = libraries_outside(unpacked, said.stdout)
    if said.returncode or others:
        raise Unavailable(f"{program} loads {' '.join(others)}\n{said.stderr}")


def libraries_outside(folder: pathlib.Path, said: str) -> list[str]:
    """The paths that a loader lists and that are not in a folder."""
    listed = re.findall(r"=> (\S.*) \(0x\w+\)$", said, re.MULTILINE)
    return [path for path in listed if not pathlib.Path(path).is_relative_to(folder)]


def compiler(target: str, zig: pathlib.Path) -> list[str]:
    """What calls clang for a target; zig's files are in that folder.  Unavailable if it cannot
    be had."""
    return [str(bring() / "clang"), f"--target={target}", "-isysroot", str(bring_sdk(zig))]


def bring_sdk(zig: pathlib.Path) -> pathlib.Path:
    """What clang takes for Apple's SDK, made of zig's files unless it is there."""
    folder = BUILD / "macos" / "sdk"
    (facts,) = zig.parent.glob("ziglang-*.dist-info")
    make_once(folder, f"{facts} {RECIPE}", lambda: fill_sdk(folder, zig / "lib" / "libc"))
    return folder


def fill_sdk(folder: pathlib.Path, libc: pathlib.Path) -> None:
    library = folder / "usr" / "lib" / "libSystem.tbd"
    library.parent.mkdir(parents=True)
    listed = (libc / "darwin" / library.name).read_text()
    library.write_text(UNKNOWN_TARGET.sub("", listed).replace("arm64e-", "arm64-"))
    (folder / "usr" / "include").symlink_to(libc / "include" / "any-darwin-any")


def main() -> None:
    try:
        folder = bring()
    except Unavailable as error:
        raise SystemExit(str(error)) from None
    for name in PROGRAMS:
        print(folder / name)


if __name__ == "__main__":
    main()
