"""Brings Pythons that this machine does not have: Debian's newest, debug builds too.

    python3 tools/userland.py       prints their paths, making them if need be

Their packages are unpacked, not installed, into a folder of the user's cache, and
the programs changed so that they load their own C library from there.  They then
run, make virtual environments and build extensions like any other Python of the
machine.  Needs Debian or the like, root, and a network the first time.
"""

import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

SUITE = "sid"
MINORS = ("3.13", "3.14", "3.15")
TOOLS = ("mmdebstrap", "patchelf")
LIBRARIES = "usr/lib/x86_64-linux-gnu"
LOADER = "usr/lib64/ld-linux-x86-64.so.2"

# Whatever changes here makes the folder anew.
RECIPE = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()


class Unavailable(Exception):
    """Why the Pythons cannot be had here."""


def folder() -> pathlib.Path:
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(cache, "greenlet-pythons", SUITE)


def python(minor: str, debug: bool = False) -> pathlib.Path:
    """Where an interpreter is, if it is there."""
    return folder() / "usr" / "bin" / f"python{minor}{'d' if debug else ''}"


def is_made() -> bool:
    mark = folder() / "made-by"
    return mark.exists() and mark.read_text() == RECIPE


def make() -> None:
    """Unpack everything, unless it is there; Unavailable if it cannot be had."""
    folder().parent.mkdir(parents=True, exist_ok=True)
    with open(f"{folder()}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_made():
            return
        print(f"{folder()}: unpacking Debian's Pythons", file=sys.stderr, flush=True)
        require_tools()
        shutil.rmtree(folder(), ignore_errors=True)
        unpack()
        for minor in MINORS:
            for debug in (False, True):
                localize(minor, debug)
        (folder() / "made-by").write_text(RECIPE)


def require_tools() -> None:
    if shutil.which("apt-get") is None:
        raise Unavailable("Debian's Pythons are unpacked with apt-get, which is missing")
    if os.geteuid() != 0:
        raise Unavailable("only root can unpack Debian's Pythons")
    if any(shutil.which(tool) is None for tool in TOOLS):
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *TOOLS)


def unpack() -> None:
    packages = []
    for minor in MINORS:
        packages += [f"python{minor}", f"python{minor}-venv", f"libpython{minor}-dev"]
        packages += [f"python{minor}-dbg", f"libpython{minor}-dbg"]
    run(
        "mmdebstrap",
        "--quiet",
        "--mode=root",
        "--architectures=amd64",
        "--variant=extract",
        "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg",
        # The suite's index may be a kept one.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
        f"--include={','.join(packages)}",
        SUITE,
        folder(),
    )


def localize(minor: str, debug: bool) -> None:
    """Let an interpreter find its libraries and headers where they are."""
    program = python(minor, debug)
    run(
        "patchelf",
        "--set-interpreter",
        folder() / LOADER,
        # Not the newer kind, which would not count for what the libraries need.
        "--force-rpath",
        "--set-rpath",
        folder() / LIBRARIES,
        program,
    )
    # The header in the usual place includes the real one by its path below
    # /usr/include, which is not on the compiler's path here.
    include = folder() / "usr" / "include"
    name = f"{program.name}/pyconfig.h"
    shutil.copyfile(include / "x86_64-linux-gnu" / name, include / name)
    # ensurepip takes its pip from the folder of this name.
    for facts in (folder() / "usr" / "lib" / f"python{minor}").glob("_sysconfig*"):
        if facts.is_file() and not facts.is_symlink():
            text = facts.read_text()
            wheels = f"{folder()}/usr/share/python-wheels"
            facts.write_text(re.sub(r"(WHEEL_PKG_DIR.: .)[^\"']*", rf"\g<1>{wheels}", text))
    run(program, "-c", "import ctypes, ssl, venv")


def run(*command: object) -> None:
    words = [str(word) for word in command]
    outcome = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if outcome.returncode:
        raise Unavailable(f"{outcome.stdout}\nfailed: {' '.join(words)}")


def main() -> None:
    try:
        make()
    except Unavailable as error:
        raise SystemExit(str(error)) from None
    for minor in MINORS:
        for debug in (False, True):
            print(python(minor, debug))


if __name__ == "__main__":
    main()
