"""Unpacks the source of a package as its authors released it, from Debian, by an apt with lists
of its own."""

import pathlib
import subprocess

from userland import Unavailable, run

KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


def unpack(name: str, suite: str, work: pathlib.Path) -> pathlib.Path:
    """Into a new folder, with what apt needs, below an empty one."""
    (work / "lists" / "partial").mkdir(parents=True)
    (work / "cache" / "archives" / "partial").mkdir(parents=True)
    (work / "sources.list").write_text(f"deb-src [signed-by={KEYS}] {mirror()} {suite} main\n")
    options = {
        "Dir::Etc::SourceList": work / "sources.list",
        "Dir::Etc::SourceParts": "-",
        "Dir::State::Lists": work / "lists",
        "Dir::Cache": work / "cache",
        # The suite's index may be a kept one.
        "Acquire::Check-Valid-Until": "false",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", *[f"-o{name}={value}" for name, value in options.items()]]
    run(*apt, "update")
    run("env", "-C", work, *apt, "source", "--download-only", "--tar-only", name)
    archive = next(work.glob("*.orig.tar.*"))
    folder = work / "source"
    folder.mkdir()
    run("tar", "--extract", f"--file={archive}", f"--directory={folder}")
    return next(folder.iterdir())


def mirror() -> str:
    """Where this machine's own packages come from."""
    targets = ["apt-get", "indextargets", "--format", "$(SITE)", "ShortDesc: Packages"]
    sites = subprocess.run(targets, capture_output=True, text=True).stdout.split()
    if not sites:
        raise Unavailable("apt knows no mirror")
    return sites[0]
