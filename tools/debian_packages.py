"""Unpacks Debian's packages of another suite into a folder, by an apt with lists of its own:
nothing is installed, and nobody need be root."""

import pathlib
import shutil

import debian_source
from userland import Unavailable, run


def unpack(package: str, suite: str, work: pathlib.Path, folder: pathlib.Path) -> None:
    """One package for this machine's architecture, without what it depends on; apt keeps what
    it needs in an empty folder."""
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise Unavailable(f"{package} is unpacked with {program}, which is missing")
    apt = apt_words(suite, work)
    run(*apt, "update")
    run("env", "-C", work, *apt, "download", package)
    (archive,) = work.glob("*.deb")
    run("dpkg-deb", "--extract", archive, folder)


def apt_words(suite: str, work: pathlib.Path) -> list[str]:
    (work / "lists" / "partial").mkdir(parents=True)
    (work / "cache" / "archives" / "partial").mkdir(parents=True)
    (work / "status").touch()
    source = f"deb [signed-by={debian_source.KEYS}] {debian_source.mirror()} {suite} main\n"
    (work / "sources.list").write_text(source)
    options = {
        "Dir::Etc::SourceList": work / "sources.list",
        "Dir::Etc::SourceParts": "-",
        "Dir::State::Lists": work / "lists",
        # As if nothing were installed.
        "Dir::State::Status": work / "status",
        "Dir::Cache": work / "cache",
        "Acquire::Languages": "none",
        # The suite's index may be a kept one.
        "Acquire::Check-Valid-Until": "false",
        "APT::Sandbox::User": "root",
    }
    return ["apt-get", "-qq", *[f"-o{name}={value}" for name, value in options.items()]]
