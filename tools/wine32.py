"""Brings a Wine that runs 32-bit programs for Windows.

    python3 tools/wine32.py     makes it if need be, and prints where the script is that runs it

Debian's packages for i386 are unpacked, not installed: what they need would have to be of the
very versions that this machine has of the same libraries.  Needs what foreign.py needs.
"""

import pathlib
import shlex
import shutil

import foreign
import userland
import windows
from environment import BUILD, ROOT
from made_once import make_once
from userland import Unavailable, run

SUITE = "sid"
NAME = "i386-wine"
PACKAGES = ("dash", "coreutils", "wine32")
PROGRAM = "wine32-stable"

SCRIPT = BUILD / "windows" / "wine32.sh"
PREFIX = BUILD / "windows" / "wine32"
SETTINGS = {**windows.SETTINGS, "WINEPREFIX": str(PREFIX), "HOME": "/tmp", "PATH": "/usr/bin:/bin"}

# Wine's libraries need one that is none of its own, which would be there if its package were
# installed.
LIBRARY = "usr/i686-w64-mingw32/lib/zlib1.dll"


def is_there() -> bool:
    return (foreign.folder_of(SUITE, NAME) / "made-by").exists()


def bring() -> pathlib.Path:
    """A script that runs a program, which lies below the root of the tree or among the Pythons
    that windows.py brings, from that root; Unavailable if it cannot be had."""
    folder = foreign.folder_of(SUITE, NAME)
    foreign.unpack(folder, SUITE, "i386", PACKAGES)
    settings = [f"{name}={value}" for name, value in SETTINGS.items()]
    inside = ["chroot", str(folder), "/usr/bin/env", "-C", str(ROOT), *settings, PROGRAM]
    pythons = userland.folder().parent
    words = foreign.with_root(folder, ROOT, inside, pathlib.Path("/dev"), pythons)
    # Two programs that come first at the same time would both make it.
    make_once(PREFIX, str(SETTINGS), lambda: make_prefix(folder / LIBRARY, words))
    SCRIPT.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    SCRIPT.chmod(0o755)
    return SCRIPT


def make_prefix(library: pathlib.Path, words: list[str]) -> None:
    system = PREFIX / "drive_c" / "windows" / "system32"
    system.mkdir(parents=True)
    shutil.copy(library, system)
    run(*words, "wineboot", "-i")


def main() -> None:
    try:
        print(bring())
    except Unavailable as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
