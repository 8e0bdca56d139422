"""Brings what tests on other architectures need: Debian's Pythons of an architecture,
and compilers that this machine's Debian does not have yet.

Packages are unpacked, not installed, into folders of the user's cache, beside those of
userland.py.  Programs of another architecture run by an emulator that the kernel is
told of.  Needs Debian or the like, root, and a network the first time.
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
from collections.abc import Iterator

import userland
from made_once import make_once
from userland import Unavailable, run

BINFMT = pathlib.Path("/proc/sys/fs/binfmt_misc")

# What Debian 12 has no compiler for, and an emulator only that is too old.
TOOLCHAIN_SUITE = "sid"
TOOLCHAINS = {
    "loong64": (
        "gcc-loongarch64-linux-gnu",
        "libc6-dev-loong64-cross",
        "qemu-user",
        "coreutils",
    )
}

# How the kernel knows a program of LoongArch: the first bytes of an ELF file, and which
# of their bits count.
LOONGARCH_MAGIC = "7f454c4602010100000000000000000002000201"
LOONGARCH_MASK = "fffffffffffffffc00fffffffffffffffeffffff"


def install(*packages: str) -> None:
    """With apt; Unavailable if that cannot be."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise Unavailable(f"only root on Debian can install {' '.join(packages)}")
    environment = "DEBIAN_FRONTEND=noninteractive"
    # Somebody else may be installing something.
    wait = "DPkg::Lock::Timeout=600"
    command = ["env", environment, "apt-get", "install", "-y", "-qq", "-o", wait]
    run(*command, "--no-install-recommends", *packages)


def folder_of(suite: str, debian: str) -> pathlib.Path:
    return userland.folder().parent / f"{suite}-{debian}"


def unpack(folder: pathlib.Path, suite: str, architecture: str, packages: tuple[str, ...]) -> None:
    """Unless it is there."""
    command = [
        "mmdebstrap",
        "--quiet",
        "--mode=root",
        f"--architectures={architecture}",
        "--variant=extract",
        "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg",
        # The suite's index may be a kept one.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
        f"--include={','.join(packages)}",
        suite,
        str(folder),
    ]

    def unpack_packages() -> None:
        userland.require_tools()
        run(*command)

    # Whatever changes in the command makes the folder anew.
    make_once(folder, " ".join(command), unpack_packages)


def python_packages(minors: tuple[str, ...]) -> tuple[str, ...]:
    """These Pythons, to build for, and a shell."""
    packages = ["dash"]
    for minor in minors:
        packages += [f"python{minor}", f"libpython{minor}-dev"]
    return tuple(packages)


def python_userland(
    suite: str, debian: str, minors: tuple[str, ...], more: tuple[str, ...]
) -> pathlib.Path:
    """A folder with these Pythons, a shell, and more packages."""
    folder = folder_of(suite, debian)
    unpack(folder, suite, debian, python_packages(minors) + more)
    # Where programs look for their loader on LoongArch; what is there comes with a
    # package that only an installation sets right.
    if (folder / "usr" / "lib64").is_dir() and not (folder / "lib64").exists():
        (folder / "lib64").symlink_to("usr/lib64")
    return folder


def toolchain(name: str) -> pathlib.Path | None:
    """A folder with a newer compiler and emulator for an architecture that needs them."""
    if name not in TOOLCHAINS:
        return None
    folder = folder_of(TOOLCHAIN_SUITE, f"{name}-toolchain")
    unpack(folder, TOOLCHAIN_SUITE, "amd64", TOOLCHAINS[name])
    return folder


def with_mounts(mounts: dict[pathlib.Path, pathlib.Path], command: list[str]) -> list[str]:
    """A command in a mount namespace of its own, in which folders are seen in other
    places too; /proc as a source is the system's."""
    script = ""
    for source, place in mounts.items():
        place.mkdir(parents=True, exist_ok=True)
        kind = "-t proc" if source == pathlib.Path("/proc") else "--bind"
        script += f"mount {kind} '{source}' '{place}' && "
    return ["unshare", "--mount", "--", "sh", "-c", f'{script}exec "$@"', "sh", *command]


def with_root(
    folder: pathlib.Path, root: pathlib.Path, command: list[str], *more: pathlib.Path
) -> list[str]:
    """A command outside of a userland, whose programs see `root`, and more, in the same places as
    here."""
    places = (root, pathlib.Path("/proc"), *more)
    return with_mounts({each: folder / str(each).lstrip("/") for each in places}, command)


def in_userland(
    folder: pathlib.Path,
    root: pathlib.Path,
    command: list[str],
    instead: dict[pathlib.Path, str] | None = None,
) -> list[str]:
    """A command inside a userland, which sees `root` as /srv, and begins there; of what is
    below, some folders are others instead."""
    mounts = {root: folder / "srv", pathlib.Path("/proc"): folder / "proc"}
    for source, place in (instead or {}).items():
        mounts[source] = folder / "srv" / place
    # No `env` or the like: the userland has little but Python and a shell.
    inside = ["chroot", str(folder), "/bin/sh", "-c", 'cd /srv && exec "$@"', "sh", *command]
    return with_mounts(mounts, inside)


def compiler_words(folder: pathlib.Path, root: pathlib.Path, name: str) -> str:
    """The compiler of a toolchain's folder, for a caller that has mounted `root` there."""
    return f"chroot {folder} /usr/bin/env -C {root} {name}"


@contextlib.contextmanager
def emulated(qemu: str, newer: pathlib.Path | None) -> Iterator[None]:
    """The kernel runs programs of an architecture by qemu, as long as it is needed."""
    if not (BINFMT / "register").exists():
        run("mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT)
    if newer is None:
        # Installing leaves it out in a container, and what is told twice does no harm.
        run("update-binfmts", "--import", f"qemu-{qemu}")
        run("update-binfmts", "--enable", f"qemu-{qemu}")
        yield
        return
    name = f"greenlet-{qemu}"
    registered = BINFMT / name
    if registered.exists():
        registered.write_text("-1")
    magic, mask = (
        "".join(f"\\x{text[i : i + 2]}" for i in range(0, len(text), 2))
        for text in (LOONGARCH_MAGIC, LOONGARCH_MASK)
    )
    interpreter = newer / "usr" / "bin" / f"qemu-{qemu}"
    # Opened now, so that it is found from inside other folders.
    (BINFMT / "register").write_text(f":{name}:M::{magic}:{mask}:{interpreter}:F")
    try:
        yield
    finally:
        registered.write_text("-1")


def is_root() -> bool:
    return os.geteuid() == 0


def succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0
